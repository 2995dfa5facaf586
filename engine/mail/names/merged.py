"""Other countries: the name lists of Faker and mimesis, merged.

Where a list has frequencies they are used. Otherwise popularity is assumed to fall with rank r as (r + 20) to the power
-1.5, in a fixed order: the commonest names as in `names.common`, then those that both packages know, then the rest; lists
that are not alphabetical keep their own order, the others are put in the order of a hash.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from itertools import chain, pairwise
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from engine.mail import romanize
from engine.mail.names.common import COMMON, Common
from engine.mail.names.countries import Country
from engine.mail.names.model import CountryNames, Gender, Names

MAX_LETTERS = 20
"""Longer names (mostly double ones) are left out."""

_RARE_SHARE = 0.05
"""Share of people whose name is not on the list with frequencies, only on others."""
_UNIT = 1 << 30

_ADJECTIVES = {
    "PL": (("ski", "ska"), ("cki", "cka"), ("dzki", "dzka")),
    "UA": (("ський", "ська"), ("цький", "цька"), ("зький", "зька")),
}
"""Endings of adjectival surnames, of men and of women."""

Listed = Mapping[str, float | None]
"""Names in order, with their frequency where it is known."""


def merged(country: Country) -> CountryNames:
    """The names of a country from all its lists."""
    first = {gender: _names(country, _first_lists(country, gender)) for gender in Gender}
    lists = {gender: _last_lists(country, gender) for gender in Gender}
    if lists[Gender.FEMALE] == lists[Gender.MALE]:
        surnames = _names(country, lists[Gender.MALE])
        return CountryNames(first, dict.fromkeys(Gender, surnames))
    return CountryNames(first, {gender: _names(country, lists[gender]) for gender in Gender})


def _first_lists(country: Country, gender: Gender) -> list[Listed]:
    romanized = f"first_romanized_names_{gender}" if country.code == "JP" else f"first_names_{gender}"
    faker = [_listed(getattr(_faker(locale), romanized)) for locale in country.faker]
    mimesis = [_listed(_mimesis(locale)["names"][gender]) for locale in country.mimesis]
    return [_common(country, gender), *faker, *mimesis]


def _last_lists(country: Country, gender: Gender) -> list[Listed]:
    faker = [_FAKER_LAST.get(locale, _plain_last)(_faker(locale), gender) for locale in country.faker]
    mimesis = [] if country.foreign_surnames else [_mimesis_last(locale, gender) for locale in country.mimesis]
    lists = [_common(country, "last"), *faker, *mimesis]
    return [{_form(name, country, gender): weight for name, weight in listed.items()} for listed in lists]


def _form(name: str, country: Country, gender: Gender) -> str:
    """The form of an adjectival surname for a gender; some lists have forms of the other one among theirs."""
    for male, female in _ADJECTIVES.get(country.code, ()):
        if name.endswith((male, female)):
            return name.removesuffix(male).removesuffix(female) + (female if gender is Gender.FEMALE else male)
    return name


def _common(country: Country, kind: str) -> Listed:
    return dict.fromkeys(COMMON.get(country.code, Common()).listed(kind))


def _plain_last(provider: Any, gender: Gender) -> Listed:
    return _listed(getattr(provider, f"last_names_{gender}", None) or provider.last_names)


def _japanese_last(provider: Any, _: Gender) -> Listed:
    return {romaji: float(bearers) for (_, _, romaji), bearers in provider.last_name_pairs.items()}


def _polish_last(provider: Any, _: Gender) -> Listed:
    """The list of male surnames is by popularity; the one called unisex holds forms of either gender."""
    return _listed(chain(provider.male_last_names, provider.unisex_last_names))


_FAKER_LAST: Mapping[str, Callable[[Any, Gender], Listed]] = {"ja_JP": _japanese_last, "pl_PL": _polish_last}


def _mimesis_last(locale: str, gender: Gender) -> Listed:
    surnames = _mimesis(locale)["surnames"]
    return _listed(surnames[gender] if isinstance(surnames, dict) else surnames)


def _faker(locale: str) -> Any:
    return importlib.import_module(f"faker.providers.person.{locale}").Provider


@cache
def _mimesis(locale: str) -> dict[str, Any]:
    spec = find_spec("mimesis")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("package mimesis is not installed")
    person = json.loads((Path(spec.origin).parent / "datasets" / locale / "person.json").read_bytes())
    return {key: person[key] for key in ("names", "surnames") if key in person}


def _listed(names: Iterable[str]) -> Listed:
    """Frequencies where the list has any that differ; otherwise the order, which an alphabetical list does not have."""
    if isinstance(names, Mapping) and len(set(names.values())) > 1:
        return dict(names)
    ordered = list(dict.fromkeys(names))
    ascending = sum(a <= b for a, b in pairwise(ordered))
    if ascending > 0.7 * len(ordered):
        ordered.sort(key=lambda name: blake2b(name.encode(), digest_size=8).digest())
    return dict.fromkeys(ordered)


def _names(country: Country, lists: Sequence[Listed]) -> Names:
    weights = _weighted(lists)
    shown = {name: romanize.shown(name, country.code) for name in weights}
    rows: dict[tuple[str, str], int] = {}
    for name, weight in weights.items():
        spelled = romanize.spelled(shown[name], country.code)
        if 2 <= len(spelled) <= MAX_LETTERS:
            rows[spelled, shown[name]] = rows.get((spelled, shown[name]), 0) + weight
    return Names(
        pa.array([spelled for spelled, _ in rows]),
        pa.array([name for _, name in rows]),
        np.array(list(rows.values()), np.int64)[:, None],
    )


def _weighted(lists: Sequence[Listed]) -> dict[str, int]:
    known = next((counted for listed in lists if (counted := {n: w for n, w in listed.items() if w is not None})), {})
    others = [name for name in dict.fromkeys(chain.from_iterable(lists)) if name not in known]
    commonest, *sources = lists
    others.sort(key=lambda name: len(lists) if name in commonest else sum(name in listed for listed in sources), reverse=True)
    total, share = fsum(known.values()), _RARE_SHARE if known else 1.0
    falling = 1 / ((rank := np.arange(len(others)) + 20.0) * np.sqrt(rank))
    tail = np.floor(falling / fsum(falling) * share * _UNIT) + 1
    return {name: int(weight / total * (1 - share) * _UNIT) + 1 for name, weight in known.items()} | dict(
        zip(others, tail.astype(np.int64).tolist(), strict=True)
    )
