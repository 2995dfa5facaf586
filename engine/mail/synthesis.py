"""Synthetic addresses: any slice of a list of distinct addresses with their people, from a recipe and a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.mail import population
from engine.mail.bearers import Bearers
from engine.mail.blocks import Blocks
from engine.mail.decoding import Spellings, decodable
from engine.mail.descent import UNLIMITED, Branch, Integers, Level
from engine.mail.lengths import fitting
from engine.mail.names import Gender
from engine.mail.pattern import NUMBERS, Part, Pattern, Placeholder, parse
from engine.mail.permutation import Permutation, Words, key, mix
from engine.mail.population import BirthYears, Roll
from engine.mail.suffixes import Suffixes

_LOW = np.uint64((1 << 32) - 1)
_HALF = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What addresses to make. `providers`: ASCII domains and weights; `ages`: youngest and oldest, counted in `year`."""

    providers: tuple[tuple[str, float], ...]
    countries: tuple[str, ...]
    genders: tuple[Gender, ...]
    ages: tuple[int, int]
    year: int
    pattern: str
    suffix: bool
