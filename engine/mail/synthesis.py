"""Synthetic addresses: any slice of a list of distinct addresses with their people, from a recipe and a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.mail.bearers import Bearers
from engine.mail.blocks import Blocks
from engine.mail.cast import Cast, cast
from engine.mail.descent import UNLIMITED, Integers, Level
from engine.mail.names import Gender
from engine.mail.pattern import NUMBERS, Part, Pattern, parse
from engine.mail.permutation import Permutation, Words, key, mix
from engine.mail.population import UNIT, BirthYears, groups
from engine.mail.rendering import Spelling
from engine.mail.suffixes import MAX_DIGITS, Suffixes

_LOW = np.uint64((1 << 32) - 1)
_HALF = np.uint64(32)
_CACHED = 4

_building = Lock()

COLUMNS = ("email", "first_name", "last_name", "gender", "age", "country", "provider", "synthetic")


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


@dataclass(frozen=True, slots=True)
class _People:
    """Rows of the two rolls, groups and ages."""

    row: Integers
    surname: Integers
    group: Integers
    age: Integers


@dataclass(slots=True)
class _Walk:
    """Items on their way down: which item of how many in the current node, and the node's own noise."""

    item: Words
    items: Words
    noise: Words

    def down(self, level: Level, node: Integers | int = 0) -> Integers:
        """Go to a child; returns which."""
        if level.trivial:
            return np.zeros(len(self.item), np.int64)
        child, self.item, self.items = level.descend(node, self.item, self.items, self.noise & _LOW)
        self.noise = mix(self.noise ^ child.astype(np.uint64))
        return child


