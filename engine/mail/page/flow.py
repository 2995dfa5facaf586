"""The text of a page as it is read, without building it: only around at signs is it put together.

Each text node is kept apart. Where one ends, the next may follow at once (a comment, an empty element between), at a seam
(another inline element) or behind a wall (another block); that is found out only where it matters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice

from selectolax.lexbor import LexborNode

from engine.mail.address import Address
from engine.mail.page.around import MAX_SIGNS, REACH, SEAM, around
from engine.mail.page.beside import Beside, Place, own_text
from engine.mail.page.entities import decoded, may_hold_references
from engine.mail.page.invisible import is_plain, plain
from engine.mail.page.judge import Judge
from engine.mail.page.model import FoundAs
from engine.mail.page.obfuscation import LEFT, RIGHT, WALL, hits_in, written_around

_TEXT = 2  # the tag number of text nodes
_MAX_CLIMB = 24
_MAX_INSIDE = 50
_SHORT = 130
INLINE = frozenset(
    """
    abbr acronym b bdi bdo big blink cite code data del dfn em font i ins kbd mark nobr q s samp small span strike strong sub
    sup tt u var wbr
    """.split()
)
"""Elements within whose line the text goes on. A link or a label is a thing of its own: no address reaches over its edge."""
_plain = re.compile(r"[A-Za-z0-9][\w.+-]*@[\w.-]+").fullmatch
_SILENT = INLINE | frozenset("script style template".split())


class Flow:
    """The visible text nodes under a root; `turned` holds other texts for some (by `mem_id`), `unseen` those to leave out.

    `beside` hears where addresses stand.
    """

    def __init__(self, root: LexborNode, unseen: set[int], turned: dict[int, str], judge: Judge, beside: Beside) -> None:
        self._root, self._unseen, self._judge, self._beside = root, unseen, judge, beside
        self.nodes = [node for node in root.traverse(include_text=True) if node.tag_id == _TEXT]
        if unseen:
            self.nodes = [node for node in self.nodes if node.mem_id not in unseen]
        texts = [node.text_content or "" for node in self.nodes]
        self.techniques: dict[int, FoundAs] = {}
        if turned:
            for index, node in enumerate(self.nodes):
                if (other := turned.get(node.mem_id)) is not None:
                    texts[index], self.techniques[index] = other, FoundAs.REVERSED
        self.texts = self._cleaned(texts)
        self._between: dict[int, str] = {}

    def spans(self, elements: Iterable[LexborNode]) -> dict[int, tuple[int, int]]:
        """From which text up to which other those of each element are, by `mem_id`; elements out of sight are left out."""
        wanted = {element.mem_id: element for element in elements}
        found: dict[int, tuple[int, int]] = {}
        count = 0
        for node in self._root.traverse(include_text=True):
            if node.tag_id == _TEXT:
                count += not self._unseen or node.mem_id not in self._unseen
            elif (element := wanted.get(node.mem_id)) is not None:
                inside = islice(element.traverse(include_text=True), _MAX_INSIDE)
                found[node.mem_id] = count, min(count + sum(each.tag_id == _TEXT for each in inside), len(self.texts))
        return found

    def _cleaned(self, texts: list[str]) -> list[str]:
        whole = "".join(texts)
        if not is_plain(whole):
            for index, text in enumerate(texts):
                if not is_plain(text):
                    if "\u202e" in text:
                        self.techniques[index] = FoundAs.REVERSED
                    texts[index] = plain(text)
        if "%40" in whole:
            for index, text in enumerate(texts):
                if "%40" in text:
                    texts[index], self.techniques[index] = text.replace("%40", "@"), FoundAs.OBFUSCATED
        if may_hold_references(whole):
            for index, text in enumerate(texts):
                if may_hold_references(text):
                    texts[index] = plain(decoded(text))
                    self.techniques[index] = FoundAs.ENTITIES
        return texts

    def sightings(self) -> Iterator[tuple[Address, FoundAs]]:
        """Addresses in the text, then those in words."""
        yield from self._with_signs()
        yield from self._in_words()

    def _with_signs(self) -> Iterator[tuple[Address, FoundAs]]:
        left = MAX_SIGNS
        for index, text in enumerate(self.texts):
            if "@" not in text:
                continue
            if (alone := self._alone(index, text)) is not None:
                self._beside.note(Place(index, index + 1, alone.key))
                yield alone, self.techniques.get(index, FoundAs.TEXT)
                continue
            place = text.find("@")
            while place >= 0 and left > 0:
                left -= 1
                before, first = self._before(index, place)
                after, last = self._after(index, place + 1)
                found = around(before, after, self._judge)
                if found is not None:
                    self._beside.note(Place(first, last + 1, found.key, *own_text(text[:place], text[place + 1 :])))
                    yield found, self._technique(first, last)
                place = text.find("@", place + 1)

    def _alone(self, index: int, text: str) -> Address | None:
        """The address that is all the text of an element where lines end, as most are."""
        node = self.nodes[index]
        if (
            len(text) > REACH
            or node.prev is not None
            or node.next is not None
            or (parent := node.parent) is None
            or parent.tag in INLINE
        ):
            return None
        bare = text.strip()
        return self._judge.address(bare) if _plain(bare) else None

    def _technique(self, first: int, last: int) -> FoundAs:
        if self.techniques:
            for index in range(first, last + 1):
                if index in self.techniques:
                    return self.techniques[index]
        return FoundAs.TEXT

    def _before(self, index: int, place: int) -> tuple[str, int]:
        """What stands before a place, as far as one word may reach, and the first node it comes from."""
        text = self.texts[index]
        run = text[max(0, place - REACH) : place]
        if place > _SHORT or _broken(run):
            return run, index
        parts, size = [run], len(run)
        while index > 0 and size < _SHORT and (between := self._join(index)) != WALL:
            index -= 1
            run = self.texts[index][-REACH:]
            parts += [between, run]
            size += len(run)
            if _broken(run):
                break
        return "".join(reversed(parts)), index

    def _after(self, index: int, place: int) -> tuple[str, int]:
        text = self.texts[index]
        run = text[place : place + REACH]
        if len(text) - place >= REACH or _broken(run):
            return run, index
        parts, size = [run], len(run)
        while index + 1 < len(self.texts) and size < REACH and (between := self._join(index + 1)) != WALL:
            index += 1
            run = self.texts[index][:REACH]
            parts += [between, run]
            size += len(run)
            if _broken(run):
                break
        return "".join(parts), index

    def _join(self, index: int) -> str:
        """What is between the text node and the one before it: nothing, a seam or a wall."""
        found = self._between.get(index)
        if found is None:
            found = self._between[index] = _between(self.nodes[index - 1], self.nodes[index])
        return found

    def _in_words(self) -> Iterator[tuple[Address, FoundAs]]:
        whole = SEAM.join(self.texts)
        hits = hits_in(whole)
        if not hits:
            return
        starts = [0, *accumulate(len(text) + 1 for text in self.texts)]
        for hit in hits:
            before = self._piece(whole, starts, max(0, hit.start - LEFT), hit.start)
            after = self._piece(whole, starts, hit.end, hit.end + RIGHT)
            inside = self._piece(whole, starts, hit.start, hit.end)
            if WALL in inside:
                continue
            found = written_around(before, after, hit.kind, self._judge)
            if found is not None:
                index = bisect_right(starts, hit.start) - 1
                own = own_text(self.texts[index][: hit.start - starts[index]], "")
                self._beside.note(Place(index, bisect_right(starts, hit.end), found.key, own[0]))
                yield found, FoundAs.OBFUSCATED

    def _piece(self, whole: str, starts: list[int], begin: int, end: int) -> str:
        """A stretch of the whole text with its seams decided."""
        piece = whole[begin:end]
        if SEAM not in piece:
            return piece
        index = bisect_right(starts, begin) - 1
        parts = piece.split(SEAM)
        joined = [parts[0]]
        for part in parts[1:]:
            index += 1
            joined += [self._join(index) if index < len(self.nodes) else WALL, part]
        return "".join(joined)


def _broken(run: str) -> bool:
    """Whether the word ends within a run: at a space, or at another sign."""
    return "@" in run or " " in run or "\n" in run or "\t" in run


def _between(left: LexborNode, right: LexborNode) -> str:
    """What separates two text nodes that follow each other."""
    if (parent := left.parent) is not None and (other := right.parent) is not None and parent.mem_id == other.mem_id:
        return _among_siblings(left, right)
    ancestors: dict[int, int] = {}
    names: list[str] = []
    node = left.parent
    while node is not None and len(names) < _MAX_CLIMB:
        ancestors[node.mem_id] = len(names)
        names.append(node.tag or "")
        node = node.parent
    crossed: list[str] = []
    node = right.parent
    while node is not None and len(crossed) < _MAX_CLIMB:
        if (depth := ancestors.get(node.mem_id)) is not None:
            return _kind([*names[:depth], *crossed])
        crossed.append(node.tag or "")
        node = node.parent
    return WALL


def _kind(crossed: list[str]) -> str:
    """What it means to leave and enter elements of those names."""
    if any(name not in INLINE for name in crossed):
        return WALL
    return SEAM


def _among_siblings(left: LexborNode, right: LexborNode) -> str:
    """Between text nodes of one parent there are comments and elements without visible text."""
    node, steps = left.next, 0
    while node is not None and node.mem_id != right.mem_id:
        name = node.tag or ""
        if steps >= _MAX_CLIMB or (name not in _SILENT and not name.startswith(("-", "_", "!"))):
            return WALL
        node, steps = node.next, steps + 1
    return ""
