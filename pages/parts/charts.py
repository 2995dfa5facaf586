"""Charts as ECharts options, the one chart library of the pages; drawn from stored numbers, never from results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any

from engine.durable.contract import Chart
from pages.parts import markup, words

TOP = 12
"""Bars shown of a tally; the rest is added up in one more."""
REST = "all others"
MAX_HEIGHT = 190
_TEXT = {"color": "#8189a0", "fontSize": 11.5}
_RULE = {"lineStyle": {"color": "#8189a033"}}
_TOOLTIP = {"trigger": "axis", "confine": True, "axisPointer": {"type": "shadow", "shadowStyle": {"color": "#8189a018"}}}


def of_tally(chart: Chart, tally: Mapping[str, int]) -> dict[str, Any]:
    """A job type's chart over one of the job's tallies."""
    return _columns(tally) if chart.kind == "line" else _bars(tally)


def height(chart: Chart, tally: Mapping[str, int]) -> int:
    """Pixels: bars take as many as they need, columns a fixed number."""
    if chart.kind == "line":
        return MAX_HEIGHT
    return min(MAX_HEIGHT, 24 + 34 * min(len(tally), TOP + 1))


def _bars(tally: Mapping[str, int]) -> dict[str, Any]:
    """Lying bars, the largest on top."""
    ordered = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
    shown, rest = ordered[:TOP], sum(count for _, count in ordered[TOP:])
    rows = [*shown, (REST, rest)] if rest else shown
    return {
        "animation": False,
        "tooltip": _TOOLTIP,
        "grid": {"left": 4, "right": 64, "top": 4, "bottom": 2, "containLabel": True},
        "xAxis": {"type": "value", "show": False},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [_label(name) for name, _ in rows],
            "axisTick": {"show": False},
            "axisLine": {"show": False},
            "axisLabel": {**_TEXT, "width": 120, "overflow": "truncate"},
        },
        "series": [{"type": "bar", "barMaxWidth": 20, "itemStyle": {"borderRadius": 3}, "data": _values(rows)}],
    }


def _label(name: str) -> str:
    """Statuses in words; other names, such as patterns, stay as they are."""
    return name.replace("_", " ") if name in markup.TONES else name


def _values(rows: Sequence[tuple[str, int]]) -> list[Any]:
    """Each bar with its colour and its number; ECharts' own label formats know no thousands."""
    label = {"show": True, "position": "right", "color": "#8189a0", "fontSize": 11}
    return [
        {"value": count, "itemStyle": {"color": _colour(name)}, "label": {**label, "formatter": words.number(count)}}
        for name, count in rows
    ]


def _colour(name: str) -> str:
    if name == REST:
        return markup.INK["gray"]
    return markup.INK[markup.TONES.get(name, "blue")]


def _columns(tally: Mapping[str, int]) -> dict[str, Any]:
    """Standing columns over keys in numeric order."""
    ordered = sorted(tally.items(), key=lambda item: _numeric(item[0]))
    style = {"color": markup.INK["blue"], "borderRadius": [2, 2, 0, 0]}
    return {
        "animation": False,
        "tooltip": _TOOLTIP,
        "grid": {"left": 4, "right": 8, "top": 12, "bottom": 2, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [key for key, _ in ordered],
            "axisLabel": _TEXT,
            "axisTick": {"show": False},
            "axisLine": _RULE,
        },
        "yAxis": {"type": "value", "axisLabel": _TEXT, "splitLine": _RULE, "splitNumber": 3},
        "series": [{"type": "bar", "barCategoryGap": "18%", "itemStyle": style, "data": [count for _, count in ordered]}],
    }


def _numeric(key: str) -> tuple[float, str]:
    head = key.partition("-")[0]
    return (float(head), key) if head.replace(".", "", 1).isdecimal() else (float("inf"), key)


def pace(points: Sequence[tuple[int, int]], seconds: int, zone: tzinfo | None) -> dict[str, Any]:
    """Items per second over time, as an area."""
    return {
        "animation": False,
        "tooltip": {**_TOOLTIP, "axisPointer": {"type": "line"}},
        "grid": {"left": 4, "right": 12, "top": 12, "bottom": 2, "containLabel": True},
        "xAxis": {
            "type": "category",
            "boundaryGap": False,
            "data": [f"{datetime.fromtimestamp(at / 1000, zone):%H:%M:%S}" for at, _ in points],
            "axisLabel": {**_TEXT, "interval": max(1, len(points) // 6) - 1, "alignMinLabel": "left", "hideOverlap": True},
            "axisTick": {"show": False},
            "axisLine": _RULE,
        },
        "yAxis": {"type": "value", "axisLabel": _TEXT, "splitLine": _RULE, "splitNumber": 3, "minInterval": 1},
        "series": [
            {
                "name": "items/s",
                "type": "line",
                "showSymbol": False,
                "lineStyle": {"width": 1.6, "color": markup.INK["blue"]},
                "areaStyle": {"color": markup.INK["blue"], "opacity": 0.14},
                "itemStyle": {"color": markup.INK["blue"]},
                "data": [round(items / seconds, 1) for _, items in points],
            }
        ],
    }


def rates(history: Sequence[Sequence[int]]) -> list[float]:
    """Items per second between the points [[ms, items] …] of a job's progress curve."""
    return [max(0.0, (b[1] - a[1]) / max(0.001, (b[0] - a[0]) / 1000)) for a, b in pairwise(history)]


def summary(chart: Chart, tally: Mapping[str, int]) -> str:
    """The chart in words, for those who cannot see it."""
    top = sorted(tally.items(), key=lambda item: -item[1])[:3]
    return f"{chart.title}: " + ", ".join(f"{name} {words.number(count)}" for name, count in top)
