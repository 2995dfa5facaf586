"""The dialogue on one connection to a mail exchanger: greeting, TLS where offered, and one question after the other."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from engine.mail.evidence import Answer
from engine.mail.replies import classify
from engine.net.smtp_wire import Reply, Trouble, Wire

GOODBYE = 2.0
"""Seconds that a server has to answer QUIT."""
GONE = 221
CLOSING = 421
"""RFC 5321 section 3.8: not now; the server closes the connection. It may answer any command."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the name in EHLO and the address in MAIL FROM (empty for `<>`)."""

    helo: str
    sender: str


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for one step, and for all of a probe's steps on one host."""

    step: float
    total: float


class Handshake(Trouble):
    """TLS could not be had where it was offered; another connection may do without."""


class Dialogue:
    """One open connection. `asked` and `refused` count recipients, `ip` is the other end.

    All methods but `leave` raise `Trouble` when the connection is of no use any more.
    """

    def __init__(self, wire: Wire, me: Identity, step: float, ip: str) -> None:
        self._wire, self._me, self._step, self.ip = wire, me, step, ip
        self._features: frozenset[str] = frozenset()
        self._open_transaction = False
        self.asked = self.refused = 0

    @property
    def reusable(self) -> bool:
        """Whether it may be asked another question."""
        return self._wire.quiet

    @property
    def secure(self) -> bool:
        """Whether it runs over TLS."""
        return self._wire.secure

    def offers(self, keyword: str) -> bool:
        """Whether the server's answer to EHLO names the extension."""
        return keyword in self._features

    async def greet(self, until: float, context: ssl.SSLContext | None, name: str) -> None:
        """From the banner to the last EHLO; `context` None does without TLS.

        Raises:
            Handshake: TLS was offered and failed.
        """
        banner = await self._reply("the connection", until)
        if banner.code != 220:
            raise refusal(banner)
        await self._hello(until)
        if context is None or not self.offers("STARTTLS"):
            return
        try:
            self._wire.send("STARTTLS")
            answer = await self._reply("STARTTLS", until)
            if answer.code == CLOSING:
                raise refusal(answer)
            if answer.code == 220:
                await self._wire.encrypt(context, name, self._deadline(until))
                await self._hello(until)
        except Trouble as trouble:
            raise Handshake(trouble.answer, str(trouble), trouble.reply) from trouble

    async def _hello(self, until: float) -> None:
        """EHLO, or HELO where that is not known (RFC 5321 section 3.2)."""
        self._wire.send(f"EHLO {self._me.helo}")
        answer = await self._reply("EHLO", until)
        self._features = frozenset(line.split(" ", 1)[0].upper() for line in answer.lines[1:] if line)
        if answer.code >= 500:
            self._features = frozenset()
            self._wire.send(f"HELO {self._me.helo}")
            answer = await self._reply("HELO", until)
        if answer.code >= 300:
            raise refusal(answer)

    async def ask(self, recipient: str, utf8: bool, until: float, count: Callable[[], None]) -> Reply:
        """What the server says to this recipient; `count` is called when the question goes out.

        Raises:
            Trouble: no answer about the recipient: the sender was refused, or the connection failed.
        """
        sender = f"MAIL FROM:<{self._me.sender}>" + (" SMTPUTF8" if utf8 else "")
        question = f"RCPT TO:<{recipient}>"
        together = self.offers("PIPELINING")
        if not together:
            await self.rest(until)
        reset = ["RSET"] if self._open_transaction else []
        self._open_transaction = True
        if together:
            self._count(count)
            self._wire.send(*reset, sender, question)
        else:
            self._wire.send(sender)
        for command in [*reset, "MAIL"]:
            answer = await self._reply(command, until)
            if answer.code == CLOSING or (answer.code >= 300 and command == "MAIL"):
                raise refusal(answer, sender=True)
        if not together:
            self._count(count)
            self._wire.send(question)
        answer = await self._reply("RCPT", until)
        self.refused += answer.code >= 400
        return answer

    def _count(self, count: Callable[[], None]) -> None:
        self.asked += 1
        count()

    async def rest(self, until: float) -> None:
        """Make ready for the next question where RSET cannot ride with it; RFC 5321 section 4.1.1.5."""
        if self._open_transaction and not self.offers("PIPELINING"):
            self._wire.send("RSET")
            answer = await self._reply("RSET", until)
            if answer.code >= 300:
                raise refusal(answer)
            self._open_transaction = False

    async def leave(self) -> None:
        """Say QUIT where the server may still hear it, and close; answers still owed are awaited before that to QUIT."""
        until = asyncio.get_running_loop().time() + min(self._step, GOODBYE)
        try:
            if self._wire.alive:
                self._wire.send("QUIT")
                while (await self._wire.reply(until, "QUIT")).code != GONE:
                    pass
        except Trouble:
            pass
        finally:
            await self._wire.close(until)

    def drop(self) -> None:
        """Close it without a word."""
        self._wire.abort()

    def _deadline(self, until: float) -> float:
        return min(until, asyncio.get_running_loop().time() + self._step)

    async def _reply(self, step: str, until: float) -> Reply:
        return await self._wire.reply(self._deadline(until), step)


def refusal(reply: Reply, sender: bool = False) -> Trouble:
    """What a refusal before RCPT means. It is never about the recipient, whatever words it uses.

    With `sender` it answers MAIL: who refuses our sender for good refuses us.
    """
    meaning = classify(reply.code, reply.text)
    if meaning is Answer.BLOCKED or (sender and reply.code >= 500):
        return Trouble(Answer.BLOCKED, reply.text, reply, final=sender and reply.code >= 500)
    answer = Answer.RATE_LIMITED if 400 <= reply.code < 500 else Answer.NO_CONNECTION
    return Trouble(answer, reply.text, reply)
