"""Finding: what is known of a domain's addresses, the candidates of a person, and what became of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from engine.durable.site_cache import KnownSite, SeenAddress, Vouched
from engine.mail.address import Address, Flaw, parse
from engine.mail.evidence import Level, Reason, Status
from engine.mail.finding import (
    Learned,
    Match,
    Pair,
    Person,
    Strength,
    Support,
    candidates,
    learn,
    match_people,
    name_of,
    person_beside,
)
from engine.mail.finding.letters import plain
from engine.mail.finding.words import SHORT_FORMS
from engine.mail.lists import domain_flags, is_role
from engine.mail.page import registrable
from engine.verifying.ask import Found

MOST_TRIED = 3
"""Addresses that are verified for one person."""
MOST_PUBLIC = 100
"""Public addresses of a domain that are shown."""
_FIRM = 1.5
"""Known addresses that must show a pattern before part of a name is enough to be sure of a mailbox."""
_two_for_one = re.compile(r"([aou])e")
_SAME_FOR_ALL = frozenset(
    {
        Reason.NO_DOMAIN,
        Reason.NULL_MX,
        Reason.NO_HOST,
        Reason.DNS_ERROR,
        Reason.CATCH_ALL,
        Reason.CATCH_ALL_INCONCLUSIVE,
        Reason.ANTI_PROBE_PROVIDER,
        Reason.BLOCKED,
        Reason.NO_CONNECTION,
        Reason.SERVICE_ERROR,
    }
)
"""Reasons that hold for every address of the domain: asking about another tells nothing new."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the list: a person, or without a name a domain.

    `domain` is what the row shows, `host` "" where it is none; `rivals` are others of the list who might have the same address.
    """

    person: Person
    domain: str
    host: str
    rivals: tuple[Person, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether it names somebody."""
        return bool(self.person.first or self.person.last)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a domain before anybody is asked.

    `mail`: the domain of its addresses; `seen`: those on its pages by local part; `owners`: whose some of all known local parts
    seem to be, by the text beside them or by themselves; `learned`: how it spells names.
    """

    site: KnownSite
    mail: str
    seen: Mapping[str, tuple[SeenAddress, ...]] = field(default_factory=dict)
    owners: Mapping[str, Person] = field(default_factory=dict)
    locals: tuple[str, ...] = ()
    learned: Learned | None = None

    @property
    def teaching(self) -> tuple[SeenAddress, ...]:
        """The sightings that the pattern was learned from, the first of each local part."""
        return tuple(seen[0] for local, seen in self.seen.items() if local in self.locals)


@dataclass(frozen=True, slots=True)
class Line:
    """An address that may be a person's: `seen` where, `named` as this person's, and how much of the name it shows."""

    address: Address
    pattern: str
    prior: float
    strength: Strength
    seen: tuple[SeenAddress, ...] = ()
    named: bool = False

    def support(self, found: Found | None, facts: Facts) -> Support:
        """All that speaks for it."""
        pages = len({one.source_url for one in self.seen})
        if found is None:
            return Support(pages, self.named, None, None, None, self.pattern, self.prior, facts.learned)
        status, level, catch_all = Status(found.status), Level(found.level), catches_all(found)
        return Support(pages, self.named, status, level, catch_all, self.pattern, self.prior, facts.learned)


def mail_domain(host: str, seen: Iterable[SeenAddress]) -> str:
    """The domain that a site's addresses are at: its own name, or the registered one where only that has addresses."""
    own = host.partition(":")[0]
    above = registrable(own)
    domains = {one.email.rpartition("@")[2].lower() for one in seen}
    return above if own not in domains and above in domains else own


def gathered(site: KnownSite, host: str, vouched: Sequence[Vouched], people: Sequence[Person]) -> Facts:
    """What a site's addresses, verified ones and the people of the batch say of a domain.

    A person of the batch teaches only where a known address shows the first name or the surname and at least an initial of the
    other, and fits nobody else of the batch.
    """
    mail = mail_domain(host, site.seen)
    seen: dict[str, list[SeenAddress]] = {}
    for one in site.seen:
        address = parse(one.email)
        if isinstance(address, Address) and address.domain == mail:
            seen.setdefault(address.key.rpartition("@")[0], []).append(one)
    cached = [one.address.rpartition("@")[0] for one in vouched]
    known = tuple(sorted(local for local in {*seen, *cached} if not is_role(local)))
    owners = {local: owner for local in known if (owner := _owner(local, seen.get(local, ())))}
    pairs = [Pair(local, owner) for local, owner in owners.items()]
    matches = (match for match in match_people(people, known) if match.strength > Strength.PART)
    pairs += [match.pair for match in matches if match.pair.local not in owners]
    in_order = {local: tuple(sorted(ones, key=lambda one: (one.first_seen, one.source_url))) for local, ones in seen.items()}
    return Facts(site, mail, in_order, owners, known, learn(pairs, known))


def _owner(local: str, seen: Iterable[SeenAddress]) -> Person | None:
    """Whose address it is, by the text beside it or the page's title, else by the local part."""
    for one in seen:
        if owner := person_beside(local, one.near) or person_beside(local, one.page_title):
            return owner
    return name_of(local)


def same_person(one: Person, other: Person) -> bool:
    """Whether two names may be one person's: the surnames are the same, and one first name is a short form of the other."""
    return alike((folded(one.first), folded(one.last)), (folded(other.first), folded(other.last)))


def alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """The same of two folded names, first name and surname."""
    if one[1] != other[1]:
        return False
    first, second = one[0], other[0]
    cut = first.startswith(second) or second.startswith(first)
    return cut or second in SHORT_FORMS.get(first, ()) or first in SHORT_FORMS.get(second, ())


