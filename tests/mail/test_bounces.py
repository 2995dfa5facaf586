"""Bounce messages: who is gone, who is not, and what is no bounce at all."""

from __future__ import annotations

import base64
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.mail.bounces import MOST, Report, ReportKind, reports
from engine.mail.bounces_kind import MAX_DIAGNOSTIC
from tests.mail import bounce_samples as samples

HARD, SOFT, COMPLAINT = ReportKind.HARD, ReportKind.SOFT, ReportKind.COMPLAINT
JANE = "jane@shop.test"

FOUND = [
    pytest.param(samples.POSTFIX, HARD, "5.1.1", id="Postfix, no such user"),
    pytest.param(samples.POSTFIX_NO_DOMAIN, HARD, "5.4.4", id="Postfix, no such domain"),
    pytest.param(samples.POSTFIX_EXPIRED, SOFT, "4.4.1", id="Postfix, given up after days"),
    pytest.param(samples.EXIM, HARD, "5.0.0", id="Exim, headers only"),
    pytest.param(samples.EXCHANGE, HARD, "5.1.10", id="Exchange"),
    pytest.param(samples.EXCHANGE_POLICY, SOFT, "5.7.1", id="Exchange, a policy"),
    pytest.param(samples.GMAIL, HARD, "5.1.1", id="Gmail"),
    pytest.param(samples.FULL, SOFT, "5.2.2", id="over quota"),
    pytest.param(samples.DOMINO, HARD, "5.1.1", id="Domino"),
    pytest.param(samples.SENDMAIL, HARD, "5.1.1", id="sendmail, forwarded: whom we meant"),
    pytest.param(samples.QMAIL, HARD, "5.1.1", id="qmail"),
    pytest.param(samples.EXIM_PROSE, HARD, "5.1.1", id="Exim, prose"),
    pytest.param(samples.EXIM_TIMEOUT, SOFT, "4.7.1", id="Exim, given up after days"),
    pytest.param(samples.YAHOO, HARD, "", id="Yahoo"),
]


@pytest.mark.parametrize(("message", "kind", "status"), FOUND)
def test_a_bounce_says_who_is_gone_and_which_message_came_back(message, kind, status):
    [report] = reports(message)
    assert (report.recipient, report.kind, report.status, report.message_id) == (JANE, kind, status, samples.ORIGINAL_ID)
    assert report.diagnostic


@pytest.mark.parametrize("message", [samples.POSTFIX, samples.EXIM, samples.COMPLAINT], ids=["whole", "header", "complaint"])
def test_the_link_to_unsubscribe_comes_back_with_the_message(message):
    assert reports(message)[0].token is None
    folded = b"List-Unsubscribe: <mailto:a@us.test>,\r\n <https://us.test/mail/api/unsubscribe/ab-c_D.12>\r\nMessage-ID: <2026"
    assert reports(message.replace(b"Message-ID: <2026", folded))[0].token == "ab-c_D.12"


def test_a_bounce_without_the_original_has_no_message_id():
    [report] = reports(samples.GROUPWISE)
    assert (report.recipient, report.kind, report.message_id) == (JANE, HARD, None)


def test_an_international_recipient_is_read():
    [report] = reports(samples.INTERNATIONAL)
    assert (report.recipient, report.kind, report.message_id) == ("jörg@shop.test", HARD, samples.ORIGINAL_ID)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_an_encoded_international_report_is_read(encoding):
    block = "Reporting-MTA: dns; mx.relay.test\n\nFinal-Recipient: utf-8; jörg@shop.test\nAction: failed\nStatus: 5.1.1\n"
    coded = base64.encodebytes(block.encode()).decode() if encoding == "base64" else block.replace("ö", "=C3=B6")
    kind = f"message/global-delivery-status\nContent-Transfer-Encoding: {encoding}"
    [report] = reports(samples.report(coded, status_type=kind))
    assert (report.recipient, report.kind) == ("jörg@shop.test", HARD)


def test_a_complaint_is_told_from_a_bounce():
    [report] = reports(samples.COMPLAINT)
    assert (report.recipient, report.kind, report.message_id) == (JANE, COMPLAINT, samples.ORIGINAL_ID)


def test_a_complaint_without_its_recipient_names_whom_the_message_went_to():
    [report] = reports(samples.COMPLAINT.replace(b"Original-Rcpt-To: <jane@shop.test>\n", b""))
    assert (report.recipient, report.kind) == (JANE, COMPLAINT)


