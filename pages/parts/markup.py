"""Small pieces of HTML in the look of `style.css`; every text from outside is escaped here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from pages.parts import words

_TICKED = re.compile(r"`([^`]+)`")
TONES: Mapping[str, str] = {
    "pending": "gray",
    "running": "blue",
    "waiting": "violet",
    "paused": "amber",
    "completed": "green",
    "failed": "red",
    "cancelled": "gray",
    "valid": "green",
    "sent": "green",
    "found": "green",
    "ok": "green",
    "risky": "amber",
    "in_doubt": "amber",
    "in doubt": "amber",
    "deferred": "violet",
    "being sent": "blue",
    "suppressed": "amber",
    "no_addresses": "gray",
    "not_found": "gray",
    "unknown": "gray",
    "invalid": "red",
    "refused": "red",
    "unreachable": "red",
    "blocked_by_robots": "amber",
    "alive": "green",
    "gone": "red",
    "stopped": "gray",
}
"""The colour that a status has everywhere: pills, bars, charts. A status that is not here is gray."""


INK: Mapping[str, str] = {
    "green": "#1f9d72",
    "red": "#d9505e",
    "amber": "#d98a2b",
    "gray": "#8a93a8",
    "violet": "#8e6bd8",
    "blue": "#4f6bed",
}
"""The tones where a style sheet does not reach: charts and tables; legible on light and dark."""


def tone(status: str) -> str:
    """The tone of a status."""
    return TONES.get(status, "gray")


def pill(status: str, label: str = "") -> str:
    """A status as a coloured pill; a running one has a moving dot."""
    return f'<span class="pb-pill pb-{tone(status)} pb-is-{escape(status)}">{escape(label or status.replace("_", " "))}</span>'


def spark(values: Sequence[float], colour: str = "blue", title: str = "") -> str:
    """A sparkline: the values, oldest first, as a filled curve from zero; fewer than two give an empty strip."""
    top = max(values, default=0)
    if len(values) < 2 or top <= 0:
        return '<div class="pb-spark"></div>'
    step = 100 / (len(values) - 1)
    points = [(round(i * step, 1), round(94 - 88 * max(0.0, v) / top, 1)) for i, v in enumerate(values)]
    curve = ",".join(f"{x}% {y}%" for x, y in points)
    edge = ",".join(f"{x}% calc({y}% + 1.5px)" for x, y in reversed(points))
    return (
        f'<div class="pb-spark pb-{colour}" title="{escape(title)}">'
        f'<i class="pb-fill" style="clip-path:polygon({curve},100% 100%,0% 100%)"></i>'
        f'<i class="pb-edge" style="clip-path:polygon({curve},{edge})"></i></div>'
    )


def tile(label: str, value: str, note: str = "", curve: str = "", colour: str = "", help_text: str = "") -> str:
    """A counter: label, large value, a line below, and optionally a sparkline."""
    shade = f" pb-{colour}" if colour else ""
    return (
        f'<div class="pb-tile" title="{escape(help_text)}"><span class="pb-label">{escape(label)}</span>'
        f'<b class="pb-value">{escape(value)}</b><span class="pb-note{shade}">{escape(note)}</span>{curve}</div>'
    )


def tiles(cells: Sequence[str]) -> str:
    """Counters side by side, as many as fit."""
    return f'<div class="pb-tiles">{"".join(cells)}</div>'


def bar(percent: float, status: str) -> str:
    """A progress bar."""
    value = f"{percent:.1f}"
    return (
        f'<div class="pb-bar pb-{tone(status)} pb-is-{escape(status)}" role="progressbar" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{value}"><i style="width:{value}%"></i></div>'
    )


def shares(counts: Mapping[str, int]) -> str:
    """Counts by status as one divided bar with a legend."""
    total = sum(counts.values())
    if not total:
        return ""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    parts = "".join(f'<i class="pb-{tone(s)}" style="flex:{n}" title="{escape(s)}: {n:,}"></i>' for s, n in ordered if n)
    legend = "".join(f"<span>{pill(s)} {n:,} · {words.percent(n, total)}</span>" for s, n in ordered)
    return f'<div class="pb-shares">{parts}</div><div class="pb-legend">{legend}</div>'


def notice(colour: str, title: str, text: str = "") -> str:
    """A remark in a tinted box: what is the matter, and the remedy."""
    body = f"<span>{ticked(text)}</span>" if text else ""
    return f'<div class="pb-notice pb-{colour}" role="status"><b>{escape(title)}</b>{body}</div>'


def ticked(text: str) -> str:
    """Plain text in which `backticks` set code."""
    return _TICKED.sub(r'<span class="pb-mono">\1</span>', escape(text))


def facts(pairs: Mapping[str, str]) -> str:
    """Names and values as small chips in a row that wraps."""
    chips = "".join(f"<span><em>{escape(name)}</em>{escape(value)}</span>" for name, value in pairs.items())
    return f'<div class="pb-facts">{chips}</div>'


def sheet(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    """A small table; cells are HTML already."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="pb-sheet"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def heading(title: str, text: str = "", aside: str = "") -> str:
    """The title of a page with a line below; `aside` is HTML beside the title."""
    line = f"<p>{escape(text)}</p>" if text else ""
    return f'<header class="pb-head"><h1>{escape(title)}</h1>{aside}{line}</header>'
