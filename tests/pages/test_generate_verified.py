"""The form and the result of generate-verified-emails."""

from __future__ import annotations

from engine.durable.contract import Done
from engine.durable.schema import rows_table
from engine.durable.states import Status
from tests.pages.conftest import Hand, Visit, address, clean, said
from tests.pages.test_form import errors

PAGE = "generate_verified_emails.py"


def test_submits_what_to_generate_and_how_to_verify(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    app.number_input(key="verified_count").set_value(7)
    app.number_input(key="verified_max_candidates").set_value(70)
    app.radio(key="verified_by_service").set_value("smtp")
    clean(app.button(key="run").click().run())
    job = hand.job(address(app, "job_id"))
    assert (job.goal, job.total_items) == (7, 70)
    assert (job.params["service"], job.params["maxCandidates"]) == ("smtp", 70)


def test_its_fields_are_not_those_of_generate_emails(visit: Visit) -> None:
    app = visit(PAGE)
    clean(app.number_input(key="verified_count").set_value(7).run())
    clean(app.switch_page("generate_emails.py").run())
    assert app.number_input(key="generate_count").value == 10_000


def test_fewer_candidates_than_wanted_are_refused(visit: Visit) -> None:
    app = visit(PAGE)
    app.number_input(key="verified_max_candidates").set_value(5)
    clean(app.run())
    assert errors(app) or "Not yet." in said(app)


def result(hand: Hand, job_id: str, found: int, outcome: Status) -> str:
    job = hand.claim()
    reasons = {"mailbox_exists": found, "mailbox_not_found": 80, "catch_all": 50}
    counts = {"valid": found, "invalid": 80, "risky": 50}
    rows = rows_table([], hand.bench.types["generate-verified-emails"].columns)
    tallies = {"status": counts, "reason": reasons, "provider": {"google": 1, "yahoo": 2}}
    return hand.commit(job, {0: Done(rows, found, 130, counts, tallies)}, outcome=outcome, reason="completed")


def test_says_how_many_were_found_and_why_others_fell_out(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    clean(app.button(key="run").click().run())
    job_id = address(app, "job_id")
    result(hand, job_id, 100, Status.COMPLETED)
    text = said(visit(PAGE, job_id=job_id))
    assert "<b>100</b> found of 100 wanted" in text
    assert "230 candidates tried" in text
    assert "The others: 80 mailbox not found, 50 catch all" in text
    assert "Only " not in text


def test_says_so_when_the_candidates_ran_out(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    clean(app.button(key="run").click().run())
    job_id = address(app, "job_id")
    result(hand, job_id, 40, Status.COMPLETED)
    assert "Only 40 of 100 were found." in said(visit(PAGE, job_id=job_id))


def test_edit_fills_all_fields(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    app.number_input(key="verified_count").set_value(9)
    app.radio(key="verified_by_known").set_value("again")
    clean(app.button(key="run").click().run())
    again = visit(PAGE, job_id=address(app, "job_id"))
    clean(again.button(key="edit").click().run())
    assert again.number_input(key="verified_count").value == 9
    assert again.radio(key="verified_by_known").value == "again"
