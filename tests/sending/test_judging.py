"""What is kept of an attempt, how long the next one waits, and what holds a job."""

from __future__ import annotations

import pytest

from engine.durable.ledger import Outcome, Standing, State
from engine.net.submission import Receipt, Result, Trouble
from engine.sending.halting import CLOSINGS, MIN_TRIED, Halt
from engine.sending.judging import MAX_ATTEMPTS, outcome_of, wait_after

AT = 1_700_000_000_000
BUSY = Receipt(Result.RETRY, 421, "4.7.0 Too many connections", trouble=Trouble.CLOSING)
OUT = Outcome("r", 1, State.RETRY, AT)


def judged(receipt: Receipt, attempt: int = 1) -> Outcome:
    return outcome_of(receipt, "jane@one.test", attempt, AT, 300.0)


def test_sent_keeps_what_the_server_said():
    found = judged(Receipt(Result.SENT, 250, "2.0.0 Ok: queued as 4F1"))
    assert (found.state, found.smtp_code, found.smtp_reply, found.error) == (State.SENT, 250, "2.0.0 Ok: queued as 4F1", None)


def test_what_never_began_is_still_queued_and_costs_no_try():
    found = judged(Receipt(Result.UNSENT, error="The relay is out of reach.", wait=30.0), attempt=MAX_ATTEMPTS)
    assert (found.state, found.due_at, found.error) == (State.QUEUED, None, "The relay is out of reach.")


def test_what_surely_did_not_arrive_is_tried_again():
    found = judged(Receipt(Result.RETRY, 451, "4.3.0 Later"), attempt=3)
    assert found.state is State.RETRY and found.due_at == AT + 507_000 and found.error and not found.suppress


def test_the_last_try_gives_up_and_says_so():
    found = judged(Receipt(Result.RETRY, 451, "4.3.0 Later", "The server asked to wait."), attempt=MAX_ATTEMPTS)
    assert found.state is State.FAILED and found.error == "Given up after 18 tries. The server asked to wait."
    assert not found.suppress, "a deferral says nothing against the mailbox"


def test_only_a_mailbox_that_is_gone_is_suppressed():
    hard = judged(Receipt(Result.FAILED, 550, "5.1.1 User unknown", "Refused.", hard=True))
    soft = judged(Receipt(Result.FAILED, 550, "5.7.1 Spam", "Refused."))
    assert (hard.state, hard.hard, hard.suppress) == (State.FAILED, True, "hard bounce: 5.1.1 User unknown")
    assert (soft.state, soft.hard, soft.suppress) == (State.FAILED, False, "")


def test_no_answer_to_the_dot_is_in_doubt_and_never_due():
    found = judged(Receipt(Result.IN_DOUBT, trouble=Trouble.CONNECTION))
    assert found.state is State.IN_DOUBT and found.due_at is None and found.error


def test_waits_grow_by_a_third_for_about_a_day_and_a_half():
    waits = [wait_after(attempt, 300.0) for attempt in range(1, MAX_ATTEMPTS)]
    assert waits[:3] == pytest.approx([300.0, 390.0, 507.0])
    assert 20 * 3600 < sum(waits) < 36 * 3600


@pytest.mark.parametrize("trouble", [Trouble.LOGIN, Trouble.SENDER, Trouble.TLS])
def test_what_waiting_does_not_mend_holds_at_once(trouble: Trouble):
    halt = Halt()
    halt.heard(Receipt(Result.RETRY, 535, "5.7.8 Authentication failed", trouble=trouble), OUT)
    assert "(535 5.7.8 Authentication failed)" in halt.reason and halt.reason.endswith("then resume.")


def test_421_holds_only_when_nothing_gets_through_in_between():
    halt = Halt()
    for n in range(20):
        halt.heard(BUSY, OUT)
        if n % 3 == 2:
            halt.heard(Receipt(Result.SENT, 250), Outcome("r", 1, State.SENT, AT))
    assert not halt.reason
    for _ in range(CLOSINGS):
        halt.heard(BUSY, OUT)
    assert "4.7.0 Too many connections" in halt.reason


@pytest.mark.parametrize(
    ("sent", "failed", "hard", "held"),
    [(3, 1, 1, False), (MIN_TRIED - 10, 9, 9, False), (95, 5, 5, False), (94, 6, 6, True), (50, 50, 5, False)],
)
def test_a_rotten_list_holds_the_job_once_enough_were_tried(sent: int, failed: int, hard: int, held: bool):
    halt = Halt()
    halt.weigh(Standing(sent, failed, hard))
    assert bool(halt.reason) is held
