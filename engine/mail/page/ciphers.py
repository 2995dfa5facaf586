"""Small ciphers that hide addresses: Cloudflare's XOR, Base64, ROT13, shifted letters, text backwards."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from urllib.parse import unquote

MAX_CIPHERTEXT = 2_000
_base64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}").fullmatch
_hexadecimal = re.compile(r"(?:[0-9a-fA-F]{2}){4,}").fullmatch
# The three ranges that TYPO3's spam protection turns letters within (EXT:frontend, decryptCharcode).
_RANGES = ((0x2B, 0x3A), (0x40, 0x5A), (0x61, 0x7A))


def cloudflare(text: str) -> str:
    """What `data-cfemail` says: hexadecimal, the first byte is the key of all others; "" for anything else.

    https://developers.cloudflare.com/waf/tools/scrape-shield/email-address-obfuscation/
    """
    if len(text) > MAX_CIPHERTEXT or not _hexadecimal(text):
        return ""
    key, *rest = bytes.fromhex(text)
    return bytes(byte ^ key for byte in rest).decode("utf-8", "replace")


def from_base64(text: str) -> str:
    """What printable text Base64 (RFC 4648, also URL-safe or without padding) says, or ""."""
    bare = "".join(text.split())
    if len(bare) > MAX_CIPHERTEXT or not _base64(bare):
        return ""
    bare = bare.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        plain = base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return plain if plain.isprintable() else ""


def rot13(text: str) -> str:
    """Each Latin letter 13 places on."""
    return codecs.encode(text, "rot13")


def shifted(text: str) -> str:
    """The `mailto:` link that TYPO3 hides by shifting characters within their range, or "" where no shift gives one."""
    if not 10 <= len(text) <= MAX_CIPHERTEXT:
        return ""
    offset = ord("m") - ord(text[0])
    for turn in (offset, offset - 26, offset + 26):
        plain = "".join(_turned(letter, turn) for letter in text)
        if plain.startswith("mailto:"):
            return plain
    return ""


def _turned(letter: str, offset: int) -> str:
    code = ord(letter)
    for low, high in _RANGES:
        if low <= code <= high:
            return chr(low + (code + offset - low) % (high - low + 1))
    return letter


def percent_decoded(text: str) -> str:
    """Percent escapes decoded (RFC 3986 section 2.1), twice where they were encoded twice, and JavaScript's `%u0040`."""
    if "%u" in text:
        text = re.sub(r"%u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    plain = unquote(text)
    return unquote(plain) if "%" in plain else plain
