"""The timetable keeps both rates, whoever asks in which order, and over restarts."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sending.parcels import Pace, Turn
from engine.sending.timetable import HORIZON, LONGEST, Timetable


def test_without_a_rate_everybody_goes_at_once():
    table = Timetable(Pace(), 100.0)
    assert {table.moment(f"r{n}", "a.test", 100.0 + n) for n in range(3)} == {100.0, 101.0, 102.0}


@given(
    per_minute=st.one_of(st.none(), st.integers(1, 100_000)),
    per_domain=st.one_of(st.none(), st.integers(1, 1_000)),
    domains=st.lists(st.sampled_from("abc"), min_size=1, max_size=60),
    now=st.floats(0, 2e9),
)
def test_moments_keep_the_distance(per_minute: int | None, per_domain: int | None, domains: list[str], now: float):
    table = Timetable(Pace(per_minute, per_domain), now)
    moments = [(moment, domain) for n, domain in enumerate(domains) if (moment := table.moment(f"r{n}", domain, now)) is not None]
    assert moments and all(now - 1e-3 <= moment <= now + HORIZON for moment, _ in moments)
    if per_minute:
        everybody = sorted(moment for moment, _ in moments)
        assert all(later - earlier >= 60 / per_minute * 0.999 - 1e-6 for earlier, later in pairwise(everybody))
    by_domain = defaultdict(list)
    for moment, domain in moments:
        by_domain[domain].append(moment)
    distance = 60 / per_domain if per_domain else 0.0
    for found in by_domain.values():
        assert all(later - earlier >= distance * 0.999 - 1e-6 for earlier, later in pairwise(sorted(found)))


def test_one_domains_limit_does_not_hold_up_the_others():
    table = Timetable(Pace(60, 6), 0.0)
    slow = [table.moment(f"s{n}", "slow.test", 0.0) for n in range(5)]
    quick = [table.moment(f"q{n}", f"{n}.test", 0.0) for n in range(5)]
    assert slow == pytest.approx([0, 10, 20, 30, 40]) and quick == pytest.approx([1, 2, 3, 4, 5])


def test_a_moment_is_kept_until_it_is_used():
    table = Timetable(Pace(60), 0.0)
    first = table.moment("r", "a.test", 0.0)
    assert table.moment("r", "a.test", 1.5) == first
    table.used("r")
    assert table.moment("r", "a.test", 1.5) == pytest.approx(2.0)


def test_moments_that_were_missed_are_given_out_anew():
    table = Timetable(Pace(60), 0.0)
    assert [table.moment(f"r{n}", "a.test", 0.0) for n in range(5)] == pytest.approx([0, 1, 2, 3, 4])
    again = [table.moment(f"r{n}", "a.test", 100.0) for n in range(5)]
    assert again == pytest.approx([100, 101, 102, 103, 104]), "not all five at once"


def test_whoever_is_far_behind_in_the_list_waits_for_half_of_it_and_asks_again():
    table = Timetable(Pace(60), 0.0)
    turn = Turn(10_000)
    assert table.moment("r", "a.test", 0.0, turn) is None and table.back("a.test", 0.0, turn) == LONGEST
    assert table.back("a.test", 0.0, Turn(2_000)) == 1_000 and table.back("a.test", 0.0, Turn(0)) == HORIZON / 2
    assert table.moment("first", "a.test", 0.0) == 0.0, "those behind have taken nothing from those in front"
    resumed = Timetable(Pace(60), 0.0, begun={"a.test": 6_000, "b.test": 3_800})
    assert resumed.moment("r", "a.test", 0.0, turn) == 0.0, "its turn is near"


def test_turns_within_a_domain():
    table = Timetable(Pace(per_domain=60), 0.0, begun={"a.test": 100})
    far = Turn(50_000, 2_100)
    assert table.guess("a.test", 0.0, far) == 2_000 and table.guess("b.test", 0.0, Turn(50_000, 3)) == 3
    for n in range(50):
        table.moment(f"r{n}", "a.test", 0.0)
        table.used(f"r{n}")
    assert table.guess("a.test", 0.0, far) == 1_950


def test_the_rate_holds_over_a_restart():
    assert Timetable(Pace(6), 100.0, last=95.0).moment("r", "a.test", 100.0) == pytest.approx(105.0)


def test_what_is_too_far_ahead_is_not_given_out():
    table = Timetable(Pace(1), 0.0)
    moments = [table.moment(f"r{n}", "a.test", 0.0) for n in range(20)]
    assert moments[:11] == pytest.approx([60.0 * n for n in range(11)]) and set(moments[11:]) == {None}


def test_it_forgets_slots_long_past():
    table = Timetable(Pace(60_000), 0.0)
    now = 0.0
    for n in range(1_300_000):
        if n % 100_000 == 0:
            now = n / 1000
        table.moment(f"r{n}", "a.test", now)
        table.used(f"r{n}")
    assert len(table._taken) <= 2 * HORIZON * 1000 + 1_001