class Synthesis:
    """All addresses of a recipe. Raises `ValueError` when its pattern is wrong (`PatternError`) or fits no address.

    Address i of n is a function of (recipe, seed, n, i) alone: a keyed permutation of [0, n), then a weight-true descent
    provider, first name, surname, birth year, number as far as the pattern shows them, then the suffix. What is not shown
    is drawn by a hash of the item from the people who fit.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        pattern = parse(recipe.pattern)
        self._births = BirthYears(recipe.year - recipe.ages[1], recipe.year - recipe.ages[0])
        self._groups = groups(recipe.countries, recipe.genders)
        longest = max(len(domain) for domain, _ in recipe.providers)
        people = cast(pattern, self._groups, self._births, longest, MAX_DIGITS if recipe.suffix else 0)
        dated = pattern.width(Part.YEAR) != 0
        self._suffixes = Suffixes(people.digits, range(0) if dated else self._births.years)
        self._domains = pa.array([f"@{domain}" for domain, _ in recipe.providers])
        self._country = np.array([recipe.countries.index(group.country) for group in self._groups])
        self._spelling = Spelling(pattern, people, self._births.years)
        self._bearers = Bearers(people.first.roll, people.first.text, len(self._groups))
        self._surnames = Bearers(people.last.roll, people.last.text, len(self._groups))
        self._plant(pattern, people)

    def _plant(self, pattern: Pattern, people: Cast) -> None:
        """The levels from the leaves up, each child with the capacity of what lies beneath it."""
        leaves = self._suffixes.capacity
        self._number = self._year = self._cohort = None
        if pattern.width(Part.NUMBER):
            self._number = Level.single(np.ones(len(NUMBERS), np.int64), leaves)
            leaves *= len(NUMBERS)
        if pattern.width(Part.YEAR):
            self._cohort, self._year = _birth_levels(self._births, people.first.by_cohort(), min(leaves, UNLIMITED))
            leaves *= len(self._births.years)
        shares = [group.share * len(group.genders) for group in self._groups]
        self._blocks = Blocks(people.first.mass, people.last.mass, shares, leaves)
        leaves *= self._blocks.pairs
        self._provider = Level.single(_integers([weight for _, weight in self.recipe.providers]), min(leaves, UNLIMITED))
        self.capacity = leaves * len(self.recipe.providers)

    def rows(self, count: int, seed: int, start: int, stop: int) -> pa.Table:
        """Addresses `start` to `stop` (exclusive) of `count`, which is at most `capacity`; columns as in `COLUMNS`."""
        if count > self.capacity:
            raise ValueError("fewer distinct addresses exist than wanted")
        items = Permutation(count, seed)(np.arange(start, stop, dtype=np.uint64))
        walk = _Walk(items, np.array([count], np.uint64), key(seed, count))
        provider = walk.down(self._provider)
        block = walk.down(self._blocks.level)
        first = walk.down(self._blocks.first_level, block)
        last = walk.down(self._blocks.last_level, self._blocks.last_node(block))
        cohort = walk.down(self._cohort, first) if self._cohort else None
        year = walk.down(self._year, cohort) if self._year and cohort is not None else None
        number = walk.down(self._number) if self._number else None
        suffix = self._suffixes.place(walk.item, walk.noise)
        person = self._person(mix(walk.noise ^ mix(items)), block, first, last, self._known_year(suffix, year))
        shown = {Part.FIRST: first, Part.LAST: last, Part.YEAR: year, Part.NUMBER: number}
        return self._table(shown, suffix, provider, person)

    def _known_year(self, suffix: Integers, year: Integers | None) -> Integers:
        """Position of the birth year that the address says, or -1."""
        if year is not None:
            return year
        said = self._suffixes.years(suffix)
        return np.where(said > 0, said - self._births.years.start, -1)

    def _person(self, noise: Words, block: Integers, first: Integers, last: Integers, year: Integers) -> _People:
        """A coherent person for each address."""
        births, more = self._births, mix(noise)
        group = self._blocks.group(block, first, more >> _HALF) if len(self._groups) > 1 else np.zeros(len(first), np.int64)
        known = year >= 0
        wanted = np.where(known, births.cohort_of_year[year], -1)
        row, cohort = self._bearers.draw(first, group, noise >> _HALF, wanted)
        surname, _ = self._surnames.draw(last, group, noise & _LOW)
        within = (births.sizes.astype(np.uint64)[cohort] * (more & _LOW)) >> _HALF
        year = np.where(known, year, births.starts[cohort] + within.astype(np.int64))
        return _People(row, surname, group, self.recipe.year - births.years.start - year)

    def _table(self, shown: Mapping[Part, Integers | None], suffix: Integers, provider: Integers, person: _People) -> pa.Table:
        pieces = self._spelling.pieces({part: place for part, place in shown.items() if place is not None})
        parts = [*pieces, self._suffixes.texts(suffix), self._domains.take(pa.array(provider))]
        size = len(suffix)
        columns = [
            pc.binary_join_element_wise(*parts, ""),
            self._bearers.shown(person.row),
            self._surnames.shown(person.surname),
            _category(self._bearers.gender(person.row), [gender.value for gender in Gender]),
            pa.array(person.age),
            _category(self._country[person.group], self.recipe.countries),
            _category(provider, [domain for domain, _ in self.recipe.providers]),
            pa.repeat(pa.scalar(True), size),
        ]
        return pa.table(columns, names=COLUMNS)


def synthesis(recipe: Recipe) -> Synthesis:
    """The synthesis of a recipe, kept for the recipes last used; threads that want the same one wait for it."""
    with _building:
        return _made(recipe)


@lru_cache(maxsize=_CACHED)
def _made(recipe: Recipe) -> Synthesis:
    return Synthesis(recipe)


def _birth_levels(births: BirthYears, by_cohort: Integers, room: int) -> tuple[Level, Level]:
    """Cohorts of each first name as likely as its bearers were born then, and the years of each cohort, equally likely."""
    texts, cohorts = by_cohort.shape
    numbers, years = np.arange(cohorts), len(births.years)
    cohort = Level(
        np.repeat(np.arange(texts), cohorts), np.tile(numbers, texts), by_cohort.ravel(), np.tile(births.sizes * room, texts)
    )
    return cohort, Level(births.cohort_of_year, np.arange(years), np.ones(years, np.int64), room)


def _integers(weights: Sequence[float]) -> Integers:
    total = fsum(weights)
    return np.array([max(1, round(weight / total * UNIT)) for weight in weights])


def _category(codes: Integers, values: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(values, pa.string()))
