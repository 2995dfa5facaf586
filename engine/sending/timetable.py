"""When each message of a job may go: evenly spread over the minute, in all and for each recipient's domain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from engine.sending.parcels import Pace, Turn

HORIZON = 600.0
"""Seconds ahead for which moments are given out; whoever comes later asks again."""
LATENESS = 2.0
"""Seconds after which a moment that was missed is void: what has piled up does not go all at once."""
LONGEST = 3_600.0
"""Seconds after which everybody asks again, however far away their turn seems."""
_FIRST = Turn()


class Timetable:
    """Gives out moments (seconds of the clock that `now` comes from). A recipient keeps its moment until it is used or missed.

    `last` is when the last message went, so that the rate holds over restarts, and `begun` how many recipients of each domain
    had their turn before. There are no bursts: a relay or a provider that counts by the second sees the same rate as one that
    counts by the hour.
    """

    def __init__(self, pace: Pace, now: float, last: float | None = None, begun: Mapping[str, int] | None = None) -> None:
        self._step = 60.0 / pace.per_minute if pace.per_minute else 0.0
        self._domain_step = 60.0 / pace.per_domain if pace.per_domain else 0.0
        self._zero = max(now, last + self._step) if last is not None else now
        self._begun, self._begun_of = sum((begun or {}).values()), Counter(begun or {})
        self._taken: dict[int, int] = {}
        self._domains: dict[str, float] = {}
        self._moments: dict[str, tuple[float, str]] = {}

    def moment(self, recipient: str, domain: str, now: float, turn: Turn = _FIRST) -> float | None:
        """When the message may go, `now` or later; None when that is too far ahead to say."""
        kept = self._moments.get(recipient)
        if kept is not None and kept[0] > now - LATENESS:
            return kept[0]
        if self.guess(domain, now, turn) - now > HORIZON:
            return None
        found, slot = self._free(domain, now)
        if found - now > HORIZON:
            return None
        self._take(domain, found, slot)
        self._moments[recipient] = found, domain
        return found

    def guess(self, domain: str, now: float, turn: Turn) -> float:
        """When its turn may come by those before it in the list; some of them may need none, and it comes sooner then."""
        ahead = self._step * (turn.of_all - self._begun)
        if self._domain_step:
            ahead = max(ahead, self._domain_step * (turn.of_domain - self._begun_of[domain]))
        return now + max(0.0, ahead)

    def back(self, domain: str, now: float, turn: Turn) -> float:
        """When to ask again for a moment that is too far ahead.

        After half of the guess: each asks a few times only, and still comes in time when half of those before it drop out.
        """
        return now + min(max(HORIZON, self.guess(domain, now, turn) - now) / 2, LONGEST)

    def used(self, recipient: str) -> None:
        """The message goes: a further attempt needs another moment."""
        kept = self._moments.pop(recipient, None)
        if kept is not None:
            self._begun += 1
            if self._domain_step:
                self._begun_of[kept[1]] += 1

    def _free(self, domain: str, now: float) -> tuple[float, int]:
        """The first moment that is free, and its slot in the whole job's minute."""
        moment = max(now, self._domains.get(domain, 0.0)) if self._domain_step else now
        if not self._step:
            return moment, 0
        slot = self._slot(moment)
        return self._zero + self._step * slot, slot

    def _take(self, domain: str, moment: float, slot: int) -> None:
        if self._domain_step:
            self._domains[domain] = moment + self._domain_step
        if self._step:
            self._taken[slot] = slot + 1
            self._prune(slot)

    def _slot(self, moment: float) -> int:
        """The first free slot at or after a moment; taken ones point to the next, and the way is shortened each time."""
        # A moment that is a slot's own must not become the next one by a rounding error.
        slot = first = max(0, math.ceil((moment - self._zero) / self._step - 1e-6))
        while slot in self._taken:
            slot = self._taken[slot]
        while first in self._taken and self._taken[first] != slot:
            self._taken[first], first = slot, self._taken[first]
        return slot

    def _prune(self, slot: int) -> None:
        """Forget slots long past, now and then."""
        if len(self._taken) > 2 * HORIZON / self._step + 1_000:
            oldest = slot - math.ceil(HORIZON / self._step) - 1
            self._taken = {at: after for at, after in self._taken.items() if at >= oldest}
