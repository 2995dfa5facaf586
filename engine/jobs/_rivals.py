"""Who else of a list might have the same address as a person: found at submit in the whole list, of which a batch sees little."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import pyarrow as pa

from engine.durable.schema import hidden
from engine.jobs._finding import Facts, alike, chosen, folded, lined_up, pending
from engine.mail.finding import Person
from engine.mail.finding.rendering import untaught
from engine.scraping.people import domain_of
from engine.verifying.ask import Found

COLUMN = "_rivals"
"""The hidden column of the list that names them."""
_dumped = json.JSONEncoder(ensure_ascii=False).encode
_EACH = 2
"""People that are named of all those who share one part of a name: more tell nothing new."""
_KEPT = 4


def with_rivals(rows: pa.Table) -> pa.Table:
    """A condensed list with a hidden column: the people whose addresses may come out the same as that of the row's person.

    Without it where there are none.
    """
    if COLUMN in rows.column_names:
        rows = rows.drop_columns([COLUMN])
    people = [
        Person(first or "", last or "")
        for first, last in zip(rows["first_name"].to_pylist(), rows["last_name"].to_pylist(), strict=True)
    ]
    at: dict[str, list[int]] = {}
    for place, domain in enumerate(rows["domain"].to_pylist()):
        if people[place] != Person("", ""):
            at.setdefault(domain or "", []).append(place)
    cells: list[str | None] = [None] * len(people)
    for domain, places in at.items():
        if len(places) > 1 and domain_of(domain):
            for place, rivals in zip(places, _rivals([people[place] for place in places]), strict=True):
                if rivals:
                    cells[place] = _dumped([(one.first, one.last) for one in rivals])
    if not any(cells):
        return rows
    return hidden(rows.append_column(COLUMN, pa.array(cells, pa.string())), COLUMN)


def rivals_in(rows: pa.Table) -> list[tuple[Person, ...]]:
    """The rivals of each row's person."""
    if COLUMN not in rows.column_names:
        return [()] * rows.num_rows
    return [tuple(Person(first, last) for first, last in json.loads(cell or "[]")) for cell in rows[COLUMN].to_pylist()]


def _rivals(people: Sequence[Person]) -> Iterator[list[Person]]:
    """For each of the people at one domain some others of each kind that may be spelled the same."""
    told = [_Told(person, (folded(person.first), folded(person.last)), _keys(person)) for person in people]
    groups: dict[str, list[_Told]] = {}
    for one in told:
        for key in one.keys:
            group = groups.setdefault(key, [])
            if len(group) < _KEPT and not any(alike(one.name, other.name) for other in group):
                group.append(one)
    for one in told:
        found: dict[Person, None] = {}
        for group in (groups[key] for key in one.keys):
            if len(group) > 1 or group[0] is not one:
                others = (other.person for other in group if not alike(one.name, other.name))
                found.update(dict.fromkeys(islice(others, _EACH)))
        yield list(found)


class _Told(NamedTuple):
    """A person with the folded name and what it has in common with others'."""

    person: Person
    name: tuple[str, str]
    keys: tuple[str, ...]


def _keys(person: Person) -> tuple[str, ...]:
    """What people have in common who may get the same address by some pattern: a name, one and the other's initial, or both."""
    first, last = _words(person.first), _words(person.last)
    given = first[0] if first else ""
    found = [f"first:{given}"] if given else []
    for surname in dict.fromkeys((*last[:1], *last[-1:])):
        found.append(f"last:{surname}")
        if given:
            found += (f"flast:{given[0]}{surname}", f"firstl:{given}{surname[0]}", f"initials:{given[0]}{surname[0]}")
    return tuple(found)


@lru_cache(maxsize=65_536)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word for part in name.split() for word in folded(part).split("-") if word)


def may_be_anothers(
    local: str, rivals: Sequence[Person], facts: Facts, people: Sequence[Person], found: Mapping[str, Found]
) -> bool:
    """Whether a guessed local part is a candidate for one of the rivals, too, as far as this batch knows.

    One who has an address on a page does not need it, nor one for whom this batch settled on another.
    """
    return any(
        any(rendering.local == local for rendering in untaught(rival)) and _wants(rival, local, facts, people, found)
        for rival in rivals
    )


def _wants(rival: Person, local: str, facts: Facts, people: Sequence[Person], found: Mapping[str, Found]) -> bool:
    lines = lined_up(rival, facts, people)
    key = f"{local}@{facts.mail}"
    if all(line.address.key != key for line in lines) or lines[0].named:
        return False
    best = chosen(lines, found)
    return pending(lines, found) is not None or (best is not None and best.address.key == key)
