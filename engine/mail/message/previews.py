"""HTML messages made safe to show inside a page: nothing runs, nothing is fetched, nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, ParserRejectedMarkup
from bs4.element import NavigableString, PreformattedString, Tag
from markupsafe import escape

MAX_DEPTH = 200
"""Elements within elements; deeper ones are shown without their tags."""

_KEPT = frozenset(
    "a abbr address article b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em figcaption "
    "figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q s samp section small span strike "
    "strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr".split()
)
_VOID = frozenset("br col hr img wbr".split())
_DROPPED = frozenset(
    "applet audio base button canvas embed frame frameset head iframe input link math meta noembed noframes noscript object "
    "option picture plaintext script select source style svg template textarea title track video xmp".split()
)
"""Elements that go with all that is in them; of any other unknown one the words stay."""
_ATTRIBUTES = frozenset(
    "abbr align alt bgcolor border cellpadding cellspacing color colspan dir face height lang rowspan scope size span start "
    "style title type valign width".split()
)
_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>\"']+", re.IGNORECASE).fullmatch
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+").fullmatch
# Whatever could fetch, run or hide behind an escape takes its whole declaration with it.
_UNSAFE_STYLE = re.compile(r"[\\<>@]|/\*|url|image|expression|javascript|behavior|binding|position|var\s*\(", re.IGNORECASE)


def safe_preview(html: str) -> str:
    """The body of an HTML message without scripts, event handlers, forms, style sheets and remote pictures.

    Only known elements, attributes and styles are written again; a remote picture becomes its description. Links open elsewhere.
    """
    try:
        root = BeautifulSoup(html, "html.parser")
    except ParserRejectedMarkup:
        root = BeautifulSoup(html.replace("<!", "&lt;!"), "html.parser")
    return "".join(_written(root))


def _written(root: Tag) -> Iterator[str]:
    """Walk the tree with a stack of our own: a message may be nested deeper than Python's."""
    stack: list[tuple[Iterator[object], str]] = [(iter(root.contents), "")]
    while stack:
        node = next(stack[-1][0], None)
        if node is None:
            yield stack.pop()[1]
        elif isinstance(node, Tag):
            if node.name in _DROPPED:
                continue
            before, after = _tags(node) if len(stack) <= MAX_DEPTH else ("", "")
            yield before
            if node.name not in _VOID:
                stack.append((iter(node.contents), after))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            yield str(escape(str(node)))


def _tags(tag: Tag) -> tuple[str, str]:
    """The opening and the closing tag, as they may be shown."""
    if tag.name not in _KEPT:
        return "", ""
    if tag.name == "img" and not _PICTURE(_text(tag, "src")):
        return str(escape(_text(tag, "alt"))), ""
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in _attributes(tag))
    return f"<{tag.name}{attributes}>", "" if tag.name in _VOID else f"</{tag.name}>"


def _attributes(tag: Tag) -> Iterator[tuple[str, str]]:
    for name in tag.attrs:
        value = _text(tag, name)
        if name == "style":
            value = _style(value)
        if name in _ATTRIBUTES and value:
            yield name, value
    if tag.name == "img":
        yield "src", _text(tag, "src")
    if tag.name == "a" and _LINK(href := _text(tag, "href").strip()):
        yield from (("href", href), ("target", "_blank"), ("rel", "noopener noreferrer nofollow"))


def _style(style: str) -> str:
    return ";".join(part for part in style.split(";") if part.strip() and not _UNSAFE_STYLE.search(part))


def _text(tag: Tag, attribute: str) -> str:
    value = tag.get(attribute)
    return " ".join(value) if isinstance(value, list) else str(value or "")
