"""What find-emails says of a person or a domain: the rows of its table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from engine.durable.clock import from_ms
from engine.durable.contract import Done, JobRow
from engine.durable.schema import arrow_schema, carry
from engine.durable.site_cache import SeenAddress
from engine.jobs._finding import Facts, Item, Line, catches_all, chosen, is_free, is_taught, same_person, status_of
from engine.mail.evidence import Level, Status
from engine.mail.finding import CATCH_ALL_MOST, Person, confidence, explain
from engine.mail.lists import is_role
from engine.verifying.ask import Found
from engine.verifying.columns import tallies

NOT_FOUND = "not_found"
FOUND = frozenset({Status.VALID.value, Status.RISKY.value, Status.UNKNOWN.value})
"""The statuses of rows whose address may be used, with care."""
_MOST_SOURCES = 5
_SHARED = "; another person of the list would have the same address."


@dataclass(frozen=True, slots=True)
class Answered:
    """A row but for its input; `outcome` is how it was found, for the chart."""

    first_name: str
    last_name: str
    domain: str
    why: str
    outcome: str
    email: str = ""
    confidence: int = 0
    status: str = NOT_FOUND
    pattern: str = ""
    sources: str = ""
    candidates_tried: str = ""


def answer_person(item: Item, facts: Facts | None, lines: Sequence[Line], found: Mapping[str, Found]) -> Answered:
    """What became of a person."""
    nothing = Answered(item.person.first, item.person.last, item.domain, _unsearched(item), "not searched")
    if facts is None:
        return nothing
    line = chosen(lines, found)
    if line is None or _is_bare_guess(line, found[line.address.key], facts):
        why, outcome = _not_found(facts, lines, found)
        considered = [each.address.normalized for each in lines]
        return replace(nothing, why=why, outcome=outcome, candidates_tried=", ".join(considered))
    told = found[line.address.key]
    support = line.support(told, facts)
    status = status_of(line, told, facts)
    sure, why = confidence(support), explain(support)
    if status is Status.RISKY and told.status == Status.VALID:
        sure, why = min(sure, CATCH_ALL_MOST), f"{why[:-1]}; but it shows a part of the name only and may be somebody else's."
    return replace(
        nothing,
        email=line.address.normalized,
        confidence=sure,
        status=status.value,
        pattern=line.pattern,
        sources=_sources(line.seen or (facts.teaching if is_taught(line, facts) else ())),
        why=why,
        outcome=_outcome(line, told, status),
        candidates_tried=", ".join(each.address.normalized for each in lines if each.address.key in found),
    )


def answer_domain(item: Item, facts: Facts | None, lines: Sequence[Line], found: Mapping[str, Found]) -> list[Answered]:
    """A domain's public addresses, a row each; one row that says why where there is none."""
    nothing = Answered("", "", item.domain, _unsearched(item), "not searched")
    if facts is None:
        return [nothing]
    pattern = facts.learned.best or "" if facts.learned else ""
    if not lines:
        return [replace(nothing, why=_website(facts), outcome=facts.site.status.replace("_", " "), pattern=pattern)]
    rows = []
    for line in lines:
        told = found[line.address.key]
        support = line.support(told, facts)
        local = line.address.key.rpartition("@")[0]
        owner = facts.owners.get(local, Person("", "")) if line.address.domain == facts.mail else Person("", "")
        learned = f" {facts.learned.explain()}" if facts.learned and not is_role(local) else ""
        rows.append(
            replace(
                nothing,
                first_name=owner.first,
                last_name=owner.last,
                email=line.address.normalized,
                confidence=confidence(support),
                status=told.status,
                pattern=pattern,
                sources=_sources(line.seen),
                why=explain(support) + learned,
                outcome="public address",
            )
        )
    return rows


def shared_with_others(items: Sequence[Item], answered: list[list[Answered]]) -> list[list[Answered]]:
    """The rows, with a guess that came out for two different people of the batch made risky: it is one's at most."""
    owners: dict[str, list[Person]] = defaultdict(list)
    for item, rows in zip(items, answered, strict=True):
        if item.is_person and rows[0].email:
            owners[rows[0].email.lower()].append(item.person)
    doubtful = {email for email, people in owners.items() if any(not same_person(people[0], other) for other in people[1:])}
    return [[doubted(row) if row.email.lower() in doubtful else row for row in rows] for rows in answered]


