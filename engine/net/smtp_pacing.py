"""How fast, and whether at all, one mail exchanger is asked: a token bucket and a circuit breaker. The clock is passed in."""

from __future__ import annotations

from typing import Generic, TypeVar

Words = TypeVar("Words")
FIRST_PAUSE = 60.0
LONGEST_PAUSE = 900.0


class Bucket:
    """`rate` tokens a second, never more than `burst` at once; full at first."""

    __slots__ = ("_burst", "_rate", "_then", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, max(burst, 1.0)
        self._tokens, self._then = self._burst, 0.0

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(now - self._then, 0.0) * self._rate)
        self._then = now

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until a token is there for the one who has `ahead` others before him."""
        self._fill(now)
        return max(ahead + 1 - self._tokens, 0.0) / self._rate

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._fill(now)
        # A timer may fire a rounding error early.
        if self._tokens < 1.0 - 1e-6:
            return False
        self._tokens -= 1.0
        return True


class Breaker(Generic[Words]):
    """Closed: ask. Open: don't, `words` says why. After the pause one question decides (half open).

    Each time that one fails the pause doubles, from `first` to `longest` seconds.
    """

    __slots__ = ("_first", "_longest", "_pause", "_until", "words")

    def __init__(self, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> None:
        self._first, self._longest = first, longest
        self._pause = self._until = 0.0
        self.words: Words | None = None

    def remaining(self, now: float) -> float:
        """Seconds that it stays open; 0 when questions may be asked."""
        return max(self._until - now, 0.0)

    @property
    def tried(self) -> bool:
        """Whether it has been opened and not yet been closed by a success: with nothing remaining it is half open."""
        return self._pause > 0.0

    def trip(self, now: float, words: Words, first: float | None = None) -> None:
        """Open it. What comes in while it is open (questions that were under way) changes nothing."""
        if self.remaining(now) > 0.0:
            return
        self._pause = min(2 * self._pause, self._longest) if self._pause else (first or self._first)
        self._until, self.words = now + self._pause, words

    def close(self) -> None:
        """A question went well."""
        self._pause = self._until = 0.0
        self.words = None


class Egress:
    """Whether connections to mail exchangers get out of this machine at all.

    Many networks drop what goes to port 25. When the first `threshold` exchangers were all out of reach and none ever was
    reached, that is concluded for `hold` seconds; meanwhile one connection in `spare` seconds is let through.
    """

    def __init__(self, threshold: int = 4, hold: float = 300.0, spare: float = 10.0) -> None:
        self._threshold, self._hold, self._spare = threshold, hold, spare
        self._failed: set[str] = set()
        self._reached = False
        self._until = self._next = 0.0

    def blocked(self, now: float) -> bool:
        """Whether outgoing connections are taken to be blocked."""
        return now < self._until

    def permits(self, now: float) -> bool:
        """Whether to try a connection now; counts the ones let through."""
        if not self.blocked(now):
            return True
        if now < self._next:
            return False
        self._next = now + self._spare
        return True

    def reached(self) -> None:
        """A connection was made."""
        if not self._reached:
            self._reached, self._until = True, 0.0
            self._failed.clear()

    def failed(self, host: str, now: float) -> bool:
        """A host was out of reach; True when this is the one that leads to the conclusion."""
        if self._reached or self.blocked(now):
            return False
        self._failed.add(host)
        if len(self._failed) < self._threshold:
            return False
        self._failed.clear()
        self._until, self._next = now + self._hold, now + self._spare
        return True
