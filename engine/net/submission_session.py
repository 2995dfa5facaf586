"""One connection to a relay on which letters are handed over, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import PostbenchError
from engine.net.smtp_wire import Reply, Wire, printable
from engine.net.smtp_wire import Trouble as Broken
from engine.net.submission import Arm, Letter, Receipt, Result, Trouble
from engine.net.submission_envelope import DOT, mail, recipient, stuffed, unwanted
from engine.net.submission_replies import CLOSING, Step, refusal

GOODBYE = 2.0
"""Seconds that a server has to answer QUIT."""
PIECE = 1 << 16
"""Bytes of a message written at once."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds until a relay is given up: for a connection, a reply, a piece of the message, and the reply to the dot.

    The last three are those of RFC 5321 section 4.5.3.2. Giving up early on the dot makes a message in doubt that was accepted.
    """

    connect: float = 30.0
    step: float = 300.0
    piece: float = 180.0
    dot: float = 600.0


@dataclass(slots=True)
class Habits:
    """What was learnt of a relay, shared by its connections.

    `eager`: DATA may be sent along with RCPT (RFC 2920). `proven`: it has taken a recipient from us.
    """

    eager: bool = True
    proven: bool = False


class Stale(PostbenchError):
    """A connection that had been used before was over by the time of MAIL; nothing of the letter was heard."""


class Session:
    """A connection that was greeted, secured and logged in. `features` is the answer to EHLO: parameters by keyword.

    `used` counts the letters tried on it; `rested_at` is a moment of the loop's clock, kept by the pool.
    """

    def __init__(self, wire: Wire, features: Mapping[str, str], waits: Waits, habits: Habits) -> None:
        self._wire, self._features, self._waits, self._habits = wire, features, waits, habits
        self._open_transaction = self._over = False
        self.used = 0
        self.rested_at = 0.0

    @property
    def reusable(self) -> bool:
        """Whether another letter may be handed over on it."""
        return not self._over and self._wire.quiet

    async def deliver(self, letter: Letter, arm: Arm) -> Receipt:
        """Hand a letter over; see `Transport.deliver`. After any exception the connection is to be dropped.

        Raises:
            Stale: it was over before anything was said; only where `used` was not 0.
        """
        refused = unwanted(letter, self._features)
        if refused is not None:
            return refused
        self.used += 1
        try:
            refused = await self._envelope(letter) or await self._message(letter.data)
        except Broken as broken:
            return self._lost(broken)
        if refused is not None:
            return refused
        await arm()
        if not self._wire.quiet:
            return await self._interrupted()
        return await self._dot()

    async def _envelope(self, letter: Letter) -> Receipt | None:
        """MAIL, RCPT and DATA; what the server has against one of them."""
        commands = {Step.MAIL: mail(letter, self._features), Step.RCPT: recipient(letter), Step.DATA: "DATA"}
        await self._reset()
        for group in self._groups():
            self._wire.send(*(commands[step] for step in group))
            for number, step in enumerate(group, 1):
                reply = await self._answer(step)
                if reply.code != 354 if step is Step.DATA else not 200 <= reply.code < 300:
                    refused = self._refused(step, reply)
                    await self._hear(group[number:])
                    return refused
                self._open_transaction = True
                self._habits.proven |= step is Step.RCPT
        return None

    def _groups(self) -> tuple[tuple[Step, ...], ...]:
        """What is sent together (RFC 2920)."""
        if "PIPELINING" not in self._features:
            return (Step.MAIL,), (Step.RCPT,), (Step.DATA,)
        return ((Step.MAIL, Step.RCPT, Step.DATA),) if self._habits.eager else ((Step.MAIL, Step.RCPT), (Step.DATA,))

    async def _answer(self, step: Step) -> Reply:
        """The reply to a command of the envelope."""
        first = step is Step.MAIL and self.used > 1
        try:
            reply = await self._reply(step)
        except Broken as broken:
            raise Stale(str(broken)) if first else broken from None
        if first and reply.code == CLOSING:
            raise Stale(reply.text)
        return reply

    async def _reset(self) -> None:
        """End the transaction that a refused letter left open, if one did (RFC 5321 section 4.1.1.5)."""
        if not self._open_transaction:
            return
        self._wire.send("RSET")
        try:
            reply = await self._reply(Step.HELLO)
        except Broken as broken:
            raise Stale(str(broken)) from None
        if reply.code >= 300:
            raise Stale(reply.text)
        self._open_transaction = False

    async def _hear(self, owed: Sequence[Step]) -> None:
        """Hear the replies to commands that went out with a refused one.

        A server may answer 354 though it took no recipient. RFC 2920 section 3.1 would then send a lone dot; we rather give the
        connection up, so that no dot is ever sent that was not armed, and wait with DATA from now on.
        """
        if self._over:
            return
        try:
            for step in owed:
                reply = await self._reply(step)
                if step is Step.DATA and reply.code == 354:
                    self._habits.eager = False
                    self._over = True
                elif reply.code == CLOSING:
                    self._over = True
        except Broken:
            self._over = True

    async def _message(self, data: bytes) -> Receipt | None:
        """The message without its dot; what the server said before it had heard all of it, which it need not wait for."""
        for piece in stuffed(data, PIECE):
            self._wire.write(piece)
            await self._wire.room(asyncio.get_running_loop().time() + self._waits.piece, "the message")
            if not self._wire.quiet:
                return await self._interrupted()
        return None

    async def _interrupted(self) -> Receipt:
        """The server spoke, or went away, before the dot."""
        try:
            reply = await self._reply(Step.DOT)
        except Broken as broken:
            return self._lost(broken)
        self._over = True
        return refusal(Step.DOT, reply)

    async def _dot(self) -> Receipt:
        """The dot, and what the server says to it.

        asyncio sets TCP_NODELAY on every connection; without it the dot would wait until the message is acknowledged.
        """
        self._wire.write(DOT)
        try:
            reply = await self._wire.reply(asyncio.get_running_loop().time() + self._waits.dot, "the message's final dot")
        except Broken as broken:
            self._over = True
            error = f"it may have been accepted: after the whole message {broken}"
            return Receipt(Result.IN_DOUBT, error=error, trouble=Trouble.CONNECTION)
        self._open_transaction = False
        if 200 <= reply.code < 300:
            return Receipt(Result.SENT, reply.code, printable(reply.text))
        if reply.code < 400:
            self._over = True
            error = "it may have been accepted: the relay's answer to the whole message is no SMTP"
            return Receipt(Result.IN_DOUBT, reply.code, printable(reply.text), error)
        return self._refused(Step.DOT, reply)

    def _refused(self, step: Step, reply: Reply) -> Receipt:
        self._over |= reply.code == CLOSING or reply.code < 400
        return refusal(step, reply, self._habits.proven)

    def _lost(self, broken: Broken) -> Receipt:
        self._over = True
        return Receipt(Result.RETRY, error=f"nothing was accepted: {broken}", trouble=Trouble.CONNECTION)

    async def leave(self) -> None:
        """Say QUIT where the server may still hear it, and close."""
        until = asyncio.get_running_loop().time() + min(self._waits.step, GOODBYE)
        try:
            if self.reusable:
                self._wire.send("QUIT")
                await self._wire.reply(until, "QUIT")
        except Broken:
            pass
        finally:
            await self._wire.close(until)

    def drop(self) -> None:
        """Close it without a word."""
        self._wire.abort()

    async def _reply(self, step: Step) -> Reply:
        return await self._wire.reply(asyncio.get_running_loop().time() + self._waits.step, step.value)