def doubted(row: Answered) -> Answered:
    """A row whose address may be another's; what stands on a page as this person's is beyond doubt."""
    if row.outcome in ("seen on a page", "public address") or row.why.endswith(_SHARED):
        return row
    status = Status.RISKY.value if row.status == Status.VALID else row.status
    why = f"{row.why[:-1]}{_SHARED}"
    return replace(row, status=status, confidence=min(row.confidence, CATCH_ALL_MOST), why=why)


def done(
    row: type[JobRow],
    rows: pa.Table,
    answered: Sequence[Sequence[Answered]],
    found: Mapping[str, Found],
    calls: Mapping[str, int],
) -> Done:
    """The outcome of a batch: the input's columns beside one row per person and one per public address."""
    schema = arrow_schema(row)
    flat = [one for each in answered for one in each]
    places = [place for place, each in enumerate(answered) for _ in each]
    table = pa.table({name: [_cell(getattr(one, name)) for one in flat] for name in schema.names}, schema=schema)
    good = sum(any(one.status in FOUND for one in each) for each in answered)
    status = dict(Counter(one.status for one in flat))
    counted = tallies(list(found.values()), calls)
    told = {
        "status": status,
        "pattern": dict(Counter(one.pattern for one in flat if one.pattern and one.email)),
        "outcome": dict(Counter(one.outcome for one in flat)),
        "calls": counted["calls"],
        "trouble": counted["trouble"],
    }
    return Done(carry(rows.take(pa.array(places, pa.int64())), table), good, len(answered) - good, status, told)


def _cell(value: str | int) -> str | int | None:
    return None if value == "" else value


def _unsearched(item: Item) -> str:
    if not item.domain:
        return "No domain was given."
    if not item.host:
        return "What is given as the domain is none; expected a domain such as example.com or a website."
    if is_free(item.host):
        return "Anybody gets a mailbox at this provider, so its addresses follow no pattern and nothing is guessed."
    return "Nothing is known of this domain."


def _is_bare_guess(line: Line, found: Found, facts: Facts) -> bool:
    """Whether neither the mail server nor anything known of the domain speaks for a candidate."""
    if found.status == Status.INVALID:
        return not line.named
    unchecked = found.level != Level.MAILBOX or found.status == Status.UNKNOWN
    return unchecked and not catches_all(found) and not is_taught(line, facts)


def _not_found(facts: Facts, lines: Sequence[Line], found: Mapping[str, Found]) -> tuple[str, str]:
    """Why there is no address, and the same for the chart."""
    tried = [found[line.address.key] for line in lines if line.address.key in found]
    if not tried:
        return "No address can be built from this name.", "no candidate"
    if any(one.status == Status.INVALID and one.level != Level.MAILBOX for one in tried):
        return tried[0].data.get("detail") or "The domain takes no mail.", "no mail"
    if all(one.status == Status.INVALID for one in tried):
        likely = "the only likely address" if len(tried) == 1 else f"all {len(tried)} likely addresses"
        return f"The mail server refuses {likely}. {_evidence(facts)}", "refused"
    return f"The mailbox could not be checked, and a guess alone is no find. {_evidence(facts)}", "guess only"


def _evidence(facts: Facts) -> str:
    """What is known of the domain, and why that is not more."""
    learned = facts.learned.explain() if facts.learned else ""
    return learned if facts.site.seen else f"{learned} {_website(facts)}".strip()


def _website(facts: Facts) -> str:
    said = {
        "no_addresses": "Its website shows no address",
        "blocked_by_robots": "Its website asks not to be read by programs",
        "unreachable": "Its website cannot be reached",
        "refused": "Its website refuses to be read",
    }.get(facts.site.status, "Its website shows no address of its own")
    return f"{said}: {facts.site.error.rstrip('.')}." if facts.site.error else f"{said}."


def _outcome(line: Line, found: Found, status: Status) -> str:
    if line.named:
        return "seen on a page"
    if catches_all(found):
        return "catch-all domain"
    if found.level == Level.MAILBOX and found.status in (Status.VALID, Status.RISKY):
        return "verified" if status is Status.VALID else "verified, in doubt"
    return "pattern only"


def _sources(seen: Iterable[SeenAddress]) -> str:
    """`URL (2026-11-24); …`: each page once, the first few."""
    pages: dict[str, int] = {}
    for one in seen:
        pages.setdefault(one.source_url, one.first_seen)
    shown = [f"{url} ({from_ms(at).date().isoformat()})" for url, at in pages.items()][:_MOST_SOURCES]
    return "; ".join(shown)
