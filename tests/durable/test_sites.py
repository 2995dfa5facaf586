"""Known sites: what crawls found is kept, and only real addresses teach a domain's pattern."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from engine.durable import sites, verdicts
from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.ids import new_id
from engine.durable.site_cache import FakeSites, Sites, StoredSites
from engine.durable.sites import KnownSite, SeenAddress, Vouched
from engine.durable.submit import insert_job
from engine.durable.tables import Job, known_sites, probe_permits
from engine.durable.verdicts import Fresh
from tests.durable.running import PATIENCE

ANN = SeenAddress("ann@a.test", "https://a.test/team", "Team", "mailto", near="Ann Lee", first_seen=5)
SITE = KnownSite("a.test", "found", "", (ANN, SeenAddress("info@a.test", "https://a.test/", role=True)), 2, 5, 1_000, "job")
LATER = 10_000


@pytest.fixture(params=["stored", "fake"])
async def door(request: pytest.FixtureRequest, database: Database, database_url: str) -> AsyncIterator[Sites]:
    """Both doors keep the same promises."""
    if request.param == "fake":
        yield FakeSites()
        return
    database.transact(lambda connection: connection.execute(known_sites.delete()))
    stored = StoredSites(lambda: Database(database_url))
    yield stored
    await stored.close()


async def test_what_was_saved_is_found(door: Sites):
    assert await door.find("a.test") is None
    await door.save(SITE)
    assert await door.find("a.test") == SITE


async def test_www_and_case_are_the_same_site_and_a_port_is_another(door: Sites):
    await door.save(replace(SITE, domain="WWW.A.test"))
    assert await door.find("a.test") == await door.find("www.a.TEST") == SITE
    assert await door.find("a.test:8080") is None


async def test_the_newest_crawl_counts(door: Sites):
    await door.save(SITE)
    gone = KnownSite("a.test", "unreachable", "no answer", (), 0, 5, 2_000, "other")
    await door.save(gone)
    assert await door.find("a.test") == gone


async def test_a_domain_is_crawled_once_however_many_ask(door: Sites):
    begun, gate = [], asyncio.Event()

    async def crawl() -> KnownSite:
        begun.append(1)
        await gate.wait()
        return SITE

    asking = [asyncio.ensure_future(door.crawled(name, crawl)) for name in ("a.test", "www.a.test", "a.test")]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.gather(asking[0], return_exceptions=True)
    gate.set()
    assert [await task for task in asking[1:]] == [SITE, SITE] and begun == [1]
    assert await door.find("a.test") == SITE, "kept before anybody uses it"
    assert await door.crawled("a.test", crawl) == SITE and len(begun) == 2, "a crawl that has ended is not shared"


async def test_a_crawl_that_nobody_waits_for_is_stopped(door: Sites):
    stopped = asyncio.Event()

    async def crawl() -> KnownSite:
        try:
            return await asyncio.Future()
        finally:
            stopped.set()

    task = asyncio.ensure_future(door.crawled("a.test", crawl))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(stopped.wait(), PATIENCE)


async def test_a_crawl_that_fails_fails_for_all_and_is_begun_anew(door: Sites):
    async def broken() -> KnownSite:
        raise OSError("the cable")

    async def fine() -> KnownSite:
        return SITE

    both = await asyncio.gather(door.crawled("a.test", broken), door.crawled("a.test", broken), return_exceptions=True)
    assert [type(one) for one in both] == [OSError, OSError]
    assert await door.crawled("a.test", fine) == SITE


# Which verified addresses a pattern may be learned from


@pytest.fixture
def a_job(database: Database) -> Callable[..., str]:
    """Makes a job of a type."""

    def make(kind: str = "verify-emails", source: str | None = None) -> str:
        job = Job(id=new_id(), type=kind, source_job_id=source, total_items=1, batch_size=1, created_at=0, updated_at=0)
        database.transact(lambda connection: insert_job(connection, job, "submitted"))
        return job.id

    return make


def verified(database: Database, address: str, job_id: str | None, at: int = 1, status: str = "valid", level: str = "mailbox"):
    verdicts.save(database, [Fresh(address, status, "r", level, 90, {}, at, job_id, "smtp")])


def known(database: Database, domain: str = "a.test", before: int = LATER) -> list[str]:
    return [one.address for one in sites.addresses(database, domain, before)]


def test_valid_mailboxes_of_the_domain_in_order(database: Database, a_job: Callable[..., str]):
    job = a_job()
    for address in ("zoe@a.test", "ann@a.test", "bob@b.test", "c@sub.a.test"):
        verified(database, address, job, at=7)
    verified(database, "no@a.test", job, status="invalid")
    verified(database, "shallow@a.test", job, level="domain")
    verified(database, "open@a.test", job, status="unknown")
    assert sites.addresses(database, "a.test", LATER) == [Vouched("ann@a.test", 7), Vouched("zoe@a.test", 7)]


def test_what_is_verified_later_is_not_known_yet(database: Database, a_job: Callable[..., str]):
    job = a_job()
    verified(database, "ann@a.test", job, at=10)
    assert known(database, before=10) == [] and known(database, before=11) == ["ann@a.test"]


def test_an_unknown_does_not_take_back_what_was_known(database: Database, a_job: Callable[..., str]):
    job = a_job()
    verified(database, "ann@a.test", job, at=1)
    verified(database, "ann@a.test", job, at=2, status="unknown", level="domain")
    assert known(database) == ["ann@a.test"]


@pytest.mark.parametrize("kind", ["generate-verified-emails", "generate-emails"])
def test_made_up_addresses_teach_nothing(database: Database, a_job: Callable[..., str], kind: str):
    made_up = a_job(kind)
    verified(database, "own@a.test", made_up)
    handed_on = a_job("verify-emails", made_up)
    verified(database, "child@a.test", handed_on)
    verified(database, "grandchild@a.test", a_job("verify-emails", handed_on))
    real = a_job()
    verified(database, "real@a.test", real)
    verified(database, "both@a.test", made_up)
    verified(database, "both@a.test", real, at=2)
    assert known(database) == ["real@a.test"]


def test_addresses_marked_as_synthetic_teach_nothing(database: Database, a_job: Callable[..., str]):
    job = a_job()
    verified(database, "ann@a.test", job)
    values = {"job_id": job, "domain": "a.test", "address": "ann@a.test"}
    database.transact(lambda connection: connection.execute(probe_permits.insert().values(**values)))
    assert known(database) == []


def test_where_no_job_is_left_nobody_vouches(database: Database, a_job: Callable[..., str]):
    verified(database, "ann@a.test", "gone")
    verified(database, "bob@a.test", None)
    verified(database, "cat@a.test", a_job("verify-emails", "gone"))
    assert known(database) == []
    verified(database, "ann@a.test", a_job(), at=2)
    assert known(database) == ["ann@a.test"]


def test_a_domain_with_very_many_addresses_is_cut(database: Database, a_job: Callable[..., str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sites, "MOST", 3)
    job = a_job()
    for n in range(9):
        verified(database, f"n{n}@a.test", job)
    assert known(database) == ["n0@a.test", "n1@a.test", "n2@a.test"]


def test_moments_are_the_databases(database: Database):
    database.transact(lambda connection: connection.execute(known_sites.delete()))
    sites.save(database, SITE)
    with database.read() as connection:
        row = connection.execute(known_sites.select().add_columns(now_ms().label("now"))).mappings().one()
    assert 0 <= row["now"] - row["created_at"] < 60_000 and 0 <= row["updated_at"] - row["created_at"] < 1_000
