"""Markup nested so deep that a parser would need hours is made shallow first.

HTML's tree construction asks at many a tag whether an element is open, and looks for it through all that are: 100,000 nested
`<div>` take Lexbor 50 s. Browsers stop at a depth of 512, and so do we.
"""

from __future__ import annotations

import re

MAX_DEPTH = 512
_SUSPICIOUS = 400
_CHUNKS = 16
_SAMPLE = 4
_LOPSIDED = 60
_FENCES = ("<object", "<applet", "<marquee")
"""An end tag within them closes nothing outside."""
_LITTLE = _SUSPICIOUS // _CHUNKS // 2
_FEW = 6_000
"""Tags that no nesting makes slow."""
_VOID = ("img", "br", "input", "meta", "link", "hr", "source", "path", "!")
_IMPLIED = ("p", "li", "option", "td", "tr", "dt", "dd", "th")
"""Closed by the next of their kind, so that leaving out their end tags nests nothing."""
_SHALLOW = frozenset(
    """
    area base br col embed hr img input link meta source track wbr keygen param frame html head body p li option td tr th dt
    dd tbody thead tfoot optgroup rp rt
    """.split()
)
_RAW = "script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext"
_tag = re.compile(
    rf"<!--.*?(?:-->|\Z)|<(?P<raw>{_RAW})\b.*?(?:</(?P=raw)\b|\Z)|<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*)(?:[^>\"']|\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))*+(?:>|\Z)",
    re.S | re.I,
)


def tamed(html: str) -> str:
    """The markup itself, or, where it may be nested deeper than any page is, well nested to a depth of at most `MAX_DEPTH`."""
    return _flattened(html) if _may_be_deep(html) else html


def _may_be_deep(html: str) -> bool:
    """A cheap look: are there many more tags that open than tags that close, in all or since some place?"""
    if html.count("<") < _FEW:
        return False
    size = len(html) // _CHUNKS + 1
    depth = 0
    for start in range(0, len(html), size):
        depth = max(0, depth + _opened(html[start : start + size]))
        if depth > _SUSPICIOUS:
            return True
    return any(_is_lopsided(html[start : start + size]) for start in range(0, len(html), _SAMPLE * size))


def _is_lopsided(chunk: str) -> bool:
    """Whether a piece closes what it never opened, or cannot close what it did, so that open tags look closed."""
    divisions = chunk.count("<div") - chunk.count("</div")
    if abs(divisions) > _LOPSIDED or chunk.count("</p") - chunk.count("<p") > _LOPSIDED:
        return True
    return any(chunk.count(name) > _LOPSIDED for name in _FENCES)


def _opened(chunk: str) -> int:
    """How many more elements a piece of a page opens than it closes, at most."""
    opened = chunk.count("<") - 2 * chunk.count("</")
    for name in _VOID:
        if opened <= _LITTLE:
            return opened
        opened -= chunk.count("<" + name)
    for name in _IMPLIED:
        if opened <= _LITTLE:
            break
        opened -= chunk.count("<" + name) - chunk.count("</" + name)
    return opened


def _flattened(html: str) -> str:
    """Well-nested markup: an end tag closes what is open in it; end tags without a start and tags too deep are left out."""
    open_names: list[str] = []
    counts: dict[str, int] = {}

    def kept(found: re.Match[str]) -> str:
        if found["name"] is None or (name := found["name"].lower()) in _SHALLOW:
            return found[0]
        if found["end"]:
            return _closed(name, open_names, counts)
        if len(open_names) >= MAX_DEPTH:
            return " "
        open_names.append(name)
        counts[name] = counts.get(name, 0) + 1
        return found[0]

    return _tag.sub(kept, html)


def _closed(name: str, open_names: list[str], counts: dict[str, int]) -> str:
    """End tags for an element and for all that are open in it; none where it isn't open."""
    if not counts.get(name):
        return ""
    tags = []
    while open_names:
        last = open_names.pop()
        counts[last] -= 1
        tags.append(f"</{last}>")
        if last == name:
            break
    return "".join(tags)
