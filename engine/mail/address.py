"""Addresses: what is one, how it is shown, and the one key under which it is known."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES


class Address(NamedTuple):
    """A well-formed address.

    `normalized` is what is shown: NFC, the domain in lower case and Unicode, the local part as given (RFC 2142's names in lower
    case). `key` is one string per address, the lower-cased local part and the ASCII domain: the cache and de-duplication use it.
    `domain` is ASCII and lower case, for DNS and lists. `smtputf8`: the local part is not ASCII (RFC 6531).
    """

    normalized: str
    key: str
    local: str
    domain: str
    smtputf8: bool


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a text is no address, as a sentence; `domain` is what seems to be meant as its domain, for a hint."""

    message: str
    domain: str = ""


MAX_MESSAGE = 160
"""Characters of a flaw's message."""

# Texts up to the shortest limit (local part and label: RFC 5321 section 4.5.3.1.1, RFC 1035 section 2.3.4) can't exceed any, so
# the pattern need not count. Hyphen pairs (RFC 5890 section 2.3.1), digits in the last label and special names go the long way.
_SHORT = 63
_plain = re.compile(
    r"([a-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]++)*+)"
    r"@((?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)++(?!(?:arpa|invalid|local|localhost|onion)\Z)[a-z]++)"
).fullmatch
_CASELESS = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)
_MAX_TEXT = 1_000
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_EDGES = " \t\r\n\f\v\xa0" + _INVISIBLE


def parse(text: str) -> Address | Flaw:
    """The address in a text, or what is wrong with it.

    Spaces and invisible characters around it, `mailto:`, angle brackets and a display name are left out. Quoted local parts
    and address literals are refused (RFC 5321 section 4.1.2), reserved names are too, but not those under `.test` (RFC 6761).
    """
    lowered = text.lower()
    if len(text) > _SHORT or not text.isascii() or (match := _plain(lowered)) is None:
        return _careful(text)
    local, domain = match.groups()
    if lowered == text or local in _CASELESS:
        return Address(lowered, lowered, local, domain, False)
    local = text[: len(local)]
    return Address(f"{local}@{domain}", lowered, local, domain, False)


def domain_of(address: str) -> str:
    """What stands after the last at sign of a text, in lower case; "" without one."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def folded(address: Address) -> str:
    """For comparing only, never for sending: the key, without the dots and the tag that Gmail ignores.

    https://support.google.com/mail/answer/7436150; googlemail.com and gmail.com are one.
    """
    if address.domain not in ("gmail.com", "googlemail.com"):
        return address.key
    local = address.key.rpartition("@")[0].partition("+")[0].replace(".", "")
    return f"{local}@gmail.com" if local else address.key


def _careful(text: str) -> Address | Flaw:
    bare = _bare(text)
    if len(bare) > _MAX_TEXT:
        return Flaw("The text is far too long to be an address.")
    if bare != text and len(bare) <= _SHORT and bare.isascii() and _plain(bare.lower()):
        return parse(bare)
    if not bare:
        return Flaw("There is no address.")
    try:
        found = validate_email(bare, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        return Flaw(_sentence(str(error)), _meant(bare))
    if "." not in found.ascii_domain:
        return Flaw("The part after the @-sign is not valid. It should have a period.", _meant(bare))
    local = found.local_part
    # Lower case rather than casefold: casefold would make ß and ss, two mailboxes, one.
    key = f"{unicodedata.normalize('NFC', local.lower())}@{found.ascii_domain}"
    return Address(found.normalized, key, local, found.ascii_domain, found.smtputf8)


def _bare(text: str) -> str:
    """Without what people write around an address."""
    bare = text.strip(_EDGES)
    if bare.endswith(">") and (start := bare.rfind("<")) >= 0:
        bare = bare[start + 1 : -1].strip(_EDGES)
    if bare[:7].lower() == "mailto:":
        bare = unquote(bare[7:].partition("?")[0]).strip(_EDGES)
    return bare


def _meant(text: str) -> str:
    domain = domain_of(text)
    return domain if domain.isascii() and domain.isprintable() and len(domain) <= _SHORT else ""


def _sentence(message: str) -> str:
    """One line of bounded length; surrogates, which no file or database takes, become question marks."""
    line = " ".join(message.encode("utf-8", "replace").decode("utf-8").split())
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"
