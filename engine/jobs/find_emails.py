"""Find e-mails: the address of a named person at a domain, with how sure that is and why; or a domain's public addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import pyarrow as pa
from pydantic import Field

from engine.durable.clock import from_ms, to_ms
from engine.durable.contract import Batch, Chart, Done, JobRow, Json, Plan, Snooze, Source, Tools
from engine.durable.schema import category, items_table
from engine.durable.site_cache import KnownSite, Sites
from engine.jobs._answers import Answered, answer_domain, answer_person, done, doubted, shared_with_others
from engine.jobs._finding import Facts, Item, Line, gathered, is_free, lined_up, mail_domain, pending, public
from engine.jobs._rivals import may_be_anothers, rivals_in, with_rivals
from engine.jobs._sites import spares
from engine.jobs.verify_emails import VerifyingParams, asked
from engine.mail.evidence import Status
from engine.mail.finding import Person
from engine.scraping.crawl import Crawler
from engine.scraping.people import Columns, condensed, domain_of
from engine.verifying.ask import Ask, Found, Memory
from engine.verifying.verifier import Verifier

TYPE, TITLE, ICON = "find-emails", "Find e-mails", ":material/person_search:"
PLACE = 50
SOURCE = "required"
PACED = True
CHARTS = (Chart("status", "What was found"), Chart("pattern", "Patterns"), Chart("outcome", "How it was found"))
MOST_ITEMS = 1_000_000
BATCH = 10
"""Items per batch; more where a list is so long that its batches would be too many."""
BATCHES = 20_000


class Params(VerifyingParams):
    """Whose addresses to find, and how to verify them."""

    items_field: ClassVar[str | None] = "people"
    items_column: ClassVar[str] = "domain"
    condenses: ClassVar[bool] = True

    people: list[dict[str, Any]] | None = Field(
        None,
        max_length=MOST_ITEMS,
        title="People",
        description="Objects with firstName, lastName and domain; further keys come back as columns.",
    )
    domains: list[str] | None = Field(
        None, max_length=MOST_ITEMS, title="Domains", description="Domains whose public addresses and pattern are wanted."
    )
    columns: Columns = Field(
        Columns(),
        title="Columns",
        description="Which columns of a list hold first name, surname or full name, and domain; found by name when left out.",
    )
    max_pages_per_domain: int = Field(
        5, ge=1, le=100, title="Pages per domain", description="How many pages of a website are read at most."
    )

    def items_table(self) -> pa.Table | None:
        """The people, then the domains."""
        if self.people is None and self.domains is None:
            return None
        return items_table([*(self.people or ()), *(self.domains or ())], self.items_column)

    def stored(self) -> dict[str, Any]:
        """Without the domains as well: they are part of the input list."""
        return {name: value for name, value in super().stored().items() if name != "domains"}

    def fitted(self, source: Source) -> Self:
        """With the columns chosen. Raises `InvalidInput` where none holds domains."""
        names = source.schema.names
        sample = {} if source.head is None else {name: source.head[name].to_pylist() for name in names}
        return self.model_copy(update={"columns": self.columns.fitted(names, sample)})

    def condensed(self, rows: pa.Table) -> pa.Table:
        """The list with first_name, last_name and domain in front."""
        return with_rivals(condensed(rows, self.columns))


class Row(JobRow):
    """A person and the address that was found, or one public address of a domain."""

    first_name: str | None = Field(description="First name, as given or as the address shows it.")
    last_name: str | None = Field(description="Surname, as given or as the address shows it.")
    domain: str | None = Field(description="The domain, without what else a URL has.")
    email: str | None = Field(description="The address; empty where none was found.")
    confidence: int = Field(description="0 to 100: seen on a page, verified and like the domain's pattern, or less.")
    status: str = Field(
        **category(
            "valid, risky, invalid, unknown or not_found. Valid: the mailbox exists, or the address stands on a page of a domain "
            "that takes mail."
        )
    )
    pattern: str | None = Field(**category("How the address is built from the name, such as first.last."))
    sources: str | None = Field(description="The pages it was seen on or its pattern was learned from, each with the day.")
    why: str = Field(description="Where the address comes from and what verifying it said, or why there is none.")
    candidates_tried: str | None = Field(description="The addresses that were verified for this person, in order.")


def plan(_params: Params, source: Source | None) -> Plan:
    """One item per person or domain, few in a batch as each may need several pages and answers."""
    rows = source.rows if source else 0
    return Plan(rows, max(BATCH, -(-rows // BATCHES)))


async def process(batch: Batch, params: Params, tools: Tools) -> Done | Snooze:
    """Find the addresses of the batch; while answers are out, the batch is parked.

    What speaks for an address is weighed as follows. One that stands on a page as this person's is preferred and keeps whatever
    verdict it gets, at level domain too: the page vouches for the mailbox, the DNS for the domain. A guess is valid only if the
    mail server takes it and refuses an invented address, and shows the whole name or the domain's known way to abbreviate it;
    with a part of the name it may be a namesake's mailbox, so it is risky. Where the mailbox could not be checked a guess is
    unknown (risky on a catch-all domain), and it is no find at all unless known addresses of the domain point to it: then the
    row says not_found and names the candidates. Free providers' addresses follow no pattern, so nothing is guessed there.
    """
    assert batch.rows is not None  # SOURCE is required
    round_ = _Round(batch, params, tools)
    items = await asyncio.to_thread(_items, batch.rows)
    facts = await round_.facts(items)
    searches = await asyncio.to_thread(_searches, items, facts)
    until = await round_.verify(searches)
    if until is not None:
        return Snooze(from_ms(until), round_.state())
    answered = await asyncio.to_thread(_answered, searches, round_.found)
    return done(Row, batch.rows, answered, round_.found, round_.memory.calls)


@dataclass(frozen=True, slots=True)
class Search:
    """One item: a person's candidates in order, or all public addresses of a domain."""

    item: Item
    facts: Facts | None
    lines: Sequence[Line] = ()

    def wanted(self, found: Mapping[str, Found]) -> list[Line]:
        """What is to be verified now."""
        if not self.item.is_person:
            return [line for line in self.lines if line.address.key not in found]
        line = pending(self.lines, found)
        return [] if line is None else [line]


