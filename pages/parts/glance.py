"""What the columns of a list hold, at a glance: how many are usable, different, repeated, empty. Jobs look closer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from engine.scraping.domains import wanted
from engine.scraping.people import domain_of
from engine.uploads import looks_like_domain

PLAUSIBLE = r"[^@\s]@[^@\s]+\.[^@\s.]"
"""What a cell must look like to be counted as an address."""
_PLAIN = r"^(?:https?://)?([a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}/?$"
"""A domain that is as it is: nothing has to be looked up or rewritten to tell which."""
_ABOUT = re.compile(r"^https?://|^x@|[/?#].*$", re.IGNORECASE)
_LOCAL = r"^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@"
"""What stands before the domain in the usual address: it does not matter for the site."""
LOOKED_AT = 2_000
"""So many different unusual entries are read as a job reads them; a longer list's others are judged by their looks."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a list holds: rows, empty ones, ones that can be used, how many different of those, and whatever else is told."""

    rows: int
    empty: int
    plausible: int
    distinct: int
    more: Mapping[str, int] = field(default_factory=dict)


def addresses(column: pa.ChunkedArray) -> Counts:
    """Addresses; a million take about a second."""
    text, filled = _filled(column)
    found = filled.filter(pc.match_substring_regex(filled, PLAUSIBLE))
    return Counts(len(text), len(text) - len(filled), len(found), pc.count_distinct(pc.utf8_lower(found)).as_py())


def domains(column: pa.ChunkedArray) -> Counts:
    """Domains, URLs, and addresses, which stand for their domain; each site counts once, however it is written."""
    text, filled = _filled(column)
    lower = pc.utf8_lower(filled)
    plain = pc.match_substring_regex(lower, _PLAIN)
    usual = pc.replace_substring_regex(lower.filter(plain), r"^https?://|/$", "")
    odd = pc.value_counts(pc.replace_substring_regex(filled.filter(pc.invert(plain)), "(?i)" + _LOCAL, "x@")).to_pylist()
    read = {entry["values"]: _site(entry["values"], place) for place, entry in enumerate(odd)}
    good = sum(entry["counts"] for entry in odd if read[entry["values"]])
    sites = {*pc.unique(usual).to_pylist(), *filter(None, read.values())}
    return Counts(len(text), len(text) - len(filled), len(usual) + good, len(sites))


def _site(entry: str, place: int) -> str:
    """The site that an unusual entry names; "" where it is none."""
    if place >= LOOKED_AT:
        site = _ABOUT.sub("", entry).lower()
        return site if looks_like_domain(site) else ""
    found = wanted(entry)
    return "" if found.error else found.domain


def people(table: pa.Table, domain: str, names: Iterable[str]) -> Counts:
    """Rows with a domain, and different ones of name and domain; a row without a name stands for its domain."""
    texts = [as_text(table.column(name)) for name in names]
    sites = _each(as_text(table.column(domain)), domain_of)
    named = [" ".join(filter(None, parts)).casefold() for parts in zip(*(text.to_pylist() for text in texts), strict=True)]
    rows = list(zip(named or [""] * len(sites), sites, strict=True))
    good = [row for row in rows if row[1]]
    more = {"domains": len({site for _, site in good}), "domains without a name": len({site for name, site in good if not name})}
    empty = sum(not name and not cell for (name, _), cell in zip(rows, as_text(table.column(domain)).to_pylist(), strict=True))
    return Counts(len(rows), empty, len(good), len(set(good)), more)


def _each(column: pa.ChunkedArray, read: Callable[[str], str]) -> list[str]:
    known = {value: read(value or "") for value in pc.unique(column).to_pylist()}
    return [known[value] for value in column.to_pylist()]


def _filled(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """A column as text, and those of its cells that are not empty."""
    text = as_text(column)
    return text, text.filter(pc.fill_null(pc.greater(pc.binary_length(text), 0), False))


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as trimmed text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if pa.types.is_nested(kind) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        plain = [None if value is None else str(value) for value in column.to_pylist()]
        column = pa.chunked_array([pa.array(plain, pa.string())])
    return pc.utf8_trim_whitespace(column.cast(pa.string()))
