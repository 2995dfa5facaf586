"""Who asked: counts the questions that doors put on the wire for the task at hand and for what it started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_counter: ContextVar[Counter[str] | None] = ContextVar("calls", default=None)


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Calls by door, counted while the block runs and, in the same counter, by tasks begun in it."""
    calls: Counter[str] = Counter()
    token = _counter.set(calls)
    try:
        yield calls
    finally:
        _counter.reset(token)


def note(door: str) -> None:
    """A question goes out through this door; called by the door."""
    calls = _counter.get()
    if calls is not None:
        calls[door] += 1