def _items(rows: pa.Table) -> list[Item]:
    columns = [[value or "" for value in rows[name].to_pylist()] for name in ("first_name", "last_name", "domain")]
    rows_of = zip(*columns, rivals_in(rows), strict=True)
    return [Item(Person(first, last), domain, domain_of(domain), rivals) for first, last, domain, rivals in rows_of]


def _searches(items: Sequence[Item], facts: Mapping[str, Facts]) -> list[Search]:
    searches = []
    for item in items:
        known = facts.get(item.host)
        if known is None:
            searches.append(Search(item, None))
        elif item.is_person:
            searches.append(Search(item, known, lined_up(item.person, known, _others(item, items))))
        else:
            searches.append(Search(item, known, public(known)))
    return searches


def _others(item: Item, items: Sequence[Item]) -> list[Person]:
    """The people of the batch at the same domain, and those of the list who might have the same address."""
    return [*(other.person for other in items if other.host == item.host and other.is_person), *item.rivals]


def _answered(searches: Sequence[Search], found: Mapping[str, Found]) -> list[list[Answered]]:
    """The rows of each item."""
    items = [each.item for each in searches]
    answered = []
    for each in searches:
        if not each.item.is_person:
            answered.append(answer_domain(each.item, each.facts, each.lines, found))
            continue
        row = answer_person(each.item, each.facts, each.lines, found)
        if row.email and each.item.rivals and each.facts is not None:
            others, local = _others(each.item, items), row.email.lower().rpartition("@")[0]
            if may_be_anothers(local, each.item.rivals, each.facts, others, found):
                row = doubted(row)
        answered.append([row])
    return shared_with_others(items, answered)


@dataclass
class _Round:
    """One run of a batch: what was saved of an earlier one, and the doors."""

    batch: Batch
    params: Params
    tools: Tools
    found: dict[str, Found] = field(default_factory=dict)

    def __post_init__(self) -> None:
        state = self.batch.state or {}
        self.memory = Memory.of(state.get("memory"))
        self._crawls: dict[str, Json] = dict(state.get("crawls", {}))
        self._ask: Ask = asked(self.params, self.batch, self.tools.secrets, frozenset())

    def state(self) -> Json:
        """To be saved."""
        return {"memory": self.memory.state(), "crawls": self._crawls}

    async def facts(self, items: Sequence[Item]) -> dict[str, Facts]:
        """What is known of each domain: from its pages, read now unless they are known, and from verified addresses."""
        hosts = [host for host in dict.fromkeys(item.host for item in items) if host and not is_free(host)]
        found = await asyncio.gather(*map(self._site, hosts))
        facts = {}
        for host, site in zip(hosts, found, strict=True):
            here = [item for item in items if item.host == host and item.is_person]
            people = [item.person for item in here] + [rival for item in here for rival in item.rivals]
            vouched = await self._sites.addresses(mail_domain(host, site.seen), self._ask.since)
            facts[host] = await asyncio.to_thread(gathered, site, host, vouched, people)
        return facts

    @property
    def _sites(self) -> Sites:
        door: Sites = self.tools.doors["sites"]
        return door

    async def _site(self, host: str) -> KnownSite:
        params, pages = self.params, self.params.max_pages_per_domain
        known = await self._sites.find(host)
        if known is not None and spares(known, pages, self._ask.since, self._ask.job_id, params.max_age_days):
            return known
        site = await self._sites.crawled(host, self._crawl(host, pages))
        self._crawls.pop(host, None)
        return site

    def _crawl(self, host: str, pages: int) -> Callable[[], Awaitable[KnownSite]]:
        crawler: Crawler = self.tools.doors["crawler"]

        async def save(state: Json) -> None:
            self._crawls[host] = state
            await self.tools.save(self.state())

        async def crawl() -> KnownSite:
            report = await crawler.crawl(host, pages, self._crawls.get(host), save, self.tools.now)
            return report.known(pages, to_ms(self.tools.now()), self._ask.job_id)

        return crawl

    async def verify(self, searches: Sequence[Search]) -> int | None:
        """Ask about one candidate of each person after the other; when to go on (ms), None when all is settled."""
        verifier: Verifier = self.tools.doors["verifier"]

        async def save(memory: Json) -> None:
            await self.tools.save({**self.state(), "memory": memory})

        while True:
            lines = [line for search in searches for line in search.wanted(self.found)]
            wanted = {line.address.key: line.address for line in lines}
            if not wanted:
                return None
            answers = await verifier.check(wanted, self._ask, self.memory, self.tools.now, save)
            fresh = answers.found.keys() & wanted.keys()
            self.found |= answers.found
            # What nobody could tell is kept nowhere else.
            self.memory.open |= {key: self.found[key] for key in fresh if self.found[key].status == Status.UNKNOWN}
            if answers.until is not None and not fresh:
                return answers.until
