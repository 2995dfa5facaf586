"""The form of send-emails: who is written to, the message with its preview, what is asked before it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from engine.durable import queries, suppressions
from engine.durable.files import files_of
from engine.durable.suppressions import NewSuppression
from engine.sending import recipients
from engine.workbench import Workbench
from pages.parts import send_audience
from pages.parts.send_rules import CONSENT
from tests.pages.conftest import Hand, Visit, address, clean, labels, said
from tests.pages.test_listing import errors, fact, input_of

PAGE = "send_emails.py"
LIST = "email,first_name\nann@harbour.com,Ann\nben@quiet.org,\nANN@harbour.com,Again\nnope,Nobody\n"
HTML = '<h1 style="color: red">Hi</h1><script>alert(1)</script><img src="https://spy.test/x.png" alt="House">{{ first_name }}'
FIELDS = {
    "send_from": "Harbour <news@harbour.com>",
    "send_subject": "Hello {{ first_name | default('you') }}",
    "send_text": "We have moved, {{ email }}.",
}


def pasted(app: AppTest, text: str = LIST) -> AppTest:
    return clean(app.text_area(key="recipients_text").set_value(text).run())


def written(app: AppTest, **changed: str) -> AppTest:
    """All fields of the message filled in."""
    for name, value in (FIELDS | changed).items():
        area = name in ("send_text", "send_html")
        (app.text_area(key=name) if area else app.text_input(key=name)).set_value(value)
    app.text_area(key="send_postal").set_value("Harbour Ltd, 1 Quay Street, Bristol")
    app.selectbox(key="send_consent").set_value("consent")
    return clean(app.run())


def pressed(app: AppTest) -> str:
    clean(app.button(key="run").click().run())
    return address(app, "job_id")


@pytest.fixture
def relay(configure: Callable[..., Workbench]) -> Workbench:
    """A workbench with a relay."""
    return configure(smtp_url="smtp://127.0.0.1:9", dns_servers="127.0.0.1:9", public_url="http://post.example.org")


def test_an_empty_form_is_quiet_until_it_is_submitted(visit: Visit, hand: Hand) -> None:
    app = visit(PAGE)
    assert errors(app) == []
    assert "The message is shown as the rows of the list will read it" in said(app)
    pressed(app)
    assert queries.stats(hand.database)["total"] == 0
    assert {"There is no list yet; paste one, upload a file, or choose another job.", "Is required."} <= set(errors(app))


def test_who_is_written_to_and_who_is_left_out_is_counted(visit: Visit, bench: Workbench) -> None:
    suppressions.add(bench.database, [NewSuppression("ben@quiet.org", "ben@quiet.org", "asked", "manual")])
    rows = ["ann@harbour.com,valid,", "bob@harbour.com,risky,", "ben@quiet.org,valid,", "eve@harbour.com,valid,true"]
    app = pasted(visit(PAGE), "\n".join(["email,status,synthetic", *rows, "ANN@harbour.com,valid,", "nope,valid,"]))
    assert "<b>1 recipient</b> will be written to" in said(app)
    for name in ("made up", "not verified as valid", "given before", "no address", "on the suppression list"):
        assert fact(name, "1") in said(app)
    clean(app.toggle(key="send_verified").set_value(False).run())
    assert "<b>2 recipients</b> will be written to" in said(app)
    suppressions.remove(bench.database, ["ben@quiet.org"], "asked", "manual")
    assert "<b>3 recipients</b> will be written to" in said(clean(app.run()))


def test_statuses_that_are_no_verdicts_are_not_called_verified(visit: Visit) -> None:
    app = pasted(visit(PAGE), "email,status\nann@harbour.com,ok\nben@quiet.org,failed\n")
    assert app.toggle(key="send_verified").label == "Leave out those ruled out by their status"
    assert fact("ruled out by their status", "1") in said(app) and "verified as valid" not in said(app)
    app = pasted(app, "email,status\nann@harbour.com,valid\nben@quiet.org,risky\n")
    assert app.toggle(key="send_verified").label == "Only verified ones"
    assert fact("not verified as valid", "1") in said(app)


def test_a_list_is_looked_through_once(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = recipients.recipients_of

    def counted(rows: pa.Table, column: str, verified_only: bool) -> Any:
        calls.append(rows.num_rows)
        return real(rows, column, verified_only)

    monkeypatch.setattr(send_audience, "recipients_of", counted)
    app = written(pasted(visit(PAGE)))
    clean(app.run())
    assert calls == [4]


def test_a_long_list_is_estimated(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_audience, "LOOKED_AT", 2)
    app = pasted(visit(PAGE))
    assert "About 4 recipients" in said(app)
    assert "a submit looks at all 4" in said(app)


def test_a_field_with_two_addresses_refuses_the_list(visit: Visit) -> None:
    app = pasted(visit(PAGE), 'email,name\n"ann@harbour.com, ben@quiet.org",Ann\n')
    assert errors(app)[0].startswith("Row 1: ")


def test_nobody_left_says_why(visit: Visit) -> None:
    app = pasted(visit(PAGE), "email,status\nann@harbour.com,invalid\n")
    assert "Nobody on this list can be written to." in said(app)


def test_the_message_is_shown_as_each_row_reads_it(visit: Visit) -> None:
    app = written(pasted(visit(PAGE)))
    assert "<b>Hello Ann</b>" in said(app)
    assert "We have moved, ann@harbour.com." in said(app)
    assert "1 Quay Street" in said(app).split("pb-typed")[1]
    assert "/api/unsubscribe/" in said(app)
    clean(app.button(key="send_next").click().run())
    assert "<b>Hello you</b>" in said(app)
    assert "row 2, 2 of 2" in said(app)
    assert app.button(key="send_next").disabled


def test_html_is_shown_without_what_runs_or_is_fetched(visit: Visit) -> None:
    app = written(pasted(visit(PAGE), "email,first_name\nann@harbour.com,<b>Ann</b>\n"), send_html=HTML)
    shown = said(app)
    assert "<script>" not in shown
    assert "spy.test" not in shown.partition('<div class="pb-paper">')[2]
    assert "&lt;b&gt;Ann" in shown


def test_a_row_without_a_value_is_named_on_the_spot(visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)), send_text="Dear {{ first_name }}")
    assert "Row 2 cannot be written." in said(app)
    clean(app.button(key="send_flawed").click().run())
    assert app.button(key="send_previous").disabled is False
    assert 'class="pb-envelope"' not in said(app)
    pressed(app)
    assert any("first_name" in error for error in errors(app))
    assert queries.stats(hand.database)["total"] == 0


def test_a_variable_that_is_no_column_is_an_error_of_its_field(visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)), send_text="Call {{ phone }}")
    assert errors(app) == ["{{ phone }} is no column of the list; it has email, first_name."]
    pressed(app)
    assert queries.stats(hand.database)["total"] == 0


def test_a_template_that_cannot_be_read_is_an_error_before_the_rest_is_filled_in(visit: Visit) -> None:
    app = pasted(visit(PAGE))
    clean(app.text_area(key="send_text").set_value("{% for x in y %}").run())
    assert len(errors(app)) == 1
    assert "It comes back as soon as the marked field can be read." in said(app)


def test_a_submit_makes_a_job_with_everything(visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)))
    job = hand.job(pressed(app))
    assert job.params == {
        "column": "email",
        "from": FIELDS["send_from"],
        "replyTo": None,
        "subject": FIELDS["send_subject"],
        "text": FIELDS["send_text"],
        "html": None,
        "postalAddress": "Harbour Ltd, 1 Quay Street, Bristol",
        "consentBasis": "consent",
        "ratePerMinute": None,
        "ratePerDomainPerMinute": None,
        "transport": "outbox",
        "verifiedOnly": False,
        "resends": None,
    }
    assert job.total_items == 4


def test_rates_are_those_of_the_relay_and_outlast_a_dry_run(relay: Workbench, visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)))
    clean(app.radio(key="send_transport").set_value("smtp").run())
    clean(app.number_input(key="send_rate").set_value(120).run())
    clean(app.number_input(key="send_domain_rate").set_value(30).run())
    clean(app.radio(key="send_transport").set_value("outbox").run())
    assert app.number_input(key="send_rate").disabled
    dry = hand.job(pressed(app))
    assert (dry.params["ratePerMinute"], dry.params["ratePerDomainPerMinute"]) == (None, None)
    clean(app.button(key="edit").click().run())
    clean(app.radio(key="send_transport").set_value("smtp").run())
    clean(app.button(key="run").click().run())
    clean(app.button(key="once_more_yes").click().run())
    real = hand.job(address(app, "job_id"))
    assert (real.params["ratePerMinute"], real.params["ratePerDomainPerMinute"]) == (120, 30)


def test_attachments_are_listed_with_their_size_and_go_along(visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)))
    clean(app.file_uploader(key="send_upload_0").set_value([("map.pdf", b"x" * 2_500, "application/pdf")]).run())
    clean(app.file_uploader(key="send_upload_1").set_value([("a.txt", b"hello", "text/plain")]).run())
    assert "map.pdf" in said(app)
    assert "2.5 kB" in said(app)
    clean(app.button(key="send_remove_1").click().run())
    job_id = pressed(app)
    assert [(file.name, file.payload) for file in files_of(hand.database, job_id)] == [("map.pdf", b"x" * 2_500)]
    again = visit(PAGE, job_id=job_id)
    clean(again.button(key="edit").click().run())
    assert "map.pdf" in said(again)


def test_a_program_cannot_be_attached(visit: Visit) -> None:
    app = written(pasted(visit(PAGE)))
    clean(app.file_uploader(key="send_upload_0").set_value([("run.exe", b"x", "application/octet-stream")]).run())
    assert "be attached: mail providers turn such messages away." in errors(app)[0]


def test_the_form_outlives_a_change_of_page(visit: Visit) -> None:
    app = written(pasted(visit(PAGE)))
    clean(app.switch_page("jobs.py").run())
    clean(app.switch_page(PAGE).run())
    assert app.text_input(key="send_subject").value == FIELDS["send_subject"]
    assert app.selectbox(key="send_consent").value == "consent"
    assert "<b>Hello Ann</b>" in said(app)


def test_without_a_relay_there_is_only_the_outbox(visit: Visit) -> None:
    app = visit(PAGE)
    assert app.radio(key="send_transport").options == ["Outbox (dry run)"]
    assert "POSTBENCH_SMTP_URL" in said(app)
    assert "Write to the outbox" in labels(app, "button")


def test_real_messages_are_asked_about_once_more(relay: Workbench, visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)))
    clean(app.radio(key="send_transport").set_value("smtp").run())
    pressed(app)
    assert queries.stats(hand.database)["total"] == 0
    assert "Send 2 messages for real?" in said(app)
    assert "600 a minute." in said(app)
    assert "The checks below found 1 problem." in said(app)
    clean(app.button(key="once_more_yes").click().run())
    assert hand.job(address(app, "job_id")).params["transport"] == "smtp"


def test_an_answer_counts_only_for_what_was_asked(relay: Workbench, visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)))
    clean(app.radio(key="send_transport").set_value("smtp").run())
    pressed(app)
    clean(app.text_input(key="send_subject").set_value("Another one").run())
    assert "for real?" not in said(app)
    pressed(app)
    clean(app.button(key="once_more_no").click().run())
    assert "for real?" not in said(app)
    assert queries.stats(hand.database)["total"] == 0


def test_a_test_goes_to_the_visitor_with_the_row_of_the_preview(visit: Visit, hand: Hand) -> None:
    app = written(
        pasted(visit(PAGE), "email,first_name,synthetic,status\nann@harbour.com,Ann,,valid\nben@quiet.org,Ben,,valid\n")
    )
    clean(app.button(key="send_next").click().run())
    clean(app.text_input(key="send_test_to").set_value("nobody").run())
    clean(app.button(key="send_test_go").click().run())
    assert len(errors(app)) == 1
    clean(app.text_input(key="send_test_to").set_value("me@mine.org").run())
    clean(app.button(key="send_test_go").click().run())
    assert address(app, "job_id") == ""
    job = queries.listed(hand.database, limit=1).jobs[0]
    row = input_of(hand, job.id).to_pylist()[0]
    assert (job.total_items, row["email"], row["first_name"], row["_why"]) == (1, "me@mine.org", "Ben", None)
    assert "To me@mine.org" in said(app)


def test_a_test_waits_for_a_complete_message(visit: Visit) -> None:
    assert visit(PAGE).button(key="send_test_go").disabled


def test_drafts_bring_subject_and_text_of_their_own(visit: Visit, hand: Hand) -> None:
    app = pasted(visit(PAGE), "email,subject,body\nann@harbour.com,One,Dear Ann\n")
    assert "from the column subject" in app.text_input(key="send_subject").placeholder
    app = written(app, send_subject="", send_text="")
    assert "<b>One</b>" in said(app)
    assert "Dear Ann" in said(app)
    assert errors(app) == []
    assert hand.job(pressed(app)).params["subject"] is None


def test_a_list_without_words_of_its_own_needs_some(visit: Visit, hand: Hand) -> None:
    app = written(pasted(visit(PAGE)), send_subject="", send_text="")
    pressed(app)
    assert any("bring a list with a column named subject" in error for error in errors(app))


def test_edit_offers_list_and_message_again(visit: Visit, hand: Hand) -> None:
    first = hand.job(pressed(written(pasted(visit(PAGE)))))
    again = visit(PAGE, job_id=first.id)
    clean(again.button(key="edit").click().run())
    assert "<b>2 recipients</b> will be written to" in said(again)
    assert "_recipient" not in said(again)
    assert again.text_input(key="send_subject").value == FIELDS["send_subject"]
    second = hand.job(pressed(again))
    assert second.id != first.id
    assert input_of(hand, second.id).equals(input_of(hand, first.id))


def test_checks_say_what_stands_in_the_way(visit: Visit) -> None:
    app = written(pasted(visit(PAGE)), send_text="{% if phone %}Call {{ phone }}{% endif %} {{ email }}")
    assert "always empty" in said(app)
    assert "which nobody else can reach" in said(app)
    assert "1 Quay Street" in said(app)


def test_every_basis_has_a_sentence(visit: Visit) -> None:
    app = visit(PAGE)
    for basis, (_, sentence) in CONSENT.items():
        clean(app.selectbox(key="send_consent").set_value(basis.value).run())
        assert sentence in said(app)
