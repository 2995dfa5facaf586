"""From the bytes of a text file to UTF-8: byte order marks, UTF-16, and Windows-1252 as the last resort."""

from __future__ import annotations

import codecs
import re

STEP = 1 << 20
_HEAD = 1 << 16
_BOMS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_SHARE = 0.005


def to_utf8(data: bytes, notes: list[str]) -> bytes | None:
    """The text as UTF-8 without a byte order mark; None when it is no text. Other encodings are noted."""
    mark, codec, name = next((found for found in _BOMS if data.startswith(found[0])), (b"", "", ""))
    if not codec and b"\0" in data[:_HEAD]:
        codec, name = _wide(data[:_HEAD]), "UTF-16"
        if not codec:
            return None
    if codec and codec != "utf-8":
        notes.append(f"Encoding {name}")
        text = _transcoded(data[len(mark) :], codec)
        return None if _is_binary(text) else text
    text = data[len(mark) :]
    if _is_binary(text):
        return None
    if is_utf8(text):
        return text
    notes.append("Encoding Windows-1252")
    return _transcoded(text, "cp1252")


def is_utf8(data: bytes) -> bool:
    """Whether all of it is UTF-8; looked at piece by piece, so that no second copy of a large file is made."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(view), STEP):
            decoder.decode(view[start : start + STEP])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _transcoded(data: bytes, codec: str) -> bytes:
    decoder = codecs.getincrementaldecoder(codec)("replace")
    view = memoryview(data)
    parts = [decoder.decode(view[start : start + STEP]).encode(errors="replace") for start in range(0, len(view), STEP)]
    return b"".join([*parts, decoder.decode(b"", final=True).encode(errors="replace")])


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: mostly Latin text has its zero bytes on one side."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.6 and odd < half * 0.1 else ""


def _is_binary(text: bytes) -> bool:
    head = text[:_HEAD]
    return len(_CONTROL.findall(head)) > len(head) * _CONTROL_SHARE
