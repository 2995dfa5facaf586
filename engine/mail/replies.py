"""What a mail server's reply to RCPT means for the recipient: rules about us first, then those about the mailbox."""

from __future__ import annotations

import re
from functools import lru_cache

from engine.mail import phrases
from engine.mail.evidence import Answer
from engine.mail.phrasebook import phrases as book
from engine.mail.phrasebook import plain

_ENHANCED = re.compile(r"(?<![\d.])[245]\.[0-7]\.\d{1,3}(?!\.?\d)")
_MAX_TEXT = 1_000

# An echoed address may hold any word ("policy@…"), and a queue id makes every reply another one.
_NOISE = re.compile(
    r"<[^<>\s]*>|(?<![^\s<>\"'(),;:\[\]])[^\s<>\"'(),;:\[\]]*@[^\s<>\"'(),;:\[\]]*"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?=\w*\d)(?=\w*[a-zA-Z])\w{9,}\b"
)
_LINK = re.compile(r"https?://\S+|\b(?!resolver\.)(?:[a-z0-9-]+\.)+[a-z]{2,}\b\S*")
_SENTENCES = re.compile(r"(?<=[a-z])\.(?=[A-Z][a-z])")
_MISSING_AT_MICROSOFT = re.compile(r"recipient address(?:es)? rejected ?: ?access denied")
_GMX = re.compile(r"\b(?:gmx|web\.de|mail\.com|1und1|ionos|kundenserver)\b")

# RFC 3463 and its registry, Microsoft's and Google's lists of their own codes. Class 5 only; subject.detail.
_FINAL_CODES = {
    "1.0": Answer.NOT_FOUND,
    "1.1": Answer.NOT_FOUND,
    "1.3": Answer.NOT_FOUND,
    "1.6": Answer.DISABLED,
    "1.7": Answer.BLOCKED,
    "1.8": Answer.BLOCKED,
    # The registry says null MX here; a server that speaks for the domain refutes that, so the recipient is meant.
    "1.10": Answer.NOT_FOUND,
    "2.1": Answer.DISABLED,
    "2.2": Answer.FULL,
    "2.3": Answer.UNCLEAR,
    "3.4": Answer.UNCLEAR,
}
_FINAL_WHATEVER_THE_TEXT = {"7.13": Answer.DISABLED, "7.504": Answer.DISABLED, "7.505": Answer.DISABLED}
_BLOCK_CODES = frozenset({"7.25", "7.26", "7.511", "7.650", "7.651", *(f"7.{n}" for n in range(606, 650))})
_NEEDS_SMTPUTF8 = frozenset({"6.7", "6.8", "6.9", "6.10"})


def enhanced_code(text: str) -> str:
    """The first enhanced status code (RFC 3463) in a reply, "" without one. Network addresses and version numbers are none."""
    found = _ENHANCED.search(text)
    return found.group() if found else ""


def classify(code: int, text: str) -> Answer:
    """What a reply to RCPT says: its three digits, and its lines joined by a space, with the enhanced code in them.

    Own trouble never becomes a statement about the mailbox: whatever may be about us is looked for first, a 4yz is never final
    (RFC 5321 section 4.2.1), and a refusal that says nothing known is unclear. That includes a bare 550, which section 4.2.3 of
    the same RFC gives three meanings: no such mailbox, no access, policy.
    """
    if 200 <= code < 300:
        return Answer.EXISTS if code in (250, 251) else Answer.UNCLEAR
    if not 400 <= code < 600:
        return Answer.UNCLEAR
    text = text[:_MAX_TEXT]
    return _classify(code, enhanced_code(text)[2:], plain(_NOISE.sub(" ", _SENTENCES.sub(". ", text))))


@lru_cache(maxsize=4_096)
def _classify(code: int, detail: str, full: str) -> Answer:
    words = _LINK.sub(" ", full)
    own = _about_us(code, detail, full, words)
    if own is not None:
        return own
    return _passing(code, detail, words) if code < 500 else _final(code, detail, full, words)


def _about_us(code: int, detail: str, full: str, words: str) -> Answer | None:
    """What concerns the asker, or the asking; and the one kind thing that sounds like it."""
    if book(phrases.BUSY).occur(words):
        return Answer.EXISTS
    if book(phrases.LISTED_BY).occur(full) or detail in _BLOCK_CODES:
        return Answer.BLOCKED
    if code >= 500 and detail in _FINAL_WHATEVER_THE_TEXT:
        return _FINAL_WHATEVER_THE_TEXT[detail]
    if book(phrases.GREYLISTED).occur(words):
        return Answer.GREYLISTED
    if detail in _NEEDS_SMTPUTF8 or book(phrases.NO_SMTPUTF8).occur(words):
        return Answer.NO_SMTPUTF8
    if book(phrases.RATE_LIMITED).occur(words):
        return Answer.RATE_LIMITED
    rest = _MISSING_AT_MICROSOFT.sub(" ", words) if detail == "4.1" else words
    if book(phrases.ABOUT_SENDER).occur(rest) or book(phrases.BLOCKED).occur(rest):
        return Answer.BLOCKED
    return None


def _passing(code: int, detail: str, words: str) -> Answer:
    """A 4yz that is not about us."""
    if code == 421:
        return Answer.RATE_LIMITED
    if book(phrases.SERVER_FULL).occur(words) or detail == "3.1":
        return Answer.GREYLISTED
    if detail == "2.2" or book(phrases.FULL).occur(words):
        return Answer.FULL
    if detail == "2.1" and not book(phrases.DISABLED).occur(words):
        return Answer.EXISTS
    if detail == "7.0" and not book(phrases.TRY_AGAIN).occur(words):
        return Answer.BLOCKED
    return Answer.GREYLISTED


def _final(code: int, detail: str, full: str, words: str) -> Answer:
    """A 5yz that is not about us: its text, then its codes."""
    said = _said_of_recipient(code, detail, full, words)
    if said is not None:
        return said
    if book(phrases.TRY_AGAIN).occur(words):
        return Answer.GREYLISTED
    if detail.startswith("7.") or book(phrases.PERHAPS_BLOCKED).occur(words):
        return Answer.BLOCKED
    if detail in _FINAL_CODES:
        return _FINAL_CODES[detail]
    if code == 556:
        return Answer.NO_MAIL
    return Answer.FULL if code == 552 else Answer.UNCLEAR


def _said_of_recipient(code: int, detail: str, full: str, words: str) -> Answer | None:
    if book(phrases.NO_MAIL).occur(words):
        return Answer.NO_MAIL
    if book(phrases.TOO_LARGE).occur(words):
        return Answer.UNCLEAR
    if book(phrases.SERVER_FULL).occur(words):
        return Answer.GREYLISTED
    if book(phrases.NOT_FOUND).occur(words) or (detail == "4.1" and _MISSING_AT_MICROSOFT.search(words)):
        return Answer.NOT_FOUND
    if book(phrases.FULL).occur(words):
        return Answer.FULL
    if book(phrases.DISABLED).occur(words):
        return Answer.DISABLED
    # The stock text of any 550: these two are known to mean it.
    if "mailbox unavailable" in words and (detail == "5.0" or (not detail and code == 550 and _GMX.search(full))):
        return Answer.NOT_FOUND
    return None
