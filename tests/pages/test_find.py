"""The form and the result of find-emails."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.durable import queries
from engine.durable.contract import Done
from engine.durable.schema import carry, rows_table
from engine.durable.states import Status
from pages.parts import roster
from pages.parts.topics import PEOPLE
from tests.pages.conftest import Hand, Visit, address, clean, said
from tests.pages.test_listing import errors, fact, input_of

PAGE = "find_emails.py"
TEXT = "Ann,Hill,harbour.com\nBen,Ray,https://www.harbour.com/team\nAnn,Hill,harbour.com\n,,quiet.org\nCay,Mo,\n"
CSV = b"Kontakt;Firma;Seite;Ort\nAnn Hill;Harbour;harbour.com;Bonn\nBen van Ray;Quiet;quiet.org;\n"
KEY = "sk-very-secret-0123456789"


def pasted(app: AppTest, text: str = TEXT) -> AppTest:
    return clean(app.text_area(key="find_text").set_value(text).run())


def way(app: AppTest, name: str) -> AppTest:
    return clean(app.button_group(key="find_way").set_value(name).run())


def uploaded(app: AppTest) -> AppTest:
    return clean(way(app, "upload").file_uploader(key="find_file").set_value(("team.csv", CSV, "text/csv")).run())


def submitted(app: AppTest) -> str:
    clean(app.button(key="run").click().run())
    return address(app, "job_id")


def chosen(app: AppTest) -> dict[str, Any]:
    return {box.label: box.value for box in app.selectbox}


def people(hand: Hand, job_id: str) -> list[tuple[str | None, ...]]:
    rows = input_of(hand, job_id)
    return list(zip(*(rows[name].to_pylist() for name in ("first_name", "last_name", "domain")), strict=True))


def test_a_list_is_asked_for(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    assert errors(app) == []
    submitted(app)
    assert errors(app) == ["There is no list yet; paste one, upload a file, or choose another job."]
    assert queries.stats(hand.database)["total"] == 0


def test_pasted_people_need_no_headings(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE))
    assert chosen(app) == {"First name": "first_name", "Last name": "last_name", "Full name": None, "Domain": "domain"}
    assert fact("different people", "2") in said(app)
    assert fact("repeated", "1") in said(app)
    assert fact("domains", "2") in said(app)
    assert fact("domains without a name", "1") in said(app)
    assert fact("without a domain", "1") in said(app)
    job = hand.job(submitted(app))
    assert people(hand, job.id)[:2] == [("Ann", "Hill", "harbour.com"), ("Ben", "Ray", "harbour.com")]
    assert (job.params["service"], job.params["maxPagesPerDomain"], job.params["maxAgeDays"]) == ("dns", 5, None)


def test_the_columns_of_an_upload_are_mapped(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE))
    assert chosen(app) == {"First name": None, "Last name": None, "Full name": "Kontakt", "Domain": "Seite"}
    assert fact("different people", "2") in said(app)
    clean(app.selectbox[3].set_value("Ort").run())
    assert "No row has a domain in this column." in said(app)
    clean(app.selectbox[3].set_value("Seite").run())
    job = hand.job(submitted(app))
    columns = {name: column for name, column in job.params["columns"].items() if column}
    assert columns == {"fullName": "Kontakt", "domain": "Seite"}
    assert people(hand, job.id) == [("Ann", "Hill", "harbour.com"), ("Ben", "van Ray", "quiet.org")]
    assert input_of(hand, job.id)["Firma"].to_pylist() == ["Harbour", "Quiet"]


def test_a_column_that_the_visitor_clears_is_none(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE))
    clean(app.selectbox[2].set_value(None).run())
    job = hand.job(submitted(app))
    assert people(hand, job.id) == [(None, None, "harbour.com"), (None, None, "quiet.org")]
    assert input_of(hand, job.id)["Kontakt"].to_pylist() == ["Ann Hill", "Ben van Ray"]
    assert PEOPLE.chosen(job.params) == {"first_name": None, "last_name": None, "full_name": None, "domain": "Seite"}


def test_without_a_column_of_domains_one_has_to_be_chosen(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE), "first,last,place\nAnn,Hill,Bonn\n")
    assert "none holds domains" in errors(app)[0]
    submitted(app)
    assert queries.stats(hand.database)["total"] == 0
    assert chosen(app)["First name"] == "first"


def test_domains_go_with_people(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE))
    clean(app.text_area(key="find_domains").set_value("shop.example, https://Acme.example/x\nnope").run())
    assert fact("different domains", "2") in said(app)
    assert fact("not a domain", "1") in said(app)
    rows = people(hand, submitted(app))
    assert rows[-3:] == [(None, None, "shop.example"), (None, None, "acme.example"), (None, None, "nope")]
    assert ("Ann", "Hill", "harbour.com") in rows


def test_domains_alone_are_a_list(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    clean(app.text_area(key="find_domains").set_value("shop.example").run())
    job = hand.job(submitted(app))
    assert people(hand, job.id) == [(None, None, "shop.example")]
    assert errors(app) == []


def test_people_can_be_typed(visit: Visit, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    frames: list[pd.DataFrame] = []
    typed = [("Ann", "Hill", "harbour.com"), (None, float("nan"), None), (" ", "", "quiet.org ")]

    def editor(frame: pd.DataFrame, **_given: Any) -> pd.DataFrame:
        frames.append(frame)
        return pd.DataFrame(typed, columns=list(roster.COLUMNS))

    monkeypatch.setattr(st, "data_editor", editor)
    app = way(visit(PAGE), "type")
    assert len(frames[0]) == roster.EMPTY_ROWS
    assert fact("different people", "1") in said(app)
    app = way(way(app, "paste"), "type")
    assert frames[-1].to_dict("records")[1] == {"first_name": "", "last_name": "", "domain": "quiet.org"}
    job = hand.job(submitted(app))
    assert people(hand, job.id) == [("Ann", "Hill", "harbour.com"), (None, None, "quiet.org")]


def test_an_empty_table_is_no_list(visit: Visit, hand: Hand) -> None:
    app = way(visit(PAGE), "type")
    submitted(app)
    assert "There is no list yet" in errors(app)[0]


def test_another_job_is_a_list_too(visit: Visit, hand: Hand) -> None:
    source = hand.completed(4, providers=["harbour.com"])
    app = visit(PAGE, from_job=source)
    assert chosen(app)["First name"] == "first_name"
    assert chosen(app)["Domain"] == "email"
    assert not [area for area in app.text_area if area.key == "find_domains"]
    job = hand.job(submitted(app))
    assert (job.source_job_id, job.total_items) == (source, 4)
    assert {row[2] for row in people(hand, job.id)} == {"harbour.com"}


def test_service_and_pages_are_parameters(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE))
    clean(app.radio(key="find_service").set_value("mailsso").run())
    clean(app.number_input(key="find_pages").set_value(101).run())
    assert "less than or equal to 100" in errors(app)[0]
    clean(app.number_input(key="find_pages").set_value(9).run())
    clean(app.text_input(key="find_api_key").set_value(KEY).run())
    job = hand.job(submitted(app))
    assert (job.params["service"], job.params["maxPagesPerDomain"]) == ("mailsso", 9)
    assert KEY not in str(job.model_dump())
    assert KEY not in said(app)


def test_edit_offers_the_people_again(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE))
    clean(app.number_input(key="find_pages").set_value(9).run())
    first = hand.job(submitted(app))
    again = visit(PAGE, job_id=first.id)
    clean(again.button(key="edit").click().run())
    assert fact("different people", "2") in said(again)
    assert again.number_input(key="find_pages").value == 9
    second = hand.job(submitted(again))
    assert second.id != first.id
    assert people(hand, second.id) == people(hand, first.id)
    assert input_of(hand, second.id).column_names == input_of(hand, first.id).column_names


def test_edit_offers_the_source_job_with_its_columns(visit: Visit, hand: Hand) -> None:
    source = hand.completed(4, providers=["harbour.com"])
    app = visit(PAGE, from_job=source)
    clean(app.selectbox(key=f"find_first_name_{source}").set_value("gender").run())
    clean(app.selectbox(key=f"find_domain_{source}").set_value("provider").run())
    job_id = submitted(app)
    again = visit(PAGE, job_id=job_id)
    clean(again.button(key="edit").click().run())
    assert chosen(again)["First name"] == "gender"
    assert chosen(again)["Domain"] == "provider"


def delivered(hand: Hand, job_id: str) -> str:
    """A result as the type makes it."""
    job = hand.claim()
    source = next(iter(hand.bench.results.tables(job_id, stream="input")))
    states = ["valid", "risky", "not_found", "not_found", "not_found"][: source.num_rows]
    rows: list[dict[str, Any]] = [
        {"first_name": "Ann", "last_name": "Hill", "domain": "harbour.com", "email": None, "confidence": 90 - 20 * place}
        | {"status": state, "pattern": "first.last", "why": "Built as first.last.", "candidates_tried": "a@b, c@d"}
        for place, state in enumerate(states)
    ]
    counts = {state: states.count(state) for state in states}
    counted = {"status": counts, "pattern": {"first.last": 2, "flast": 1}, "calls": {"dns": 2}}
    table = carry(source, rows_table(rows, hand.bench.types["find-emails"].columns))
    return hand.commit(job, {0: Done(table, 2, 3, counts, counted)}, outcome=Status.COMPLETED, reason="completed")


def test_the_result_shows_how_sure_and_why(visit: Visit, hand: Hand) -> None:
    job_id = delivered(hand, submitted(pasted(visit(PAGE))))
    app = visit(PAGE, job_id=job_id)
    shown = app.dataframe[0]
    front = [
        "first_name",
        "last_name",
        "domain",
        "email",
        "confidence",
        "status",
        "why",
        "pattern",
        "sources",
        "candidates_tried",
    ]
    assert list(shown.proto.column_order) == front
    assert '"type":"progress"' in shown.proto.columns.replace(" ", "")
    assert "Not found" in said(app)
    assert fact("asked DNS", "2") in said(app)
    clean(app.button_group(key="rows_status").set_value("risky").run())
    assert app.dataframe[0].value["confidence"].to_list() == [70]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Vorname", "Name", "Webseite"], {"first_name": ["Vorname"], "last_name": ["Name"], "domain": ["Webseite"]}),
        (["name", "company"], {"full_name": ["name"]}),
        (["name", "x"], {"full_name": ["name"], "domain": ["x"]}),
        (["first", "last", "full name", "domain"], {"first_name": ["first"], "last_name": ["last"], "domain": ["domain"]}),
        ([], {}),
    ],
)
def test_columns_are_told_by_name_and_domains_by_content(names: list[str], told: dict[str, list[str]]) -> None:
    sample = {"x": ["a.com", "b.org"], "Webseite": ["a.de"], "domain": ["wiki.corp"]}
    assert PEOPLE.likely(names, {name: sample.get(name, []) for name in names}) == told


def test_counts_of_people() -> None:
    table = pa.table(
        {
            "first": ["Ann", "ann", None, "", "Cay"],
            "last": ["Hill", "HILL", None, "", "Mo"],
            "at": ["a.com", "A.com", "b.com", None, "x y"],
        }
    )
    counts = PEOPLE.count(table, {"first_name": "first", "last_name": "last", "domain": "at"})
    assert (counts.rows, counts.empty, counts.plausible, counts.distinct) == (5, 1, 3, 2)
    assert counts.more == {"domains": 2, "domains without a name": 1}
