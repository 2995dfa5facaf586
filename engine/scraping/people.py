"""Lists of people as find-emails takes them: which column is which, full names divided, domains in one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from engine.durable.schema import bare
from engine.errors import InvalidInput
from engine.mail.finding import Person
from engine.mail.finding.parts import parts
from engine.scraping.domains import domain_column, wanted

OWN = ("first_name", "last_name", "domain")
"""The columns that a list has once it is condensed."""
_HOST = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_usual = re.compile(rf"(?:https?://)?({_HOST})(:[0-9]{{1,5}})?(?:[/?#]\S*)?").fullmatch
_LONGEST = 2_048

# Squeezed: lower case, without accents, spaces and punctuation.
_FIRST = frozenset(
    """
    firstname givenname givennames forename first given fname vorname rufname prenom nombredepila nombres primernombre
    nomeproprio primeironome primeironome voornaam roepnaam imie fornamn tilltalsnamn fornavn etunimi keresztnev utonev
    krestnijmeno krstnemeno prenume adi имя
    """.split()
)
_LAST = frozenset(
    """
    lastname surname familyname last lname nachname familienname zuname nomdefamille apellido apellidos primerapellido
    cognome sobrenome apelido ultimonome achternaam familienaam nazwisko efternamn efternavn etternavn sukunimi
    vezeteknev csaladnev prijmeni priezvisko numedefamilie prezime soyad soyadi soyisim фамилия
    """.split()
)
_FULL = frozenset(
    """
    fullname completename contactname contact contactperson person personname employee employeename displayname
    namesurname vollername vollstandigername gesamtname ansprechpartner ansprechperson kontaktperson kontakt
    nomcomplet nometprenom prenometnom nombrecompleto nombreyapellidos nomecompleto nomeecognome nomecognome
    volledigenaam contactpersoon imieinazwisko fullstandigtnavn fultnavn fuldenavn kokonimi teljesnev celejmeno
    adsoyad фио
    """.split()
)
_EITHER = frozenset("name nom nome nombre naam navn namn jmeno meno nimi nev nume ime ad isim imieni".split())
"""The first name beside a column of surnames, the surname beside one of first names, else the whole name."""


class Columns(BaseModel):
    """Which column of a list holds what; found by name where left out, and none where it is empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    first_name: str | None = Field(None, max_length=500, title="First name", description="The column of first names.")
    last_name: str | None = Field(None, max_length=500, title="Surname", description="The column of surnames.")
    full_name: str | None = Field(
        None, max_length=500, title="Full name", description="The column of whole names, used where the two others are empty."
    )
    domain: str | None = Field(None, max_length=500, title="Domain", description="The column of domains or websites.")

    def fitted(self, names: Sequence[str], sample: Mapping[str, Sequence[object]]) -> Self:
        """With what was left out chosen by name; domains also by the values in `sample`.

        Raises:
            InvalidInput: a column that is named does not exist, or no column holds domains.
        """
        for field in type(self).model_fields:
            if (name := getattr(self, field)) and name not in names:
                raise InvalidInput.of(f"columns.{to_camel(field)}", f"is not a column of the list; it has {_listed(names)}")
        given = {field: name for field, name in self if name is not None}
        left = [name for name in names if name not in given.values()]
        found = {**_by_name(left, given), **given}
        if not self.domain:
            left = [name for name in left if name not in found.values()]
            domain = domain_column(left, sample) or domain_column(left, {})  # by name alone: an intranet's are no public domains
            if domain is None:
                expected = "expected one named domain or website; name it as columns.domain"
                raise InvalidInput.of("columns.domain", f"no column holds domains: found {_listed(names)}; {expected}")
            found["domain"] = domain
        return self.model_copy(update=found)

    @property
    def has_names(self) -> bool:
        """Whether rows name people."""
        return any((self.first_name, self.last_name, self.full_name))


