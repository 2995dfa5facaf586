"""Messages of a job for people: counts, pages that stay whole, domains."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, insert

from engine.durable import deliveries, delivery_pages
from engine.durable.contract import JobRef
from engine.durable.database import Database
from engine.durable.delivery_pages import DomainCounts
from engine.durable.delivery_rules import Arming, Call, Opening, Settling
from engine.durable.ledger import State
from engine.durable.sending_tables import deliveries as rows
from engine.durable.vault import Vault
from engine.errors import InvalidInput
from tests.durable.ledger_world import fresh, outcome
from tests.durable.store import running_job

STATES = [State.SENT, State.SENT, State.FAILED, State.IN_DOUBT, State.QUEUED, State.ARMED]


def filled(database: Database, vault: Vault, count: int = 12) -> str:
    """a0@d0.org … in every state, and another job with the same recipients."""
    for _ in range(2):
        job = running_job(database, vault)
        ref = JobRef(job.id, lease=job.lease)
        names = [f"a{number}@d{number % 3}.org" for number in range(count)]
        calls: list[Call] = [Opening(ref, [fresh(name, number) for number, name in enumerate(names)])]
        for number, name in enumerate(names):
            state = STATES[number % len(STATES)]
            if state is not State.QUEUED:
                calls.append(Arming(ref, name, 1))
            if state not in (State.QUEUED, State.ARMED):
                calls.append(Settling(ref, outcome(name, 1, state), armed=True))
        deliveries.write(database, calls)
    return job.id


@pytest.fixture
def job_id(database: Database, vault: Vault) -> str:
    return filled(database, vault)


def test_messages_are_counted_by_state(database: Database, job_id: str) -> None:
    expected = {State.QUEUED: 2, State.ARMED: 2, State.SENT: 4, State.FAILED: 2, State.IN_DOUBT: 2}
    assert delivery_pages.counts(database, job_id) == expected
    assert delivery_pages.counts(database, "no-such-job") == {}


def walked(database: Database, job_id: str, limit: int, **wanted: Any) -> list[str]:
    """All pages, one after the other."""
    found: list[str] = []
    cursor = None
    while True:
        page = delivery_pages.page(database, job_id, limit=limit, cursor=cursor, **wanted)
        assert len(page.deliveries) == limit or page.cursor is None
        found += [one.recipient for one in page.deliveries]
        if (cursor := page.cursor) is None:
            return found


@pytest.mark.parametrize("few", [0, 5_000], ids=["walked", "by state"])
@pytest.mark.parametrize("limit", [1, 3, 12, 100])
def test_pages_are_whole_and_in_order(
    database: Database, job_id: str, few: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_pages, "_FEW", few)
    names = sorted(f"a{number}@d{number % 3}.org" for number in range(12))
    assert walked(database, job_id, limit) == names
    assert walked(database, job_id, limit, state=State.SENT) == ["a0@d0.org", "a1@d1.org", "a6@d0.org", "a7@d1.org"]
    assert walked(database, job_id, limit, state=State.RETRY) == []
    assert walked(database, job_id, limit, q="@D1") == [name for name in names if "@d1" in name]
    assert walked(database, job_id, limit, q="a7", state=State.SENT) == ["a7@d1.org"]
    for literal in ("%", "_", "\\", "'"):
        assert walked(database, job_id, limit, q=literal) == []


def test_a_message_comes_with_all_that_is_known(database: Database, job_id: str) -> None:
    (found,) = delivery_pages.page(database, job_id, q="a0@").deliveries
    assert (found.recipient, found.state, found.attempts, found.sent_at, found.item) == ("a0@d0.org", "sent", 1, 1_000, 0)


@pytest.mark.parametrize("cursor", ["!!!", "_w", "AA", "ÄÖ"])
def test_a_cursor_of_somewhere_else_is_refused(database: Database, job_id: str, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        delivery_pages.page(database, job_id, cursor=cursor)


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_bounds(database: Database, job_id: str, limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        delivery_pages.page(database, job_id, limit=limit)


def test_domains_are_counted_by_state_the_greatest_first(database: Database, job_id: str) -> None:
    more = {"job_id": job_id, "item": 0, "domain": "d2.org", "message_id": "x", "state": "queued", "updated_at": 1}
    database.transact(lambda c: c.execute(insert(rows), [{**more, "recipient": f"z{n}@d2.org"} for n in range(2)]))
    assert delivery_pages.domains(database, job_id) == [
        DomainCounts("d2.org", {State.FAILED: 2, State.ARMED: 2, State.QUEUED: 2}),
        DomainCounts("d0.org", {State.SENT: 2, State.IN_DOUBT: 2}),
        DomainCounts("d1.org", {State.SENT: 2, State.QUEUED: 2}),
    ]
    assert [(one.domain, one.total) for one in delivery_pages.domains(database, job_id, limit=2)] == [
        ("d2.org", 6),
        ("d0.org", 4),
    ]
    assert delivery_pages.domains(database, "no-such-job") == []


def test_nothing_is_scanned_or_sorted(sqlite_database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of messages and of other jobs: each question is a walk along an index."""
    monkeypatch.setattr(delivery_pages, "_FEW", 1)
    job_id = filled(sqlite_database, vault)
    asked: list[tuple[str, Any]] = []
    event.listen(sqlite_database._engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    delivery_pages.counts(sqlite_database, job_id)
    delivery_pages.domains(sqlite_database, job_id)
    for state in (None, *State):
        delivery_pages.page(sqlite_database, job_id, state, cursor="YTE")
    for sql, values in [one for one in asked if one[0].startswith(("SELECT", "WITH"))]:
        with sqlite_database.read() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert not any(step.startswith("SCAN delivery") for step in plan), plan
        if "each_domain" not in sql:
            assert not any("TEMP B-TREE" in step for step in plan), plan