@pytest.mark.parametrize("kind", [b"auth-failure", b"not-spam", b"virus"])
def test_other_feedback_is_no_complaint(kind):
    assert reports(samples.COMPLAINT.replace(b"Feedback-Type: abuse", b"Feedback-Type: " + kind)) == []


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(samples.POSTFIX_DELAYED, id="delayed"),
        pytest.param(samples.DELIVERED, id="delivered"),
        pytest.param(samples.DELIVERED.replace(b"delivered", b"relayed"), id="relayed"),
        pytest.param(samples.DELIVERED.replace(b"delivered", b"expanded"), id="expanded"),
        pytest.param(samples.VACATION, id="out of office"),
        pytest.param(samples.ORDINARY, id="a person who quotes a bounce"),
        pytest.param(samples.FORWARDED, id="a person who attaches a bounce"),
        pytest.param(samples.READ_RECEIPT, id="read receipt"),
        pytest.param(samples.ORIGINAL.encode(), id="an ordinary message"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff" * 1000, id="binary"),
    ],
)
def test_what_is_no_bounce_suppresses_nobody(message):
    assert reports(message) == []


SAID = [
    ("5.1.1", "smtp; 550 5.1.1 user unknown", HARD),
    ("5.0.0", "smtp; 550 5.1.1 user unknown", HARD),
    ("4.0.0", "smtp; 550 5.1.1 user unknown", HARD),
    ("5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled.", HARD),
    ("5.1.0", "smtp; 556 5.1.10 Domain does not accept mail (nullMX)", HARD),
    ("5.4.310", "550 5.4.310 DNS domain shop.test does not exist", HARD),
    ("5.1.2", "X-Postfix; bad domain", HARD),
    ("5.1.1", "", HARD),
    ("5.7.1", "smtp; 550 5.7.1 Client host blocked using zen.spamhaus.org", SOFT),
    ("5.7.26", "smtp; 550 5.7.26 This mail has been blocked because the sender is unauthenticated", SOFT),
    ("5.2.2", "smtp; 552 5.2.2 mailbox full", SOFT),
    ("5.3.4", "smtp; 552 5.3.4 Message size exceeds fixed limit", SOFT),
    ("5.6.0", "smtp; 554 5.6.0 Message contains invalid header", SOFT),
    ("5.0.0", "smtp; 554 Message contains invalid header", SOFT),
    ("5.3.0", "smtp; 553 5.3.0 <jane@shop.test>... User unknown", HARD),
    ("5.1.8", "smtp; 550 5.1.8 Sender address rejected: Domain not found", SOFT),
    ("4.4.7", "smtp;550 4.4.7 QUEUE.Expired; message expired", SOFT),
    ("5.0.0", "smtp; 450 4.7.1 greylisted", SOFT),
    ("5.0.0", "", SOFT),
    ("", "", SOFT),
    ("2.0.0", "smtp; 250 ok", SOFT),
    ("nonsense", "smtp; what?", SOFT),
]


@pytest.mark.parametrize(("status", "diagnostic", "kind"), SAID)
def test_hard_is_only_what_says_that_the_mailbox_or_the_domain_is_gone(status, diagnostic, kind):
    fields = f"Final-Recipient: rfc822; {JANE}\nAction: failed\nStatus: {status}\nDiagnostic-Code: {diagnostic}\n"
    [report] = reports(samples.report(f"Reporting-MTA: dns; a.test\n\n{fields}"))
    assert report.kind is kind, report


RECIPIENTS = [
    ("rfc822; jane@shop.test", JANE),
    ("RFC822;<jane@shop.test>", JANE),
    ("<jane@shop.test>", JANE),
    ("jane@shop.test", JANE),
    ("unknown; jane@shop.test", JANE),
    ("utf-8; j\\x{00F6}@shop.test", "jö@shop.test"),
    ("utf-8; j\\x{D800}@shop.test", "j\ufffd@shop.test"),
    ("x400; /C=DE/A=X/", ""),
    (f"rfc822; {'x' * 400}@shop.test", ""),
]


@pytest.mark.parametrize(("field", "recipient"), RECIPIENTS)
def test_recipients_are_read_in_every_notation(field, recipient):
    [report] = reports(samples.report(f"Reporting-MTA: dns; a.test\n\nFinal-Recipient: {field}\nAction: failed\nStatus: 5.1.1\n"))
    assert (report.recipient, report.message_id) == (recipient, samples.ORIGINAL_ID)


def test_nobody_is_named_without_an_address_and_without_the_original():
    block = "Reporting-MTA: dns; a.test\n\nFinal-Recipient: x400; /C=DE/\nAction: failed\nStatus: 5.1.1\n"
    assert reports(samples.report(block, original="", returned="text/plain")) == []


