"""The form and the result of scrape-emails."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from engine.durable import queries
from engine.durable.contract import Done
from engine.durable.schema import rows_table
from engine.durable.states import Status
from pages.parts import glance
from pages.parts.columns import configured, plain
from tests.pages.conftest import Hand, Visit, address, clean, said
from tests.pages.test_listing import errors, fact, input_of

PAGE = "scrape_emails.py"
TEXT = "example.com\nhttps://EXAMPLE.com/contact\nbücher.example\nfoo bar\nann@shop.example\n\nintranet:8080"
SITES = ["example.com", "xn--bcher-kva.example", "foo bar", "shop.example", "intranet:8080"]
CSV = b"company,Website,mail\nAcme,acme.example,ann@acme.example\nBolt,https://bolt.example/,\n"


def pasted(app: AppTest, text: str = TEXT) -> AppTest:
    return clean(app.text_area(key="scrape_text").set_value(text).run())


def uploaded(app: AppTest) -> AppTest:
    clean(app.button_group(key="scrape_way").set_value("upload").run())
    return clean(app.file_uploader(key="scrape_file").set_value(("shops.csv", CSV, "text/csv")).run())


def submitted(app: AppTest) -> str:
    clean(app.button(key="run").click().run())
    return address(app, "job_id")


def test_a_list_is_asked_for(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    assert errors(app) == []
    submitted(app)
    assert errors(app) == ["There is no list yet; paste one, upload a file, or choose another job."]
    assert queries.stats(hand.database)["total"] == 0


def test_pasted_domains_are_counted_as_sites(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE))
    assert fact("rows", "6") in said(app)
    assert fact("different domains", "4") in said(app)
    assert fact("repeated", "1") in said(app)
    assert fact("not a domain", "1") in said(app)
    job = hand.job(submitted(app))
    assert input_of(hand, job.id)["domain"].to_pylist() == SITES
    assert (job.total_items, job.params["maxPagesPerDomain"]) == (5, 20)


def test_the_column_of_an_upload_can_be_chosen(visit: Visit, hand: Hand) -> None:
    app = uploaded(visit(PAGE))
    assert app.selectbox[0].value == "Website"
    assert fact("different domains", "2") in said(app)
    clean(app.selectbox[0].set_value("company").run())
    assert "Nothing in this column looks like a domain." in said(app)
    clean(app.selectbox[0].set_value("mail").run())
    assert fact("different domains", "1") in said(app)
    assert fact("empty cells", "1") in said(app)
    clean(app.selectbox[0].set_value("Website").run())
    job = hand.job(submitted(app))
    assert job.params["column"] == "Website"
    assert input_of(hand, job.id)["domain"].to_pylist() == ["acme.example", "bolt.example"]


def test_how_many_pages_and_with_which_manners(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE))
    assert "robots.txt is obeyed" in said(app)
    assert "one request at a time" in said(app)
    assert "postbench/" in said(app)
    clean(app.number_input(key="scrape_pages").set_value(0).run())
    assert "greater than or equal to 1" in errors(app)[0]
    submitted(app)
    assert queries.stats(hand.database)["total"] == 0
    clean(app.number_input(key="scrape_pages").set_value(7).run())
    assert hand.job(submitted(app)).params["maxPagesPerDomain"] == 7


def test_another_job_is_a_list_too(visit: Visit, hand: Hand) -> None:
    source = hand.completed(30, providers=["gmail.com", "acme.example"])
    app = visit(PAGE, from_job=source)
    assert app.selectbox(key=f"scrape_column_{source[:26]}").value == "email"
    assert fact("different domains", "1") in said(app)
    job = hand.job(submitted(app))
    assert (job.source_job_id, job.total_items) == (source, 2)


def test_edit_offers_the_sites_again(visit: Visit, hand: Hand) -> None:
    first = hand.job(submitted(uploaded(visit(PAGE))))
    app = visit(PAGE, job_id=first.id)
    clean(app.button(key="edit").click().run())
    assert fact("in use", f"the list of job {first.id[:8]}") in said(app)
    assert fact("different domains", "2") in said(app)
    clean(app.number_input(key="scrape_pages").set_value(3).run())
    second = hand.job(submitted(app))
    assert second.id != first.id
    assert input_of(hand, second.id).equals(input_of(hand, first.id))
    assert second.params["maxPagesPerDomain"] == 3


def delivered(hand: Hand, job_id: str) -> str:
    """A result as the type makes it, for the five entries of `TEXT`."""
    job = hand.claim()
    seen = {
        "source_url": "https://example.com/contact",
        "page_title": "Contact",
        "found_as": "mailto",
        "role": True,
        "free": False,
    }
    rows: list[dict[str, Any]] = [
        {"email": f"{name}@example.com", "domain": "example.com", "status": "found", "first_seen": job.created_at, **seen}
        for name in ("info", "ann", "ben")
    ]
    states = ["no_addresses", "refused", "blocked_by_robots", "unreachable"]
    rows += [{"domain": site, "status": state, "error": state} for site, state in zip(SITES[1:], states, strict=True)]
    outcome = {"found": 1, **dict.fromkeys(states, 1)}
    counted = {"found_as": {"mailto": 2, "text": 1}, "outcome": outcome, "pages": {"fetched": 12}}
    table = rows_table(rows, hand.bench.types["scrape-emails"].columns)
    counts = {**outcome, "found": 3}
    done = {n: Done(table.slice(n, 1) if n < 4 else table.slice(4), 0, 0) for n in range(5)}
    done[4] = Done(table.slice(4), 2, 3, counts, counted)
    return hand.commit(job, done, outcome=Status.COMPLETED, reason="completed")


def test_the_result_tells_of_sites_and_addresses(visit: Visit, hand: Hand) -> None:
    job_id = delivered(hand, submitted(pasted(visit(PAGE))))
    app = visit(PAGE, job_id=job_id)
    assert len(app.get("echarts_chart")) == 2
    assert fact("addresses", "3") in said(app)
    assert fact("pages read", "12") in said(app)
    assert re_shares(app) == {"found": "1 · 20 %", "blocked by robots": "1 · 20 %"}
    assert "Sites read" in said(app)
    shown = app.dataframe[0]
    assert list(shown.proto.column_order)[:4] == ["email", "status", "domain", "found_as"]
    assert '"type":"link"' in shown.proto.columns.replace(" ", "")
    clean(app.button_group(key="rows_status").set_value("unreachable").run())
    assert len(app.dataframe[0].value) == 1


def re_shares(app: AppTest) -> dict[str, str]:
    """Two entries of the legend below the divided bar."""
    text = said(app)
    return {
        name: text.split(f">{name}</span> ")[1].split("<")[0].strip()
        for name in ("found", "blocked by robots")
        if f">{name}</span> " in text
    }


def test_verify_these_presets_the_form(visit: Visit, hand: Hand) -> None:
    job_id = delivered(hand, submitted(pasted(visit(PAGE))))
    app = visit(PAGE, job_id=job_id)
    clean(app.button(key="onward").click().run())
    assert (address(app, "from_job"), address(app, "from_where")) == (job_id, "status:found")
    assert app.selectbox(key="verify_job").value == job_id
    assert app.text_input(key="verify_where").value == "status:found"
    assert app.selectbox(key=f"verify_column_{job_id[:26]}").value == "email"
    assert fact("rows", "3") in said(app)


@pytest.mark.parametrize(
    ("title", "where"), [(":material/fact_check: Verify e-mails", "email~@"), (":material/person_search: Find e-mails", "")]
)
def test_rows_without_an_address_are_no_addresses_to_verify(visit: Visit, hand: Hand, title: str, where: str) -> None:
    job_id = delivered(hand, submitted(pasted(visit(PAGE))))
    app = visit(PAGE, job_id=job_id)
    clean(app.menu_button(key="use").click(title).run())
    assert (address(app, "from_job"), address(app, "from_where")) == (job_id, where)
    if where:
        assert app.text_input(key="verify_where").value == where
        assert fact("rows", "3") in said(app)


def test_a_filter_stays_with_its_job(visit: Visit, hand: Hand) -> None:
    job_id = delivered(hand, submitted(pasted(visit(PAGE))))
    app = visit(PAGE, job_id=job_id)
    clean(app.button_group(key="rows_status").set_value("found").run())
    assert app.text_input(key="where").value == "status:found"
    other = hand.completed(5)
    app.switch_page("generate_emails.py")
    app.query_params.clear()
    app.query_params["job_id"] = other
    clean(app.run())
    assert app.text_input(key="where").value == ""
    assert len(app.dataframe[0].value) == 5


def test_nothing_to_verify_offers_nothing(visit: Visit, hand: Hand) -> None:
    source = hand.completed(5)
    app = visit("generate_emails.py", job_id=source)
    assert "onward" not in [button.key for button in app.button]
    job_id = submitted(pasted(visit(PAGE)))
    assert "onward" not in [button.key for button in visit(PAGE, job_id=job_id).button]


@pytest.mark.parametrize(
    ("cell", "kind"), [("https://a.example/x", "link"), ("javascript:alert(1)", None), ("https://a b", None), ("a.example", None)]
)
def test_only_what_is_safe_to_click_is_a_link(cell: str, kind: str | None) -> None:
    table = plain(pa.table({"source_url": [cell, None, "https://b.example"]}))
    config = configured(table, table.schema)["source_url"]
    assert (config.get("type_config") or {}).get("type") == kind


def test_counts_of_domains() -> None:
    texts = pa.chunked_array([pa.array(["A.com", "https://a.com/x", "a.com:443", "", None, "x y", "u@b.com", "u@gmail.com"])])
    assert glance.domains(texts) == glance.Counts(8, 2, 4, 2)
    assert glance.domains(texts.dictionary_encode()) == glance.Counts(8, 2, 4, 2)
    rows = glance.LOOKED_AT + 50
    many = pa.chunked_array([pa.array([f"https://s{n % 10}.example/{n}" for n in range(rows)])])
    assert glance.domains(many) == glance.Counts(rows, 0, rows, 10)
    addresses = pa.chunked_array([pa.array([f"P.{n}@d{n % 7}.com" for n in range(rows)] + [f"p{n}@gmail.com" for n in range(9)])])
    assert glance.domains(addresses) == glance.Counts(rows + 9, 0, rows, 7), (
        "a long list of addresses has the sites of its domains"
    )
    many = pa.chunked_array([pa.array([f"ann@d{n}.com" for n in range(rows)])])
    assert glance.domains(many) == glance.Counts(rows, 0, rows, rows)
