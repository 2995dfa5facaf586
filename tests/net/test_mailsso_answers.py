"""What mails.so says, in our words, whatever shape it comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.evidence import Reason, ServiceAnswer, Status
from engine.net.mailsso_answers import service_answer

FINE = {
    "isv_format": True,
    "isv_domain": True,
    "isv_mx": True,
    "isv_noblock": True,
    "isv_nocatchall": True,
    "isv_nogeneric": True,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [*FINE, "email", "result", "reason", "score", "mx_record", "is_free", "provider", "is_disposable", "did_you_mean"]


def told(**fields: object) -> ServiceAnswer:
    answer = service_answer({**FINE, **fields})
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"result": "deliverable", "reason": "accepted_email"}, Status.VALID, Reason.MAILBOX_EXISTS),
        ({"result": "Deliverable"}, Status.VALID, Reason.MAILBOX_EXISTS),
        ({"result": "undeliverable", "reason": "rejected_email"}, Status.INVALID, Reason.MAILBOX_NOT_FOUND),
        ({"result": "undeliverable", "reason": "something new"}, Status.INVALID, Reason.MAILBOX_NOT_FOUND),
        ({"result": "undeliverable", "reason": "invalid_domain"}, Status.INVALID, Reason.NO_DOMAIN),
        ({"result": "undeliverable", "reason": "invalid_mx"}, Status.INVALID, Reason.NO_HOST),
        ({"result": "undeliverable", "reason": "invalid_format"}, Status.INVALID, Reason.INVALID_SYNTAX),
        ({"result": "undeliverable", "reason": "mailbox_disabled"}, Status.INVALID, Reason.MAILBOX_DISABLED),
        ({"result": "undeliverable", "reason": "mailbox_full"}, Status.RISKY, Reason.MAILBOX_FULL),
        ({"result": "undeliverable", "isv_mx": False, "isv_nocatchall": False}, Status.INVALID, Reason.NO_HOST),
        ({"result": "undeliverable", "isv_domain": False}, Status.INVALID, Reason.NO_DOMAIN),
        ({"result": "undeliverable", "isv_nocatchall": False}, Status.RISKY, Reason.CATCH_ALL),
        ({"result": "deliverable", "isv_nocatchall": False}, Status.RISKY, Reason.CATCH_ALL),
        ({"result": "unknown", "isv_nocatchall": False}, Status.RISKY, Reason.CATCH_ALL),
        ({"result": "risky", "reason": "low_deliverability"}, Status.RISKY, Reason.MAILBOX_EXISTS),
        ({"result": "risky", "is_disposable": True}, Status.RISKY, Reason.DISPOSABLE),
        ({"result": "risky", "isv_nogeneric": False}, Status.RISKY, Reason.ROLE),
        ({"result": "unknown", "reason": "timeout"}, Status.UNKNOWN, Reason.TIMEOUT),
        ({"result": "unknown", "reason": "no_connect"}, Status.UNKNOWN, Reason.NO_CONNECTION),
        ({"result": "unknown", "reason": "unavailable_smtp"}, Status.UNKNOWN, Reason.NO_CONNECTION),
        ({"result": "unknown", "reason": "unexpected_error"}, Status.UNKNOWN, Reason.SERVICE_ERROR),
        ({"result": "who knows"}, Status.UNKNOWN, Reason.SERVICE_ERROR),
    ],
)
def test_results_and_reasons(fields, status, reason):
    answer = told(**fields)
    assert (answer.status, answer.reason) == (status, reason)
    assert not answer.error


@pytest.mark.parametrize(
    ("score", "wanted"),
    [
        (83, 83),
        ("83", 83),
        (82.6, 83),
        (-5, 0),
        (900, 100),
        ("1e400", None),
        ("high", None),
        (None, None),
        (True, None),
        ([], None),
        (float("nan"), None),
    ],
)
def test_scores(score, wanted):
    assert told(result="deliverable", score=score).score == wanted


def test_flags_texts_and_their_absence():
    answer = told(
        result="deliverable",
        isv_nogeneric="false",
        is_free=1,
        is_disposable=False,
        mx_record="MX.Example.TEST.",
        provider="google",
        did_you_mean="a@b.test",
    )
    assert (answer.role, answer.free, answer.disposable, answer.catch_all) == (True, True, False, False)
    assert (answer.mx, answer.provider, answer.suggestion) == ("mx.example.test", "google", "a@b.test")
    bare = service_answer({"result": "deliverable", "mx_record": None, "provider": {"a": 1}, "did_you_mean": "x\n" * 9})
    assert bare == ServiceAnswer(Status.VALID, Reason.MAILBOX_EXISTS)


@pytest.mark.parametrize("data", [{}, {"result": None}, {"result": 7}, {"result": " "}, {"message": "hello"}])
def test_an_object_that_says_nothing_is_no_answer(data):
    assert service_answer(data) is None


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_shape_breaks_it(data):
    answer = service_answer(data)
    if answer is not None:
        assert answer.score is None or 0 <= answer.score <= 100
        assert isinstance(answer.mx, str)
        assert answer.status in Status
