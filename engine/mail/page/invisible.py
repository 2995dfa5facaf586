"""Characters that are not seen, and those that look like others."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\ufe0f"
)
_gone = {ord(letter): None for letter in _INVISIBLE}
_LOOKALIKES = str.maketrans(
    {"＠": "@", "﹫": "@", "．": ".", "。": ".", "｡": ".", "․": ".", "﹒": ".", "‐": "-", "‑": "-", "\u00a0": " "}
)
_noticed = re.compile(f"[{_INVISIBLE}＠﹫．｡․﹒\u202d\u202e‐‑\u00a0]").search
_fullwidth = re.compile("[！-～]+")
_override = re.compile("[\u202d\u202e]([^\u202a-\u202e\n]*)\u202c?")


def is_plain(text: str) -> bool:
    """Whether a text holds nothing that `plain` would change."""
    return text.isascii() or not _noticed(text)


def plain(text: str) -> str:
    """The text as a reader sees it: no invisible characters, full-width forms narrow, overridden direction undone.

    Unicode UAX 9 (RIGHT-TO-LEFT OVERRIDE), UTS 51, and the Halfwidth and Fullwidth Forms block.
    """
    if is_plain(text):
        return text
    text = text.translate(_gone)
    if "\u202e" in text or "\u202d" in text:
        text = _override.sub(lambda found: found[1][::-1] if found[0][0] == "\u202e" else found[1], text)
    if _fullwidth.search(text):
        text = _fullwidth.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return text.translate(_LOOKALIKES)
