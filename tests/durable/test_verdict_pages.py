"""Known addresses for people: search, pages that stay whole, history, export, and forgetting."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text

from engine.durable import control, verdict_pages, verdicts
from engine.durable.database import Database
from engine.durable.tables import verifications
from engine.durable.vault import Vault
from engine.durable.verdict_pages import Wanted
from engine.errors import InvalidInput, NotFound
from tests.durable.store import complete
from tests.durable.test_verdicts import fresh, known, lines


@pytest.fixture
def stored(database: Database) -> Database:
    """a1@x.org … a9@x.org, oldest first, every third risky; b_1@mail.x.org, c@y.org."""
    many = [fresh(f"a{n}@x.org", "risky" if n % 3 == 0 else "valid", n * 1_000) for n in range(1, 10)]
    more = [fresh("b_1@mail.x.org", "invalid", 500, level="domain"), fresh("c@y.org", "unknown", 400, reason="timeout")]
    verdicts.save(database, [*many, *more])
    return database


def found(database: Database, **wanted: Any) -> list[str]:
    page = verdict_pages.page(database, Wanted(**wanted))
    assert page.total == len(page.emails) and page.cursor is None
    streamed = [row.address for rows in verdict_pages.stream(database, Wanted(**wanted)) for row in rows]
    assert sorted(streamed) == sorted(email.address for email in page.emails)
    return [email.address for email in page.emails]


@pytest.mark.parametrize("few", [0, 5_000], ids=["walked", "by domain"])
def test_search_finds_parts_in_any_case(stored: Database, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict_pages, "_FEW", few)
    assert found(stored, q="A9") == ["a9@x.org"]
    assert found(stored, q="@X.org") == [f"a{n}@x.org" for n in range(9, 0, -1)]
    assert found(stored, q="@x") == found(stored, q="@x.org")
    assert found(stored, q="9@x.") == ["a9@x.org"] and found(stored, q="c@") == ["c@y.org"]
    assert found(stored, q="x.org", level="domain") == ["b_1@mail.x.org"] and found(stored, q="@mail.y") == []
    for literal in ("%", "a_", "_@", "\\", "/", "''"):
        assert found(stored, q=literal) == []
    assert found(stored, q="b_1") == ["b_1@mail.x.org"]


def test_filters_hold_together(stored: Database) -> None:
    assert found(stored, status="risky") == ["a9@x.org", "a6@x.org", "a3@x.org"]
    assert found(stored, status="risky", q="6") == ["a6@x.org"]
    assert found(stored, reason="timeout") == ["c@y.org"] and found(stored, reason="timeout", status="valid") == []
    assert len(found(stored, older_than_days=0)) == 11 and found(stored, older_than_days=30_000) == []


def test_pages_go_on_where_they_stopped_whatever_is_verified_meanwhile(stored: Database) -> None:
    first = verdict_pages.page(stored, limit=4)
    assert [email.address for email in first.emails] == ["a9@x.org", "a8@x.org", "a7@x.org", "a6@x.org"] and first.total == 11
    verdicts.save(stored, [fresh("new@x.org", at=99_000)])
    seen, cursor = [], first.cursor
    while cursor:
        page = verdict_pages.page(stored, limit=4, cursor=cursor)
        seen += [email.address for email in page.emails]
        cursor = page.cursor
        assert page.total == 12
    assert seen == ["a5@x.org", "a4@x.org", "a3@x.org", "a2@x.org", "a1@x.org", "b_1@mail.x.org", "c@y.org"]


def test_addresses_of_the_same_moment_are_each_on_one_page(database: Database) -> None:
    verdicts.save(database, [fresh(f"u{n}@x.org") for n in range(7)])
    seen: list[str] = []
    cursor = None
    while not seen or cursor:
        page = verdict_pages.page(database, limit=2, cursor=cursor)
        seen += [email.address for email in page.emails]
        cursor = page.cursor
    assert seen == [f"u{n}@x.org" for n in range(6, -1, -1)]


@pytest.mark.parametrize("cursor", ["x", "MTIz", "ÄÖ", "!!!!", "a" * 9_999])
def test_a_cursor_of_somewhere_else_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        verdict_pages.page(database, cursor=cursor)


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_bounds(database: Database, limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        verdict_pages.page(database, limit=limit)


def test_history_names_the_job_while_it_exists(database: Database, vault: Vault) -> None:
    job_id = complete(database, vault)
    verdicts.save(database, [fresh(job_id=job_id)])
    verdicts.save(database, [fresh(job_id=None, at=2_000, service="dns")])
    newest, oldest = verdict_pages.history(database, "ann@x.org")
    assert (newest.job_id, newest.job_type, newest.service, newest.at) == (None, None, "dns", 2_000)
    assert (oldest.job_id, oldest.job_type, oldest.service) == (job_id, "count", "smtp")
    control.remove(database, job_id)
    assert verdict_pages.history(database, "ann@x.org")[1].job_type is None
    assert verdict_pages.history(database, "bob@x.org") == []


def test_forgetting_takes_the_history_along(stored: Database) -> None:
    verdict_pages.remove(stored, "a1@x.org")
    for act in (verdict_pages.remove, verdict_pages.get):
        with pytest.raises(NotFound, match="never verified"):
            act(stored, "a1@x.org")
    with stored.read() as connection:
        assert connection.execute(select(func.count()).select_from(verifications)).scalar() == 10
    verdicts.save(stored, [fresh("a1@x.org")])
    assert known(stored, "a1@x.org").count == 1 and lines(stored, "a1@x.org") == ["valid"]


def test_forgetting_all_that_fit(stored: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict_pages, "_BATCH", 2)
    assert verdict_pages.remove_where(stored, Wanted(status="valid")) == 6
    assert found(stored) == ["a9@x.org", "a6@x.org", "a3@x.org", "b_1@mail.x.org", "c@y.org"]
    assert verdict_pages.remove_where(stored, Wanted(q="@x.org")) == 3
    assert verdict_pages.remove_where(stored, Wanted(older_than_days=0)) == 2
    assert verdict_pages.remove_where(stored, Wanted(older_than_days=0)) == 0


def test_an_address_verified_while_others_are_forgotten_stays(stored: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = verdict_pages._take_away

    def verified_first(connection: Any, wanted: Wanted, ids: Any) -> int:
        connection.execute(text("UPDATE verified_email SET status = 'valid' WHERE address = 'c@y.org'"))
        return honest(connection, wanted, ids)

    monkeypatch.setattr(verdict_pages, "_take_away", verified_first)
    assert verdict_pages.remove_where(stored, Wanted(status="unknown")) == 0
    assert known(stored, "c@y.org").status == "valid"


def test_a_stream_misses_nothing_that_is_verified_again_meanwhile(stored: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict_pages, "STREAM_ROWS", 3)
    seen: list[str] = []
    for number, rows in enumerate(verdict_pages.stream(stored, Wanted())):
        assert len(rows) <= 3
        seen += [row.address for row in rows]
        verdicts.save(stored, [fresh(f"a{n}@x.org", at=10**6 + number) for n in range(1, 10)] + [fresh(f"new{number}@x.org")])
    assert len(seen) == len(set(seen)) == 11


def test_only_a_filter_without_any_condition_is_empty() -> None:
    assert Wanted().empty and Wanted(q="", status=None).empty
    assert not Wanted(older_than_days=0).empty and not Wanted(level="domain").empty
