"""Local parts as text: a pattern's pieces, each a small dictionary, joined for many rows at once."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from engine.mail.cast import Cast
from engine.mail.descent import Integers
from engine.mail.pattern import NUMBERS, Part, Pattern, Placeholder


class Spelling:
    """Spells local parts from the positions of the shown texts, birth years and numbers."""

    def __init__(self, pattern: Pattern, people: Cast, years: range) -> None:
        texts = {
            Part.FIRST: people.first.spellings.texts,
            Part.LAST: people.last.spellings.texts,
            Part.YEAR: pa.array(map(str, years), pa.string()),
            Part.NUMBER: pa.array(map(str, NUMBERS), pa.string()),
        }
        self._start = ""
        self._pieces: list[tuple[Part, pa.StringArray]] = []
        for token in pattern.tokens:
            if isinstance(token, Placeholder):
                self._pieces.append((token.part, _cut(texts[token.part], token)))
            elif self._pieces:
                part, piece = self._pieces[-1]
                self._pieces[-1] = part, pc.binary_join_element_wise(piece, token, "")
            else:
                self._start = token
        if self._pieces:
            part, piece = self._pieces[0]
            self._pieces[0] = part, pc.binary_join_element_wise(self._start, piece, "")

    def pieces(self, positions: Mapping[Part, Integers]) -> list[pa.StringArray | str]:
        """What to join: one array of texts per piece, or the only text there is."""
        if not self._pieces:
            return [self._start]
        return [piece.take(pa.array(positions[part])) for part, piece in self._pieces]


def _cut(texts: pa.StringArray, placeholder: Placeholder) -> pa.StringArray:
    """A name's first letters, a year's last digits."""
    if placeholder.width is None:
        return texts
    if placeholder.part is Part.YEAR:
        return pc.utf8_slice_codeunits(texts, 4 - placeholder.width)
    return pc.utf8_slice_codeunits(texts, 0, placeholder.width)
