"""A plain list of addresses: one per line, or several to a line."""

from __future__ import annotations

import re

import pyarrow as pa

_BREAKS = re.compile(r"[;,\n\r\t]+")
_PIECES = re.compile(r'(?:"[^"\n]*"|<[^<>\n]*>|[^;\n\r\t"<]++|["<])++')
_PARTS = re.compile(r'(?:"[^"]*"|<[^<>]*>|[^,"<]++|["<])++')


def read_addresses(text: str) -> pa.Table:
    """One row for each piece of the text, under `email`.

    Pieces are separated by line ends, tabs, semicolons and commas; by spaces where each word has its own `@`. `Name <address>`
    and `Last, First <address>` stay whole.
    """
    found: list[str] = []
    if '"' not in text and "<" not in text:
        plain = filter(None, map(str.strip, _BREAKS.split(text)))
        return _column([word for part in plain for word in (_words(part) if " " in part else (part,))])
    for piece in _PIECES.findall(text):
        if piece.strip():
            found += _split(piece)
    return _column(found)


def _column(found: list[str]) -> pa.Table:
    return pa.table({"email": pa.array(found, pa.string())})


def _split(piece: str) -> list[str]:
    parts: list[str] = []
    carried = ""
    for part in _PARTS.findall(piece) if "," in piece else [piece]:
        part = part.strip()
        if carried and "<" in part and "@" in part:
            parts[-1] = f"{parts[-1]}, {part}"
        elif part:
            parts += _words(part)
        carried = part if part and "@" not in part else ""
    return parts


def _words(part: str) -> list[str]:
    """Several addresses with nothing but spaces between them."""
    return part.split() if part.count("@") > 1 and "<" not in part and '"' not in part else [part]
