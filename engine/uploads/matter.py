"""What a list is of: how to tell it from a table with headings, and which columns of a table hold what is expected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import pyarrow as pa

from engine.mail.columns import address_columns
from engine.scraping.domains import domain_column
from engine.uploads.addresses import read_addresses

Expects: TypeAlias = Literal["addresses", "domains", "people"]
"""What a list may be of."""
Sample: TypeAlias = Mapping[str, Sequence[object]]
"""Some values of each column."""
SAMPLE_ROWS = 300
_ADDRESS = re.compile(r"[^\s@<>]@[^\s@<>]")
_GAPS = re.compile(r"[\s,;|]+")
_HOST = re.compile(
    r"(?:https?://)?(?:(?:(?!-)[\w-]{1,63}(?<!-)\.)+(?:[^\W\d_]{2,63}|xn--[a-z0-9-]{2,59})\.?(?::\d{1,5})?"
    r"|(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?|localhost(?::\d{1,5})?|[a-z0-9-]{1,63}:\d{1,5})(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_MAX_HOST = 2_000
_PEOPLE = {(2, 3): ["first_name", "last_name", "domain"], (1, 2): ["name", "domain"]}
"""What columns without headings are, by the place of the domain and how many there are."""


class Matter(Protocol):
    """What a list is of, in words: `one` of them, what a column `holds` and how it is usually `named`, and what tells data from
    a heading (`sign`).
    """

    one: str
    many: str
    sign: str
    holds: str
    named: str

    def is_data(self, column: pa.ChunkedArray) -> bool:
        """Whether the first cell of a column is one of them already, and no heading."""

    def among(self, line: str) -> int:
        """How many of them a line of text holds."""

    def alone(self, cell: str) -> bool:
        """Whether a cell is a piece of a list."""

    def pieces(self, text: str) -> pa.Table:
        """A text that is no table: one row for each piece."""

    def headings(self, at: int, width: int) -> list[str]:
        """Names for `width` columns without headings, where column `at` holds what is expected."""

    def likely(self, names: Sequence[str], sample: Sample) -> list[str]:
        """The columns that plausibly hold what is expected, the best first."""


class Addresses:
    """E-mail addresses: nothing else has an at sign inside."""

    one, many, sign = "address", "addresses", "an address"
    holds, named = "e-mail addresses", "email, e-mail, mail or email_address"

    def is_data(self, column: pa.ChunkedArray) -> bool:
        """Whether it has an address, well formed or not: a heading has none."""
        return _ADDRESS.search(column[0].as_py() or "") is not None

    def among(self, line: str) -> int:
        """At signs, where there is an address at all."""
        return line.count("@") if _ADDRESS.search(line) else 0

    def alone(self, cell: str) -> bool:
        """Whether it has an at sign."""
        return "@" in cell

    def pieces(self, text: str) -> pa.Table:
        """See `read_addresses`."""
        return read_addresses(text)

    def headings(self, at: int, width: int) -> list[str]:
        """`email`, and the others by their number."""
        return _numbered("email", at, width)

    def likely(self, names: Sequence[str], sample: Sample) -> list[str]:
        """See `address_columns`."""
        return address_columns(names, sample)


class Domains:
    """Domains and addresses of websites."""

    one, many, sign = "domain", "domains", "a domain"
    holds, named = "domains", "domain, website or url"

    def is_data(self, column: pa.ChunkedArray) -> bool:
        """Whether it looks like a domain, as do half of the cells: a heading such as `company.name` looks like one too."""
        cells = [cell for cell in column.slice(0, SAMPLE_ROWS).to_pylist() if (cell or "").strip()]
        return looks_like_domain(column[0].as_py() or "") and 2 * sum(map(looks_like_domain, cells)) >= len(cells)

    def among(self, line: str) -> int:
        """Words that look like domains."""
        return sum(looks_like_domain(word) for word in _GAPS.split(line) if word)

    def alone(self, cell: str) -> bool:
        """Whether it is nothing but domains."""
        return all(looks_like_domain(word) for word in _GAPS.split(cell) if word)

    def pieces(self, text: str) -> pa.Table:
        """Separated by spaces, commas, semicolons, bars and line ends; under `domain`."""
        return pa.table({"domain": pa.array([word for word in _GAPS.split(text) if word], pa.string())})

    def headings(self, at: int, width: int) -> list[str]:
        """`domain`, and the others by their number."""
        return _numbered("domain", at, width)

    def likely(self, names: Sequence[str], sample: Sample) -> list[str]:
        """The one column of `domain_column`; else one that is called `domain`, whatever it holds."""
        found = domain_column(names, sample) or next((name for name in names if name == "domain"), None)
        return [found] if found else []


class People(Domains):
    """People: rows of names with the domain where each of them has an address; always a table."""

    one, many = "person", "people"

    def among(self, line: str) -> int:
        """None: several domains in a row are no list of people."""
        return 0

    def headings(self, at: int, width: int) -> list[str]:
        """`first_name, last_name, domain` or `name, domain`, where the columns can be these."""
        return _PEOPLE.get((at, width)) or _numbered("domain", at, width)


def looks_like_domain(text: str) -> bool:
    """Whether a cell may name a website: `host`, `host:port` or a URL; a glance that asks no list of top-level domains."""
    return len(text) <= _MAX_HOST and _HOST.fullmatch(text.strip()) is not None


def _numbered(name: str, at: int, width: int) -> list[str]:
    return [name if index == at else f"column_{index + 1}" for index in range(width)]


MATTERS: Mapping[Expects, Matter] = {"addresses": Addresses(), "domains": Domains(), "people": People()}
