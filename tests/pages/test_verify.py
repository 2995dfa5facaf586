"""The form and the result of verify-emails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.durable.contract import Done
from engine.durable.schema import carry, rows_table
from engine.durable.states import Status
from engine.workbench import Workbench
from pages.parts.columns import View
from tests.pages.conftest import Hand, Visit, address, clean, said
from tests.pages.test_listing import CSV, errors, uploaded

PAGE = "verify_emails.py"
KEY = "sk-very-secret-0123456789"


def pasted(app: AppTest) -> AppTest:
    return clean(app.text_area(key="verify_text").set_value("ann@example.com\nben@example.org\n").run())


def submitted(app: AppTest) -> str:
    clean(app.button(key="run").click().run())
    return address(app, "job_id")


def test_each_service_says_what_it_can_and_cannot_tell(visit: Visit) -> None:
    captions = " ".join(visit(PAGE).radio(key="verify_service").proto.captions)
    assert "Cannot tell whether the mailbox exists" in captions
    assert "needs outgoing port 25" in captions
    assert "the addresses leave this machine" in captions


@pytest.mark.parametrize(("policy", "days"), [("use", None), ("young", 90), ("again", 0)])
def test_what_becomes_of_known_verdicts(visit: Visit, hand: Hand, policy: str, days: int | None) -> None:
    app = pasted(visit(PAGE))
    clean(app.radio(key="verify_known").set_value(policy).run())
    assert hand.job(submitted(app)).params["maxAgeDays"] == days


def test_a_wrong_age_is_marked_at_its_field(visit: Visit) -> None:
    app = pasted(visit(PAGE))
    clean(app.radio(key="verify_known").set_value("young").run())
    clean(app.number_input(key="verify_days").set_value(-3).run())
    assert "greater than or equal to 0" in errors(app)[0]


def test_a_key_is_kept_apart_from_job_and_address(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE))
    clean(app.radio(key="verify_service").set_value("mailsso").run())
    clean(app.text_input(key="verify_api_key").set_value(KEY).run())
    job = hand.job(submitted(app))
    assert job.params["service"] == "mailsso"
    assert KEY not in str(job.model_dump())
    assert KEY not in str(dict(app.query_params))
    assert KEY not in said(app)
    assert KEY not in repr(app.session_state)
    assert hand.bench.vault.load(hand.database, job.id) == {"api_key": KEY}


def test_a_missing_key_is_asked_for_at_its_field(visit: Visit) -> None:
    app = pasted(visit(PAGE))
    clean(app.radio(key="verify_service").set_value("mailsso").run())
    clean(app.button(key="run").click().run())
    assert "is needed" in errors(app)[0].lower()


def test_the_servers_own_key_is_used_and_never_shown(configure: Callable[..., Workbench], hand: Hand, visit: Visit) -> None:
    configure(mailsso_api_key=KEY)
    app = pasted(visit(PAGE))
    clean(app.radio(key="verify_service").set_value("mailsso").run())
    assert "the server's own key" in app.text_input(key="verify_api_key").proto.placeholder
    job_id = submitted(app)
    assert hand.bench.vault.load(hand.database, job_id) == {"api_key": KEY}
    assert KEY not in said(app)


def delivered(hand: Hand, job_id: str, **tallies: dict[str, int]) -> str:
    """The job's result as the type would make it, for the four rows of `CSV`."""
    job = hand.claim()
    source = next(iter(hand.bench.results.tables(job_id, stream="input")))
    states = ["valid", "risky", "invalid", "unknown"]
    rows: list[dict[str, Any]] = [
        {"email": text, "status": status, "reason": reason, "score": 50, "level": "domain", "cached": False, "free": False}
        | {"disposable": False, "role": False, "relay": False, "smtputf8": False, "checked_at": job.created_at}
        for text, status, reason in zip(
            source["mail"].to_pylist(), states, ["domain_accepts_mail", "disposable", "no_domain", "dns_error"], strict=True
        )
    ]
    counts = dict.fromkeys(states, 1)
    counted = {"status": counts, "reason": {row["reason"]: 1 for row in rows}, "provider": {"google": 3, "unknown": 1}, **tallies}
    table = carry(source, rows_table(rows, hand.bench.types["verify-emails"].columns))
    return hand.commit(job, {0: Done(table, 3, 1, counts, counted)}, outcome=Status.COMPLETED, reason="completed")


def test_the_result_shows_verdicts_charts_facts_and_trouble(visit: Visit, hand: Hand) -> None:
    job_id = submitted(uploaded(visit(PAGE), "contacts.csv", CSV))
    trouble = {"Connections to port 25 seem to be blocked from this machine": 1}
    delivered(hand, job_id, cache={"known": 1, "asked": 3}, calls={"dns": 3, "smtp": 0}, trouble=trouble)
    app = visit(PAGE, job_id=job_id)
    assert len(app.get("echarts_chart")) == 3
    assert "<em>known already</em>1<" in said(app)
    assert "<em>asked DNS</em>3<" in said(app)
    assert "asked mail servers" not in said(app)
    assert said(app).count("seem to be blocked from this machine.") == 1
    shown = app.dataframe[0]
    assert list(shown.proto.column_order)[:6] == ["email", "status", "reason", "score", "id", "name"]
    assert {cell[0] for cell in shown.value["status"]} == {"valid", "risky", "invalid", "unknown"}
    clean(app.button_group(key="rows_status").set_value("risky").run())
    assert [cell[0] for cell in app.dataframe[0].value["status"]] == ["risky"]
    clean(app.text_input(key="where").set_value("id~1").run())
    assert app.button_group(key="rows_status").value is None, "a status is marked whose rows are not those below"


def test_its_statuses_are_quick_choices_where_it_is_the_list_of_another_job(visit: Visit, hand: Hand) -> None:
    source = delivered(hand, submitted(uploaded(visit(PAGE), "contacts.csv", CSV)), cache={"known": 0, "asked": 4})
    app = visit(PAGE, from_job=source)
    clean(app.button_group(key="verify_status").set_value("invalid").run())
    assert app.text_input(key="verify_where").value == "status:invalid"
    job = hand.job(submitted(app))
    assert (job.total_items, job.source_where) == (1, "status:invalid")
    assert f"<em>list</em>1 row of job {source[:8]}, status:invalid" in said(app)


def test_several_troubles_make_one_notice(visit: Visit, hand: Hand) -> None:
    trouble = {"Connections to port 25 seem to be blocked from this machine": 2, "the name servers do not answer": 1}
    job_id = delivered(hand, submitted(uploaded(visit(PAGE), "contacts.csv", CSV)), trouble=trouble)
    text = said(visit(PAGE, job_id=job_id))
    assert text.count('class="pb-notice') == 1
    assert "The name servers do not answer. What could not be asked is unknown, not invalid." in text


def test_columns_without_verdicts_keep_their_order() -> None:
    assert View().ordered(["name", "email", "age"]) == ["name", "email", "age"]
    assert View().ordered(["name", "score", "email", "status"]) == ["email", "status", "score", "name"]
