"""Patterns whose names run into each other: which names to leave out so that no two people share an address.

`{firstname}{lastname}` spells dan + ielsmith and daniel + smith alike. Of two surnames that make such a pair possible
the rarer one is left out; every other name keeps its natural form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.mail.descent import Integers
from engine.mail.pattern import Part, Pattern, Placeholder, Token, is_name

Kept = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Spellings:
    """What a pattern shows of a part: distinct texts, and how common each is."""

    texts: pa.StringArray
    weights: Integers

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Letters of each text."""
        lengths: Integers = pc.utf8_length(self.texts).to_numpy().astype(np.int64)
        return lengths


def decodable(pattern: Pattern, first: Spellings, last: Spellings) -> tuple[Kept, Kept]:
    """Which first names and surnames to keep so that a local part tells both.

    A local part splits into runs of letters at known places, so only the lengths within a run can be in doubt; and with one
    of the two names known, the other follows. So it is enough that some run settles one name. Where none does and a run is
    a first name beside a surname, surnames are left out; for stranger patterns, first names of all lengths but one are.
    """
    everything = np.ones(len(first.texts), bool), np.ones(len(last.texts), bool)
    runs = pattern.letter_runs()
    if any(_uniform(names) for names in (first, last)) or any(_settles(run, pattern) for run in runs):
        return everything
    for run in runs:
        if middle := _side_by_side(run, pattern):
            return everything[0], _without_shifts(first, middle[0], last, mirrored=middle[1])
    return _commonest_length(first), everything[1]


def _uniform(names: Spellings) -> bool:
    return len(np.unique(names.lengths)) <= 1


def _settles(run: list[Token], pattern: Pattern) -> bool:
    """Whether a run holds names of one part only, among them the longest form of that part in the pattern."""
    shown = [token for token in run if isinstance(token, Placeholder)]
    parts = {token.part for token in shown}
    return len(parts) == 1 and any(token.width == pattern.width(token.part) for token in shown)


def _side_by_side(run: list[Token], pattern: Pattern) -> tuple[str, bool] | None:
    """For a run of one first name and one surname, both in their longest form: the text between, and whether surname first."""
    places = [index for index, token in enumerate(run) if is_name(token)]
    shown = [token for token in run if isinstance(token, Placeholder)]
    if {token.part for token in shown} != {Part.FIRST, Part.LAST} or len(shown) != 2:
        return None
    if any(token.width != pattern.width(token.part) for token in shown):
        return None
    between = "".join(token for token in run[places[0] : places[1]] if isinstance(token, str))
    return between, shown[0].part is Part.LAST


def _without_shifts(first: Spellings, middle: str, last: Spellings, *, mirrored: bool) -> Kept:
    """Surnames without the rarer of each pair (x, y) where middle + x = r + middle + y and r turns a first name into another."""
    if mirrored:
        first, last = _reversed(first), _reversed(last)
        middle = middle[::-1]
    remainders = pa.array(sorted(_remainders(first.texts.to_pylist())), pa.string())
    whole = pc.binary_join_element_wise(middle, last.texts, "") if middle else last.texts
    longer, tails = _cut_off(whole, remainders)
    after = pc.utf8_slice_codeunits(tails, len(middle))
    shorter = pc.index_in(after, last.texts).fill_null(-1).to_numpy()
    pair = _mask(pc.starts_with(tails, middle)) & (shorter >= 0)
    x, y = longer[pair], shorter[pair]
    kept = np.ones(len(last.texts), bool)
    kept[np.where(last.weights[x] < last.weights[y], x, y)] = False
    return kept


def _cut_off(texts: pa.StringArray, starts: pa.StringArray) -> tuple[Integers, pa.StringArray]:
    """Every way to take one of `starts` off a text: which text, and what is left."""
    which, left = [np.zeros(0, np.int64)], [pa.array([], pa.string())]
    for size in range(1, int(pc.max(pc.utf8_length(starts)).as_py() or 0) + 1):
        found = np.flatnonzero(_mask(pc.is_in(pc.utf8_slice_codeunits(texts, 0, size), starts)))
        rest = pc.utf8_slice_codeunits(texts.take(pa.array(found)), size)
        which.append(found)
        left.append(rest)
    return np.concatenate(which), pa.concat_arrays(left)


def _mask(values: pa.BooleanArray) -> Kept:
    mask: Kept = values.to_numpy(zero_copy_only=False)
    return mask


def _remainders(texts: list[str]) -> set[str]:
    """What is left of each text after another text that begins it."""
    known = set(texts)
    return {text[size:] for text in texts for size in range(1, len(text)) if text[:size] in known}


def _reversed(names: Spellings) -> Spellings:
    return Spellings(pc.utf8_reverse(names.texts), names.weights)


def _commonest_length(names: Spellings) -> Kept:
    lengths = names.lengths
    totals = np.bincount(lengths, weights=names.weights)
    kept: Kept = lengths == np.argmax(totals)
    return kept
