"""The input list of a form: pasted, uploaded, or another job; what it says of it, and what a submit makes of it."""

from __future__ import annotations

import re
from typing import BinaryIO

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from engine import uploads
from engine.durable import queries
from engine.durable.chunks import stream_tables
from engine.uploads import Expects, Upload
from pages.parts import figures, glance
from tests.pages.conftest import Hand, Visit, address, clean, said

PAGE = "verify_emails.py"
CSV = b"id,name,mail,city\n1,Ann,ann@example.com,Bonn\n2,Ben,BEN@example.org,\n3,Cay,,Rome\n4,Ann again,ANN@example.com,Bonn\n"


def errors(app: AppTest) -> list[str]:
    return re.findall(r'class="pb-wrong" role="alert">([^<]*)<', said(app))


def uploaded(app: AppTest, name: str, data: bytes) -> AppTest:
    clean(app.button_group(key="verify_way").set_value("upload").run())
    return clean(app.file_uploader(key="verify_file").set_value((name, data, "application/octet-stream")).run())


def input_of(hand: Hand, job_id: str) -> pa.Table:
    return pa.concat_tables(stream_tables(hand.database, job_id, "input"))


def fact(name: str, value: str) -> str:
    return f"<em>{name}</em>{value}<"


def test_an_empty_form_is_quiet_until_it_is_submitted(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    assert errors(app) == []
    clean(app.button(key="run").click().run())
    assert errors(app) == ["There is no list yet; paste one, upload a file, or choose another job."]
    assert queries.stats(hand.database)["total"] == 0


def test_pasted_addresses_become_a_job(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    clean(app.text_area(key="verify_text").set_value("ann@example.com\nben@example.org\nann@example.com\n").run())
    assert fact("rows", "3") in said(app)
    assert fact("different addresses", "2") in said(app)
    clean(app.button(key="run").click().run())
    job = hand.job(address(app, "job_id"))
    assert (job.total_items, job.params["service"]) == (3, "dns")
    assert input_of(hand, job.id).column(0).to_pylist() == ["ann@example.com", "ben@example.org", "ann@example.com"]


def test_an_upload_shows_what_was_read_and_keeps_its_columns(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE), "contacts.csv", CSV)
    assert app.selectbox[0].value == "mail"
    assert "4 columns" in said(app)
    assert fact("different addresses", "2") in said(app)
    assert fact("repeated", "1") in said(app)
    assert fact("empty cells", "1") in said(app)
    assert "Ann again" in said(app)
    clean(app.button(key="run").click().run())
    job = hand.job(address(app, "job_id"))
    assert job.params["column"] == "mail"
    assert input_of(hand, job.id).column_names == ["id", "name", "mail", "city"]


def test_any_column_can_be_chosen(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE), "contacts.csv", CSV)
    assert set(app.selectbox[0].options) == {"id", "name", "mail", "city"}
    clean(app.selectbox[0].set_value("name").run())
    assert "Nothing in this column looks like an address." in said(app)
    clean(app.button(key="run").click().run())
    assert hand.job(address(app, "job_id")).params["column"] == "name"


def test_a_rejected_upload_says_so_at_the_widget_and_loses_nothing(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    clean(app.radio(key="verify_service").set_value("smtp").run())
    uploaded(app, "rubbish.bin", bytes(range(256)) * 20)
    assert len(errors(app)) == 1
    clean(app.button(key="run").click().run())
    assert "Nothing was submitted" in app.toast[0].value
    assert queries.stats(hand.database)["total"] == 0
    assert app.radio(key="verify_service").value == "smtp"
    clean(app.file_uploader(key="verify_file").set_value(("good.csv", CSV, "text/csv")).run())
    assert errors(app) == []
    assert fact("rows", "4") in said(app)


def test_without_a_column_of_addresses_one_has_to_be_chosen(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE), "people.csv", b"id,name\n1,Ann\n2,Ben\n")
    assert "Found the columns id, name with 2 rows, but none holds e-mail addresses" in errors(app)[0]
    clean(app.button(key="run").click().run())
    assert queries.stats(hand.database)["total"] == 0
    clean(app.selectbox[0].set_value("name").run())
    assert errors(app) == []
    clean(app.button(key="run").click().run())
    assert hand.job(address(app, "job_id")).params["column"] == "name"


