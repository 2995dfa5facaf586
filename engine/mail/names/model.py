"""What a country's names look like once loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Gender(StrEnum):
    """The two genders that name data know."""

    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Birth years in groups of equal length, over which names are taken to be equally popular."""

    first: int
    years: int
    count: int

    def of(self, year: int) -> int:
        """The cohort of a birth year; years outside the data belong to the nearest cohort."""
        return min(max((year - self.first) // self.years, 0), self.count - 1)


COHORTS = Cohorts(first=1910, years=5, count=22)


@dataclass(frozen=True, slots=True)
class Names:
    """Names and how common they are.

    `spelled`: letters a-z, as addresses have it; `shown`: as tables have it; `weights`: positive integers of shape
    (names, 1), or (names, cohorts) where popularity by birth year is known.
    """

    spelled: pa.StringArray
    shown: pa.StringArray
    weights: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.spelled)


@dataclass(frozen=True, slots=True)
class CountryNames:
    """A country's first names by gender, and its surnames: by gender where they differ, otherwise the same object twice."""

    first: Mapping[Gender, Names]
    last: Mapping[Gender, Names]

    @property
    def surnames_by_gender(self) -> bool:
        """Whether women and men bear different surnames (Kowalska, Kowalski)."""
        return self.last[Gender.FEMALE] is not self.last[Gender.MALE]
