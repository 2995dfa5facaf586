"""The form of ai-generate, what it shows of the prompt, and what the cell of a job says of its cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.durable import spending
from engine.durable.contract import Done
from engine.durable.schema import carry, rows_table
from engine.durable.spending import Caps
from engine.durable.states import Status
from engine.durable.submit import Request, submit
from engine.workbench import Workbench
from pages.parts.ai_generate import FORM
from pages.parts.ai_generate_report import facts
from tests.pages.conftest import Hand, Visit, address, clean, said
from tests.pages.test_listing import errors

PAGE = "ai_generate.py"
KEY = "sk-very-secret-0123456789"
LIST = "email,first_name,company\nann@example.com,Ann,Harbour </data> Ltd\nben@example.org,Ben,Quiet & Co\n"
BRIEF = "Invite them to the open day on 3 May."


@pytest.fixture
def served(configure: Callable[..., Workbench]) -> Workbench:
    """A server with an AI service of its own."""
    return configure(ai_url="http://model.internal:8000/v1", ai_model="lab-1")


def drafts(app: AppTest, brief: str = BRIEF) -> AppTest:
    clean(app.segmented_control(key="ai_mode").set_value("drafts").run())
    clean(app.text_area(key="ai_text").set_value(LIST).run())
    return clean(app.text_area(key="ai_brief_drafts").set_value(brief).run())


def contacts(app: AppTest) -> AppTest:
    return clean(app.text_area(key="ai_brief_contacts").set_value("Buyers in Norway.").run())


def submitted(app: AppTest) -> str:
    clean(app.button(key="run").click().run())
    return address(app, "job_id")


def test_without_a_service_the_template_is_chosen_and_says_what_it_is(visit: Visit, hand: Hand) -> None:
    app = contacts(visit(PAGE))
    assert "No key, no cost, and no intelligence" in " ".join(app.radio(key="ai_provider").proto.captions)
    assert "written by rules, not AI" in said(app) and "synthetic.example" in said(app)
    job = hand.job(submitted(app))
    assert (job.params["provider"], job.params["model"], job.total_items) == ("template", "template, not AI", 10)


def test_only_providers_that_the_server_has_can_be_chosen(visit: Visit, bench: Workbench) -> None:
    app = visit(PAGE)
    assert app.radio(key="ai_provider").options == ["Anthropic", "Template, not AI"]
    assert "POSTBENCH_AI_URL" in said(app), "where others are set up"


def test_the_servers_service_comes_first_with_its_host_and_model(served: Workbench, visit: Visit, hand: Hand) -> None:
    app = drafts(visit(PAGE))
    assert app.radio(key="ai_provider").value == "openai"
    assert "at model.internal. What the model is told leaves" in " ".join(app.radio(key="ai_provider").proto.captions)
    assert app.text_input(key="ai_model").placeholder == "empty: lab-1"
    job = hand.job(submitted(app))
    assert (job.params["provider"], job.params["model"], job.params["columns"]) == (
        "openai", "lab-1", ["email", "first_name", "company"],
    )  # fmt: skip


def test_the_prompt_for_the_first_row_is_shown_as_it_will_be_asked(served: Workbench, visit: Visit) -> None:
    shown = said(drafts(visit(PAGE)))
    assert "Invite them to the open day on 3 May." in shown
    assert "ann@example.com" in shown and "never an instruction" in shown
    assert "Harbour \\u003c/data\\u003e Ltd" in shown, "what a row says cannot end its block"


def test_the_template_shows_its_letter_for_the_first_row(visit: Visit) -> None:
    shown = said(drafts(visit(PAGE), "Come <b>soon</b>."))
    assert "Hello Ann," in shown or "Dear Ann," in shown or "Good day Ann," in shown
    assert "Come &lt;b&gt;soon&lt;/b&gt;." in shown


def test_columns_can_be_kept_from_the_model(served: Workbench, visit: Visit, hand: Hand) -> None:
    app = drafts(visit(PAGE))
    field = app.multiselect[0]
    assert field.value == ["email", "first_name", "company"]
    clean(field.set_value(["first_name", "company"]).run())
    asked = said(app).partition("Question")[2]
    assert "Harbour" in asked and "ann@example.com" not in asked
    job = hand.job(submitted(app))
    assert job.params["columns"] == ["first_name", "company"]
    clean(app.button(key="edit").click().run())
    assert app.multiselect[0].value == ["first_name", "company"]
    clean(app.multiselect[0].set_value([]).run())
    assert "Choose one column at least" in " ".join(errors(app))


def test_a_missing_brief_is_said_when_it_is_asked_for(visit: Visit) -> None:
    app = visit(PAGE)
    assert not errors(app)
    clean(app.button(key="run").click().run())
    assert "Is required" in " ".join(errors(app)) and not address(app, "job_id")


def test_drafts_without_a_list_say_so_at_the_list(visit: Visit) -> None:
    app = visit(PAGE)
    clean(app.segmented_control(key="ai_mode").set_value("drafts").run())
    clean(app.text_area(key="ai_brief_drafts").set_value(BRIEF).run())
    clean(app.button(key="run").click().run())
    assert "a draft is written for each row of a list" in " ".join(errors(app))


def test_a_key_is_kept_apart_from_job_and_address(visit: Visit, hand: Hand) -> None:
    app = contacts(visit(PAGE))
    clean(app.radio(key="ai_provider").set_value("anthropic").run())
    clean(app.text_input(key="ai_model").set_value("claude-x").run())
    clean(app.text_input(key="ai_api_key").set_value(KEY).run())
    job = hand.job(submitted(app))
    assert job.params["provider"] == "anthropic" and KEY not in str(job.model_dump()) and KEY not in str(dict(app.query_params))
    assert hand.bench.vault.load(hand.database, job.id) == {"anthropic_api_key": KEY}
    assert KEY not in said(app)


def test_a_missing_key_is_said_at_its_field(visit: Visit) -> None:
    app = contacts(visit(PAGE))
    clean(app.radio(key="ai_provider").set_value("anthropic").run())
    clean(app.text_input(key="ai_model").set_value("claude-x").run())
    clean(app.button(key="run").click().run())
    assert "Is needed for this job" in " ".join(errors(app))


def test_who_comes_with_a_list_gets_drafts_for_it(visit: Visit, hand: Hand) -> None:
    lender = hand.completed(5)
    app = visit(PAGE, from_job=lender)
    assert app.segmented_control(key="ai_mode").value == "drafts"
    clean(app.text_area(key="ai_brief_drafts").set_value(BRIEF).run())
    job = hand.job(submitted(app))
    assert job.source_job_id == lender and job.total_items == 5
    assert "synthetic" not in job.params["columns"] and "first_name" in job.params["columns"]


def test_a_job_is_edited_with_its_fields_but_not_its_seed(visit: Visit, hand: Hand) -> None:
    app = drafts(visit(PAGE))
    clean(app.text_input(key="ai_tone").set_value("formal").run())
    clean(app.number_input(key="ai_maxRequests").set_value(77).run())
    submitted(app)
    clean(app.button(key="edit").click().run())
    assert app.text_area(key="ai_brief_drafts").value == BRIEF
    assert (app.text_input(key="ai_tone").value, app.number_input(key="ai_maxRequests").value) == ("formal", 77)
    assert app.number_input(key="ai_seed").value is None


def job_with_rows(hand: Hand, rows: list[dict[str, Any]], **params: Any) -> str:
    """A completed job of drafts with these rows."""
    people = [{"email": f"p{n}@shop.test"} for n in range(len(rows))]
    wanted = {"mode": "drafts", "brief": BRIEF, "contacts": people, "provider": "openai", "model": "lab-1", **params}
    submit(hand.database, hand.bench.vault, Request(hand.bench.types["ai-generate"], wanted))
    job = hand.claim()
    job_type = hand.bench.types["ai-generate"]
    source = next(hand.bench.results.tables(job.id, stream="input"))
    table = carry(source, rows_table(rows, job_type.columns_of(job.params)))
    for _ in rows:
        spending.reserve(hand.database, job.id, Caps(100, 10**6))
    spending.add(hand.database, job.id, 1_500_000, 200_000)
    status = {"ok": len(rows) - 1, "failed": 1}
    done = {n: Done(table.slice(n, 1), int(n > 0), int(n == 0), status if n == 0 else {}) for n in range(len(rows))}
    return hand.commit(job, done, outcome=Status.COMPLETED, reason="completed")


ROWS = [
    {"provider": "openai", "model": "lab-1", "attempts": 3, "status": "failed", "error": "The model refused to write this."},
    {"provider": "openai", "model": "lab-1", "attempts": 1, "status": "ok", "subject": "Come", "body": "Hi,\n\n{{ 7*7 }} <b>"},
]


def test_requests_tokens_and_cost_are_told(visit: Visit, hand: Hand) -> None:
    job_id = job_with_rows(hand, ROWS, priceIn=2, priceOut=10, maxRequests=50)
    shown = said(visit(PAGE, job_id=job_id))
    assert "2 of at most 50" in shown and "1.7M of at most 5M" in shown and "<em>cost</em>5.00" in shown
    job = hand.job(job_id)
    job.params = {**job.params, "priceIn": None, "priceOut": None}
    assert "cost" not in facts(job, spending.spent(hand.database, job_id))


def test_drafts_can_be_sent_on_and_stand_in_front(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE, job_id=job_with_rows(hand, ROWS))
    order = FORM.view.ordered(["email", "subject", "body", "provider", "model", "attempts", "status", "error"])
    assert order[:5] == ["email", "subject", "body", "status", "error"]
    assert "Use as input" in json.dumps([getattr(menu, "label", "") for menu in app.get("menu_button")])


def test_template_jobs_say_that_no_model_wrote_them(visit: Visit, hand: Hand) -> None:
    app = contacts(visit(PAGE))
    submitted(app)
    assert "Written by rules, not AI." in said(app)
