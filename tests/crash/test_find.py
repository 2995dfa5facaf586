"""SIGKILL the engine while it finds people: the same table, and no site that is known is read again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import select

from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.tables import Job, known_sites
from engine.durable.vault import Vault
from engine.jobs import registry
from tests.conftest import Server
from tests.crash.harness import refreshed, start_engine, wait_until
from tests.lab.offices import Street, offices, score, street

pytestmark = pytest.mark.slow
FIND = registry()["find-emails"]
KILLS = int(os.environ.get("POSTBENCH_TEST_KILLS", "10"))
"""Each costs seconds; ask for more when the crawler or the cache of sites changes."""
FEW = 3
"""On PostgreSQL, whose transactions other tests kill often."""
DOMAINS = 10 + 6 * KILLS
SLOW = {"POSTBENCH_CONCURRENCY": "20", "POSTBENCH_PROBE_RATE": "20"}


def known(database: Database) -> list[str]:
    """The sites whose crawl is committed, without their port."""
    with database.read() as connection:
        return [domain.partition(":")[0] for domain in connection.execute(select(known_sites.c.domain)).scalars()]


def fetches(lab: Street) -> Counter[str]:
    with lab.web.lock:
        return Counter(host for host, _ in lab.web.counts.elements())


def kill_one(database: Database, job: Job, folder: Path, lab: Street, dice: random.Random, settings: dict[str, str]) -> None:
    """One life of an engine, ended at any moment from its start to some time after the first new site."""
    before = len(known(database))
    process = start_engine(folder, **{**lab.settings, **SLOW, **settings})
    try:
        if refreshed(database, job.id, folder):
            pass
        elif dice.random() < 0.75:
            wait_until(lambda: len(known(database)) > before or get(database, job.id).ended, "a new site", folder)
            time.sleep(dice.uniform(0.0, 0.3))
        else:
            time.sleep(dice.uniform(0.0, 1.5))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def table_of(database: Database, job_id: str, folder: Path, settings: dict[str, str]) -> pa.Table:
    """The job's table, once an undisturbed engine has brought it to its end."""
    process = start_engine(folder, **settings)
    try:
        wait_until(lambda: get(database, job_id).ended, "the job to end", folder)
    finally:
        process.terminate()
        assert process.wait(60) == 0
    job = get(database, job_id)
    assert job.status == "completed", job.error_message
    return pa.concat_tables(stream_tables(database, job_id, "output"))


def submitted(url: str, folder: Path, request: Request) -> tuple[Database, Job]:
    database = open_database(url)
    return database, get(database, submit(database, Vault.open(None, folder), request).job_id)


def killing_spree(url: str, folder: Path, kills: int, settings: dict[str, str]) -> None:
    seed = int(os.environ.get("POSTBENCH_TEST_SEED") or time.time_ns())
    dice = random.Random(seed)
    print(f"seed {seed}")
    with street(offices(DOMAINS, size=4)) as lab:
        wanted = {"people": lab.people(), "service": "smtp", "domains": [lab.host(one.domain) for one in lab.offices[:20]]}
        request = Request(FIND, wanted)
        database, job = submitted(url, folder, request)
        fetched: dict[str, int] = {}
        lives = 0
        while lives < kills or len(fetched) <= kills:  # as many as it takes for each to have something to lose
            lives += 1
            kill_one(database, job, folder, lab, dice, settings)
            now = fetches(lab)
            for domain in known(database):
                fetched.setdefault(domain, now[domain])
            assert not get(database, job.id).ended, f"the job was too short for {lives} kills"
        disturbed = table_of(database, job.id, folder, {**lab.settings, **settings})
        total = fetches(lab)
        again = [domain for domain, times in fetched.items() if total[domain] > times]
        assert again == [], "sites that were committed were read again"
        assert all(total[one.domain] for one in lab.offices)
        assert lab.web.violations == [] and lab.mx.counts.forbidden == []
        database.close()
        whole = folder / "undisturbed"
        whole.mkdir()
        other, same = submitted(sqlite(whole), whole, request)
        calm = table_of(other, same.id, whole, lab.settings)
        other.close()
        assert disturbed.to_pylist() == calm.to_pylist()
        sought = lab.sought()
        assert score(sought, calm.to_pylist()[: len(sought)]).wrong_valid == ()
    print(f"{len(fetched)} sites were committed before the last kill, {sum(total.values())} fetches in all")


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'postbench.db'}"


def test_kills_while_finding(tmp_path: Path) -> None:
    killing_spree(sqlite(tmp_path), tmp_path, KILLS, {})


@pytest.mark.postgres
def test_kills_while_finding_on_postgresql(postgres: Server, tmp_path: Path) -> None:
    with postgres.fresh() as url:
        killing_spree(url, tmp_path, FEW, {"POSTBENCH_DATABASE_URL": url})
