"""Drafts through a faulty service, and SIGKILL while they are written: nothing is paid twice, nothing is lost, no key is left."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.spending import spent
from engine.durable.submit import Request, submit
from engine.durable.tables import Job
from engine.durable.timeline import timeline
from engine.durable.vault import Vault
from engine.jobs import registry
from engine.net.llm_services import AT_ONCE
from tests.crash.harness import refreshed, start_engine, wait_until
from tests.lab.llm import LlmServer

pytestmark = pytest.mark.slow
WRITE = registry()["ai-generate"]
KEY = "sk-live-9f8e7d6c5b4a-must-not-be-found"
ROWS = 20
OUTCOME = ["subject", "body", "provider", "model", "attempts", "status", "error"]


def people(count: int) -> list[dict[str, str]]:
    return [{"email": f"person{n}@shop.test", "first_name": f"Name{n}", "ref": f"row-{n}"} for n in range(count)]


@pytest.fixture
def service() -> Iterator[LlmServer]:
    with LlmServer() as server:
        yield server


@pytest.fixture
def seed() -> int:
    found = int(os.environ.get("POSTBENCH_TEST_SEED") or time.time_ns() % 2**31)
    print(f"seed {found}")
    return found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    yield found
    found.close()


def submitted(database: Database, folder: Path, **params: Any) -> str:
    wanted = {"mode": "drafts", "brief": "Invite them.", "provider": "openai", "model": "lab-1", "apiKey": KEY, **params}
    return submit(database, Vault.open(None, folder), Request(WRITE, wanted)).job_id


def rows_of(database: Database, job_id: str) -> list[dict[str, Any]]:
    return [row for table in stream_tables(database, job_id, "output") for row in table.to_pylist()]


def finished(database: Database, folder: Path, job_id: str, service: LlmServer) -> Job:
    """The job at its end, with an engine that reaches the service because the settings name it and for no other reason."""
    engine = start_engine(folder, POSTBENCH_AI_URL=service.openai, POSTBENCH_ANTHROPIC_URL=service.anthropic)
    try:
        wait_until(lambda: get(database, job_id).ended or get(database, job_id).status == "paused", "the job to end", folder)
    finally:
        engine.terminate()
        assert engine.wait(60) == 0
    return get(database, job_id)


def test_twenty_drafts_through_a_faulty_service(tmp_path: Path, database: Database, service: LlmServer, seed: int) -> None:
    service.chaos, service.retry_after = random.Random(seed), "1"
    service.fault("refusal", row="row-3", times=None)
    service.fault("prose", row="row-5", times=None)
    job_id = submitted(database, tmp_path, contacts=people(ROWS))
    job = finished(database, tmp_path, job_id, service)
    rows = rows_of(database, job_id)
    assert (job.status, job.processed_items, len(rows)) == ("completed", ROWS, ROWS), job.error_message
    assert list(rows[0]) == ["email", "first_name", "ref", *OUTCOME]
    assert [row["ref"] for row in rows] == [f"row-{n}" for n in range(ROWS)], "every row is there, in its place"
    for row in rows:
        if row["status"] == "ok":
            assert row["subject"] == f"An offer for {row['ref']}" and row["ref"] in row["body"] and row["error"] is None
        else:
            assert row["status"] == "failed" and row["subject"] is None and row["body"] is None and row["error"]
    assert rows[3]["error"] == "The model refused to write this."
    assert rows[5]["error"].startswith("The answers could not be used, 3 times")
    assert sum(row["status"] == "ok" for row in rows) >= ROWS // 2, "most faults pass, or can be mended"
    told = spent(database, job_id)
    assert told.requests == len(service.calls)
    assert 0 < told.tokens <= 120 * service.answered.total(), "what was torn on the way cannot be counted"
    assert service.most <= AT_ONCE
    nowhere(tmp_path, database, job_id)


def nowhere(folder: Path, database: Database, job_id: str) -> None:
    """The key is in no file, no row and no line of the timeline."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files and not [path.name for path in files if KEY.encode() in path.read_bytes()]
    job = get(database, job_id)
    told = [job.model_dump(), rows_of(database, job_id), [event.reason for event in timeline(database, job_id)]]
    assert KEY not in str(told)
    assert Vault.open(None, folder).load(database, job_id) == {}, "it is dropped when the job has ended"


