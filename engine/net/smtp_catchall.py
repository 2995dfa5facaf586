"""Which domains take mail for any local part: asked once, remembered for an hour."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from engine.mail.evidence import Answer, CatchAll

LIFE = 3600.0
"""Seconds that YES and NO are remembered."""
DOUBT_LIFE = 30.0
"""Seconds that INCONCLUSIVE is."""
MAX_DOMAINS = 100_000
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"
Ask = Callable[[str], Awaitable[Answer]]


def random_local_part() -> str:
    """A local part that looks like somebody's but is nobody's: over 60 random bits."""
    letters = "".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(8))
    return f"{letters[:6]}.{letters[6:]}{secrets.randbelow(9000) + 1000}"


@dataclass(slots=True)
class _Known:
    outcome: CatchAll
    until: float
    local: str


class CatchAlls:
    """The answers by domain. `spawn` runs a question in the background, so that who waits for it may leave."""

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, CatchAll]], asyncio.Task[CatchAll]]) -> None:
        self._spawn = spawn
        self._known: dict[str, _Known] = {}
        self._flights: dict[str, asyncio.Task[CatchAll]] = {}

    async def of(self, domain: str, ask: Ask) -> CatchAll:
        """What is known of the domain; otherwise what `ask` (from an address to the exchanger's answer) leads to."""
        flight = self._flights.get(domain)
        if flight is None:
            known = self._known.get(domain)
            if known is not None and asyncio.get_running_loop().time() < known.until:
                return known.outcome
            # A greylisting server knows the pair of sender and recipient again: ask about the same one.
            doubted = known is not None and known.outcome is CatchAll.INCONCLUSIVE
            local = known.local if known is not None and doubted else random_local_part()
            flight = self._flights[domain] = self._spawn(self._find_out(domain, local, ask))
        return await asyncio.shield(flight)

    def refused(self, domain: str) -> None:
        """A recipient of the domain was not found: it does not take everything."""
        known = self._known.get(domain)
        if known is None or known.outcome is not CatchAll.NO:
            self._keep(domain, CatchAll.NO, "")

    def landed(self) -> None:
        """Forget what is under way; its event loop is gone."""
        self._flights.clear()

    async def _find_out(self, domain: str, local: str, ask: Ask) -> CatchAll:
        try:
            answer = await ask(f"{local}@{domain}")
            outcome = {Answer.EXISTS: CatchAll.YES, Answer.NOT_FOUND: CatchAll.NO}.get(answer, CatchAll.INCONCLUSIVE)
            self._keep(domain, outcome, local)
            return outcome
        finally:
            self._flights.pop(domain, None)

    def _keep(self, domain: str, outcome: CatchAll, local: str) -> None:
        self._known.pop(domain, None)
        if len(self._known) >= MAX_DOMAINS:
            self._known.pop(next(iter(self._known)))
        life = DOUBT_LIFE if outcome is CatchAll.INCONCLUSIVE else LIFE
        self._known[domain] = _Known(outcome, asyncio.get_running_loop().time() + life, local)
