"""Who can be generated: the people of the wanted countries, genders and ages, by first name and by surname."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from engine.mail import names
from engine.mail.descent import Integers
from engine.mail.names import COHORTS, Gender, Names

UNIT = 1 << 40
"""Weight of all people together."""


@dataclass(frozen=True, slots=True)
class Group:
    """People who share a list of surnames: those of a country, or one gender of it where surnames differ by gender."""

    country: str
    genders: tuple[Gender, ...]
    share: int
    """Weight of each of its genders."""


@dataclass(frozen=True, slots=True)
class Roll:
    """Names of one kind over all groups, one row per name, group and gender.

    `weights` has shape (rows, cohorts): for first names the cohorts of `BirthYears`, for surnames one.
    """

    spelled: pa.StringArray
    shown: pa.StringArray
    group: Integers
    gender: Integers
    weights: Integers

    def only(self, kept: np.ndarray) -> Roll:
        """The rows kept."""
        rows = pa.array(np.flatnonzero(kept))
        return Roll(self.spelled.take(rows), self.shown.take(rows), self.group[kept], self.gender[kept], self.weights[kept])


class BirthYears:
    """The wanted birth years, uniform over the age range, and the cohorts they belong to."""

    def __init__(self, first: int, last: int) -> None:
        self.years = range(first, last + 1)
        cohorts = np.array([COHORTS.of(year) for year in self.years])
        self.data_cohorts, self.cohort_of_year, self.sizes = np.unique(cohorts, return_inverse=True, return_counts=True)
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @property
    def cohorts(self) -> int:
        """How many cohorts the years touch."""
        return len(self.sizes)


def groups(countries: Sequence[str], genders: Sequence[Gender]) -> list[Group]:
    """The groups of the wanted people; countries have equal shares, genders too."""
    share = UNIT // (len(countries) * len(genders))
    found: list[Group] = []
    for country in countries:
        if names.load(country).surnames_by_gender:
            found.extend(Group(country, (gender,), share) for gender in genders)
        else:
            found.append(Group(country, tuple(genders), share))
    return found


def first_names(people: Sequence[Group], births: BirthYears) -> Roll:
    """First names with their weights by cohort, not yet balanced."""
    return _roll(
        (index, gender, names.load(group.country).first[gender], births.data_cohorts)
        for index, group in enumerate(people)
        for gender in group.genders
    )


def surnames(people: Sequence[Group]) -> Roll:
    """Surnames, not yet balanced; the gender is that of the group's first."""
    return _roll(
        (index, group.genders[0], names.load(group.country).last[group.genders[0]], np.zeros(1, np.int64))
        for index, group in enumerate(people)
    )


def balanced(roll: Roll, shares: Integers) -> Roll:
    """The roll with weights scaled so that each (group, gender) has its share in each cohort.

    `shares`: shape (groups, cohorts). Only divisions and products of single numbers and sums of integers: the same everywhere.
    """
    bearer = roll.group * len(Gender) + roll.gender
    scaled = np.empty_like(roll.weights)
    for cohort in range(roll.weights.shape[1]):
        weights = roll.weights[:, cohort]
        totals = np.bincount(bearer, weights=weights)
        scaled[:, cohort] = np.floor(weights / totals[bearer] * shares[roll.group, cohort]) + 1
    return replace(roll, weights=scaled)


def _roll(lists: Iterator[tuple[int, Gender, Names, Integers]]) -> Roll:
    blocks = list(lists)
    width = len(blocks[0][3])
    sizes = [len(listed) for _, _, listed, _ in blocks]
    return Roll(
        pa.concat_arrays([listed.spelled for _, _, listed, _ in blocks]),
        pa.concat_arrays([listed.shown for _, _, listed, _ in blocks]),
        np.repeat([index for index, *_ in blocks], sizes),
        np.repeat([list(Gender).index(gender) for _, gender, *_ in blocks], sizes),
        np.concatenate([_by_cohort(listed, cohorts, width) for _, _, listed, cohorts in blocks]),
    )


def _by_cohort(listed: Names, cohorts: Integers, width: int) -> Integers:
    if listed.weights.shape[1] == 1:
        return np.repeat(listed.weights, width, axis=1)
    return listed.weights[:, cohorts]
