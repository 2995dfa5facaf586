"""SIGKILL the engine while a paid service works for it: what was paid for is fetched, not bought again, and the key is gone."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.tables import batch_states, verified_emails
from engine.durable.vault import Vault
from engine.jobs import registry
from tests.crash.harness import start_engine, wait_until
from tests.lab.mailsso import FREE, GOOD, MailsSoServer

pytestmark = pytest.mark.slow
VERIFY = registry()["verify-emails"]
EMAILS = [f"person{n}@d{n % 7}.test" for n in range(100)]


def count(database: Database, table: str) -> int:
    with database.read() as connection:
        number: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        return number


def killed_once(folder: Path, key: str, service: MailsSoServer, moment: Callable[[Database], bool]) -> Database:
    """A job with that key whose engine is killed at a moment, and another engine that ends it."""
    database = open_database(f"sqlite:///{folder / 'postbench.db'}")
    settings = {"POSTBENCH_MAILSSO_URL": service.url, "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1"}
    params = {"emails": EMAILS, "service": "mailsso", "apiKey": key}
    job_id = submit(database, Vault.open(None, folder), Request(VERIFY, params)).job_id
    first = start_engine(folder, **settings)
    try:
        wait_until(lambda: moment(database), "the moment to kill", folder)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    for batch in service.batches.values():
        batch.finished = 0.0
    last = start_engine(folder, **settings)
    try:
        wait_until(lambda: get(database, job_id).ended, "the job to end", folder)
    finally:
        last.terminate()
        assert last.wait(60) == 0
    job = get(database, job_id)
    assert (job.status, job.processed_items) == ("completed", len(EMAILS)), job.error_message
    rows = [row for table in stream_tables(database, job_id, "output") for row in table.to_pylist()]
    assert [row["email"] for row in rows] == EMAILS and {row["status"] for row in rows} == {"valid"}
    assert count(database, "secret") == 0 and key not in (folder / "engine.log").read_text()
    return database


def test_a_paid_batch_is_fetched_after_a_kill(tmp_path: Path) -> None:
    with MailsSoServer() as service:
        service.finish_after = 3600.0

        def all_noted(database: Database) -> bool:
            return count(database, batch_states.name) == 5  # each batch of the job has its paid one in its state

        database = killed_once(tmp_path, GOOD, service, all_noted)
        assert service.calls["batch"] == 5 and not service.charged_twice
        assert service.charges.total() == len(EMAILS)
        database.close()


def test_paid_single_answers_are_kept_one_by_one(tmp_path: Path) -> None:
    """Those that were under way may be paid for twice: the service had no chance to say that it was heard."""
    with MailsSoServer() as service:
        service.delay = 0.05
        database = killed_once(tmp_path, FREE, service, lambda database: count(database, verified_emails.name) >= 20)
        assert service.charges.total() - len(EMAILS) <= 5 * 8, "more than the calls under way were paid for twice"
        assert count(database, verified_emails.name) == len(EMAILS)
        database.close()
