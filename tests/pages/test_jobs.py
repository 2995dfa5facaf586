"""The list of jobs: filters in the address, pages, bulk actions, cleanup."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from engine.durable import control, queries
from engine.durable.submit import Request, submit
from engine.durable.tables import jobs
from tests.pages.conftest import Hand, Visit, address, clean, said


def statuses(app: AppTest) -> list[str]:
    return [cell[0] for cell in app.dataframe[0].value["status"]]


def test_empty_leads_to_the_first_job(visit: Visit) -> None:
    app = visit("jobs.py")
    assert "No jobs yet" in said(app)
    assert [link.proto.label for link in app.get("page_link")] == ["Generate e-mails"]


def test_a_job_is_told_by_what_it_is_about(hand: Hand, visit: Visit) -> None:
    source = hand.completed()
    types = hand.bench.types
    submit(hand.database, hand.bench.vault, Request(types["verify-emails"], {"service": "smtp"}, from_job=source))
    sites = pa.table({"domain": ["a.com", "b.com"]})
    submit(hand.database, hand.bench.vault, Request(types["scrape-emails"], {"maxPagesPerDomain": 5}, rows=sites))
    told = visit("jobs.py").dataframe[0].value["parameters"]
    assert list(told[:2]) == ["2 rows · pages per domain 5", f"smtp · rows of {source[:8]}"]


def test_filters_come_from_the_address(hand: Hand, visit: Visit) -> None:
    hand.completed()
    control.cancel(hand.database, hand.submit())
    assert statuses(visit("jobs.py")) == ["cancelled", "completed"]
    assert statuses(visit("jobs.py", status="completed")) == ["completed"]
    assert "No job fits" in said(visit("jobs.py", q="no such text"))


def test_a_changed_filter_goes_into_the_address(hand: Hand, visit: Visit) -> None:
    hand.submit()
    app = visit("jobs.py")
    clean(app.button_group(key="status").set_value("failed").run())
    assert address(app, "status") == "failed"
    clean(app.button(key="clear").click().run())
    assert statuses(app) == ["pending"]


def test_pages_older_and_newer(hand: Hand, visit: Visit) -> None:
    ids = [hand.submit(1) for _ in range(30)]
    assert len(set(ids)) == 30
    app = visit("jobs.py")
    assert "1 to 25 of 30 jobs" in said(app)
    clean(app.button(key="older").click().run())
    assert "26 to 30 of 30 jobs" in said(app)
    clean(app.button(key="newer").click().run())
    assert "1 to 25 of 30 jobs" in said(app)


def test_a_broken_cursor_begins_at_the_newest(hand: Hand, visit: Visit) -> None:
    hand.submit()
    assert statuses(visit("jobs.py", **{"from": "broken"})) == ["pending"]


def test_cancel_all_that_match(hand: Hand, visit: Visit) -> None:
    for _ in range(30):
        hand.submit(1)
    app = visit("jobs.py")
    clean(app.toggle(key="bulk_all").set_value(True).run())
    clean(app.button(key="bulk_cancel").click().run())
    clean(app.button(key="bulk_cancel_yes").click().run())
    assert queries.stats(hand.database)["cancelled"] == 30
    assert "30 jobs cancelled" in app.toast[0].value


def test_delete_all_that_match_leaves_the_others(hand: Hand, visit: Visit) -> None:
    hand.completed()
    control.cancel(hand.database, hand.submit())
    hand.submit()
    app = visit("jobs.py", status="cancelled")
    clean(app.toggle(key="bulk_all").set_value(True).run())
    clean(app.button(key="bulk_delete").click().run())
    clean(app.button(key="bulk_delete_yes").click().run())
    found = queries.stats(hand.database)
    assert (found["total"], found["cancelled"]) == (2, 0)


def test_act_on_selected_rows(hand: Hand, visit: Visit) -> None:
    first, second = hand.submit(), hand.submit()
    app = visit("jobs.py")
    app.session_state["jobs_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    clean(app.run())
    assert "1 job selected" in said(app)
    clean(app.button(key="bulk_cancel").click().run())
    clean(app.button(key="bulk_cancel_yes").click().run())
    assert [hand.job(job_id).status for job_id in (first, second)] == ["pending", "cancelled"]


def test_cleanup_counts_before_it_deletes(hand: Hand, visit: Visit) -> None:
    old, new = hand.completed(), hand.completed()
    hand.database.transact(lambda c: c.execute(update(jobs).where(jobs.c.id == old).values(completed_at=1_000)))
    app = visit("jobs.py")
    assert app.button(key="cleanup_go").label == "Delete 1 job"
    clean(app.button(key="cleanup_go").click().run())
    assert [job.id for job in queries.listed(hand.database).jobs] == [new]
