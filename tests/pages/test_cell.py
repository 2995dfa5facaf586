"""The job cell in every state of a job."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from engine.durable import control, engines
from engine.durable.states import Status
from engine.durable.tables import batch_states
from engine.errors import NotFound
from tests.pages.conftest import Hand, Visit, address, clean, labels, said

PAGE = "generate_emails.py"


def buttons(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def test_pending_without_an_engine_says_so(hand: Hand, visit: Visit) -> None:
    job_id = hand.submit()
    engines.unregister(hand.database, hand.engine)
    app = visit(PAGE, job_id=job_id)
    assert "no engine is alive" in said(app)
    assert {"Pause", "Cancel"} <= buttons(app)


def test_pending_shows_its_place(hand: Hand, visit: Visit) -> None:
    hand.submit()
    app = visit(PAGE, job_id=hand.submit())
    assert "1 job ahead" in said(app)


def test_a_later_start_is_named(hand: Hand, visit: Visit) -> None:
    from engine.durable.submit import Request, submit

    start = int(time.time() * 1000) + 3_600_000
    request = Request(hand.bench.types["generate-emails"], {"count": 5}, run_after=start)
    app = visit(PAGE, job_id=submit(hand.database, hand.bench.vault, request).job_id)
    assert "Starts in" in said(app)


def test_running_shows_progress_rows_and_downloads(hand: Hand, visit: Visit) -> None:
    hand.submit(60_000)
    app = visit(PAGE, job_id=hand.work(batches=1))
    assert "<b>25,000</b> of 60,000" in said(app)
    assert 'aria-valuenow="41.6"' in said(app)
    assert "25,000 rows so far" in said(app)
    assert len(app.dataframe[0].value) == 50
    assert set(labels(app, "link_button")) == {"CSV", "Excel", "Parquet", "JSON"}


def test_parked_says_when_it_goes_on(hand: Hand, visit: Visit) -> None:
    hand.submit(60_000)
    job_id = hand.work(batches=1, wake_at=int(time.time() * 1000) + 3_600_000)
    app = visit(PAGE, job_id=job_id)
    assert "Waiting, goes on in" in said(app)
    assert "pb-is-waiting" in said(app)
    waits = {"job_id": job_id, "number": 1, "due_at": 1, "state": {"why": "The AI service is out of order."}}
    hand.database.transact(lambda connection: connection.execute(insert(batch_states), waits))
    assert "The AI service is out of order. It costs nothing meanwhile." in said(app.run())


def test_paused_can_be_resumed(hand: Hand, visit: Visit) -> None:
    job_id = hand.submit()
    control.pause(hand.database, job_id)
    app = visit(PAGE, job_id=job_id)
    assert "Paused." in said(app)
    clean(app.button(key=f"do_resume_{job_id}").click().run())
    assert hand.job(job_id).status == Status.PENDING


def test_failed_shows_the_message_and_the_remedy(hand: Hand, visit: Visit) -> None:
    hand.submit(60_000)
    app = visit(PAGE, job_id=hand.work(batches=1, outcome=Status.FAILED, reason="The <disk> is full."))
    assert "The &lt;disk&gt; is full." in said(app)
    assert "Resume tries the rest again" in said(app)


def test_cancelled_keeps_its_rows(hand: Hand, visit: Visit) -> None:
    hand.submit(60_000)
    job_id = hand.work(batches=1)
    app = visit(PAGE, job_id=job_id)
    clean(app.button(key=f"do_cancel_{job_id}").click().run())
    assert hand.job(job_id).status == Status.CANCELLED
    assert "The 25,000 rows below are kept" in said(app)


def test_an_action_that_came_too_late_is_said_not_raised(hand: Hand, visit: Visit) -> None:
    job_id = hand.submit()
    app = visit(PAGE, job_id=job_id)
    control.cancel(hand.database, job_id)
    clean(app.button(key=f"do_pause_{job_id}").click().run())
    assert "cannot be paused" in app.toast[0].value


def test_completed_has_charts_and_no_steering(hand: Hand, visit: Visit) -> None:
    app = visit(PAGE, job_id=hand.completed(2_000))
    assert "pb-is-completed" in said(app)
    assert len(app.get("echarts_chart")) == 3
    assert not {"Pause", "Cancel", "Resume"} & buttons(app)


def test_unknown_job_says_so_with_a_way_out(visit: Visit) -> None:
    app = visit(PAGE, job_id="<b>gone</b>")
    assert "This job is not here" in said(app)
    assert "<b>gone" not in said(app)
    clean(app.button(key="new").click().run())
    assert not address(app, "job_id")
    assert app.text_input(key="generate_pattern").value == "{firstname}.{lastname}"


def test_run_again_makes_a_new_job(hand: Hand, visit: Visit) -> None:
    job_id = hand.completed()
    app = visit(PAGE, job_id=job_id)
    clean(app.menu_button(key=f"more_{job_id}").click(":material/replay: Run again").run())
    new = address(app, "job_id")
    assert new != job_id
    assert hand.job(new).params == hand.job(job_id).params


def test_edit_and_run_fills_the_form(hand: Hand, visit: Visit) -> None:
    job_id = hand.completed(17, country=["DE", "FR"], pattern="{f}{lastname}{yy}", ageRange="30-40")
    app = visit(PAGE, job_id=job_id)
    clean(app.menu_button(key=f"more_{job_id}").click(":material/edit: Edit and run").run())
    assert app.number_input(key="generate_count").value == 17
    assert app.multiselect(key="generate_country").value == ["DE", "FR"]
    assert app.slider(key="generate_age_range").value == (30, 40)
    assert app.text_input(key="generate_pattern").value == "{f}{lastname}{yy}"
    clean(app.button(key="close").click().run())
    assert not app.number_input


def test_delete_asks_first(hand: Hand, visit: Visit) -> None:
    job_id = hand.completed()
    app = visit(PAGE, job_id=job_id)
    clean(app.menu_button(key=f"more_{job_id}").click(":material/delete: Delete").run())
    assert hand.job(job_id).id == job_id
    clean(app.button(key="delete_yes").click().run())
    assert not address(app, "job_id")
    with pytest.raises(NotFound):
        hand.job(job_id)


def test_rows_filter_and_its_error(hand: Hand, visit: Visit) -> None:
    app = visit(PAGE, job_id=hand.completed(2_000))
    clean(app.text_input(key="where").set_value("gender:female").run())
    assert set(app.dataframe[0].value["gender"]) == {"female"}
    clean(app.text_input(key="where").set_value("nonsense").run())
    assert "must look like column:value" in said(app)
    clean(app.text_input(key="where").set_value("colour:red").run())
    assert "columns are email" in said(app)
    clean(app.text_input(key="where").set_value("email:nobody").run())
    assert "No row fits the filter" in said(app)


def test_rows_page_by_page(hand: Hand, visit: Visit) -> None:
    app = visit(PAGE, job_id=hand.completed(120), page="2")
    assert "51 to 100 of 120" in said(app)
    clean(app.pagination(key="page").select(3).run())
    assert len(app.dataframe[0].value) == 20


def test_a_page_beyond_the_end_is_the_last(hand: Hand, visit: Visit) -> None:
    app = visit(PAGE, job_id=hand.completed(120), page="99")
    assert "of 120" in said(app)


def test_timeline(hand: Hand, visit: Visit) -> None:
    app = visit(PAGE, job_id=hand.completed())
    assert "submitted" in said(app)
    assert "started" in said(app)


@pytest.mark.parametrize("job_type", ["verify-unknown"])
def test_a_job_of_a_type_without_page_is_still_listed(hand: Hand, visit: Visit, job_type: str) -> None:
    from sqlalchemy import update

    from engine.durable.tables import jobs

    hand.submit()
    hand.database.transact(lambda c: c.execute(update(jobs).values(type=job_type)))
    app = visit("jobs.py")
    assert job_type in set(app.dataframe[0].value["type"])


def test_a_question_about_one_job_is_not_asked_about_another(hand: Hand, visit: Visit) -> None:
    first, second = hand.completed(), hand.completed()
    app = visit(PAGE, job_id=first)
    clean(app.menu_button(key=f"more_{first}").click(":material/delete: Delete").run())
    assert "Delete this job?" in said(app)
    app.query_params["job_id"] = second
    assert "Delete this job?" not in said(clean(app.run()))


def test_a_click_on_the_job_before_does_not_hit_the_one_that_is_shown_now(hand: Hand, visit: Visit) -> None:
    first, second = hand.submit(), hand.submit()
    app = visit(PAGE, job_id=first)
    seen = app.button(key=f"do_cancel_{first}")  # the browser still shows it while the server is one page further
    app.query_params["job_id"] = second
    clean(app.run())
    clean(seen.click().run())
    assert hand.job(second).status == Status.PENDING