def test_each_recipient_counts_once_and_the_worst_counts():
    block = "Final-Recipient: rfc822; {}\nAction: failed\nStatus: {}\n"
    groups = [block.format(name, status) for name, status in product((JANE, "JANE@shop.test"), ("4.4.7", "5.1.1", "5.2.2"))]
    [report] = reports(samples.report("Reporting-MTA: dns; a.test\n\n" + "\n".join(groups)))
    assert (report.kind, report.status) == (HARD, "5.1.1")


def test_a_flood_of_recipients_is_cut():
    block = "\n".join(f"Final-Recipient: rfc822; u{n}@shop.test\nAction: failed\nStatus: 5.1.1\n" for n in range(3 * MOST))
    assert len(reports(samples.report("Reporting-MTA: dns; a.test\n\n" + block))) == MOST


def test_a_diagnostic_is_one_printable_line():
    block = (
        f"Final-Recipient: rfc822; {JANE}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 \x1b[31m\x07{'é ' * 900}\n"
    )
    [report] = reports(samples.report("Reporting-MTA: dns; a.test\n\n" + block))
    assert report.diagnostic.isprintable()
    assert len(report.diagnostic) == MAX_DIAGNOSTIC


# Hostile messages.

_NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(5_000))
_START = samples.POSTFIX.partition(b"--=_b")[0]
HOSTILE = [
    pytest.param(_NESTED + b"a\n" * 400_000, id="nested multiparts"),
    pytest.param(b"Content-Type: message/rfc822\n\n" * 30_000, id="nested messages"),
    pytest.param(b"Content-Type: multipart/report; " + b'x=";' * 250_000 + b"\n\n", id="quotes in a header"),
    pytest.param(b"From: MAILER-DAEMON@a.test\n\n" + b"<" * 900_000, id="angle brackets"),
    pytest.param(b"From: MAILER-DAEMON@a.test\nContent-Type: text/html\n\n" + b"<" * 900_000, id="tags without an end"),
    pytest.param(b"From: MAILER-DAEMON@a.test\n\n" + b"<a@b.test>:\n" * 80_000, id="recipients in prose"),
    pytest.param(b"From: MAILER-DAEMON@a.test\n\n" + b"\n \t" * 300_000, id="blank lines"),
    pytest.param(b"From: MAILER-DAEMON@a.test\n\n" + b"Message-ID:" * 90_000, id="identifiers without an end"),
    pytest.param(_START + b"--=_b\nContent-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * 60_000, id="groups"),
    pytest.param(_START + b"--=_b\nContent-Type: message/delivery-status\n\n" + b"Action:\n" + b" x\n" * 300_000, id="folds"),
    pytest.param(b"X: y\n" * 200_000, id="headers"),
    pytest.param(b"From: MAILER-DAEMON@a.test\nContent-Type: text/plain; charset=idna\n\nx@y.test", id="a charset that is none"),
    pytest.param(b"From: MAILER-DAEMON@a.test\nContent-Transfer-Encoding: base64\n\n\xff\xfe===", id="broken base64"),
]


@pytest.mark.parametrize("message", HOSTILE)
def test_a_hostile_message_is_read_in_bounded_time(message):
    """Without bounds some of these take minutes; a time-out of the whole run would tell."""
    assert all(report.kind is not HARD for report in reports(message))


_LINES = rb"""
--=_b
--=_b--
Content-Type: message/delivery-status
Content-Type: message/rfc822
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"
Content-Type: message/feedback-report
Content-Type: ;;=
Content-Transfer-Encoding: base64
Feedback-Type: abuse
Final-Recipient: rfc822; jane@shop.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user
From: MAILER-DAEMON@a.test
Message-ID: <a@b>
X-Failed-Recipients: a@b.test,
<jane@shop.test>:
"""
_PIECES = st.sampled_from([line + b"\n" for line in _LINES.splitlines()])


@given(st.one_of(st.binary(max_size=2_000), st.lists(_PIECES | st.binary(max_size=20), max_size=30).map(b"".join)))
@example(b"Content-Type: multipart/report; boundary=\n\n")
@example(b"Content-Type: message/delivery-status\n\nAction: failed\nFinal-Recipient: a@b\n")
def test_no_message_raises_and_every_report_is_well_formed(message):
    for report in reports(message):
        assert isinstance(report, Report)
        assert "@" in report.recipient or report.message_id
        assert report.diagnostic.isprintable()
        assert len(report.recipient) <= 500


@given(st.integers(0, len(samples.POSTFIX)), st.integers(0, len(samples.POSTFIX)), st.binary(max_size=8))
def test_a_damaged_report_never_names_somebody_else_as_gone(start, end, junk):
    message = samples.POSTFIX[:start] + junk + samples.POSTFIX[max(start, end) :]
    assert len(reports(message)) <= 3
