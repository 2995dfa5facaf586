"""Who gets no mail: added once, removed with a reason, searched, paged, and never without a trace."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from engine.durable import control, suppressions
from engine.durable.control import DAY_MS
from engine.durable.database import Database
from engine.durable.suppressions import NewSuppression, Wanted
from engine.durable.vault import Vault
from engine.errors import InvalidInput, NotFound
from tests.durable.store import complete


def new(address: str, reason: str = "asked to", source: str = "manual", shown: str = "", **more: Any) -> NewSuppression:
    return NewSuppression(address, shown or address, reason, source, **more)


def age(database: Database, address: str, at: int) -> None:
    """Say that an entry was made then."""
    values = {"address": address, "at": at}
    query = text("UPDATE suppression SET created_at = :at WHERE address = :address")
    database.transact(lambda c: c.execute(query, values))


@pytest.fixture
def stored(database: Database) -> Database:
    """a1@x.org … a9@x.org, oldest first, every third a bounce; jdoe@gmail.com as it was written."""
    many = [new(f"a{n}@x.org", source="bounce" if n % 3 == 0 else "manual") for n in range(1, 10)]
    suppressions.add(database, [*many, new("jdoe@gmail.com", shown="J.Doe@gmail.com")])
    for n in range(1, 10):
        age(database, f"a{n}@x.org", n * 1_000)
    age(database, "jdoe@gmail.com", 500)
    return database


def found(database: Database, **wanted: Any) -> list[str]:
    page = suppressions.page(database, Wanted(**wanted))
    assert page.total == len(page.entries) and page.cursor is None
    streamed = [row.address for rows in suppressions.stream(database, Wanted(**wanted)) for row in rows]
    assert streamed == [entry.address for entry in page.entries]
    return streamed


def test_adding_twice_keeps_the_first_reason(database: Database) -> None:
    assert suppressions.add(database, [new("ann@x.org", "first"), new("ann@x.org", "same call"), new("bob@x.org")]) == 2
    assert suppressions.add(database, [new("ann@x.org", "second", "api"), new("cay@x.org")]) == 1
    entry = suppressions.get(database, "ann@x.org")
    assert (entry.reason, entry.source) == ("first", "manual")
    assert [change.reason for change in suppressions.history(database, "ann@x.org")] == ["first"]
    assert suppressions.add(database, []) == 0


def test_a_reason_can_be_replaced_and_the_old_one_stays_in_the_history(database: Database, vault: Vault) -> None:
    job_id = complete(database, vault)
    suppressions.add(database, [new("ann@x.org", "first", shown="Ann@x.org")])
    before = suppressions.get(database, "ann@x.org")
    both = [new("ann@x.org", "second", "unsubscribe", job_id=job_id), new("bob@x.org")]
    assert suppressions.add(database, both, replace=True) == 1
    entry = suppressions.get(database, "ann@x.org")
    assert (entry.reason, entry.source, entry.job_id, entry.shown) == ("second", "unsubscribe", job_id, "Ann@x.org")
    assert entry.created_at == before.created_at and entry.updated_at >= before.updated_at
    newest, oldest = suppressions.history(database, "ann@x.org")
    assert (newest.action, newest.reason, newest.job_type) == ("added", "second", "count")
    assert (oldest.reason, oldest.job_id, oldest.job_type) == ("first", None, None)
    control.remove(database, job_id)
    assert suppressions.history(database, "ann@x.org")[0].job_type is None
    assert suppressions.get(database, "ann@x.org").job_id == job_id, "it outlives the job"


def test_removing_says_why_and_leaves_a_trace(database: Database) -> None:
    suppressions.add(database, [new("ann@x.org", "bounced", "bounce"), new("bob@x.org")])
    assert suppressions.remove(database, ["ann@x.org", "ann@x.org", "nobody@x.org"], "has a new mailbox", "manual") == 1
    with pytest.raises(NotFound, match="not suppressed"):
        suppressions.get(database, "ann@x.org")
    removed, added = suppressions.history(database, "ann@x.org")
    assert (removed.action, removed.reason, removed.source) == ("removed", "has a new mailbox", "manual")
    assert (added.action, added.reason, added.source) == ("added", "bounced", "bounce")
    assert suppressions.history(database, "nobody@x.org") == [] and found(database) == ["bob@x.org"]
    assert suppressions.remove(database, [], "no reason", "manual") == 0


def test_many_are_written_in_parts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppressions, "BATCH", 7)
    many = [new(f"u{n}@x.org", "r" * 9_999) for n in range(50)]
    assert suppressions.add(database, many) == 50 and suppressions.add(database, many, replace=True) == 0
    assert {len(entry.reason) for entry in suppressions.find(database, [one.address for one in many]).values()} == {500}
    assert suppressions.remove(database, [one.address for one in many], "all", "manual") == 50


def test_finding_asks_for_any_number_of_keys_at_once(stored: Database) -> None:
    keys = [f"a{n}@x.org" for n in range(40_000)]
    assert sorted(suppressions.find(stored, keys)) == [f"a{n}@x.org" for n in range(1, 10)]
    assert suppressions.find(stored, []) == {} and suppressions.find(stored, ["A1@x.org"]) == {}


def test_search_and_filter(stored: Database) -> None:
    assert found(stored, q="A9") == ["a9@x.org"] and found(stored, q="@X.org", source="bounce") == [
        "a9@x.org",
        "a6@x.org",
        "a3@x.org",
    ]
    assert found(stored, q="j.doe") == found(stored, q="jdoe") == ["jdoe@gmail.com"]
    for literal in ("%", "a_", "\\", "/", "''"):
        assert found(stored, q=literal) == []
    assert suppressions.counts(stored) == {"bounce": 3, "manual": 7}
    assert suppressions.counts(stored, "gmail") == {"manual": 1} and suppressions.counts(stored, "nobody") == {}


def test_growth_counts_the_last_days(database: Database) -> None:
    suppressions.add(database, [new("a@x.org"), new("b@x.org"), new("c@x.org", source="bounce"), new("d@x.org")])
    now = suppressions.get(database, "a@x.org").created_at
    age(database, "b@x.org", now - 2 * DAY_MS)
    age(database, "d@x.org", now - 40 * DAY_MS)
    assert suppressions.growth(database, 3) == {"manual": [1, 0, 1], "bounce": [0, 0, 1]}


def test_pages_go_on_where_they_stopped_whatever_is_added_meanwhile(stored: Database) -> None:
    first = suppressions.page(stored, limit=4)
    assert [entry.address for entry in first.entries] == [f"a{n}@x.org" for n in (9, 8, 7, 6)] and first.total == 10
    suppressions.add(stored, [new("new@x.org")])
    seen, cursor = [], first.cursor
    while cursor:
        page = suppressions.page(stored, limit=4, cursor=cursor)
        seen += [entry.address for entry in page.entries]
        cursor = page.cursor
        assert page.total == 11
    assert seen == ["a5@x.org", "a4@x.org", "a3@x.org", "a2@x.org", "a1@x.org", "jdoe@gmail.com"]


def test_a_stream_gives_each_once_whatever_is_added_meanwhile(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppressions, "STREAM_ROWS", 3)
    suppressions.add(database, [new(f"u{n}@x.org") for n in range(8)])
    for n in range(8):
        age(database, f"u{n}@x.org", 7_000)  # all at the same moment
    seen: list[str] = []
    for rows in suppressions.stream(database, Wanted()):
        seen += [row.address for row in rows]
        suppressions.add(database, [new(f"late{len(seen)}@x.org")])
    assert seen == [f"u{n}@x.org" for n in range(7, -1, -1)]


@pytest.mark.parametrize("cursor", ["x", "MTIz", "ÄÖ", "!!!!", "a" * 9_999])
def test_a_cursor_of_somewhere_else_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        suppressions.page(database, cursor=cursor)


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_bounds(database: Database, limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        suppressions.page(database, limit=limit)


def test_two_who_add_the_same_at_once_count_it_once(database: Database) -> None:
    many = [new(f"u{n}@x.org") for n in range(300)]
    counted: list[int] = []
    start = threading.Barrier(4)

    def run(items: list[NewSuppression]) -> None:
        start.wait()
        counted.append(suppressions.add(database, items))

    threads = [threading.Thread(target=run, args=(many[::step],)) for step in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 300 and len(counted) == 4
    assert len(suppressions.history(database, "u7@x.org")) == 1
