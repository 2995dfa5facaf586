"""What style says of text: hidden, turned round, or put there by the style itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_RULES = 60
"""Selectors of each sort that are looked up in the page."""
MAX_STYLE = 300_000
_hidden = re.compile(
    r"(?:^|[;{\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:px|em|rem|%)?\s*(?:[;!]|$)|opacity\s*:\s*0\s*(?:[;!]|$))",
    re.I,
)
_far = re.compile(r"(?:^|[;\s])(?:left|right|top|bottom|text-indent)\s*:\s*-\d{4,}(?:\.\d+)?(?:px|pt)", re.I)
_override = re.compile(r"unicode-bidi\s*:\s*(?:bidi-override|isolate-override)", re.I)
_rtl = re.compile(r"direction\s*:\s*rtl", re.I)
_mirror = re.compile(r"scaleX\(\s*-1\s*\)|rotateY\(\s*180deg\s*\)", re.I)
_brace = re.compile(r"[{}]")
_MAX_SELECTOR = 2_000
_comment = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)
_simple = re.compile(r"[a-z0-9]{0,20}[.#][A-Za-z_][\w-]{0,80}|bdo").fullmatch
_content = re.compile(r"content\s*:\s*((?:\"[^\"\n]*\"|'[^'\n]*'|\s)+)", re.I)
_string = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_escape = re.compile(r"\\([0-9a-fA-F]{1,6})\s?|\\(.)")


@dataclass(frozen=True, slots=True)
class Rules:
    """Selectors (`.name`, `#name`, `tag.name`) whose elements are hidden or read from right to left, and texts of `content`."""

    hidden: tuple[str, ...]
    reversed: tuple[str, ...]
    contents: tuple[str, ...]


def is_hidden(style: str) -> bool:
    """Whether a style attribute keeps its element from being seen."""
    return bool(_hidden.search(style))


def is_far(style: str) -> bool:
    """Whether a style attribute moves its element out of any screen."""
    return bool(_far.search(style))


def is_reversed(style: str) -> bool:
    """Whether a style attribute shows Latin letters from right to left (CSS Writing Modes 4, section 2.2), or in a mirror."""
    return bool(_override.search(style) and _rtl.search(style)) or bool(_mirror.search(style))


def rules_of(sheets: list[str]) -> Rules:
    """What the style elements of a page say of simple selectors; rules for certain media only are left out."""
    hidden: dict[str, None] = {}
    turned: dict[str, None] = {}
    contents: dict[str, None] = {}
    for selector, body in _rules("\n".join(sheets)[:MAX_STYLE]):
        names = [name for part in selector.split(",") if _simple(name := part.strip())]
        if names and is_hidden(body):
            hidden |= dict.fromkeys(names)
        elif names and is_reversed(body):
            turned |= dict.fromkeys(names)
        if "content" in body:
            contents |= dict.fromkeys(_contents(body))
    return Rules(tuple(hidden)[:MAX_RULES], tuple(turned)[:MAX_RULES], tuple(contents)[: 10 * MAX_RULES])


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Selector and declarations of each rule that is not within an at-rule."""
    if "/*" in sheet:
        sheet = _comment.sub(" ", sheet)
    depth, place, selector = 0, 0, ""
    for found in _brace.finditer(sheet):
        piece, place = sheet[place : found.start()], found.end()
        if found[0] == "{":
            selector = piece.rpartition(";")[2].strip() if depth == 0 else ""
            depth += 1
            continue
        if depth == 1 and selector and selector[0] != "@" and len(selector) <= _MAX_SELECTOR:
            yield selector, piece
        depth = max(0, depth - 1)
        selector = ""


def _contents(body: str) -> Iterator[str]:
    for found in _content.finditer(body):
        parts = [first or second for first, second in _string.findall(found[1])]
        yield _escape.sub(_unescaped, "".join(parts))


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else 0
    return chr(code) if 0 < code < 0xD800 else found[2] or ""
