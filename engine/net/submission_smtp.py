"""The relay as a transport: letters over SMTP, on connections that are used again."""

from __future__ import annotations

from engine.net.guard import Guard, Resolve, system_addresses
from engine.net.submission import Arm, Letter, Receipt
from engine.net.submission_dial import Dialer, Unavailable
from engine.net.submission_envelope import unfit
from engine.net.submission_pool import Limits, Pool
from engine.net.submission_session import Stale, Waits
from engine.net.submission_url import Relay

__all__ = ["Limits", "SmtpTransport", "Waits"]


class SmtpTransport:
    """Hands letters to a relay, which is greeted as `helo`.

    The guard must permit the relay: name its host and port in `Guard.trusted` where it may be on a private network.

    Raises:
        ConfigError: the relay's file of authorities cannot be read.
    """

    replays = False

    def __init__(
        self,
        relay: Relay,
        guard: Guard,
        helo: str,
        *,
        limits: Limits | None = None,
        waits: Waits | None = None,
        resolve: Resolve = system_addresses,
    ) -> None:
        limits = limits or Limits()
        self.capacity = limits.connections
        self._pool = Pool(Dialer(relay, guard, helo, waits or Waits(), resolve).dial, limits)

    @property
    def closings(self) -> int:
        """How often the relay answered 421 since it last accepted a letter."""
        return self._pool.closings

    @property
    def connections(self) -> int:
        """Connections open now."""
        return self._pool.open

    async def deliver(self, letter: Letter, arm: Arm) -> Receipt:
        """See Transport. Cancelled while it waits for the answer to the dot, the letter is in doubt: shield it from `arm` on."""
        refused = unfit(letter)
        if refused is not None:
            return refused
        try:
            try:
                return await self._try(letter, arm, fresh=False)
            except Stale:
                return await self._try(letter, arm, fresh=True)
        except Unavailable as failure:
            return failure.receipt

    async def _try(self, letter: Letter, arm: Arm, fresh: bool) -> Receipt:
        session = await self._pool.acquire(fresh)
        try:
            receipt = await session.deliver(letter, arm)
        except BaseException:
            self._pool.discard(session)
            raise
        self._pool.settle(session, receipt)
        return receipt

    async def close(self) -> None:
        """See Transport. Letters on their way end first, and their connections then."""
        await self._pool.close()
