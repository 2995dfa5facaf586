"""The form of generate-emails: errors at the field, nothing lost, the job in the address."""

from __future__ import annotations

import re

from streamlit.testing.v1 import AppTest

from engine.durable import queries
from tests.pages.conftest import Hand, Visit, address, clean, said

PAGE = "generate_emails.py"


def errors(app: AppTest) -> list[str]:
    return re.findall(r'class="pb-wrong" role="alert">([^<]*)<', said(app))


def test_shows_hints_placeholders_and_a_preview(visit: Visit) -> None:
    app = visit(PAGE)
    assert errors(app) == []
    assert "1 to 10,000,000 distinct addresses" in said(app)
    assert "two digits of the year of birth" in said(app)
    assert said(app).count("@gmail.com</span>") + said(app).count("@outlook.com</span>") == 5


def test_every_field_shows_its_own_error(visit: Visit) -> None:
    app = visit(PAGE)
    app.number_input(key="generate_count").set_value(0)
    app.text_input(key="generate_pattern").set_value("{nonsense}")
    app.multiselect(key="generate_providers").set_value([])
    app.text_input(key="generate_seed").set_value("seven")
    clean(app.run())
    found = errors(app)
    assert len(found) == 4
    assert any("greater than or equal to 1" in text for text in found)
    assert any("Unknown placeholder at character 1" in text for text in found)
    assert not any("seven" in text for text in found)


def test_a_wrong_form_submits_nothing_and_loses_nothing(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    app.text_input(key="generate_pattern").set_value("{firstname}..")
    app.number_input(key="generate_count").set_value(77)
    clean(app.button(key="run").click().run())
    assert queries.stats(hand.database)["total"] == 0
    assert "Nothing was submitted" in app.toast[0].value
    assert app.number_input(key="generate_count").value == 77
    assert app.text_input(key="generate_pattern").value == "{firstname}.."


def test_a_space_too_small_says_how_many_there_are(visit: Visit) -> None:
    app = visit(PAGE)
    app.number_input(key="generate_count").set_value(5_000)
    app.text_input(key="generate_pattern").set_value("{number}")
    app.selectbox(key="generate_suffix").set_value("never")
    clean(app.run())
    assert re.match("Only [0-9,]+ distinct addresses exist", errors(app)[0])


def test_submit_puts_the_job_into_the_address(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    app.number_input(key="generate_count").set_value(12)
    clean(app.button(key="run").click().run())
    job_id = address(app, "job_id")
    job = hand.job(job_id)
    assert job.total_items == 12
    assert job.params["pattern"] == "{firstname}.{lastname}"
    assert "Next in the queue" in said(app)


def test_weights_and_seed_reach_the_job(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    app.text_input(key="generate_seed").set_value("-7")
    clean(app.toggle(key="generate_weighed").set_value(True).run())
    clean(app.number_input(key="generate_weight_gmail.com").set_value(3.0).run())
    clean(app.button(key="run").click().run())
    job = hand.job(address(app, "job_id"))
    assert job.params["seed"] == -7
    assert {p["domain"]: p["weight"] for p in job.params["providers"]} == {"gmail.com": 3.0, "outlook.com": 13.0}


def test_a_chip_adds_its_placeholder(visit: Visit) -> None:
    app = visit(PAGE)
    clean(app.button(key="chip_yy").click().run())
    assert app.text_input(key="generate_pattern").value == "{firstname}.{lastname}{yy}"


def test_what_was_typed_outlives_a_change_of_page(visit: Visit) -> None:
    app = visit(PAGE)
    clean(app.number_input(key="generate_count").set_value(4_321).run())
    clean(app.switch_page("jobs.py").run())
    clean(app.switch_page(PAGE).run())
    assert app.number_input(key="generate_count").value == 4_321
