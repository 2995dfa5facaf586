"""No reply is taken for more than it says: only 5yz is final, and only words about the mailbox are hard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.smtp_wire import Reply
from engine.net.submission import Result, Trouble
from engine.net.submission_replies import Step, refusal

REPLIES = st.builds(Reply, st.integers(300, 599), st.lists(st.text(max_size=60), min_size=1, max_size=3).map(tuple))


@given(st.sampled_from(Step), REPLIES, st.booleans())
def test_any_refusal_has_a_receipt(step: Step, reply: Reply, proven: bool):
    receipt = refusal(step, reply, proven)
    assert receipt.result in (Result.RETRY, Result.FAILED)
    assert receipt.result is Result.RETRY or reply.code >= 500
    assert receipt.result is Result.FAILED or not receipt.hard
    assert receipt.result is Result.RETRY or step in (Step.MAIL, Step.RCPT, Step.DATA, Step.DOT)
    assert receipt.error
    assert (receipt.error + receipt.reply).isprintable()
    assert len(receipt.reply) <= 300


def test_a_mailbox_that_does_not_exist_is_hard_at_rcpt_and_at_the_dot_only():
    gone = Reply(550, ("5.1.1 User unknown",))
    assert [step for step in Step if refusal(step, gone).hard] == [Step.RCPT, Step.DOT]


def test_421_is_never_about_the_letter():
    closing = Reply(421, ("4.7.0 Bye",))
    assert {(refusal(step, closing).result, refusal(step, closing).trouble) for step in Step} == {(Result.RETRY, Trouble.CLOSING)}


@pytest.mark.parametrize(
    "said",
    [
        "5.6.0 Message contains invalid header",
        "5.7.1 It contains an invalid recipient list",
        "Message has an invalid address",
    ],
)
def test_a_message_that_is_refused_for_what_is_in_it_suppresses_nobody(said: str):
    assert not refusal(Step.DOT, Reply(550, (said,))).hard
