"""Companies of the lab: mailboxes after a pattern, websites that show some; some who are looked for work elsewhere."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.lab.dns import DnsServer
from tests.lab.smtp import LabSmtp
from tests.lab.web import WebServer

FIRST = """
Jane John Maria Thomas Anna Peter Laura Michael Sophie David Julia Stefan Clara Martin Emma Lukas Hannah Simon Elena Victor
Jürgen François Zoë Jean-Luc Björn Małgorzata Giulia Pablo Ingrid Oliver Nina Felix Paula Robert Alice Daniel Eva Marco Lena Adam
""".split()
LAST = """
Miller Schneider Rossi Garcia Novak Larsen Fischer Dupont Moreau Kowalski Jensen Weber Ferrari Lopez Svensson Baker Hughes
Müller Größl Lefèvre Nuñez Sjögren Smith-Jones O'Brien Bergmann Carter Walsh Hoffmann Lindqvist Petersen Romano Vidal
Janssen Keller Brandt Olsen Marchetti Fontaine Sandoval Whitfield
""".split()
_PLAIN = str.maketrans(
    {
        "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ë": "e", "ç": "c", "ñ": "n", "ł": "l", "å": "a",
        "ø": "o", "'": "",
    }
)  # fmt: skip
PATTERNS: Mapping[str, Callable[[str, str], str]] = {
    "first.last": lambda first, last: f"{first}.{last}",
    "flast": lambda first, last: f"{first[0]}{last}",
    "first": lambda first, last: first,
    "f.last": lambda first, last: f"{first[0]}.{last}",
    "firstlast": lambda first, last: f"{first}{last}",
    "first_last": lambda first, last: f"{first}_{last}",
    "last": lambda first, last: last,
    "last.first": lambda first, last: f"{last}.{first}",
    "firstl": lambda first, last: f"{first}{last[0]}",
    "first-last": lambda first, last: f"{first}-{last}",
}
"""Written here once more, and not with the product's own code."""
MIX: tuple[str, ...] = ("first.last",) * 14 + ("flast",) * 8 + ("f.last",) * 5 + ("first",) * 4 + ("firstlast",) * 3
MIX += ("first_last", "last", "last.first", "firstl", "first-last", "last")
SHOWN = (3, 5, 0, 4, 3, 2, 6, 3)
"""How many of a company's people its website shows, one company after the other."""
COMMONEST = 3
"""Without any evidence so many patterns are tried: those that are commonest anywhere."""


@dataclass(frozen=True)
class Sought:
    """Somebody to be found at a company: `email` is "" where they have none there; `findable`: there is enough to go by."""

    first: str
    last: str
    domain: str
    email: str
    findable: bool
    catch_all: bool = False


@dataclass
class Office:
    """A company. `staff`: name to address; the first `shown` of them are on the website."""

    domain: str
    pattern: str
    shown: int
    catch_all: bool
    staff: dict[tuple[str, str], str] = field(default_factory=dict)
    strangers: list[tuple[str, str]] = field(default_factory=list)

    def pages(self) -> dict[str, str]:
        """Its website: a page of contacts, one of the team, and one of each of the first two people."""
        team = list(self.staff.items())[: self.shown]
        links = "".join(f'<a href="/team/{n}">{first} {last}</a> ' for n, ((first, last), _) in enumerate(team[:2]))
        people = "".join(f'<li>{first} {last} <a href="mailto:{email}">e-mail</a></li>' for (first, last), email in team[2:])
        pages = {
            "/": f'<title>{self.domain}</title><a href="/contact">Contact</a> <a href="/team">Team</a>',
            "/contact": f"<title>Contact</title><p>Write to info@{self.domain} or sales@{self.domain}.</p>",
            "/team": f"<title>Our team</title><ul>{people}</ul>{links}",
        }
        for n, ((first, last), email) in enumerate(team[:2]):
            pages[f"/team/{n}"] = f"<title>{first} {last} | {self.domain}</title><p>Mail: {email}</p>"
        return {path: f"<html>{body}</html>" for path, body in pages.items()}

    def sought(self) -> Iterator[Sought]:
        """Everybody who is looked for there."""
        on_pages = [email for _, email in list(self.staff.items())[: self.shown]]
        common = list(PATTERNS)[:COMMONEST]
        for (first, last), email in self.staff.items():
            guessable = self.shown >= 2 or (self.pattern in common and not self.catch_all)
            yield Sought(first, last, self.domain, email, email in on_pages or guessable, self.catch_all)
        for first, last in self.strangers:
            yield Sought(first, last, self.domain, "", findable=False, catch_all=self.catch_all)


