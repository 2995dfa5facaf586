"""Handing messages over as a door: what a transport gets, what it says became of it, and a fake for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

Arm = Callable[[], Awaitable[None]]
"""Called when everything but the final dot is sent; only after it returned may the dot go out."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one recipient, as it is handed over.

    `sender` is the envelope sender, "" for `<>`; `recipient` is written as it is to be sent, its domain in ASCII unless `utf8`.
    `data` is the whole message with CRLF line ends, not dot-stuffed. `utf8` says that addresses or headers need RFC 6531.
    `name` is stable and safe for a file (`<job id>/<message name>`): the outbox uses it.
    """

    sender: str
    recipient: str
    data: bytes
    utf8: bool
    name: str


class Result(StrEnum):
    """What became of a letter."""

    SENT = "sent"
    """It was accepted: whoever took it answers for it now (RFC 5321 section 6.1)."""
    RETRY = "retry"
    """Surely not accepted; worth another try after a while."""
    FAILED = "failed"
    """Surely not accepted, and it would not be the next time."""
    IN_DOUBT = "in_doubt"
    """The dot went out and no answer came back: it may have been accepted."""
    UNSENT = "unsent"
    """Nothing happened at all: the transport was closed first, or its other side is known to be out of reach or to refuse us."""


class Trouble(StrEnum):
    """What concerns more than this one letter; the sender of many should count it, or stop."""

    NONE = "none"
    LOGIN = "login"
    """The relay does not know us: wrong password, none given, or it does not relay for us. Waiting does not help."""
    SENDER = "sender"
    """The relay refuses the sender's address for good: so it will with the next letter."""
    CLOSING = "closing"
    """421: not now, too much, too fast."""
    CONNECTION = "connection"
    """It could not be reached, went away or fell silent; also where an outbox cannot be written."""
    TLS = "tls"
    """No connection that may be trusted: a certificate that does not verify, or no TLS where a password needs it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a letter, and why.

    `code` and `reply` are the server's: three digits, and one printable line without them. `error` is a sentence, empty when it
    was sent. `hard`: the mailbox does not exist or is disabled, or its domain takes no mail. `wait`: seconds before which nothing
    can be handed over at all, for a letter that comes back unsent.
    """

    result: Result
    code: int | None = None
    reply: str = ""
    error: str = ""
    hard: bool = False
    trouble: Trouble = Trouble.NONE
    wait: float = 0.0


class Transport(Protocol):
    """Hands letters over, several at once; more than `capacity` wait for their turn."""

    @property
    def capacity(self) -> int:
        """How many letters may be delivered at once."""

    @property
    def replays(self) -> bool:
        """Whether the same letter may be handed over again without harm."""

    async def deliver(self, letter: Letter, arm: Arm) -> Receipt:
        """Hand a letter over: all of it, then `arm`, then the dot.

        What `arm` raises passes through, and the letter is surely not accepted; so it is when this is cancelled before. It never
        raises because of the other side: that is in the receipt.
        """

    async def close(self) -> None:
        """Close every connection; what is still to be delivered comes back unsent."""


SENT = Receipt(Result.SENT, 250, "2.0.0 Ok")


class FakeTransport:
    """Takes letters in memory. `answers` are receipts by recipient, given in turn; after them everything is sent.

    Receipts that keep a letter from being accepted are given before `arm`, for a recipient in `at_the_dot` after it. `taken` are
    the letters accepted, also those in doubt whose recipient is in `kept`; `tries` counts deliveries by recipient.
    """

    def __init__(
        self,
        answers: Mapping[str, Sequence[Receipt]] | None = None,
        *,
        capacity: int = 10,
        replays: bool = False,
        at_the_dot: frozenset[str] = frozenset(),
        kept: frozenset[str] = frozenset(),
    ) -> None:
        self._answers = {recipient: list(receipts) for recipient, receipts in (answers or {}).items()}
        self.capacity, self.replays = capacity, replays
        self._at_the_dot, self._kept = at_the_dot, kept
        self.taken: list[Letter] = []
        self.tries: Counter[str] = Counter()
        self.under_way = self.most = 0
        self.closed = False

    async def deliver(self, letter: Letter, arm: Arm) -> Receipt:
        """See Transport."""
        if self.closed:
            return Receipt(Result.UNSENT, error="the transport is closed")
        self.tries[letter.recipient] += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await self._deliver(letter, arm)
        finally:
            self.under_way -= 1

    async def _deliver(self, letter: Letter, arm: Arm) -> Receipt:
        waiting = self._answers.get(letter.recipient)
        receipt = waiting.pop(0) if waiting else SENT
        after = receipt.result in (Result.SENT, Result.IN_DOUBT) or letter.recipient in self._at_the_dot
        if after:
            await arm()
        if receipt.result is Result.SENT or (receipt.result is Result.IN_DOUBT and letter.recipient in self._kept):
            self.taken.append(letter)
        return receipt

    async def close(self) -> None:
        """See Transport."""
        self.closed = True
