"""A world for tests of find-emails: websites, mailboxes, what was known before, and batches over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from engine.durable.contract import Batch, Done, JobRef, Json, Snooze, Source
from engine.durable.schema import output_schema
from engine.durable.site_cache import FakeSites
from engine.jobs import registry
from engine.jobs.find_emails import Params, process
from engine.mail.address import Address
from engine.mail.evidence import Answer, CatchAll, DomainFacts, Mailbox
from engine.net.dns import FakeResolver
from engine.scraping.crawl import FakeCrawler
from engine.scraping.report import Report, Seen
from engine.verifying.verifier import Limits, Verifier
from tests.verifying.world import MX, NOW, SINCE, Clock, Prober, fake_verifier

FIND = registry()["find-emails"]
DAY = 86_400_000
DOMAINS = ("a.test", "b.test", "all.test", "shut.test", "dead.test", "nullmx.test", "silent.test")


class Mailboxes(Prober):
    """Knows which mailboxes there are; all.test takes everything, shut.test refuses to talk."""

    def __init__(self, *exist: str) -> None:
        super().__init__()
        self.exist = set(exist)

    async def probe(self, address: Address, facts: DomainFacts) -> Mailbox:
        self.asked.append(address.key)
        await self.open.wait()
        if self.answers:
            return Mailbox(self.answers.pop(0), None, facts.hosts[0], 450)
        if address.domain == "shut.test":
            return Mailbox(Answer.BLOCKED, None, facts.hosts[0], 550)
        if address.domain == "all.test":
            return Mailbox(Answer.EXISTS, CatchAll.YES, facts.hosts[0], 250)
        there = address.key in self.exist
        return Mailbox(Answer.EXISTS if there else Answer.NOT_FOUND, CatchAll.NO if there else None, facts.hosts[0], 250)


@dataclass
class World:
    """What a batch gets: websites, mailboxes and what was known before."""

    sites: FakeSites
    crawler: Any
    verifier: Verifier
    clock: Clock = field(default_factory=Clock)
    secrets: Mapping[str, str] = field(default_factory=dict)
    saved: list[Json] = field(default_factory=list)

    @property
    def doors(self) -> Mapping[str, Any]:
        return {"sites": self.sites, "crawler": self.crawler, "verifier": self.verifier}

    @property
    def asked(self) -> list[str]:
        return self.verifier.prober.asked  # type: ignore[attr-defined, no-any-return]

    def now(self) -> Any:
        return self.clock()

    async def save(self, state: Json) -> None:
        self.saved.append(state)


def seen(email: str, title: str = "", page: str = "") -> Seen:
    domain = email.partition("@")[2]
    role = email.startswith(("info", "sales"))
    return Seen(email, page or f"https://{domain}/team", title, "mailto", role, False, SINCE)


def world(*emails: str | Seen, exist: tuple[str, ...] = (), known: Any = None, vouched: Any = None) -> World:
    """Websites with these addresses; domains without any have an empty one, silent.test none."""
    sightings = [seen(one) if isinstance(one, str) else one for one in emails]
    reports = {}
    for domain in DOMAINS[:-1]:
        own = tuple(one for one in sightings if one.source_url.split("/")[2].removeprefix("www.") == domain)
        reports[domain] = Report(domain, "found" if own else "no_addresses", "" if own else "No address on 2 pages.", own, 2)
    verifier = fake_verifier(Mailboxes(*exist), Limits(waits=(300.0,)))
    hosts: dict[str, Any] = {domain: [f"mx.{domain}"] for domain in DOMAINS}
    verifier.resolver = FakeResolver({**hosts, **MX})
    return World(FakeSites(known, vouched), FakeCrawler(reports), verifier)


def listed(*rows: tuple[str, str, str], **more: Any) -> pa.Table:
    first, last, domain = (list(column) for column in zip(*rows, strict=True))
    params = Params()
    table = pa.table({"first_name": first, "last_name": last, "domain": domain, **more})
    return params.fitted(Source(len(rows), table.schema, table)).condensed(table)


async def outcome(rows: pa.Table, tools: World, state: Json = None, **params: Any) -> Done | Snooze:
    wanted = Params(**{"service": "smtp", **params})
    return await process(Batch(0, 0, rows.num_rows, rows.num_rows, rows, state, JobRef("job", NOW)), wanted, tools)


async def found(tools: World, *people: tuple[str, str, str], **params: Any) -> list[dict[str, Any]]:
    rows = listed(*people)
    done = await outcome(rows, tools, **params)
    assert isinstance(done, Done)
    assert done.rows.schema.equals(output_schema(FIND.columns, rows.schema))
    assert done.succeeded + done.failed == rows.num_rows
    table: list[dict[str, Any]] = done.rows.to_pylist()
    return table


JANE = ("Jane", "Doe", "a.test")
TITLED = [seen("mlopez@a.test", "Maria Lopez"), seen("tbrown@a.test", "Tom Brown"), seen("kmiller@a.test", "Kate Miller")]
"""People of a.test, each on a page with the name as its title."""

NEAR = {"mlopez": "Our team Maria Lopez e-mail Tom Brown", "tbrown": "Tom Brown e-mail", "kmiller": "Sales Kate Miller phone"}
"""Local parts of a.test and what stands beside them."""