@lru_cache(maxsize=16_384)
def folded(name: str) -> str:
    """The name with ä, ae and a as one: an address shows no more than a way to spell it."""
    return _two_for_one.sub(r"\1", plain(name).replace("aa", "a"))


def lined_up(person: Person, facts: Facts, people: Sequence[Person]) -> list[Line]:
    """The addresses to verify for a person, at most `MOST_TRIED`, the likeliest first.

    One that stands on a page as this person's comes first, then known ones that show the whole name, then candidates, where being
    known counts for an address. Left out are those that belong to somebody else of a similar name.
    """
    others = [local for local, owner in facts.owners.items() if not same_person(owner, person)]
    matches = {match.pair.local: match for match in _matches(person, facts, people) if match.pair.local not in others}
    taken = {local for local in facts.locals if local not in matches and local in _claimed(facts, people, person)}
    ranked: list[tuple[float, Line]] = []
    guesses = {guess.local: guess for guess in candidates(person, facts.learned)}
    for local in dict.fromkeys((*matches, *guesses)):
        if local in others or local in taken:
            continue
        match, guess = matches.get(local), guesses.get(local)
        pattern = guess.pattern if guess else match.pattern if match else ""
        strength = match.strength if match else _strength(person, local)
        prior = guess.prior if guess else 0.0
        line = _line(local, pattern, prior, strength, facts, owned=local in facts.owners)
        if line is not None:
            ranked.append((_rank(line, known=local in facts.locals), line))
    ranked.sort(key=lambda each: (-each[0], each[1].address.key))
    return [line for _, line in ranked[:MOST_TRIED]]


def _matches(person: Person, facts: Facts, people: Sequence[Person]) -> list[Match]:
    found = match_people([person, *people], facts.locals, facts.learned)
    return [match for match in found if match.pair.person == person]


def _claimed(facts: Facts, people: Sequence[Person], person: Person) -> set[str]:
    """Known local parts that name other people of the batch in full."""
    found = match_people([person, *people], facts.locals, facts.learned)
    return {match.pair.local for match in found if match.strength is Strength.FULL and match.pair.person != person}


def _strength(person: Person, local: str) -> Strength:
    found = match_people([person], [local])
    return found[0].strength if found else Strength.PART


def _line(local: str, pattern: str, prior: float, strength: Strength, facts: Facts, *, owned: bool) -> Line | None:
    address = parse(f"{local}@{facts.mail}")
    if isinstance(address, Flaw):
        return None
    seen = facts.seen.get(local, ())
    # Where somebody's name stands beside it, `lined_up` has seen that it is this one's.
    return Line(address, pattern, prior, strength, seen, named=bool(seen) and (owned or strength is Strength.FULL))


def _rank(line: Line, known: bool) -> float:
    if line.named:
        return 4.0
    if known and line.strength is Strength.FULL:
        return 3.0
    return line.prior * (1 + line.strength if known else 1)


def stops(line: Line, found: Found) -> bool:
    """Whether nobody need be asked about another candidate."""
    if found.status in (Status.VALID, Status.RISKY) or found.reason in _SAME_FOR_ALL:
        return True
    return line.named and found.status != Status.INVALID


def pending(lines: Sequence[Line], found: Mapping[str, Found]) -> Line | None:
    """The candidate to be verified next; None when it is settled what became of a person."""
    for line in lines:
        answer = found.get(line.address.key)
        if answer is None:
            return line
        if stops(line, answer):
            return None
    return None


def catches_all(found: Found) -> bool | None:
    """Whether the domain takes mail for any name; None where not known."""
    known: bool | None = found.data.get("catchAll")
    return True if found.reason == Reason.CATCH_ALL else known


def chosen(lines: Sequence[Line], found: Mapping[str, Found]) -> Line | None:
    """The best of the verified candidates: one that takes mail, else one that nobody would tell of, else one on a page."""
    tried = [line for line in lines if line.address.key in found]
    for wanted in ((Status.VALID, Status.RISKY), (Status.UNKNOWN,)):
        for line in tried:
            if found[line.address.key].status in wanted:
                return line
    return next((line for line in tried if line.named), None)


def status_of(line: Line, found: Found, facts: Facts) -> Status:
    """The status of an address as a person's; see `find_emails` for the reasons."""
    verdict = Status(found.status)
    if line.named or verdict is not Status.VALID:
        return verdict
    if found.level != Level.MAILBOX:
        return Status.UNKNOWN
    shown = facts.learned.counts.get(line.pattern, 0.0) if facts.learned else 0.0
    return Status.VALID if line.strength is Strength.FULL or shown >= _FIRM else Status.RISKY


def is_taught(line: Line, facts: Facts) -> bool:
    """Whether anything known of the domain points to this address."""
    return bool(line.seen) or line.support(None, facts).taught > 0


def public(facts: Facts) -> list[Line]:
    """A domain's public addresses, people's before offices', at most `MOST_PUBLIC`; others of its pages where it has none.

    Its own are those at its registered domain.
    """
    own = registrable(facts.mail)
    parsed = [(address, one) for one in facts.site.seen if isinstance(address := parse(one.email), Address)]
    ours = [pair for pair in parsed if registrable(pair[0].domain) == own] or parsed
    lines: dict[str, Line] = {}
    for address, one in ours:
        seen = (*lines[address.key].seen, one) if address.key in lines else (one,)
        lines[address.key] = Line(address, "", 0.0, Strength.FULL, seen, named=True)
    return sorted(lines.values(), key=lambda line: (is_role(line.address.local), line.address.key))[:MOST_PUBLIC]


def is_free(host: str) -> bool:
    """Whether anybody gets a mailbox there, so that its addresses say nothing of each other."""
    flags = domain_flags(host.partition(":")[0])
    return flags.free or flags.relay or flags.disposable
