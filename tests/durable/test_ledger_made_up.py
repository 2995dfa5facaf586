"""Made-up addresses are known to the ledger by every trace that jobs leave of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from engine.durable import deliveries
from engine.durable.contract import JobRef
from engine.durable.database import Database
from engine.durable.ledger import State
from engine.durable.stored_ledger import StoredLedger
from engine.durable.vault import Vault
from engine.durable.verdicts import Fresh, save
from tests.durable.ledger_world import fresh
from tests.durable.store import running_job


async def test_a_lookup_of_made_up_addresses_reads_an_index(sqlite_database: Database) -> None:
    sql = deliveries._MADE_UP.on(True).text
    with sqlite_database.read() as connection:
        plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}"), {"pairs": "{}"})]
    assert any("probe_permit_by_address" in step for step in plan), plan
    assert any("verified_email_by_address (domain=? AND address=?)" in step for step in plan), plan


async def test_an_address_that_was_verified_as_made_up_gets_nothing_even_when_that_job_is_gone(
    database: Database, vault: Vault
) -> None:
    job = running_job(database, vault, count=5)
    known: list[tuple[str, dict[str, Any]]] = [("made@up.test", {"synthetic": True}), ("real@up.test", {"mx": "mx.up.test"})]
    save(database, [Fresh(one, "valid", "domain_accepts_mail", "domain", 70, data, 1, "gone", "dns") for one, data in known])
    ledger = StoredLedger(lambda: database)
    found = await ledger.open(JobRef(job.id, lease=job.lease), [fresh(name) for name in ("made@up.test", "real@up.test")])
    assert {key: entry.state for key, entry in found.items()} == {"made@up.test": State.SUPPRESSED, "real@up.test": State.QUEUED}
