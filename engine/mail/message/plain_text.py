"""HTML as text that people can read, for the part of a message that every mail program shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from bs4 import BeautifulSoup, ParserRejectedMarkup
from bs4.element import NavigableString, PreformattedString, Tag

_SKIPPED = frozenset("script style head title template noscript object iframe select textarea svg math".split())
_BLOCKS = frozenset(
    "address article aside blockquote center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section summary table tbody tfoot thead tr ul".split()
)
_APART = frozenset("blockquote dl h1 h2 h3 h4 h5 h6 ol p pre table ul".split())
_CELLS = ("td", "th")
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all)", re.IGNORECASE)
# Marks that no text has, since they are white space there: at least one line end, at least two, the end of a cell.
_BREAK, _GAP, _CELL = "\x1e", "\x1d", "\x1f"
_MARKS = re.compile(f"[ {_BREAK}{_GAP}]+")
_LOOKED_AT = 50
_INVISIBLE = re.compile("[\u00ad\u034f\u200b\u2060\ufeff]")


def html_to_text(html: str) -> str:
    """The words of an HTML message: paragraphs apart, items with a dash, rows of tables on a line, links with their address.

    What is hidden is left out, and so are scripts, styles and pictures without a description.
    """
    pieces: list[str] = []
    _write(_soup(html), pieces)
    text = _MARKS.sub(_line_end, "".join(pieces))
    lines = (_line(line) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n ")


def _line_end(marks: re.Match[str]) -> str:
    if _GAP in marks[0]:
        return "\n\n"
    return "\n" if _BREAK in marks[0] else " "


def _soup(html: str) -> BeautifulSoup:
    try:
        return BeautifulSoup(html, "html.parser")
    except ParserRejectedMarkup:  # declarations that are none; browsers take them for comments
        return BeautifulSoup(html.replace("<!", "&lt;!"), "html.parser")


def _write(root: Tag, pieces: list[str]) -> None:
    """Walk the tree with a stack of our own: a page may be nested deeper than Python's."""
    stack: list[Iterator[object]] = [iter(root.contents)]
    closing: list[str] = [""]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            pieces.append(closing.pop())
        elif isinstance(node, Tag):
            if not _is_hidden(node):
                before, after = _around(node)
                pieces.append(before)
                closing.append(after)
                stack.append(iter(node.contents))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            pieces.append(re.sub(r"\s+", " ", node))


def _around(tag: Tag) -> tuple[str, str]:
    """What is written before and after an element's own text."""
    name = tag.name
    if name == "br":
        return "\n", ""
    if name == "hr":
        return f"{_GAP}---{_GAP}", ""
    if name == "li":
        return f"{_BREAK}- ", _BREAK
    if name == "img":
        return str(tag.get("alt") or ""), ""
    if name in _CELLS:
        return "", _CELL
    if name == "a":
        return "", _target(tag)
    if name in _APART:
        return _GAP, _GAP
    return (_BREAK, _BREAK) if name in _BLOCKS else ("", "")


def _target(link: Tag) -> str:
    """A link's address, unless it is what the link says anyway."""
    href = str(link.get("href") or "").strip()
    if not href.lower().startswith(("http://", "https://", "mailto:", "tel:")):
        return ""
    bare = href.partition(":")[2] if href[:7].lower() == "mailto:" else href
    said = _said(link)
    return "" if said in (href, bare) else f" ({bare})"


def _said(link: Tag) -> str:
    """The first words of a link; links within links must not be read again and again."""
    ahead, words = list(islice(link.contents, _LOOKED_AT)), ""
    for _ in range(_LOOKED_AT):
        if not ahead:
            break
        node = ahead.pop(0)
        if isinstance(node, Tag):
            ahead[:0] = islice(node.contents, _LOOKED_AT)
        elif isinstance(node, NavigableString):
            words += node
    return words.strip()


def _is_hidden(tag: Tag) -> bool:
    if tag.name in _SKIPPED or tag.has_attr("hidden"):
        return True
    return bool(_HIDDEN.search(str(tag.get("style") or "")))


def _line(line: str) -> str:
    cells = [" ".join(_INVISIBLE.sub("", cell).split()) for cell in line.split(_CELL)]
    return " | ".join(cell for cell in cells if cell)
