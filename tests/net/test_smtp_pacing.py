"""The bucket never gives more than its rate, the breaker doubles its pause, and a closed port 25 is found out once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.smtp_pacing import FIRST_PAUSE, LONGEST_PAUSE, Breaker, Bucket, Egress


@given(st.floats(0.5, 1000), st.floats(1, 20), st.lists(st.floats(0, 2), min_size=1, max_size=200))
def test_a_bucket_never_gives_more_than_burst_and_rate(rate: float, burst: float, gaps: list[float]) -> None:
    bucket, now, given_out = Bucket(rate, burst), 100.0, 0
    for gap in gaps:
        now += gap
        given_out += bucket.take(now)
    assert given_out <= burst + rate * (now - 100.0) + 0.01


@given(st.floats(0.5, 1000), st.floats(1, 20), st.integers(0, 50))
def test_a_token_is_there_after_the_wait(rate: float, burst: float, taken: int) -> None:
    bucket, now = Bucket(rate, burst), 5.0
    for _ in range(taken):
        bucket.take(now)
    assert bucket.take(now + bucket.wait(now))


def test_the_wait_counts_those_ahead() -> None:
    bucket = Bucket(rate=5, burst=5)
    assert bucket.wait(0.0) == 0.0
    assert bucket.wait(0.0, ahead=4) == 0.0
    assert bucket.wait(0.0, ahead=5) == pytest.approx(0.2)
    assert bucket.wait(0.0, ahead=104) == pytest.approx(20.0)


def test_a_breaker_doubles_its_pause_until_a_success() -> None:
    breaker: Breaker[str] = Breaker()
    now, pauses = 0.0, []
    for _ in range(6):
        breaker.trip(now, "421 later")
        breaker.trip(now + 1, "under way meanwhile: changes nothing")
        pauses.append(breaker.remaining(now))
        now += pauses[-1]
        assert breaker.remaining(now) == 0.0 and breaker.tried
    assert pauses == [60, 120, 240, 480, 900, 900]
    assert (FIRST_PAUSE, LONGEST_PAUSE) == (60.0, 900.0)
    assert breaker.words == "421 later"
    breaker.close()
    breaker.trip(now, "again")
    assert breaker.remaining(now) == FIRST_PAUSE


def test_four_exchangers_out_of_reach_lead_to_the_conclusion_once() -> None:
    egress = Egress()
    told = [egress.failed(host, 10.0) for host in ("a", "a", "b", "c", "c")]
    assert not any(told) and not egress.blocked(10.0)
    assert egress.failed("d", 10.0)
    assert egress.blocked(10.0)
    assert not egress.failed("e", 11.0)


def test_one_connection_is_let_through_from_time_to_time() -> None:
    egress = Egress()
    for host in "abcd":
        egress.failed(host, 0.0)
    passed = [second for second in range(1, 300) if egress.permits(float(second))]
    assert passed == list(range(10, 300, 10))
    assert egress.permits(300.0) and egress.permits(300.0)


def test_a_success_ends_it_for_good() -> None:
    egress = Egress()
    for host in "abcd":
        egress.failed(host, 0.0)
    egress.reached()
    assert not egress.blocked(1.0)
    assert not any(egress.failed(host, 2.0) for host in "abcdefgh")
