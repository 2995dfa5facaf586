"""find-emails: a person's address with how sure it is and why, or why there is none; a domain's public addresses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine.durable.contract import Done, Json, Snooze
from engine.durable.site_cache import KnownSite, SeenAddress, Vouched
from engine.mail.address import Address
from engine.mail.evidence import Answer, DomainFacts, Mailbox
from engine.net.dns import FakeResolver
from engine.scraping.report import Report
from engine.verifying.verifier import Limits
from tests.jobs.finding import DAY, FIND, JANE, NEAR, TITLED, found, listed, outcome, seen, world
from tests.verifying.world import NOW, SINCE


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


async def test_a_stranger_is_told_from_the_colleague_whose_name_stands_beside_an_address():
    beside = [replace(seen(f"{local}@a.test"), near=near) for local, near in NEAR.items()]
    tools = world(*beside, exist=tuple(one.email for one in beside))
    rows = await found(tools, ("Tina", "Brown", "a.test"), ("Tom", "Brown", "a.test"), ("Karl", "Miller", "a.test"))
    assert [(row["email"], row["status"]) for row in rows] == [
        (None, "not_found"),
        ("tbrown@a.test", "valid"),
        (None, "not_found"),
    ]
    assert rows[1]["confidence"] >= 95 and "tbrown@a.test" not in rows[0]["candidates_tried"]


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


async def test_one_guess_for_two_people_of_one_list_is_in_doubt_whichever_batches_they_are_in():
    names = (("Jane", "Doe"), ("Ann", "Lee"), ("John", "Doe"), ("JANE", "DOE"), ("Maria", "Lopez"), ("Marc", "Lopez"))
    rows = listed(*((*name, "a.test") for name in names))
    exist = ("jdoe@a.test", "alee@a.test", "mlopez@a.test")
    whole = await outcome(rows, world(*TITLED, exist=exist))
    assert isinstance(whole, Done) and whole.rows.column_names == FIND.columns.names, "the list does not show what is for us"
    told = {(row["first_name"], row["last_name"]): row for row in whole.rows.to_pylist()}
    assert {name: told[name]["status"] for name in names} == {
        ("Jane", "Doe"): "risky",
        ("John", "Doe"): "risky",
        ("JANE", "DOE"): "risky",
        ("Ann", "Lee"): "valid",
        ("Maria", "Lopez"): "valid",
        ("Marc", "Lopez"): "not_found",
    }
    assert all("another person of the list" in told[name]["why"] for name in (names[0], names[2], names[3]))
    for place in range(len(names)):
        alone = await outcome(rows.slice(place, 1), world(*TITLED, exist=exist))
        assert isinstance(alone, Done)
        assert alone.rows.to_pylist() == [told[names[place]]], "the same in a batch of its own"


@pytest.mark.parametrize(
    ("asked", "whose"),
    [("Kathryn", False), ("Kate", True), ("K.", True), ("Katherine", True), ("Karl", False), ("Kat", True)],
)
async def test_a_first_name_may_be_cut_or_a_usual_short_form(asked: str, whose: bool):
    tools = world(replace(seen("kmiller@a.test"), near="Kate Miller"), exist=("kmiller@a.test",))
    [row] = await found(tools, (asked, "Miller", "a.test"))
    assert row["status"] == ("valid" if whose else "not_found"), row


async def test_whoever_has_an_address_on_a_page_does_not_need_a_guess():
    tools = world(*TITLED, seen("john.doe@a.test"), exist=("jdoe@a.test", "john.doe@a.test"))
    rows = await found(tools, JANE, ("John", "Doe", "a.test"))
    assert [(row["email"], row["status"]) for row in rows] == [("jdoe@a.test", "valid"), ("john.doe@a.test", "valid")]


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


async def test_a_greylisted_mailbox_parks_the_batch():
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


async def test_an_unknown_answer_is_not_asked_for_again_after_a_nap():
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
