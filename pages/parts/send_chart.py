"""How recipients' domains fare, as ECharts options: lying bars, stacked by what became of the messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.durable.delivery_pages import DomainCounts
from engine.durable.sending_tables import State
from pages.parts import markup, words

TOP = 12
_MUTED = {"color": "#8189a0", "fontSize": 11.5}
_PARTS: Mapping[str, tuple[str, tuple[State, ...]]] = {
    "sent": ("green", (State.SENT,)),
    "failed": ("red", (State.FAILED,)),
    "in doubt": ("amber", (State.IN_DOUBT,)),
    "deferred": ("violet", (State.RETRY,)),
    "to go": ("blue", (State.QUEUED, State.INTENT, State.ARMED)),
    "suppressed": ("gray", (State.SUPPRESSED,)),
}


def stacked(found: Sequence[DomainCounts]) -> dict[str, Any]:
    """The chart of the domains with most recipients, the greatest on top."""
    parts = {name: [_count(one, states) for one in found] for name, (_, states) in _PARTS.items()}
    shown = {name: values for name, values in parts.items() if any(values)}
    series = [
        {
            "name": name,
            "type": "bar",
            "stack": "all",
            "barMaxWidth": 18,
            "itemStyle": {"color": markup.INK[_PARTS[name][0]]},
            "data": values,
        }
        for name, values in shown.items()
    ]
    return {
        "animation": False,
        "tooltip": {"trigger": "axis", "confine": True, "axisPointer": {"type": "shadow", "shadowStyle": {"color": "#8189a018"}}},
        "legend": {
            "type": "scroll",
            "top": 0,
            "left": 0,
            "itemWidth": 10,
            "itemHeight": 10,
            "textStyle": _MUTED,
            "data": list(shown),
        },
        "grid": {"left": 4, "right": 24, "top": 28, "bottom": 2, "containLabel": True},
        "xAxis": {"type": "value", "show": False},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [f"{one.domain}  {words.number(one.total)}" for one in found],
            "axisTick": {"show": False},
            "axisLine": {"show": False},
            "axisLabel": {**_MUTED, "width": 190, "overflow": "truncate"},
        },
        "series": series,
    }


def height(found: Sequence[DomainCounts]) -> int:
    """Pixels."""
    return 48 + 26 * len(found)


def summary(found: Sequence[DomainCounts]) -> str:
    """The chart in words, for those who cannot see it."""
    told = ", ".join(f"{one.domain} {_count(one, (State.SENT,)):,} of {one.total:,} sent" for one in found[:3])
    return f"Recipients' domains: {told}"


def _count(one: DomainCounts, states: Sequence[State]) -> int:
    return sum(one.counts.get(state, 0) for state in states)