def offices(count: int = 40, size: int = 8, seed: int = 1) -> list[Office]:
    """Companies with mixed patterns, `size` people and two or three strangers each; every eighth takes mail for any address."""
    dice = random.Random(seed)
    made = []
    for n in range(count):
        pattern = MIX[n * 7 % len(MIX)]
        office = Office(f"d{n}.test", pattern, SHOWN[n % len(SHOWN)], catch_all=n % 8 == 5)
        firsts, lasts = dice.sample(FIRST, size + 2), dice.sample(LAST, size + 2)
        for first, last in zip(firsts[:size], lasts[:size], strict=True):
            local = PATTERNS[pattern](*(name.lower().translate(_PLAIN) for name in (first, last)))
            office.staff[first, last] = f"{local}@{office.domain}"
        initials = {first[0] for first in firsts[:size]}
        office.strangers = [pair for pair in zip(firsts[size:], lasts[size:], strict=True) if pair[0][0] not in initials]
        office.strangers += _namesakes(office)
        made.append(office)
    return made


def _namesakes(office: Office) -> list[tuple[str, str]]:
    """Somebody who would have the address of a colleague whom the website shows, where that has the initial only."""
    if office.pattern not in ("flast", "f.last") or not office.shown:
        return []
    first, last = list(office.staff)[: office.shown][-1]
    return [(other, last) for other in FIRST if other[0] == first[0] and other[:3] != first[:3]][:1]


@dataclass
class Street:
    """The servers of the companies, and the settings of a Postbench that asks only them."""

    offices: Sequence[Office]
    web: WebServer
    mx: LabSmtp
    settings: dict[str, str]

    def people(self) -> list[dict[str, str]]:
        """Everybody who is looked for, as the job takes them."""
        return [{"firstName": one.first, "lastName": one.last, "domain": self.host(one.domain)} for one in self.sought()]

    def sought(self) -> list[Sought]:
        """The same, with what is right."""
        return [one for office in self.offices for one in office.sought()]

    def host(self, domain: str) -> str:
        """Where its website is."""
        return f"{domain}:{self.web.port}"


@contextmanager
def street(made: Sequence[Office], delay: float = 0.0) -> Iterator[Street]:
    """The companies' name server, websites and mail server, each answer after a delay in seconds."""
    zones: dict[str, Any] = {one.domain: {"mx": [[10, f"mx.{one.domain}"]], "a": ["127.0.0.1"]} for one in made}
    zones |= {f"mx.{one.domain}": {"a": ["127.0.0.1"]} for one in made}
    sites = {one.domain: one.pages() for one in made}
    with DnsServer(zones) as names, WebServer(sites, delay=delay) as web, LabSmtp(delay=delay) as mx:
        for one in made:
            mx.recipients |= dict.fromkeys(one.staff.values(), "ok")
            mx.recipients |= {f"info@{one.domain}": "ok", f"sales@{one.domain}": "ok"}
            if one.catch_all:
                mx.domains[one.domain] = "ok"
        settings = {
            "POSTBENCH_DNS_SERVERS": f"127.0.0.1:{names.port}",
            "POSTBENCH_SMTP_PROBE_PORT": str(mx.port),
            "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1",
            "POSTBENCH_PROBE_RATE": "10000",
            "POSTBENCH_CRAWL_DELAY": "0",
            "POSTBENCH_HELO_NAME": "probe.test",
        }
        yield Street(made, web, mx, settings)


@dataclass(frozen=True)
class Score:
    """How well people were found. `wrong_valid` names those whose address is said to be valid and is not theirs."""

    findable: int
    right: int
    wrong_valid: tuple[str, ...]
    strangers: int
    strangers_left: int
    most_on_catch_all: int
    missed: tuple[str, ...]

    @property
    def share(self) -> float:
        """Findable people who were found, at first place."""
        return self.right / self.findable


def score(sought: Sequence[Sought], rows: Sequence[Mapping[str, Any]]) -> Score:
    """Compare the table's rows with what is right, one by one."""
    pairs = list(zip(sought, rows, strict=True))
    findable = [(one, row) for one, row in pairs if one.findable]
    right = [one for one, row in findable if row["email"] == one.email]
    missed = [f"{one.email}: {row['email']} ({row['status']})" for one, row in findable if row["email"] != one.email]
    wrong = [
        f"{one.first} {one.last}: {row['email']}" for one, row in pairs if row["status"] == "valid" and row["email"] != one.email
    ]
    strangers = [row for one, row in pairs if not one.email and not one.catch_all]
    left = sum(row["status"] == "not_found" for row in strangers)
    catch_all = max((row["confidence"] for one, row in pairs if one.catch_all), default=0)
    return Score(len(findable), len(right), tuple(wrong), len(strangers), left, catch_all, tuple(missed))
