"""find-emails: a person's address with how sure it is and why, or why there is none; a domain's public addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest

from engine.durable.contract import Batch, Done, JobRef, Json, Snooze, Source
from engine.durable.schema import output_schema
from engine.durable.site_cache import FakeSites, KnownSite, SeenAddress, Vouched
from engine.jobs import registry
from engine.jobs.find_emails import Params, process
from engine.mail.address import Address
from engine.mail.evidence import Answer, CatchAll, DomainFacts, Mailbox
from engine.net.dns import FakeResolver
from engine.scraping.crawl import FakeCrawler
from engine.scraping.report import Report, Seen
from engine.verifying import verifier as module
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


async def test_an_address_on_a_page_wins():
    tools = world("jane.doe@a.test", "info@a.test", exist=("jane.doe@a.test", "jdoe@a.test"))
    [row] = await found(tools, JANE)
    assert (row["email"], row["status"], row["pattern"]) == ("jane.doe@a.test", "valid", "first.last")
    assert row["confidence"] >= 95 and row["sources"] == "https://a.test/team (2030-01-01)"
    assert row["candidates_tried"] == "jane.doe@a.test" and tools.asked == ["jane.doe@a.test"]


async def test_an_address_on_a_page_is_valid_where_the_dns_says_that_the_domain_takes_mail():
    [row] = await found(world("jane.doe@a.test"), JANE, service="dns")
    assert row["status"] == "valid" and row["confidence"] >= 95


async def test_the_pattern_of_others_is_learned_and_confirmed():
    tools = world(*TITLED, exist=("jdoe@a.test",))
    [row] = await found(tools, JANE)
    assert (row["email"], row["status"], row["pattern"]) == ("jdoe@a.test", "valid", "flast")
    assert 82 <= row["confidence"] <= 94 and tools.asked == ["jdoe@a.test"]
    assert row["sources"] == "https://a.test/team (2030-01-01)"


async def test_at_most_three_candidates_are_verified_and_the_first_valid_ends_it():
    tools = world(exist=("j.doe@a.test",))
    [row] = await found(tools, JANE)
    assert row["status"] == "not_found" and row["email"] is None and row["confidence"] == 0
    assert len(tools.asked) == 3 and row["candidates_tried"] == ", ".join(tools.asked)
    assert "refuses all 3 likely addresses" in row["why"]
    tools = world(exist=("jane.doe@a.test",))
    [row] = await found(tools, JANE)
    assert (row["email"], row["status"]) == ("jane.doe@a.test", "valid") and tools.asked == ["jane.doe@a.test"]


async def test_a_part_of_the_name_may_be_a_namesakes_mailbox():
    [row] = await found(world(exist=("jdoe@a.test",)), JANE)
    assert (row["email"], row["status"]) == ("jdoe@a.test", "risky")
    assert row["confidence"] <= 60 and "somebody else" in row["why"]


@pytest.mark.parametrize("service", ["dns", "smtp"])
async def test_a_guess_that_nobody_checked_is_never_valid(service: str):
    taught = ("ann.lee@shut.test", "bob.ray@shut.test")
    [row] = await found(world(*taught), ("Jane", "Doe", "shut.test"), service=service)
    assert (row["email"], row["status"]) == ("jane.doe@shut.test", "unknown") and row["confidence"] < 60


@pytest.mark.parametrize("service", ["dns", "smtp"])
async def test_not_found_beats_a_guess(service: str):
    [row] = await found(world(), ("Jane", "Doe", "shut.test"), service=service)
    assert (row["email"], row["status"], row["confidence"]) == (None, "not_found", 0)
    assert "no find" in row["why"] and row["candidates_tried"].startswith("jane.doe@shut.test, ")


async def test_a_catch_all_domain_proves_nothing():
    tools = world("ann.lee@all.test", "bob.ray@all.test")
    rows = await found(tools, ("Jane", "Doe", "all.test"), ("Ann", "Lee", "all.test"), ("", "", "all.test"))
    assert [row["status"] for row in rows] == ["risky"] * 4
    assert max(row["confidence"] for row in rows) <= 60
    assert rows[0]["email"] == "jane.doe@all.test" and tools.asked.count("jane.doe@all.test") == 1
    [bare] = await found(world(), ("Jane", "Doe", "all.test"))
    assert bare["status"] == "risky" and bare["confidence"] < 30


async def test_somebody_elses_address_is_not_taken():
    page = "https://a.test/team"
    tools = world(seen("jdoe@a.test", "John Doe, sales", page), exist=("jdoe@a.test",))
    rows = await found(tools, JANE, ("John", "Doe", "a.test"))
    assert rows[0]["status"] == "not_found" and "jdoe@a.test" not in rows[0]["candidates_tried"]
    assert (rows[1]["email"], rows[1]["status"]) == ("jdoe@a.test", "valid") and rows[1]["confidence"] >= 95


@pytest.mark.parametrize("email", ["juergen.mueller@a.test", "jurgen.muller@a.test"])
async def test_an_umlaut_may_be_written_either_way(email: str):
    people = ("Jürgen", "Müller", "a.test"), ("Jürgen", "Mahler", "a.test")
    rows = await found(world(email, exist=(email,)), *people)
    assert (rows[0]["email"], rows[0]["status"]) == (email, "valid") and rows[0]["confidence"] >= 95
    assert rows[1]["status"] == "not_found"
    vouched = {"a.test": [Vouched(email, SINCE - 1)]}
    rows = await found(world(exist=(email,), vouched=vouched), *people)
    assert (rows[0]["email"], rows[0]["status"]) == (email, "valid") and rows[0]["candidates_tried"] == email


async def test_one_guess_for_two_people_is_in_doubt():
    rows = await found(world(*TITLED, exist=("jdoe@a.test",)), JANE, ("John", "Doe", "a.test"), JANE)
    assert [(row["email"], row["status"]) for row in rows] == [("jdoe@a.test", "risky")] * 3
    assert all("another person of the list" in row["why"] and row["confidence"] <= 60 for row in rows)


async def test_an_address_on_a_page_that_is_refused_is_invalid_unless_a_guess_is_right():
    [row] = await found(world("jane.doe@a.test"), JANE)
    assert (row["email"], row["status"], row["confidence"]) == ("jane.doe@a.test", "invalid", 3)
    [row] = await found(world("jane.doe@a.test", exist=("doe.jane@a.test", "jane_doe@a.test", "janedoe@a.test")), JANE)
    assert (row["email"], row["status"]) in [("jane.doe@a.test", "invalid"), ("janedoe@a.test", "valid")]


async def test_verified_addresses_of_earlier_jobs_teach_the_pattern():
    vouched = {"a.test": [Vouched("ann_lee@a.test", SINCE - 9), Vouched("robert_ray@a.test", SINCE - 8)]}
    tools = world(exist=("jane_doe@a.test",), vouched=vouched)
    [row] = await found(tools, JANE)
    assert (row["email"], row["status"], row["sources"]) == ("jane_doe@a.test", "valid", None)
    assert tools.asked == ["jane_doe@a.test"]


async def test_what_this_job_verifies_teaches_it_nothing():
    """Else its result would depend on which batch came first."""
    vouched = {"a.test": [Vouched("ann_lee@a.test", SINCE), Vouched("robert_ray@a.test", SINCE + 1)]}
    [row] = await found(world(exist=("jane_doe@a.test",), vouched=vouched), JANE)
    assert row["status"] == "not_found"


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        ("gmail.com", "no pattern"),
        ("not a domain", "expected a domain"),
        ("127.0.0.1", "expected a domain"),
        ("", "No domain"),
        ("nullmx.test", "null MX"),
    ],
)
async def test_where_nothing_can_be_found_the_row_says_why(domain: str, why: str):
    tools = world()
    [row] = await found(tools, ("Jane", "Doe", domain))
    assert (row["status"], row["email"]) == ("not_found", None) and why in row["why"]
    assert (row["first_name"], row["domain"]) == ("Jane", domain or None) and not tools.asked


async def test_a_site_that_cannot_be_read_is_no_failure():
    tools = world(exist=("jane.doe@silent.test",))
    rows = await found(tools, ("Jane", "Doe", "silent.test"), ("Bob", "Ray", "silent.test"), ("", "", "silent.test"))
    assert [row["status"] for row in rows] == ["valid", "not_found", "not_found"]
    assert "cannot be reached" in rows[1]["why"] and "cannot be reached" in rows[2]["why"]
    assert tools.crawler.asked["silent.test"] == 1


async def test_a_domain_gives_its_public_addresses_and_its_pattern():
    page = "https://a.test/contact"
    offices = [seen(email, "", page) for email in ("info@a.test", "press@sub.a.test", "x@web-agency.test")]
    tools = world("jane.doe@a.test", *offices, exist=("jane.doe@a.test", "info@a.test"))
    tools.verifier.resolver = FakeResolver({"a.test": ["mx"], "sub.a.test": ["mx"], "web-agency.test": ["mx"]})
    done = await outcome(listed(("", "", "a.test"), ("", "", "b.test"), crm=["one", "two"]), tools)
    assert isinstance(done, Done)
    rows = done.rows.to_pylist()
    assert [(row["crm"], row["domain"], row["email"], row["status"]) for row in rows] == [
        ("one", "a.test", "jane.doe@a.test", "valid"),
        ("one", "a.test", "info@a.test", "risky"),
        ("one", "a.test", "press@sub.a.test", "invalid"),
        ("two", "b.test", None, "not_found"),
    ]
    assert (rows[0]["first_name"], rows[0]["last_name"], rows[0]["pattern"]) == ("Jane", "Doe", "first.last")
    assert rows[1]["sources"] == f"{page} (2030-01-01)" and "No address on 2 pages" in rows[3]["why"]
    assert (done.succeeded, done.failed) == (1, 1)
    assert done.counts == {"valid": 1, "risky": 1, "invalid": 1, "not_found": 1} == done.tallies["status"]
    assert done.tallies["outcome"] == {"public address": 3, "no addresses": 1} and done.tallies["pattern"] == {"first.last": 3}


async def test_addresses_at_the_registered_domain_of_a_host():
    tools = world(seen("ann.lee@a.test", "", "https://www.a.test/"), exist=("jane.doe@a.test",))
    tools.crawler._reports["shop.a.test"] = Report("shop.a.test", "found", "", (seen("ann.lee@a.test"),), 1)
    [row] = await found(tools, ("Jane", "Doe", "https://shop.a.test/x"))
    assert (row["domain"], row["email"]) == ("shop.a.test", "jane.doe@a.test")


# Known sites


def site(status: str = "found", at: int = SINCE - DAY, pages: int = 2, limit: int = 5, job: str = "other") -> KnownSite:
    addresses = (SeenAddress("jane.doe@a.test", "https://a.test/team", first_seen=at),) if status == "found" else ()
    return KnownSite("a.test", status, "", addresses, pages, limit, at, job)


@pytest.mark.parametrize(
    ("known", "days", "crawls"),
    [
        (site(), None, 0),
        (site(at=SINCE - 29 * DAY), None, 0),
        (site(at=SINCE - 31 * DAY), None, 1),
        (site(at=SINCE - 3 * DAY), 2, 1),
        (site(at=SINCE + 5), 0, 0),
        (site(pages=1, limit=1), None, 1),
        (site(pages=1, limit=2), None, 0),
        (site("no_addresses"), None, 0),
        (site("unreachable"), None, 1),
        (site("unreachable", job="job"), None, 0),
        (site("unreachable", at=SINCE + 1), None, 0),
        (site("blocked_by_robots"), None, 1),
    ],
)
async def test_what_is_known_of_a_site_spares_a_crawl(known: KnownSite, days: int | None, crawls: int):
    tools = world(known={"a.test": known})
    await found(tools, JANE, ("Bob", "Ray", "www.a.test"), max_age_days=days)
    assert tools.crawler.asked["a.test"] == crawls
    assert len(tools.sites.saved) == crawls


async def test_a_domain_is_crawled_once_for_batches_that_run_at_once():
    tools = world("jane.doe@a.test", exist=("jane.doe@a.test",))
    await asyncio.gather(*(outcome(listed(JANE), tools) for _ in range(5)))
    assert tools.crawler.asked == {"a.test": 1} and len(tools.sites.saved) == 1


async def test_a_killed_crawl_goes_on_from_what_it_saved():
    class Dying:
        def __init__(self) -> None:
            self.states: list[Json] = []

        async def crawl(self, domain: str, pages: int, state: Json, save: Any, now: Any) -> Report:
            self.states.append(state)
            if state is None:
                await save({"page": 3})
                raise OSError("killed")
            return Report(domain, "no_addresses", "", (), 3)

    tools = world()
    tools.crawler = Dying()
    with pytest.raises(OSError, match="killed"):
        await outcome(listed(JANE), tools)
    await outcome(listed(JANE), tools, tools.saved[-1])
    assert tools.crawler.states == [None, {"page": 3}]


# Waiting


async def test_a_greylisted_mailbox_parks_the_batch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    tools = world("ann.lee@b.test", exist=("jane.doe@a.test", "bob.ray@b.test"))
    rows = listed(JANE, ("Bob", "Ray", "b.test"))
    tools.verifier.prober.answers = [Answer.GREYLISTED]  # type: ignore[attr-defined]
    parked = await outcome(rows, tools)
    assert isinstance(parked, Snooze) and (parked.until - NOW).total_seconds() == 300
    tools.clock.now = parked.until
    again = await outcome(rows, tools, parked.state)
    assert isinstance(again, Done) and again.counts == {"valid": 2}
    assert len(tools.asked) == 3 and tools.crawler.asked == {"a.test": 1, "b.test": 1}
    assert again.tallies["calls"]["smtp"] == 3


async def test_an_unknown_answer_is_not_asked_for_again_after_a_nap(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    tools = world("ann.lee@shut.test")
    tools.verifier.limits = Limits(waits=(300.0,))
    rows = listed(("Bob", "Ray", "shut.test"), JANE)
    answers = {"jane.doe@a.test": Answer.GREYLISTED}
    usual = tools.verifier.prober.probe

    async def probe(address: Address, facts: DomainFacts) -> Mailbox:
        if answer := answers.pop(address.key, None):
            tools.asked.append(address.key)
            return Mailbox(answer, None, facts.hosts[0], 450)
        return await usual(address, facts)

    tools.verifier.prober.probe = probe  # type: ignore[method-assign]
    parked = await outcome(rows, tools)
    assert isinstance(parked, Snooze)
    tools.clock.now = parked.until
    again = await outcome(rows, tools, parked.state)
    assert isinstance(again, Done) and tools.asked.count("bob.ray@shut.test") == 1