@pytest.mark.parametrize(("mode", "count", "kills"), [("drafts", 60, 6), ("contacts", 250, 5)], ids=["drafts", "contacts"])
def test_killed_at_any_moment_no_committed_row_is_paid_for_again(
    tmp_path: Path, database: Database, service: LlmServer, seed: int, mode: str, count: int, kills: int
) -> None:
    dice = random.Random(seed)
    service.delay = 0.15
    for number in range(0, count, 7):
        service.fault("torn", row=f"row-{number}")
    given = {"contacts": people(count)} if mode == "drafts" else {"mode": "contacts", "count": count, "seed": 5}
    job_id = submitted(database, tmp_path, **given)
    paid: dict[str, int] = {}
    for _ in range(kills):
        kill_one(database, job_id, tmp_path, service, dice)
        for row in committed(database, job_id, mode):
            paid.setdefault(row, calls_for(service, row))
    before = dict(paid)
    job = finished(database, tmp_path, job_id, service)
    assert (job.status, job.processed_items, job.failed_count) == ("completed", count, 0), job.error_message
    assert before and before == {row: calls_for(service, row) for row in before}, "a committed row was asked for again"
    rows = rows_of(database, job_id)
    assert len(rows) == count and len({row["email"] for row in rows}) == count
    needed = count + len(range(0, count, 7)) if mode == "drafts" else count // 5
    assert service.answered.total() - needed <= kills * AT_ONCE, "more than what was under way was paid for twice"
    told = spent(database, job_id)
    assert told.requests >= len(service.calls), "a request is counted before it is made"
    nowhere(tmp_path, database, job_id)


def kill_one(database: Database, job_id: str, folder: Path, service: LlmServer, dice: random.Random) -> None:
    """One life of an engine, ended some time after its first requests, or after it has committed something."""

    def job() -> Job:
        return get(database, job_id)

    requests, rows = len(service.calls), job().processed_items
    engine = start_engine(folder, POSTBENCH_AI_URL=service.openai)
    try:
        if refreshed(database, job_id, folder):
            pass
        elif dice.random() < 0.7:
            wait_until(lambda: job().processed_items > rows or job().ended, "new rows", folder)
        else:
            wait_until(lambda: len(service.calls) > requests or job().ended, "a request", folder)
        time.sleep(dice.uniform(0.0, 0.3))
    finally:
        engine.send_signal(signal.SIGKILL)
        engine.wait()


def committed(database: Database, job_id: str, mode: str) -> list[str]:
    """The markers of what was committed: of contacts the first initials of each request."""
    rows = rows_of(database, job_id)
    if mode == "drafts":
        return [row["ref"] for row in rows]
    return [f"1. {row['first_name'][0]}. {row['last_name'][0]}." for row in rows[::5]]


def calls_for(service: LlmServer, row: str) -> int:
    with service.lock:
        return sum(call.row == row for call in service.calls)


def test_a_refused_key_pauses_the_job_and_says_so_without_it(tmp_path: Path, database: Database, service: LlmServer) -> None:
    service.bad.add(KEY)
    job_id = submitted(database, tmp_path, contacts=people(3))
    job = finished(database, tmp_path, job_id, service)
    assert job.status == "paused" and len(service.calls) <= 3
    lines = " ".join(event.reason for event in timeline(database, job_id))
    assert "refused the API key (HTTP 401)" in lines and KEY not in lines
    assert KEY not in (tmp_path / "engine.log").read_text()


def test_anthropics_protocol_through_a_real_engine(tmp_path: Path, database: Database, service: LlmServer) -> None:
    service.fault("fenced", row="row-0")
    service.fault("address", row="row-1")
    service.takes.temperature = False
    job_id = submitted(database, tmp_path, contacts=people(3), provider="anthropic", model="claude-x", temperature=0.3)
    job = finished(database, tmp_path, job_id, service)
    rows = rows_of(database, job_id)
    assert (job.status, [row["status"] for row in rows]) == ("completed", ["ok"] * 3), job.error_message
    assert {(row["provider"], row["model"]) for row in rows} == {("anthropic", "claude-x")}
    assert rows[1]["attempts"] >= 2 and "evil.example" not in str(rows)
    assert service.keys() == {"x-api-key"} and {call.path for call in service.calls} == {"/v1/messages"}
    nowhere(tmp_path, database, job_id)
