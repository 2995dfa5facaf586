"""More companies of the lab: names of many countries and pages as site builders lay them out, written when finding was done."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faker import Faker

from tests.lab.offices import Office

LOCALES = "de_DE fr_FR es_ES pl_PL cs_CZ it_IT nl_NL sv_SE en_GB pt_BR tr_TR hr_HR fi_FI hu_HU ro_RO da_DK".split()
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_OTHERS = str.maketrans(
    {"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "'": "", "’": "", "-": "", " ": "", ".": ""}
)
SPELLED: Mapping[str, Callable[[str, str], str]] = {
    "first.last": lambda first, last: f"{first}.{last}",
    "flast": lambda first, last: first[0] + last,
    "f.last": lambda first, last: f"{first[0]}.{last}",
    "first": lambda first, last: first,
    "firstlast": lambda first, last: first + last,
    "lastf": lambda first, last: last + first[0],
    "last.first": lambda first, last: f"{last}.{first}",
    "first_last": lambda first, last: f"{first}_{last}",
    "first.l": lambda first, last: f"{first}.{last[0]}",
    "lastfirst": lambda first, last: last + first,
    "last": lambda first, last: last,
    "f-last": lambda first, last: f"{first[0]}-{last}",
}
_MIX = ("first.last",) * 9 + ("flast",) * 5 + ("f.last",) * 3 + ("first",) * 2 + tuple(SPELLED)[4:]
_SHOWN = (2, 4, 0, 6, 3, 5, 1)
_ROLES = ("Managing Director", "Head of Sales", "Accounting", "Purchasing", "Engineer", "Field Service", "Research")


@dataclass
class Bureau(Office):
    """A company with one of several layouts."""

    layout: int = 0

    def pages(self) -> dict[str, str]:
        """Its website: a home page, one of the team, one of the imprint."""
        team = list(self.staff.items())[: self.shown]
        home = f'<title>{self.domain}</title><nav><a href="/unternehmen/team/">Team</a> <a href="/imprint">Imprint</a></nav>'
        imprint = f"<title>Imprint</title><p>{self.domain}<br>Phone +1 555 0100<br>office (at) {self.domain}</p>"
        people = (_cards, _table, _words, _linked_data, _lines)[self.layout % 5](team)
        pages = {"/": home, "/unternehmen/team/": f"<title>People</title><h1>People</h1>{people}", "/imprint": imprint}
        return {path: f"<!doctype html><html><body>{body}</body></html>" for path, body in pages.items()}


Team = list[tuple[tuple[str, str], str]]


def _cards(team: Team) -> str:
    cards = (
        f'<div class="card"><img src="/p/{n}@2x.jpg" alt=""><h3>{first} {last}</h3><p>{_ROLES[n % 7]}</p>'
        f'<a class="btn" href="mailto:{email}?subject=Hello" aria-label="Mail"><svg></svg></a></div>'
        for n, ((first, last), email) in enumerate(team)
    )
    return f'<section class="grid">{"".join(cards)}</section>'


def _table(team: Team) -> str:
    rows = (
        f"<tr><td>{last}, {first}</td><td>{_ROLES[n % 7]}</td><td>+1 555 01{n:02}</td><td>{email}</td></tr>"
        for n, ((first, last), email) in enumerate(team)
    )
    return f"<table><thead><tr><th>Name</th><th>Role</th><th>Phone</th><th>Mail</th></tr></thead>{''.join(rows)}</table>"


def _words(team: Team) -> str:
    return "".join(
        f"<dl><dt>{first} {last}</dt><dd>{_ROLES[n % 7]}</dd>"
        f"<dd>{email.replace('@', ' [at] ').replace('.test', ' [dot] test')}</dd></dl>"
        for n, ((first, last), email) in enumerate(team)
    )


def _linked_data(team: Team) -> str:
    people = [{"@type": "Person", "name": f"{first} {last}", "email": email} for (first, last), email in team]
    names = ", ".join(f"{first} {last}" for (first, last), _ in team)
    return f'<p>Our people: {names}</p><script type="application/ld+json">{json.dumps({"employee": people})}</script>'


def _lines(team: Team) -> str:
    return "".join(
        f"<p><strong>{_ROLES[n % 7]}</strong><br>Dr. {first} {last}<br>E-Mail: <a href='mailto:{email}'>{email}</a></p>"
        for n, ((first, last), email) in enumerate(team)
    )


def bureaus(count: int = 48, size: int = 8, seed: int = 11) -> list[Bureau]:
    """Companies of one country each, with `size` people and two or three strangers; every eighth takes mail for any address."""
    dice = random.Random(seed)
    return [_bureau(number, size, seed, dice) for number in range(count)]


def _bureau(number: int, size: int, seed: int, dice: random.Random) -> Bureau:
    locale = LOCALES[number % len(LOCALES)]
    faker = Faker(locale)
    faker.seed_instance(seed * 1_000 + number)
    pattern = dice.choice(_MIX)
    made = Bureau(f"b{number}.test", pattern, _SHOWN[number % len(_SHOWN)], catch_all=number % 8 == 3, layout=dice.randrange(5))
    taken: set[str] = set()
    while len(made.staff) < size:
        first, last = faker.first_name(), faker.last_name()
        local = _local(pattern, first, last, locale)
        if local not in taken and (first, last) not in made.staff:
            taken.add(local)
            made.staff[first, last] = f"{local}@{made.domain}"
    _add_strangers(made, faker, pattern, locale)
    return made


def _local(pattern: str, first: str, last: str, locale: str) -> str:
    return SPELLED[pattern](_letters(first, locale), _letters(last, locale))


def _letters(name: str, locale: str) -> str:
    low = name.lower()
    if locale == "de_DE":
        low = low.translate(_GERMAN)
    return "".join(c for c in unicodedata.normalize("NFKD", low.translate(_OTHERS)) if not unicodedata.combining(c))


def _add_strangers(made: Bureau, faker: Faker, pattern: str, locale: str) -> None:
    """Two whose address would be nobody's, and a namesake where the pattern shows only a part of a name."""
    addresses = set(made.staff.values())
    while len(made.strangers) < 2:
        first, last = faker.first_name(), faker.last_name()
        parts = {SPELLED[each](_letters(first, locale), _letters(last, locale)) for each in SPELLED}
        if not {f"{part}@{made.domain}" for part in parts} & addresses:
            made.strangers.append((first, last))
    if pattern in ("flast", "f.last", "lastf", "f-last") and made.shown:
        (first, last), email = list(made.staff.items())[made.shown - 1]
        for _ in range(500):
            other = faker.first_name()
            same = f"{_local(pattern, other, last, locale)}@{made.domain}" == email
            if same and _letters(other, locale)[:3] != _letters(first, locale)[:3]:
                made.strangers.append((other, last))
                return
