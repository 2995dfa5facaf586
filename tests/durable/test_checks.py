"""The tables refuse what the life of a job does not know, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from engine.durable.database import Database
from engine.durable.states import CHECKS
from engine.durable.vault import Vault
from tests.durable.store import age, complete, new_job, running_job

BITES: dict[str, list[dict[str, Any]]] = {
    "status_known": [{"status": "odd"}],
    "ended_has_completed_at": [{"status": "cancelled"}, {"completed_at": 5}],
    "running_has_started_at": [{"status": "running"}, {"status": "completed", "completed_at": 5}],
    "held_only_while_running": [{"engine_id": "e", "lease_until": 5}],
    "held_has_lease": [
        {"status": "running", "started_at": 1, "engine_id": "e"},
        {"status": "running", "started_at": 1, "lease_until": 5},
    ],
    "parked_only_while_running": [
        {"wake_at": 5},
        {"status": "running", "started_at": 1, "engine_id": "e", "lease_until": 5, "wake_at": 5},
    ],
    "failed_has_message": [{"status": "failed", "completed_at": 5}],
    "counts_add_up": [{"processed_items": 1}, {"success_count": 1}, {"processed_items": 11, "success_count": 11}],
}


def test_every_check_has_its_cases() -> None:
    assert BITES.keys() == CHECKS.keys()


@pytest.mark.parametrize(("name", "values"), [(name, values) for name, cases in BITES.items() for values in cases])
def test_a_check_bites(database: Database, vault: Vault, name: str, values: dict[str, Any]) -> None:
    job_id = new_job(database, vault)
    with pytest.raises(IntegrityError, match=name):
        age(database, job_id, **values)


def test_an_idempotency_key_belongs_to_one_job(database: Database, vault: Vault) -> None:
    new_job(database, vault, idempotency_key="k")
    other = new_job(database, vault)
    with pytest.raises(IntegrityError):
        age(database, other, idempotency_key="k")


def test_a_chunk_spans_forwards_and_belongs_to_a_job(database: Database, vault: Vault) -> None:
    complete(database, vault, count=3)
    for change in ("last = number - 1", "row_count = -1", "job_id = 'nobody'"):
        with pytest.raises(IntegrityError):
            database.transact(lambda c, change=change: c.execute(text(f"UPDATE chunk SET {change}")))  # type: ignore[misc]


def test_a_job_takes_all_its_parts_with_it(database: Database, vault: Vault) -> None:
    job = running_job(database, vault, api_key="s3cr3t")
    database.transact(lambda c: c.execute(text("DELETE FROM job")))
    with database.read() as connection:
        for name in ("event", "secret", "chunk", "batch_state"):
            assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() == 0, f"{name} kept rows of {job.id}"
