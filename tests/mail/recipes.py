"""Recipes for tests: small ones by default."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from engine.mail.names import Gender
from engine.mail.pattern import PLACEHOLDERS, PatternError, parse
from engine.mail.synthesis import Recipe

TWO = (("one.example", 3.0), ("two.example", 1.0))
COUNTRIES = ("JP", "US", "GB", "PL", "RU", "DE", "KR", "CN", "UA", "AR", "IN", "SE")
GENDERS = (tuple(Gender), (Gender.FEMALE,), (Gender.MALE,))
LITERALS = (".", "_", "-", "+", "1", "0", "84", "a", "n", "s", "x7", "team")


def recipe(pattern: str = "{firstname}.{lastname}", **wanted: Any) -> Recipe:
    given: dict[str, Any] = {"providers": TWO, "countries": ("JP",), "genders": GENDERS[0], "ages": (18, 65), "year": 2026}
    return Recipe(**{**given, "pattern": pattern, "suffix": True, **wanted})


def _valid(text: str) -> bool:
    try:
        parse(text)
    except PatternError:
        return False
    return True


placeholders = st.sampled_from([f"{{{name}}}" for name in PLACEHOLDERS])
patterns = st.lists(placeholders | st.sampled_from(LITERALS), min_size=1, max_size=5).map("".join).filter(_valid)


@st.composite
def recipes(draw: st.DrawFn, /, **fixed: Any) -> Recipe:
    pattern = draw(patterns)
    assume(len(pattern) < 120)
    drawn = {
        "countries": tuple(draw(st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3, unique=True))),
        "genders": draw(st.sampled_from(GENDERS)),
        "ages": draw(st.sampled_from([(18, 65), (30, 30), (13, 110), (20, 22)])),
        "suffix": draw(st.booleans()),
    }
    return recipe(pattern, **{**drawn, **fixed})