def condensed(rows: pa.Table, columns: Columns) -> pa.Table:
    """The list with first_name, last_name and domain in front, in one form each, and every other column as it was.

    A row without a name stands for its domain. Rows that say the same again are left out: where no column names people, those
    of a domain that was there before; else those that are the same in every column and name nobody.
    """
    texts = {field: _texts(rows, name) for field, name in columns}
    people = [_person(*names) for names in zip(texts["first_name"], texts["last_name"], texts["full_name"], strict=True)]
    domains = [domain_of(text) or text.strip() for text in texts["domain"]]
    gone = {name for field, name in columns if name and field in OWN}
    rest = [name for name in rows.column_names if name not in gone]
    own = zip(OWN, ([p.first for p in people], [p.last for p in people], domains), strict=True)
    table = pa.table(
        {name: pa.array([value or None for value in values], pa.string()) for name, values in own}
        | {_free(name, rows.column_names): rows[name] for name in rest}
    )
    kept = _first_ones(table, people, domains, rest if columns.has_names else [])
    return bare(table if kept is None else table.take(pa.array(kept)), *OWN)


def domain_of(text: str) -> str:
    """The ASCII `host` or `host:port` of a domain, a website's URL or an address, in lower case and without `www.`.

    "" where the text is nothing of the kind: an IP address or a name without dots takes no mail.
    """
    text = text.strip()
    if "@" in text and "/" not in text:
        text = text.rpartition("@")[2].rstrip(">")
    found = _usual(text.lower())
    if found is None or len(found[1]) > 253:
        return _careful(text)
    host = found[1].removeprefix("www.")
    return (host if "." in host else found[1]) + (found[2] or "")


@lru_cache(maxsize=65_536)
def _careful(text: str) -> str:
    found = wanted(text[:_LONGEST])
    host, colon, port = found.domain.removeprefix("www.").partition(":")
    if found.error or "." not in host or host.rpartition(".")[2].isdigit() or "[" in host:
        return ""
    return host + colon + port


def _person(first: str, last: str, full: str) -> Person:
    """A name of two fields; a full name, alone or in one of the fields, is divided."""
    if first and last:
        return Person(first, last)
    whole = first or last or full
    if not whole or (not full and " " not in whole):
        return Person(first, last)
    found = parts(Person(whole if first or not last else "", whole if last and not first else ""))
    surname = " ".join(" ".join((*name.particles, name.word)) for name in found.surnames)
    return Person(" ".join((*found.given, *found.middle)), surname)


def _texts(rows: pa.Table, name: str | None) -> list[str]:
    if not name:
        return [""] * rows.num_rows
    return ["" if value is None else str(value).strip() for value in rows[name].to_pylist()]


def _first_ones(table: pa.Table, people: Sequence[Person], domains: Sequence[str], rest: Iterable[str]) -> list[int] | None:
    """The rows to keep; None for all."""
    others = [table[name].to_pylist() for name in table.column_names if name not in OWN and name in set(rest)]
    nobody = Person("", "")
    seen: set[str] = set()
    kept = []
    for place, (person, domain) in enumerate(zip(people, domains, strict=True)):
        if person == nobody and domain:
            key = repr((domain, [column[place] for column in others]))
            if key in seen:
                continue
            seen.add(key)
        kept.append(place)
    return None if len(kept) == len(people) else kept


def _free(name: str, taken: Sequence[str]) -> str:
    """A name for a column that would clash with one of ours."""
    fresh = name
    while fresh in OWN or (fresh != name and fresh in taken):
        fresh = f"input_{fresh}"
    return fresh


def _by_name(names: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The fields that columns are named after, those given left out; some are given as none."""
    squeezed = {name: _squeezed(name) for name in names}
    found: dict[str, str] = {}
    for field, words in (("first_name", _FIRST), ("last_name", _LAST), ("full_name", _FULL)):
        if field not in given and (name := next((n for n, text in squeezed.items() if text in words), None)):
            found[field] = name
    either = next((n for n, text in squeezed.items() if text in _EITHER), None)
    settled = given.keys() | found.keys()
    has = {field for field, name in given.items() if name} | found.keys()
    if either is not None:
        if "first_name" in has and "last_name" not in settled:
            found["last_name"] = either
        elif "last_name" in has and "first_name" not in settled:
            found["first_name"] = either
        elif not has & {"first_name", "last_name"} and "full_name" not in settled:
            found["full_name"] = either
    return found


def _squeezed(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.replace("ł", "l")).casefold()
    return "".join(c for c in decomposed if c.isalnum())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"the columns {shown} and {len(names) - 8} more" if len(names) > 8 else f"the columns {shown}"
