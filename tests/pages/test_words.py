"""How things are written, and the HTML they are put in."""

from __future__ import annotations

import pytest

from engine.durable.contract import Chart
from pages.parts import charts, markup, words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.04, "40 ms"),
        (9.96, "10.0 s"),
        (18, "18 s"),
        (245, "4 min 05 s"),
        (7800, "2 h 10 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(999, "999"), (9_999, "9,999"), (12_345, "12.3k"), (4_500_000, "4.5M")])
def test_short(value: float, text: str) -> None:
    assert words.short(value) == text


@pytest.mark.parametrize(("rate", "text"), [(None, "–"), (0.07, "4.2/min"), (212.4, "212/s"), (464_000, "464k/s")])
def test_rate(rate: float | None, text: str) -> None:
    assert words.rate(rate) == text


def test_percent_is_not_rounded_up_to_all() -> None:
    assert words.percent(99_999, 100_000) == "99.9 %"


def test_everything_from_outside_is_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    for html in (
        markup.pill(evil),
        markup.tile(evil, evil, evil),
        markup.notice("red", evil, evil),
        markup.facts({evil: evil}),
        markup.heading(evil, evil),
    ):
        assert "<img" not in html


@pytest.mark.parametrize(("text", "said"), [("is wrong", "Is wrong."), ("Done!", "Done!"), ("", "")])
def test_sentences_begin_large_and_end(text: str, said: str) -> None:
    assert words.sentence(text) == said


def test_a_sparkline_stays_inside_its_box() -> None:
    html = markup.spark([0, 5, 10])
    assert "0.0% 94.0%" in html
    assert "100.0% 6.0%" in html


def test_many_bars_are_added_up() -> None:
    options = charts.of_tally(Chart("provider", "Providers"), {f"p{n:02}": 100 - n for n in range(20)})
    assert len(options["yAxis"]["data"]) == charts.TOP + 1
    assert options["yAxis"]["data"][-1] == charts.REST


def test_columns_are_in_numeric_order() -> None:
    options = charts.of_tally(Chart("age", "Ages", "line"), {"100": 1, "20": 2, "9": 3})
    assert options["xAxis"]["data"] == ["9", "20", "100"]
