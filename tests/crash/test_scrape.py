"""SIGKILL the engine while it scrapes: the same table, and no page is fetched again whose outcome was saved."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from engine.durable.chunks import spans, stream_tables
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.vault import Vault
from engine.jobs import registry
from engine.scraping.memory import SAVE_PAGES
from tests.conftest import Server
from tests.crash.harness import refreshed, start_engine, wait_until
from tests.lab.dns import DnsServer
from tests.lab.web import WebServer
from tests.lab.web_pages import Page

pytestmark = pytest.mark.slow
SCRAPE = registry()["scrape-emails"]
KILLS = int(os.environ.get("POSTBENCH_TEST_KILLS", "10"))
"""Each costs seconds; ask for more when the crawler changes."""
FEW = 3
"""On PostgreSQL, whose transactions other tests kill often."""
SITES, PAGES, CONCURRENCY = 10 + 6 * KILLS, 6, 4
ROBOTS = Page("User-agent: *\nDisallow: /private\n", kind="text/plain")


@dataclass
class World:
    """A lab of websites, and the settings of an engine that crawls only them."""

    web: WebServer
    settings: dict[str, str]
    done: dict[str, int] = field(default_factory=dict)

    @property
    def domains(self) -> list[str]:
        return [f"s{n}.test:{self.web.port}" for n in range(SITES)]

    def note_committed(self, database: Database, job_id: str) -> None:
        """Remember how often each site was asked by the time its batch was committed."""
        for span in spans(database, job_id, "output"):
            for number in range(span.number, span.last + 1):
                self.done.setdefault(f"s{number}.test", self.web.asked(f"s{number}.test"))


def site(number: int) -> dict[str, Page | str]:
    """Pages one after another, an address on each; some sites have none, some cannot be read."""
    if number % 20 == 7:
        return {"/robots.txt": Page("User-agent: *\nDisallow: /", kind="text/plain"), "/": "closed"}
    if number % 20 == 13:
        return {"/": Page("oh", 500)}
    name = "" if number % 20 == 3 else f"s{number}"
    pages: dict[str, Page | str] = {"/robots.txt": ROBOTS}
    for page in range(PAGES + 2):
        address = f'<a href="mailto:{name}.{page}@kestrelworks.com">Write</a>' if name else "Nobody"
        links = f'<a href="/p{page + 1}">next</a><a href="/private/{page}">inside</a>'
        pages["/" if page == 0 else f"/p{page}"] = f"<title>Page {page} of {number}</title>{address} {links}"
    return pages


@contextmanager
def world() -> Iterator[World]:
    with DnsServer({"*.test": {"a": ["127.0.0.1"]}}) as names, WebServer(delay=0.02) as web:
        for number in range(SITES):
            web.add(f"s{number}.test", site(number))
            web.forbid(f"s{number}.test", "/private")
        settings = {
            "POSTBENCH_DNS_SERVERS": f"127.0.0.1:{names.port}",
            "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1",
            "POSTBENCH_CRAWL_DELAY": "0.05",
            "POSTBENCH_CONCURRENCY": str(CONCURRENCY),
        }
        yield World(web, settings)


def found(database: Database, job_id: str) -> list[dict[str, object]]:
    """The result without the moments, which no two runs share."""
    rows: list[dict[str, object]] = (
        pa.concat_tables(stream_tables(database, job_id, "output")).drop_columns("first_seen").to_pylist()
    )
    return rows


def kill_one(database: Database, job_id: str, folder: Path, lab: World, dice: random.Random) -> None:
    """One life of an engine, ended at any moment from its start to some time after its first fetches."""
    wanted = lab.web.total + dice.randrange(1, 60)
    process = start_engine(folder, **lab.settings)
    try:
        if refreshed(database, job_id, folder):
            pass
        elif dice.random() < 0.75:
            wait_until(lambda: lab.web.total >= wanted or get(database, job_id).ended, "some fetches", folder)
            time.sleep(dice.uniform(0.0, 0.3))
        else:
            time.sleep(dice.uniform(0.0, 1.5))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    lab.note_committed(database, job_id)


def run_to_its_end(database: Database, job_id: str, folder: Path, lab: World) -> None:
    process = start_engine(folder, **lab.settings)
    try:
        wait_until(lambda: get(database, job_id).ended, "the job to end", folder)
    finally:
        process.terminate()
        assert process.wait(60) == 0
    job = get(database, job_id)
    assert job.status == "completed", job.error_message


def submitted(url: str, folder: Path, lab: World) -> tuple[Database, str]:
    database = open_database(url)
    request = Request(SCRAPE, {"domains": lab.domains, "maxPagesPerDomain": PAGES})
    return database, submit(database, Vault.open(None, folder), request).job_id


def killing_spree(url: str, folder: Path, kills: int, settings: dict[str, str]) -> None:
    seed = int(os.environ.get("POSTBENCH_TEST_SEED") or time.time_ns())
    dice = random.Random(seed)
    print(f"seed {seed}")
    with world() as lab:
        undisturbed = dict(lab.settings)
        lab.settings |= settings
        database, job_id = submitted(url, folder, lab)
        for _ in range(kills):
            kill_one(database, job_id, folder, lab, dice)
        committed = len(lab.done)
        assert not get(database, job_id).ended, f"the job was too short for {kills} kills"
        run_to_its_end(database, job_id, folder, lab)
        again = [host for host, times in lab.done.items() if lab.web.asked(host) > times]
        assert again == [], "sites of committed batches were asked again"
        repeats = sum(
            max(0, count - 1) for (_, path), count in lab.web.counts.items() if path not in ("/robots.txt", "/sitemap.xml")
        )
        assert repeats <= kills * CONCURRENCY * SAVE_PAGES, f"{repeats} pages were fetched twice"
        assert lab.web.violations == []
        table = found(database, job_id)
        database.close()
        whole = folder / "undisturbed"
        whole.mkdir()
        lab.settings = undisturbed
        database, job_id = submitted(sqlite(whole), whole, lab)
        run_to_its_end(database, job_id, whole, lab)
        assert table == found(database, job_id)
        statuses = {str(row["status"]) for row in table}
        assert statuses == {"found", "no_addresses", "blocked_by_robots", "unreachable"}
        assert len({row["domain"] for row in table}) == SITES
        database.close()
    print(f"{committed} sites were committed before the last kill, {repeats} pages were fetched twice")


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'postbench.db'}"


def test_kills_while_scraping(tmp_path: Path) -> None:
    killing_spree(sqlite(tmp_path), tmp_path, KILLS, {})


@pytest.mark.postgres
def test_kills_while_scraping_on_postgresql(postgres: Server, tmp_path: Path) -> None:
    with postgres.fresh() as url:
        killing_spree(url, tmp_path, FEW, {"POSTBENCH_DATABASE_URL": url})
