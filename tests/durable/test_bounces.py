"""Bounces: each counted once, hard ones of our messages suppressed, whoever one was sent to found by its Message-ID."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select

from engine.durable import bounces, suppressions
from engine.durable.bounces import BounceIn
from engine.durable.database import Database
from engine.durable.sending_tables import deliveries
from engine.durable.vault import Vault
from engine.errors import NotFound
from tests.durable.store import complete

GONE = "550 5.1.1 <ann@x.org>: user unknown"


def report(digest: str, address: str = "ann@x.org", kind: str = "hard", at: int = 1_000, **more: Any) -> BounceIn:
    return BounceIn(digest, address, at, kind, **{"status": "5.1.1", "diagnostic": GONE, **more})


@pytest.fixture
def job_id(database: Database, vault: Vault) -> str:
    """A job that sent a message to ann@x.org."""
    found = complete(database, vault)
    sent(database, found)
    return found


def sent(database: Database, job_id: str, recipient: str = "ann@x.org", message_id: str = "<m1@us.org>", at: int = 1) -> None:
    row = {"job_id": job_id, "recipient": recipient, "item": 0, "domain": "x.org", "state": "sent", "attempts": 1}
    more = {"message_id": message_id, "hard": False, "sent_at": at, "updated_at": at}
    database.transact(lambda c: c.execute(insert(deliveries).values(**row, **more)))


def delivery(database: Database, job_id: str) -> Any:
    with database.read() as connection:
        return connection.execute(select(deliveries).where(deliveries.c.job_id == job_id)).one()


def test_a_hard_bounce_suppresses_and_is_told_of_the_delivery(database: Database, job_id: str) -> None:
    assert bounces.record(database, [report("d1", message_id="<m1@us.org>")]) == 1
    entry = suppressions.get(database, "ann@x.org")
    assert (entry.source, entry.reason, entry.job_id) == ("bounce", f"hard bounce: {GONE}", job_id)
    row = delivery(database, job_id)
    assert (row.state, row.hard, row.error) == ("sent", True, f"bounced: {GONE}")
    found = bounces.of(database, "ann@x.org")
    assert [(one.kind, one.status, one.job_id, one.message_id) for one in found] == [("hard", "5.1.1", job_id, "<m1@us.org>")]


@pytest.mark.parametrize("spelled", ["<m1@us.org>", "m1@us.org", " <m1@us.org> "])
def test_whom_it_was_sent_to_counts_not_where_that_was_forwarded(database: Database, job_id: str, spelled: str) -> None:
    bounces.record(
        database, [report("d1", "elsewhere@y.org", message_id=spelled), report("d2", "m@y.org", message_id="m1@us.org")]
    )
    assert suppressions.get(database, "ann@x.org").job_id == job_id
    assert sorted(suppressions.find(database, ["ann@x.org", "elsewhere@y.org", "m@y.org"])) == ["ann@x.org"]


def test_a_report_on_no_message_of_ours_is_kept_and_suppresses_nobody(database: Database, job_id: str) -> None:
    """Not even whom we wrote to: anybody can write such a report."""
    both = [report("d1", message_id="<other@us.org>"), report("d2", "bob@x.org")]
    assert bounces.record(database, both) == 2 and bounces.ours(database, both) == []
    assert suppressions.page(database).total == 0 and not delivery(database, job_id).hard
    assert [(one.kind, one.job_id) for one in bounces.of(database, "ann@x.org")] == [("hard", None)]


def test_a_report_that_is_signed_counts_when_its_job_is_gone(database: Database, job_id: str) -> None:
    gone = [report("d1", "bob@x.org", job_id="gone", status="", diagnostic="", message_id="<other@us.org>")]
    gone += [report("d2", "cay@x.org", job_id="gone", diagnostic="no such user")]
    gone += [report("d3", "dan@x.org", job_id="gone", diagnostic="")]
    assert bounces.record(database, gone) == 3 and bounces.ours(database, gone) == gone
    found = suppressions.find(database, ["bob@x.org", "cay@x.org", "dan@x.org"])
    assert {entry.job_id for entry in found.values()} == {"gone"}
    reasons = ["no reason given", "5.1.1 no such user", "5.1.1"]
    assert [found[key].reason for key in sorted(found)] == [f"hard bounce: {reason}" for reason in reasons]
    known = report("d4", "eve@x.org", job_id="gone", message_id="<m1@us.org>")
    assert [(one.address, one.job_id) for one in bounces.ours(database, [known])] == [("ann@x.org", job_id)], "the ledger knows"


def test_the_same_report_read_again_changes_nothing(database: Database, job_id: str) -> None:
    both = [*2 * [report("d1", message_id="<m1@us.org>")], report("d2", "bob@x.org", job_id=job_id)]
    assert bounces.record(database, both) == 2
    assert suppressions.remove(database, ["bob@x.org"], "a mistake", "manual") == 1
    assert bounces.record(database, [*both, report("d3", "cay@x.org", job_id=job_id)]) == 1
    assert sorted(suppressions.find(database, ["ann@x.org", "bob@x.org", "cay@x.org"])) == ["ann@x.org", "cay@x.org"]
    assert bounces.record(database, []) == 0


def test_soft_bounces_are_only_counted(database: Database, job_id: str) -> None:
    soft = [report(f"s{n}", kind="soft", at=n * 1_000, status="4.2.2", message_id="<m1@us.org>") for n in range(1, 4)]
    assert bounces.record(database, soft) == 3
    with pytest.raises(NotFound):
        suppressions.get(database, "ann@x.org")
    assert bounces.soft_count(database, "ann@x.org") == 3 and bounces.soft_count(database, "ann@x.org", since=2_000) == 2
    assert bounces.soft_count(database, "bob@x.org") == 0
    assert [one.at for one in bounces.of(database, "ann@x.org", limit=2)] == [3_000, 2_000]
    assert (delivery(database, job_id).hard, delivery(database, job_id).error) == (False, None)


def test_a_reason_that_was_there_stays(database: Database) -> None:
    suppressions.add(database, [suppressions.NewSuppression("ann@x.org", "Ann@x.org", "asked to", "unsubscribe")])
    bounces.record(database, [report("d1", job_id="some")])
    assert suppressions.get(database, "ann@x.org").source == "unsubscribe"


def test_a_message_sent_again_under_its_message_id_is_the_last_one(database: Database, vault: Vault, job_id: str) -> None:
    again = complete(database, vault)
    sent(database, again, at=2)
    bounces.record(database, [report("d1", message_id="<m1@us.org>")])
    assert delivery(database, again).hard and not delivery(database, job_id).hard


def test_many_reports_are_kept_in_parts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounces, "BATCH", 3)
    assert (
        bounces.record(database, [report(f"d{n}", f"u{n}@x.org", job_id="some", diagnostic="x" * 9_999) for n in range(10)]) == 10
    )
    assert suppressions.page(database).total == 10 and len(bounces.of(database, "u1@x.org")[0].diagnostic) == 1_000
