"""SIGKILL the engine while it verifies: the same table, and nobody is asked again about what was committed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import func, select

from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.tables import Job, verified_emails
from engine.durable.vault import Vault
from engine.jobs import registry
from engine.jobs.generate_emails import prepared
from engine.jobs.generate_verified_emails import Params
from tests.crash.harness import refreshed, start_engine, wait_until
from tests.lab.dns import DnsServer
from tests.lab.smtp import LabSmtp

pytestmark = pytest.mark.slow
VERIFY, GENERATE = registry()["verify-emails"], registry()["generate-verified-emails"]
CONCURRENCY, HOSTS = 100, 20
WORDS = ("ok", "ok", "ok", "missing", "full", "disabled", "busy", "greylisted")
DOUBLE = ("greylisted",)


@dataclass
class World:
    """A lab of mail servers, and the settings of an engine that asks only them."""

    mx: LabSmtp
    settings: dict[str, str]
    asked_at: dict[str, int] = field(default_factory=dict)

    def note_committed(self, database: Database) -> None:
        """Remember how often each address with a final verdict was asked about so far."""
        query = select(verified_emails.c.address).where(verified_emails.c.status != "unknown")
        with database.read() as connection:
            committed = list(connection.execute(query).scalars())
        with self.mx.lock:
            for address in committed:
                self.asked_at.setdefault(address, self.mx.counts.recipients[address])


@contextmanager
def world(rate: int) -> Iterator[World]:
    zones: dict[str, Any] = {f"d{n}.test": {"mx": [[10, f"mx{n}.test"]]} for n in range(HOSTS)}
    zones |= {f"mx{n}.test": {"a": ["127.0.0.1"]} for n in range(HOSTS)}
    with DnsServer(zones) as names, LabSmtp(delay=0.002) as mx:
        settings = {
            "POSTBENCH_DNS_SERVERS": f"127.0.0.1:{names.port}",
            "POSTBENCH_SMTP_PROBE_PORT": str(mx.port),
            "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1",
            "POSTBENCH_PROBE_RATE": str(rate),
            "POSTBENCH_PROBE_RETRY_SECONDS": "1,1,1",
            "POSTBENCH_PROBE_CAP": "100000",
            "POSTBENCH_CONCURRENCY": str(CONCURRENCY),
            "POSTBENCH_HELO_NAME": "probe.test",
        }
        yield World(mx, settings)


def verdicts(database: Database, job_id: str) -> pa.Table:
    """The result without the moments, which no two runs share."""
    return pa.concat_tables(stream_tables(database, job_id, "output")).drop_columns("checked_at")


def known(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(verified_emails)).scalar_one()


def kill_one(database: Database, job: Job, folder: Path, lab: World, dice: random.Random) -> None:
    """One life of an engine, ended at any moment from its start to some time after its first new answers."""
    before = known(database)
    process = start_engine(folder, **lab.settings)
    try:
        if refreshed(database, job.id, folder):
            pass
        elif dice.random() < 0.75:
            wait_until(lambda: known(database) > before or get(database, job.id).ended, "new answers", folder)
            time.sleep(dice.uniform(0.0, 0.3))
        else:
            time.sleep(dice.uniform(0.0, 1.5))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    lab.note_committed(database)


def killing_spree(folder: Path, lab: World, request: Request, kills: int) -> tuple[Database, str]:
    """A job through that many kills to its end."""
    seed = int(os.environ.get("POSTBENCH_TEST_SEED") or time.time_ns())
    dice = random.Random(seed)
    print(f"seed {seed}")
    database = open_database(f"sqlite:///{folder / 'postbench.db'}")
    job = get(database, submit(database, Vault.open(None, folder), request).job_id)
    for _ in range(kills):
        kill_one(database, job, folder, lab, dice)
    assert not get(database, job.id).ended, f"the job was too short for {kills} kills"
    run_to_its_end(database, job.id, folder, lab)
    return database, job.id


def run_to_its_end(database: Database, job_id: str, folder: Path, lab: World) -> None:
    process = start_engine(folder, **lab.settings)
    try:
        wait_until(lambda: get(database, job_id).ended, "the job to end", folder)
    finally:
        process.terminate()
        assert process.wait(60) == 0
    job = get(database, job_id)
    assert job.status == "completed", job.error_message


def undisturbed(folder: Path, lab: World, request: Request) -> pa.Table:
    """The result of the same job elsewhere, where nobody was killed and nothing was known."""
    folder.mkdir()
    database = open_database(f"sqlite:///{folder / 'postbench.db'}")
    job_id = submit(database, Vault.open(None, folder), request).job_id
    run_to_its_end(database, job_id, folder, lab)
    table = verdicts(database, job_id)
    database.close()
    return table


def test_thirty_kills_while_verifying(tmp_path: Path) -> None:
    emails = [f"{WORDS[n % len(WORDS)]}.{n}@d{n % HOSTS}.test" for n in range(3_000)]
    request = Request(VERIFY, {"emails": emails, "service": "smtp"})
    with world(rate=8) as lab:
        database, job_id = killing_spree(tmp_path, lab, request, 30)
        counted = Counter(lab.mx.counts.recipients)
        again = [address for address, times in lab.asked_at.items() if counted[address] > times]
        assert again == [], "addresses with a committed verdict were asked about again"
        wanted = {address: 2 if address.startswith(DOUBLE) else 1 for address in emails}
        repeats = sum(max(0, counted[address] - times) for address, times in wanted.items())
        assert repeats <= 30 * CONCURRENCY, f"{repeats} questions were asked twice"
        assert all(counted[address] >= 1 for address in emails) and lab.mx.counts.forbidden == []
        table = verdicts(database, job_id)
        assert table.num_rows == len(emails) and set(table["status"].to_pylist()) == {"valid", "invalid", "risky"}
        lab.mx.greylisted.clear()
        lab.settings["POSTBENCH_PROBE_RATE"] = "10000"
        assert table.to_pylist() == undisturbed(tmp_path / "undisturbed", lab, request).to_pylist()
        database.close()
    print(f"{len(lab.asked_at)} addresses were committed before the last kill, {repeats} questions were asked twice")


def test_kills_while_hunting_for_valid_ones(tmp_path: Path) -> None:
    params = {"count": 300, "providers": [f"d{n}.test" for n in range(HOSTS)], "service": "smtp", "seed": 3}
    request = Request(GENERATE, {**params, "maxCandidates": 5_000})
    candidates = prepared(Params.model_validate({**params, "count": 5_000})).rows(5_000, 3, 0, 5_000)["email"].to_pylist()
    with world(rate=10) as lab:
        lab.mx.recipients.update(dict.fromkeys(candidates[::3], "ok"))
        database, job_id = killing_spree(tmp_path, lab, request, 6)
        table = verdicts(database, job_id)
        assert table["email"].to_pylist() == candidates[: 3 * 300 : 3]
        lab.settings["POSTBENCH_PROBE_RATE"] = "10000"
        assert table.to_pylist() == undisturbed(tmp_path / "undisturbed", lab, request).to_pylist()
        database.close()
