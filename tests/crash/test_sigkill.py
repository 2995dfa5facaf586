"""SIGKILL the engine again and again at random moments of one job: the table is the one of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.durable import control
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.states import Status
from engine.durable.submit import Request, submit
from engine.durable.tables import EngineRecord, Job, chunks, jobs
from engine.durable.timeline import timeline
from engine.durable.vault import Vault
from engine.jobs import registry
from tests.conftest import Server
from tests.crash.harness import fingerprint, living, start_engine, wait_until

pytestmark = pytest.mark.slow
GENERATE = registry()["generate-emails"]


class Observer:
    """Looks at the job all the time: progress never goes back, and the counters are those of the chunks."""

    def __init__(self, database: Database, job_id: str) -> None:
        self._database, self._job_id = database, job_id
        self.looks = 0
        self.wrong: list[str] = []
        self._stop = threading.Event()

    def run(self) -> None:
        before = -1
        while not self._stop.is_set():
            batches = select(func.count(), func.sum(chunks.c.row_count)).where(chunks.c.job_id == self._job_id)
            with self._database.read() as connection:
                job = connection.execute(select(jobs).where(jobs.c.id == self._job_id)).one()
                count, rows = connection.execute(batches).one()
            self.looks += 1
            if job.processed_items < before:
                self.wrong.append(f"progress went back from {before} to {job.processed_items}")
            if (
                not job.compacted
                and (job.batches_done, job.processed_items) != (count, rows or 0)
                and job.status != Status.COMPLETED
            ):
                self.wrong.append(f"{job.batches_done} batches, {job.processed_items} items, but {count} chunks of {rows} rows")
            before = job.processed_items
            self._stop.wait(0.02)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def moments(kills: int, dice: random.Random) -> list[str]:
    """Kill early in every third life on average, and after some progress in the others: never three early ones in a row."""
    found: list[str] = []
    while len(found) < kills:
        found.extend(dice.sample(["early", "working", "working"], 3))
    return found[:kills]


def kill_one(
    database: Database, job: Job, folder: Path, moment: str, share: float, dice: random.Random, settings: dict[str, str]
) -> bool:
    """One life of an engine; whether it died with the job in its hands, and the job unfinished.

    Lives are shorter while more than `share` of the job is done, so that a fast machine does not finish it before the end.
    """
    before = get(database, job.id).processed_items
    ahead = before > share * job.total_items
    process = start_engine(folder, **settings)
    try:
        if moment == "early":
            time.sleep(dice.uniform(0.0, 0.8 if ahead else 1.8))  # anywhere from the first import to the first commits
        else:
            wait_until(lambda: get(database, job.id).processed_items > before, "progress after a restart", folder)
            time.sleep(dice.uniform(0.0, 0.2 if ahead else 0.6))  # anywhere in the cycle of a group commit
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    now = get(database, job.id)
    with database.session() as session:
        holder = session.get(EngineRecord, now.engine_id) if now.engine_id else None
    return now.status == Status.RUNNING and holder is not None and holder.pid == process.pid


def killing_spree(url: str, folder: Path, count: int, kills: int, settings: dict[str, str]) -> None:
    seed = int(os.environ.get("POSTBENCH_TEST_SEED") or time.time_ns())
    dice = random.Random(seed)
    database = open_database(url)
    vault = Vault.open(None, folder)
    params = {"count": count, "providers": ["gmail.com", "outlook.com"], "seed": 7}
    job = get(database, submit(database, vault, Request(GENERATE, params)).job_id)
    observer = Observer(database, job.id)
    try:
        with observer.watching():
            caught = 0
            for life, moment in enumerate(moments(kills, dice)):
                caught += kill_one(database, job, folder, moment, 0.5 * life / kills, dice, settings)
            print(f"{get(database, job.id).progress} % after {kills} kills, {caught} of them into running work")
            assert get(database, job.id).status == Status.RUNNING, f"the job was too short for {kills} kills (seed {seed})"
            last = start_engine(folder, **settings)
            wait_until(lambda: get(database, job.id).ended, "the job to end", folder)
        undisturbed = control.rerun(database, vault, job.id, GENERATE)
        wait_until(lambda: get(database, undisturbed).ended, "the undisturbed job to end", folder)
        last.terminate()
        assert last.wait(60) == 0
        end = get(database, job.id)
        assert (end.status, end.processed_items, end.failed_count) == ("completed", count, 0), f"seed {seed}: {end.error_message}"
        assert observer.wrong == [] and observer.looks > kills, f"seed {seed}"
        rescues = sum("rescued" in event.reason for event in timeline(database, job.id))
        assert rescues == caught >= kills // 2, f"{caught} of {kills} kills hit running work, {rescues} rescues (seed {seed})"
        rows, table = fingerprint(database, job.id)
        assert (rows, table) == (count, fingerprint(database, undisturbed)[1]), f"the tables differ (seed {seed})"
        assert living(database) == []
    finally:
        database.close()


def test_thirty_kills_change_nothing(tmp_path: Path) -> None:
    killing_spree(f"sqlite:///{tmp_path / 'postbench.db'}", tmp_path, 3_000_000, 30, {})


@pytest.mark.postgres
def test_kills_change_nothing_on_postgresql(postgres: Server, tmp_path: Path) -> None:
    with postgres.fresh() as url:
        killing_spree(url, tmp_path, 1_000_000, 6, {"POSTBENCH_DATABASE_URL": url})
