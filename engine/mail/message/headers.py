"""Header fields as lines of a message: folded, and encoded where they are not plain ASCII (RFC 5322, RFC 2047).

The standard library's policies take a millisecond for a short message, and fold a long `List-Unsubscribe` into encoded words that
no mail program follows; here most lines are a plain join, and encoded words are the standard library's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.header import Header
from functools import lru_cache

from engine.mail.address import Address
from engine.mail.message.recipients import is_unsafe

CRLF = "\r\n"
MAX_LINE = 998
"""Characters of a line without its end (RFC 5322 section 2.1.1)."""
_WIDTH = 76

# One space between words and none at the ends, so that folding loses nothing; no word that could be taken for an encoded one.
_PLAIN = re.compile(r"[!-~]{1,70}(?: [!-~]{1,70})*").fullmatch
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*").fullmatch


def text_field(name: str, text: str) -> str:
    """A field of free text, such as the subject, on as many lines as it needs; the last has no line end."""
    _check(text)
    if not _PLAIN(text) or "=?" in text:
        return f"{name}: {_encoded(text, len(name) + 2)}"
    if len(name) + 2 + len(text) <= _WIDTH:
        return f"{name}: {text}"
    return CRLF.join(_folded(f"{name}:", text.split(" ")))


def mailbox_field(name: str, address: Address, shown: str = "") -> str:
    """A field of one mailbox. The domain is ASCII; the local part is as it is, and may ask for SMTPUTF8 (RFC 6532)."""
    _check(shown)
    bare = f"{address.local}@{address.domain}"
    phrase = _phrase(shown, len(name) + 2) if shown else ""
    if not phrase:
        return f"{name}: {bare}"
    line = f"{name}: {phrase} <{bare}>"
    return line if len(line) <= _WIDTH else f"{name}: {phrase}{CRLF} <{bare}>"


def token_field(name: str, value: str) -> str:
    """A field that stands on one line as it is, such as a link.

    Raises:
        ValueError: it is not printable ASCII without spaces, or too long.
    """
    if not re.fullmatch(r"[!-~]+", value) or len(name) + 2 + len(value) > MAX_LINE:
        raise ValueError(f"{name} can't be written into a message")
    return f"{name}: {value}"


def _check(text: str) -> None:
    if is_unsafe(text):
        raise ValueError("A field of a message's head has no line breaks and no control characters")


def _phrase(text: str, used: int) -> str:
    """A display name: as it is, quoted, or as encoded words (RFC 5322 section 3.2.5)."""
    if "=?" in text or not (text.isascii() and text.isprintable()) or len(text) > _WIDTH:
        return _encoded(text, used)
    if _ATOMS(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=1_024)
def _encoded(text: str, used: int) -> str:
    return Header(text, "utf-8", maxlinelen=_WIDTH - 1, header_name="x" * (used - 2)).encode(linesep=CRLF)


def _folded(first: str, words: Iterable[str]) -> Iterable[str]:
    line = first
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH and line != first:
            yield line
            line = ""
        line += f" {word}"
    yield line
