"""Which text of a page is not for readers: scripts, decoys, traps; and which is written backwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from engine.mail.page.ciphers import MAX_CIPHERTEXT, rot13
from engine.mail.page.flow import INLINE
from engine.mail.page.stylesheet import Rules, is_far, is_hidden, is_reversed

_TEXT = 2
_MAX_ELEMENTS = 20_000
_MARKED = "[style],[hidden]"
_TURNED = 'bdo[dir="rtl" i]'
_ROT13 = '[class*="rot13" i]:not(script),[data-rot13]'


@dataclass(slots=True)
class Seen:
    """`unseen`: nodes without readers, by `mem_id`; `turned`: texts of nodes put right; `rot13`: texts that are enciphered."""

    unseen: set[int] = field(default_factory=set)
    turned: dict[int, str] = field(default_factory=dict)
    rot13: list[str] = field(default_factory=list)


def seen_in(tree: LexborHTMLParser, html: str, rules: Rules, programs: list[LexborNode]) -> Seen:
    """What to leave out and what to turn, of a page, its source, its style and its script and style elements.

    An inline element that is hidden is a decoy. A hidden block is read where something of the page can show it (it has an id or
    a class, as dialogs and tabs have); one without is a trap for programs, and so are the links in it.
    """
    seen = Seen()
    _leave_out(programs, seen.unseen)
    turned: list[LexborNode] = []
    for node in tree.css(_MARKED)[:_MAX_ELEMENTS]:
        style = node.attrs.get("style") or ""
        if node.mem_id in seen.unseen:
            continue
        if "hidden" in node.attrs or (style and (is_hidden(style) or is_far(style))):
            if _is_trap(node):
                _leave_out((node,), seen.unseen)
        elif style and is_reversed(style):
            turned.append(node)
    for node in _matching(tree, rules.hidden):
        if node.tag in INLINE or node.tag == "a":
            _leave_out((node,), seen.unseen)
    turned += _matching(tree, rules.reversed)
    turned += tree.css(_TURNED)[:_MAX_ELEMENTS]
    done: set[int] = set()
    for node in turned:
        _turn(node, seen, done)
    if "rot13" in html:
        _note_rot13(tree, seen)
    return seen


def _matching(tree: LexborHTMLParser, selectors: tuple[str, ...]) -> list[LexborNode]:
    found: list[LexborNode] = []
    for selector in selectors:
        try:
            found += tree.css(selector)[: _MAX_ELEMENTS - len(found)]
        except SelectolaxError:
            continue
    return found


def _is_trap(node: LexborNode) -> bool:
    """Whether nothing can show a hidden element."""
    if node.tag in INLINE or node.tag in ("a", "input"):
        return True
    return not (node.attrs.get("id") or node.attrs.get("class") or node.css_first("[id]"))


def _leave_out(nodes: Iterable[LexborNode], unseen: set[int]) -> None:
    for node in nodes:
        if node.mem_id not in unseen:
            unseen.update(child.mem_id for child in node.traverse(include_text=True))


def _turn(node: LexborNode, seen: Seen, done: set[int]) -> None:
    """The texts below a node, each backwards and in the opposite order."""
    if node.mem_id in done:
        return
    below = list(node.traverse(include_text=True))
    done.update(child.mem_id for child in below)
    texts = [child for child in below if child.tag_id == _TEXT and child.mem_id not in seen.unseen]
    backwards = [(child.text_content or "")[::-1] for child in reversed(texts)]
    seen.turned |= {child.mem_id: text for child, text in zip(texts, backwards, strict=True)}


def _note_rot13(tree: LexborHTMLParser, seen: Seen) -> None:
    for node in tree.css(_ROT13)[:_MAX_ELEMENTS]:
        if node.mem_id in seen.unseen:
            continue
        texts = [value for name, value in node.attributes.items() if value and name not in ("class", "id")]
        if "@" in (text := node.text()) and len(text) <= MAX_CIPHERTEXT:
            texts.append(text)
            _leave_out((node,), seen.unseen)
        seen.rot13 += [rot13(text) for text in texts]
