"""A bounded cache whose entries live for a time of their own."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """At most `size` entries; the one unused for longest makes room. `clock` gives seconds that never go back."""

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size, self._clock = size, clock
        self._entries: dict[K, tuple[float, V]] = {}  # least recently used first

    def get(self, key: K) -> V | None:
        """The value, or None when there is none that still lives."""
        entry = self._entries.pop(key, None)
        if entry is None or entry[0] <= self._clock():
            return None
        self._entries[key] = entry
        return entry[1]

    def put(self, key: K, value: V, seconds: float) -> None:
        """Keep the value for so long."""
        self._entries.pop(key, None)
        while len(self._entries) >= self._size:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (self._clock() + seconds, value)

    def __len__(self) -> int:
        return len(self._entries)