def test_a_file_is_read_once(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = uploads.read_file

    def counted(name: str, data: BinaryIO, expects: Expects) -> Upload:
        calls.append(name)
        return real(name, data, expects=expects)

    monkeypatch.setattr(uploads, "read_file", counted)
    app = uploaded(visit(PAGE), "contacts.csv", CSV)
    clean(app.radio(key="verify_service").set_value("smtp").run())
    clean(app.run())
    assert calls == ["contacts.csv"]


def test_an_upload_outlives_a_change_of_page_until_it_is_removed(visit: Visit) -> None:
    app = uploaded(visit(PAGE), "contacts.csv", CSV)
    clean(app.switch_page("jobs.py").run())
    clean(app.switch_page(PAGE).run())
    assert fact("rows", "4") in said(app)
    assert fact("in use", "contacts.csv") in said(app)
    clean(app.button(key="verify_remove").click().run())
    assert fact("rows", "4") not in said(app)


def test_another_job_is_chosen_by_the_address(visit: Visit, hand: Hand) -> None:
    source = hand.completed(30)
    app = visit(PAGE, from_job=source)
    assert fact("rows", "30") in said(app)
    assert app.selectbox(key="verify_job").value == source
    clean(app.text_input(key="verify_where").set_value("gender:female").run())
    clean(app.button(key="run").click().run())
    job = hand.job(address(app, "job_id"))
    assert (job.source_job_id, job.source_where, job.params["column"]) == (source, "gender:female", "email")
    assert 0 < job.total_items < 30


def test_what_the_visitor_chooses_after_the_address_stays(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE, from_job=hand.completed(5))
    clean(app.button_group(key="verify_way").set_value("paste").run())
    assert app.text_area(key="verify_text").value == ""


def test_a_job_is_called_the_same_as_time_passes(visit: Visit, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser gives the choice back by the label it was shown: another one by then would be no job."""
    app = visit(PAGE, from_job=hand.completed(5))
    shown = app.selectbox(key="verify_job").options
    later = figures.now(hand.database) + 3_600_000
    monkeypatch.setattr(figures, "now", lambda database: later)
    assert clean(app.run()).selectbox(key="verify_job").options == shown


@pytest.mark.parametrize("given", ["{id}", "http://localhost:8501/generate-emails?job_id={id}", "  {id} "])
def test_an_id_or_a_link_can_be_pasted(visit: Visit, hand: Hand, given: str) -> None:
    source = hand.completed(5)
    app = visit(PAGE, from_job=given.format(id=source))
    assert fact("rows", "5") in said(app)


def test_a_job_that_cannot_be_read_is_refused_with_the_reason(visit: Visit, hand: Hand) -> None:
    assert "has not ended" in errors(visit(PAGE, from_job=hand.submit(5)))[0]
    assert "no job with this id" in errors(visit(PAGE, from_job="z" * 26))[0]
    app = visit(PAGE, from_job=hand.completed(5))
    clean(app.text_input(key="verify_where").set_value("nonsense:1").run())
    assert "no such column" in errors(app)[0]


def test_use_as_input_leads_to_the_form(visit: Visit, hand: Hand) -> None:
    source = hand.completed(30)
    app = visit("generate_emails.py", job_id=source)
    clean(app.menu_button(key="use").click(":material/fact_check: Verify e-mails").run())
    assert address(app, "from_job") == source
    assert app.selectbox(key="verify_job").value == source


def test_edit_offers_the_uploaded_list_again(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE), "contacts.csv", CSV)
    clean(app.radio(key="verify_known").set_value("again").run())
    clean(app.button(key="run").click().run())
    first = hand.job(address(app, "job_id"))
    again = visit(PAGE, job_id=first.id)
    clean(again.button(key="edit").click().run())
    assert fact("in use", f"the list of job {first.id[:8]}") in said(again)
    assert again.radio(key="verify_known").value == "again"
    clean(again.button(key="run").click().run())
    second = hand.job(address(again, "job_id"))
    assert second.id != first.id
    assert second.params == first.params
    assert input_of(hand, second.id).equals(input_of(hand, first.id))


def test_edit_offers_the_source_job_again_and_its_own_list_when_that_is_gone(visit: Visit, hand: Hand) -> None:
    from engine.durable import control

    source = hand.completed(30)
    app = visit(PAGE, from_job=source)
    clean(app.text_input(key="verify_where").set_value("gender:female").run())
    clean(app.button(key="run").click().run())
    job_id = address(app, "job_id")
    again = visit(PAGE, job_id=job_id)
    clean(again.button(key="edit").click().run())
    assert again.text_input(key="verify_where").value == "gender:female"
    control.remove(hand.database, source)
    last = visit(PAGE, job_id=job_id)
    clean(last.button(key="edit").click().run())
    assert fact("rows", f"{hand.job(job_id).total_items}") in said(last)


def test_counts_of_every_kind_of_column() -> None:
    texts = pa.chunked_array([pa.array(["a@x.de", " A@X.de ", "", None, "no", "b@y.com"])])
    assert glance.addresses(texts) == glance.Counts(6, 2, 3, 2)
    assert glance.addresses(texts.dictionary_encode()) == glance.Counts(6, 2, 3, 2)
    assert glance.addresses(pa.chunked_array([pa.array([1, None, 3])])) == glance.Counts(3, 1, 0, 0)
    assert glance.addresses(pa.chunked_array([pa.array([["a@x.de"], None])])) == glance.Counts(2, 1, 1, 1)
