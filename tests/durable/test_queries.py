"""Reading jobs: filters, pages that stay in place while jobs arrive, counts."""

from __future__ import annotations

import base64
import json

import pytest
from sqlalchemy import delete, insert

from engine.durable import control
from engine.durable.database import Database
from engine.durable.queries import Filter, get, listed, revisions, stats, why_parked
from engine.durable.states import Status
from engine.durable.tables import batch_states
from engine.durable.vault import Vault
from engine.errors import InvalidInput, NotFound
from tests.durable.store import age, complete, new_job
from tests.toys import LOOK


def ids(database: Database, **wanted: str) -> set[str]:
    return {job.id for job in listed(database, Filter(**wanted)).jobs}


def test_filters_hold_together(database: Database, vault: Vault) -> None:
    done = complete(database, vault, user_id="ann")
    waiting = new_job(database, vault, user_id="ann")
    other = new_job(database, vault, LOOK, emails=["x"], user_id="bob")
    assert ids(database) == {done, waiting, other}
    assert ids(database, user_id="ann") == {done, waiting}
    assert ids(database, status="completed") == {done}
    assert ids(database, type="look") == {other}
    assert ids(database, type="look", user_id="ann") == set()
    with pytest.raises(InvalidInput, match="status"):
        ids(database, status="odd")


def test_the_parked_batch_that_is_due_first_says_why_it_waits(database: Database, vault: Vault) -> None:
    job = new_job(database, vault)
    assert why_parked(database, job) == ""
    rows = [(1, None, {"why": "a cursor"}), (2, 200, {"why": "Later."}), (3, 100, {"why": "Sooner.", "tries": 2}), (4, 300, [1])]
    kept = [{"job_id": job, "number": number, "due_at": due, "state": state} for number, due, state in rows]
    database.transact(lambda connection: connection.execute(insert(batch_states), kept))
    assert why_parked(database, job) == "Sooner."
    database.transact(lambda connection: connection.execute(delete(batch_states).where(batch_states.c.number.in_((2, 3)))))
    assert why_parked(database, job) == "", "states are the job type's own; this one says nothing"


def test_search_takes_text_as_it_is(database: Database, vault: Vault) -> None:
    percent = new_job(database, vault, note="100% of gmail_com")
    plain = new_job(database, vault, note="gmailxcom")
    accent = new_job(database, vault, note="Büro \\ back")
    assert ids(database, q="gmail_com") == {percent}
    assert ids(database, q="0% o") == {percent}
    assert ids(database, q="GMAIL") == {percent, plain}
    assert ids(database, q="Büro") == {accent}
    assert ids(database, q="%") == {percent}
    assert ids(database, q=plain[:8]) == {plain}
    assert ids(database, q="count") == {percent, plain, accent}
    assert ids(database, q="' OR 1=1 --") == set()


def test_pages_hold_their_place_while_jobs_arrive(database: Database, vault: Vault) -> None:
    old = [new_job(database, vault) for _ in range(7)]
    for position, job_id in enumerate(old):
        age(database, job_id, created_at=1000 + position // 2)  # moments shared by two: the id decides
    order = [job.id for job in listed(database).jobs]
    seen: list[str] = []
    cursor = None
    while True:
        page = listed(database, limit=2, cursor=cursor)
        seen.extend(job.id for job in page.jobs if job.id in old)
        new_job(database, vault)
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == order and len(set(seen)) == 7


def test_a_last_page_that_is_full_has_no_next(database: Database, vault: Vault) -> None:
    for _ in range(4):
        new_job(database, vault)
    first = listed(database, limit=2)
    assert first.cursor
    assert listed(database, limit=2, cursor=first.cursor).cursor is None


def spelled(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


RUBBISH = [
    "rubbish",
    "é",
    "====",
    spelled([1]),
    spelled({"a": 1, "b": 2}),
    spelled(["x", "y"]),
    spelled([10**30, "a" * 26]),
    spelled([-(10**30), "a" * 26]),
    spelled([float("inf"), "a" * 26]),
    spelled([1, "a\0"]),
    spelled([1, ["a"]]),
    base64.urlsafe_b64encode(b"[" * 50_000).decode(),
]


@pytest.mark.parametrize("cursor", RUBBISH, ids=range(len(RUBBISH)))
def test_a_cursor_that_is_rubbish_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        listed(database, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_limit_is_limited(database: Database, limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        listed(database, limit=limit)


def test_stats_count_by_status_under_a_filter(database: Database, vault: Vault) -> None:
    assert stats(database) == {"total": 0, **{status.value: 0 for status in Status}}
    complete(database, vault, user_id="ann")
    new_job(database, vault, user_id="ann")
    new_job(database, vault)
    assert stats(database)["total"] == 3 and stats(database)["pending"] == 2
    mine = stats(database, Filter(user_id="ann", status="completed"))
    assert (mine["total"], mine["pending"], mine["completed"]) == (2, 1, 1)


def test_a_job_that_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound):
        get(database, "nobody")


def test_revisions_grow_and_end_with_the_job(database: Database, vault: Vault) -> None:
    job_id = new_job(database, vault)
    first = revisions(database, [job_id, "nobody"])
    control.cancel(database, job_id)
    second = revisions(database, [job_id])
    assert list(first) == [job_id] and second[job_id] > first[job_id]
    control.remove(database, job_id)
    assert revisions(database, [job_id]) == {}
