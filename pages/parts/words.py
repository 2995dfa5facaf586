"""How numbers, moments and spans of time are written on the pages."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

DASH = "–"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def number(value: float | None) -> str:
    """`12,345`; a dash for None."""
    return DASH if value is None else f"{round(value):,}"


def short(value: float) -> str:
    """`12.3k`, `4.5M`: a number where room is scarce."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:,.0f}"


def rate(per_second: float | None) -> str:
    """`212/s`, or `4.2/min` where a second is too short."""
    if not per_second:
        return DASH
    if per_second >= 1:
        return f"{short(per_second)}/s"
    return f"{per_second * _MINUTE:.2g}/min"


def percent(part: float, whole: float) -> str:
    """`62.1 %`, never rounded up to 100."""
    if not whole:
        return DASH
    return f"{int(1000 * part / whole) / 10:g} %"


def duration(seconds: float | None) -> str:
    """`40 ms`, `1.3 s`, `18 s`, `4 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds is None:
        return DASH
    whole = max(0, round(seconds))
    if seconds < 1:
        return f"{max(0, round(1000 * seconds))} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def ago(ms: int | None, now_ms: int) -> str:
    """`just now`, `4 min ago`, `3 d ago`: how long since a moment, in one unit."""
    if ms is None:
        return DASH
    seconds = (now_ms - ms) / 1000
    if seconds < 5:
        return "just now"
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def moment(ms: int | None, zone: tzinfo | None = None) -> str:
    """`24 Nov 2026, 09:15:02` in a time zone, UTC when none is known."""
    if ms is None:
        return DASH
    return f"{datetime.fromtimestamp(ms / 1000, zone or UTC):%-d %b %Y, %H:%M:%S}"


def clock(ms: int, zone: tzinfo | None = None) -> str:
    """`09:15:02` in a time zone, UTC when none is known."""
    return f"{datetime.fromtimestamp(ms / 1000, zone or UTC):%H:%M:%S}"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 job`, `2 jobs`, `1,234 jobs`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def size(byte_count: float) -> str:
    """`3.4 GB`: bytes in the largest fitting decimal unit."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if byte_count >= limit:
            return f"{byte_count / limit:.1f} {unit}"
    return f"{byte_count:.0f} B"


def sentence(text: str) -> str:
    """With a capital and a full stop; nothing stays nothing."""
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
