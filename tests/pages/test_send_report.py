"""What the page of a sending job tells: numbers between batches, domains, messages, those in doubt, the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import insert, update
from streamlit.testing.v1 import AppTest

from engine.durable import control, queries
from engine.durable.contract import Done
from engine.durable.delivery_pages import DomainCounts
from engine.durable.schema import arrow_schema, carry, rows_table
from engine.durable.sending_tables import State, deliveries
from engine.durable.states import Status
from engine.durable.submit import Request, submit
from engine.durable.tables import jobs
from engine.jobs.send_emails import Row
from engine.workbench import Workbench
from pages.parts import send_chart, send_doubt, send_messages
from pages.parts.actions import AGAIN
from pages.parts.letter import Shown
from tests.pages.conftest import Hand, Visit, address, clean, labels, said

PAGE = "send_emails.py"
MESSAGE = {
    "from": "Harbour <news@harbour.com>",
    "subject": "Hello",
    "text": "We have moved.",
    "postalAddress": "1 Quay Street, Bristol",
    "consentBasis": "consent",
}
PEOPLE = ["ann@harbour.com", "ben@quiet.org", "cay@quiet.org", "dora@mill.org"]
MAIL = (
    b"From: Harbour <news@harbour.com>\r\nTo: ann@harbour.com\r\nSubject: Hello Ann\r\nMessage-ID: <m-0@harbour.com>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p onclick=x>Moved</p><script>alert(1)</script>\r\n--b\r\nContent-Type: application/pdf\r\n"
    b"Content-Disposition: attachment; filename=map.pdf\r\n\r\nPDF!\r\n--b--\r\n"
)
ERRORS = {State.IN_DOUBT: "the server fell silent", State.RETRY: "The relay put off the message."}


@pytest.fixture
def relay(configure: Callable[..., Workbench]) -> Workbench:
    """A workbench with a relay."""
    return configure(smtp_url="smtp://127.0.0.1:9", dns_servers="127.0.0.1:9", public_url="http://post.example.org")


def submitted(hand: Hand, **changed: Any) -> str:
    """A sending job that has not begun."""
    rows = pa.table({"email": [*PEOPLE, "nobody"], "first_name": ["Ann", "Ben", "Cay", "Dora", "X"]})
    request = Request(hand.bench.types["send-emails"], {**MESSAGE, **changed}, rows=rows)
    return submit(hand.database, hand.bench.vault, request).job_id


def written(hand: Hand, job_id: str, states: Mapping[str, State]) -> None:
    """The ledger, as far as it got."""
    now = 1_795_000_000_000
    rows = [
        {
            "job_id": job_id,
            "recipient": who,
            "item": PEOPLE.index(who),
            "domain": who.partition("@")[2],
            "state": state,
            "attempts": 1,
            "message_id": f"<m-{PEOPLE.index(who)}@harbour.com>",
            "sent_at": now if state is State.SENT else None,
            "due_at": now + 90_000_000_000 if state is State.RETRY else None,
            "smtp_code": 451 if state is State.RETRY else None,
            "smtp_reply": "4.7.1 Later" if state is State.RETRY else None,
            "error": ERRORS.get(state),
            "settled_at": now,
            "updated_at": now,
        }
        for who, state in states.items()
    ]
    hand.database.transact(lambda connection: connection.execute(insert(deliveries), rows))


def completed(hand: Hand, states: Mapping[str, State], **changed: Any) -> str:
    """A job with all of its rows."""
    job_id = submitted(hand, **changed)
    written(hand, job_id, states)
    job = hand.claim()
    source = pa.concat_tables(hand.bench.results.tables(job_id, stream="input"))
    rows = [
        {"status": states[who].value if who in states else "failed", "attempts": 1, "message_id": f"<m-{place}@harbour.com>"}
        for place, who in enumerate([*PEOPLE, "nobody"])
    ]
    made = carry(source, rows_table(rows, arrow_schema(Row)))
    spans = [(n, min(job.total_items, (n + 1) * job.batch_size)) for n in range(job.batches)]
    done = {
        n: Done(made.slice(n * job.batch_size, stop - n * job.batch_size), 0, stop - n * job.batch_size, {}, {})
        for n, stop in spans
    }
    hand.commit(job, done, outcome=Status.COMPLETED, reason="completed")
    return job_id


def tile(app: AppTest, label: str) -> str:
    """The value of a counter."""
    return said(app).partition(f'<span class="pb-label">{label}</span>')[2].partition("</b>")[0].rpartition(">")[2]


def pick(monkeypatch: pytest.MonkeyPatch, module: Any, row: int) -> None:
    """Have a row of a table chosen: `AppTest` cannot click into one."""
    monkeypatch.setattr(module, "_chosen", lambda found: found[row])


def test_numbers_move_between_batches(visit: Visit, hand: Hand) -> None:
    job_id = submitted(hand)
    hand.claim()
    written(hand, job_id, {PEOPLE[0]: State.SENT, PEOPLE[1]: State.RETRY, PEOPLE[2]: State.IN_DOUBT, PEOPLE[3]: State.QUEUED})
    app = visit(PAGE, job_id=job_id)
    assert [tile(app, label) for label in ("In the outbox", "In doubt", "Deferred", "Failed")] == ["1", "1", "1", "0"]
    assert "next in" in said(app)
    assert "Succeeded" not in said(app)


def test_messages_are_listed_with_what_the_server_said(visit: Visit, hand: Hand) -> None:
    states = {PEOPLE[0]: State.SENT, PEOPLE[1]: State.RETRY, PEOPLE[2]: State.FAILED, PEOPLE[3]: State.QUEUED}
    job_id = submitted(hand, transport="outbox")
    written(hand, job_id, states)
    app = visit(PAGE, job_id=job_id)
    table = app.dataframe[0].value
    assert list(table["recipient"]) == sorted(PEOPLE)
    assert table["reply"][1] == "451 4.7.1 Later"
    clean(app.button_group(key="send_state").set_value(State.RETRY).run())
    assert list(app.dataframe[0].value["recipient"]) == [PEOPLE[1]]
    clean(app.button_group(key="send_state").set_value(None).run())
    clean(app.text_input(key="send_search").set_value("quiet").run())
    assert list(app.dataframe[0].value["recipient"]) == PEOPLE[1:3]
    clean(app.text_input(key="send_search").set_value("elsewhere").run())
    assert "No message fits." in said(app)


def test_pages_of_messages_lead_on_and_back(visit: Visit, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_messages, "PAGE_ROWS", 3)
    job_id = submitted(hand)
    written(hand, job_id, dict.fromkeys(PEOPLE, State.QUEUED))
    app = visit(PAGE, job_id=job_id)
    clean(app.button(key="older").click().run())
    assert list(app.dataframe[0].value["recipient"]) == [PEOPLE[3]]
    clean(app.button(key="newer").click().run())
    assert list(app.dataframe[0].value["recipient"]) == PEOPLE[:3]


def test_domains_are_stacked_by_what_became_of_their_messages() -> None:
    found = [DomainCounts("a.test", {State.SENT: 3, State.RETRY: 1}), DomainCounts("b.test", {State.FAILED: 2})]
    chart = send_chart.stacked(found)
    assert chart["yAxis"]["data"] == ["a.test  4", "b.test  2"]
    assert {part["name"]: part["data"] for part in chart["series"]} == {"sent": [3, 0], "failed": [0, 2], "deferred": [1, 0]}
    assert send_chart.summary(found) == "Recipients' domains: a.test 3 of 4 sent, b.test 0 of 2 sent"


def test_messages_in_doubt_can_be_treated_as_sent(visit: Visit, hand: Hand) -> None:
    states = {**dict.fromkeys(PEOPLE, State.SENT), PEOPLE[1]: State.IN_DOUBT}
    job_id = completed(hand, states)
    app = visit(PAGE, job_id=job_id)
    assert "1 message in doubt." in said(app)
    assert "It may have arrived" in said(app)
    clean(app.button(key="doubt_sent_ask").click().run())
    assert tile(app, "In doubt") == "1"
    clean(app.button(key="doubt_sent_yes").click().run())
    assert tile(app, "In doubt") == "0"
    assert "in doubt." not in said(app)


def test_messages_in_doubt_are_sent_again_by_another_job(visit: Visit, hand: Hand) -> None:
    states = {**dict.fromkeys(PEOPLE, State.SENT), PEOPLE[1]: State.IN_DOUBT, PEOPLE[2]: State.IN_DOUBT}
    job_id = completed(hand, states)
    app = visit(PAGE, job_id=job_id)
    clean(app.button(key="doubt_resend_ask").click().run())
    assert "it arrives a second time" in said(app)
    clean(app.button(key="doubt_resend_no").click().run())
    assert queries.stats(hand.database)["total"] == 1
    clean(app.button(key="doubt_resend_ask").click().run())
    clean(app.button(key="doubt_resend_yes").click().run())
    new = hand.job(address(app, "job_id"))
    assert (new.total_items, new.params["resends"]) == (2, job_id)
    again = visit(PAGE, job_id=job_id)
    assert "in doubt." not in said(again)
    assert tile(again, "In doubt") == "0" and "2 sent again" in said(again) and "handed over, no answer" not in said(again)


def test_a_message_still_to_be_decided_about_is_told_from_those_sent_again(
    visit: Visit, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = completed(hand, dict.fromkeys(PEOPLE, State.IN_DOUBT))
    monkeypatch.setattr(send_doubt, "_chosen", lambda found: found[:3])  # `AppTest` cannot click into a table
    app = visit(PAGE, job_id=job_id)
    assert tile(app, "In doubt") == "4" and "handed over, no answer" in said(app)
    clean(app.button(key="doubt_resend_ask").click().run())
    clean(app.button(key="doubt_resend_yes").click().run())
    again = visit(PAGE, job_id=job_id)
    assert tile(again, "In doubt") == "1" and "3 more sent again" in said(again)


def test_a_message_of_the_outbox_is_shown_safely(visit: Visit, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = completed(hand, dict.fromkeys(PEOPLE, State.SENT))
    folder = hand.bench.settings.outbox / job_id
    folder.mkdir(parents=True)
    (folder / "m0.eml").write_bytes(MAIL)
    pick(monkeypatch, send_messages, 0)
    app = visit(PAGE, job_id=job_id)
    assert "<b>Hello Ann</b>" in said(app)
    assert "map.pdf (4 B)" in said(app)
    assert "<p>Moved</p>" in said(app)
    assert "alert(1)" not in said(app)
    assert "Download .eml" in labels(app, "download_button")


def test_a_message_whose_file_is_gone_says_so(visit: Visit, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = completed(hand, dict.fromkeys(PEOPLE, State.SENT))
    pick(monkeypatch, send_messages, 0)
    assert "The file of this message is not here." in said(visit(PAGE, job_id=job_id))


def test_a_dry_run_leads_to_the_real_thing(relay: Workbench, visit: Visit, hand: Hand) -> None:
    job_id = completed(hand, dict.fromkeys(PEOPLE, State.SENT))
    app = visit(PAGE, job_id=job_id)
    assert "4 messages lie in the outbox" in said(app)
    clean(app.button(key="send_real").click().run())
    assert app.radio(key="send_transport").value == "smtp"
    assert app.text_input(key="send_subject").value == "Hello"
    assert "<b>4 recipients</b> will be written to" in said(app)
    assert queries.stats(hand.database)["total"] == 1
    clean(app.button(key="run").click().run())
    assert queries.stats(hand.database)["total"] == 1
    clean(app.button(key="once_more_yes").click().run())
    assert hand.job(address(app, "job_id")).params["transport"] == "smtp"


def test_without_a_relay_a_dry_run_leads_nowhere(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE, job_id=completed(hand, dict.fromkeys(PEOPLE, State.SENT)))
    assert app.button(key="send_real").disabled


def test_a_job_that_is_held_says_why(visit: Visit, hand: Hand) -> None:
    job_id = submitted(hand)
    control.pause(hand.database, job_id, "The relay refused the login (535 no). Set POSTBENCH_SMTP_URL right, then resume.")
    assert "The relay refused the login (535 no)" in said(visit(PAGE, job_id=job_id))


def test_a_moment_between_two_messages_is_no_wait(visit: Visit, hand: Hand) -> None:
    job_id = submitted(hand)
    job = hand.claim()
    assert job.id == job_id
    for wait, told in ((2_000, False), (60_000, True)):
        parked(hand, job_id, wait)
        assert ("its moment at this rate has not come" in said(visit(PAGE, job_id=job_id))) is told


def test_a_wait_tells_what_is_in_the_way(visit: Visit, hand: Hand) -> None:
    job_id = submitted(hand)
    written(hand, job_id, {PEOPLE[0]: State.RETRY})
    assert hand.claim().id == job_id
    parked(hand, job_id, 60_000)
    assert "The relay put off the message. The server answered: 451 4.7.1 Later. It costs" in said(visit(PAGE, job_id=job_id))


def parked(hand: Hand, job_id: str, wait: int) -> None:
    """The job waits, from its last commit on."""
    released = {"engine_id": None, "lease_until": None, "wake_at": jobs.c.updated_at + wait}
    with hand.database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(**released))


def test_rows_of_another_job_come_with_their_words(visit: Visit, hand: Hand) -> None:
    source = hand.completed(3)
    app = visit("generate_emails.py", job_id=source)
    clean(app.menu_button(key="use").click(":material/send: Send e-mails").run())
    assert address(app, "from_job") == source
    assert "Nobody on this list can be written to." in said(app)
    assert "Made up addresses are never written to" in said(app)


def test_a_plain_message_has_no_html() -> None:
    shown = Shown.of(b"From: a@x.test\r\nSubject: Hi\r\n\r\nHello\r\n")
    assert (shown.html, shown.text.strip(), list(shown.files)) == (None, "Hello", [])


def test_a_job_that_sent_for_real_asks_before_it_is_run_again(relay: Workbench, visit: Visit, hand: Hand) -> None:
    job_id = completed(hand, dict.fromkeys(PEOPLE, State.SENT), transport="smtp")
    app = visit(PAGE, job_id=job_id)
    clean(app.menu_button(key=f"more_{job_id}").click(AGAIN).run())
    assert "who had this message gets it once more" in said(app)
    assert queries.stats(hand.database)["total"] == 1
    clean(app.button(key="again_yes").click().run())
    new = hand.job(address(app, "job_id"))
    assert (new.id != job_id, new.params["transport"], new.total_items) == (True, "smtp", 5)
    assert "once more" not in said(app)


def test_a_dry_run_is_run_again_at_once(visit: Visit, hand: Hand) -> None:
    job_id = completed(hand, dict.fromkeys(PEOPLE, State.SENT))
    app = visit(PAGE, job_id=job_id)
    clean(app.menu_button(key=f"more_{job_id}").click(AGAIN).run())
    assert queries.stats(hand.database)["total"] == 2


def test_a_question_about_messages_in_doubt_stays_with_their_job(visit: Visit, hand: Hand) -> None:
    first, second = (completed(hand, dict.fromkeys(PEOPLE, State.IN_DOUBT)) for _ in range(2))
    app = visit(PAGE, job_id=first)
    clean(app.button(key="doubt_resend_ask").click().run())
    app.query_params["job_id"] = second
    clean(app.run())
    assert "4 messages in doubt." in said(app) and "Send 4 messages again?" not in said(app)
