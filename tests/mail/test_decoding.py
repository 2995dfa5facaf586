"""Names that run into each other: what is kept tells every pair apart, and popular names stay."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.decoding import Spellings, decodable
from engine.mail.pattern import Part, Pattern, parse

words = st.lists(st.text("abn", min_size=1, max_size=4), min_size=1, max_size=12, unique=True)
middles = st.sampled_from(["{firstname}{lastname}", "{lastname}{firstname}", "{firstname}a{lastname}", "{lastname}na{firstname}"])
stranger = st.sampled_from(
    [
        "{firstname}{f}{lastname}",
        "{firstname}{lastname}{firstname}",
        "{first3}{lastname}{firstname}",
        "{last2}{firstname}{lastname}",
    ]
)
harmless = st.sampled_from(
    ["{firstname}.{lastname}", "{f}{lastname}", "{lastname}{l}{f}", "{firstname}{lastname}-{lastname}", "{f}{l}"]
)


def spellings(texts: list[str], width: int | None) -> Spellings:
    cut = list(dict.fromkeys(text[:width] for text in texts))
    return Spellings(pa.array(cut, pa.string()), np.arange(len(cut), 0, -1) * 10)


def rendered(pattern: Pattern, first: str, last: str) -> str:
    names = {Part.FIRST: first, Part.LAST: last}
    return "".join(t if isinstance(t, str) else names[t.part][: t.width] for t in pattern.tokens)


def seen(pattern: Pattern, firsts: list[str], lasts: list[str]) -> tuple[Spellings, Spellings]:
    return spellings(firsts, pattern.width(Part.FIRST)), spellings(lasts, pattern.width(Part.LAST))


@given(middles | stranger | harmless, words, words)
def test_kept_names_tell_every_pair_apart(text, firsts, lasts):
    pattern = parse(text)
    first, last = seen(pattern, firsts, lasts)
    kept = decodable(pattern, first, last)
    pairs = product(np.array(first.texts.to_pylist())[kept[0]], np.array(last.texts.to_pylist())[kept[1]])
    locals_ = [rendered(pattern, *pair) for pair in pairs]
    assert locals_
    assert len(set(locals_)) == len(locals_)


@given(harmless, words, words)
def test_nobody_is_left_out_where_names_are_apart(text, firsts, lasts):
    pattern = parse(text)
    first, last = seen(pattern, firsts, lasts)
    assert all(kept.all() for kept in decodable(pattern, first, last))


@given(words, words)
def test_the_commonest_surname_always_stays(firsts, lasts):
    pattern = parse("{firstname}{lastname}")
    first, last = seen(pattern, firsts, lasts)
    assert decodable(pattern, first, last)[1][0]


@pytest.mark.parametrize(
    ("text", "firsts", "lasts", "dropped"),
    [
        ("{firstname}{lastname}", ["daniel", "dan"], ["smith", "ielsmith"], {"ielsmith"}),
        ("{firstname}{lastname}", ["anna", "ann"], ["adams", "dams", "lee"], {"dams"}),
        ("{lastname}{firstname}", ["anna", "na"], ["smith", "smithan"], {"smithan"}),
        ("{firstname}x{lastname}", ["ale", "alex"], ["smith", "xsmith"], {"xsmith"}),
        ("{firstname}x{lastname}", ["dan", "daniel"], ["smith", "ielsmith"], set()),
        ("{firstname}{lastname}", ["mary", "john"], ["smith", "nsmith"], set()),
    ],
)
def test_the_rarer_surname_of_a_pair_is_left_out(text, firsts, lasts, dropped):
    pattern = parse(text)
    first, last = seen(pattern, firsts, lasts)
    kept = decodable(pattern, first, last)
    assert kept[0].all()
    assert {name for name, keep in zip(lasts, kept[1], strict=True) if not keep} == dropped
