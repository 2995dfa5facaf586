"""Everything that is asked of one mail exchanger: its queue, its few connections, its rate and its breaker."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from engine.mail.evidence import Answer, Mailbox
from engine.mail.replies import classify, enhanced_code
from engine.net.smtp_dial import Dialer, Unreached
from engine.net.smtp_dialogue import CLOSING, Dialogue, Patience
from engine.net.smtp_pacing import Breaker, Bucket
from engine.net.smtp_pool import Pool
from engine.net.smtp_wire import Reply, Trouble, printable

QUEUE_PER_CONNECTION = 4
"""Questions that wait for each connection before another one pays: opening one takes about as many round trips."""
STRIKES = 3
"""Refusals in a row, in words that do not say whether they are about our address, that are taken to be."""
MISSES = 5
"""Dialogues in a row that failed before the exchanger counts as out of order."""
OUT_OF_ORDER = 15.0
"""Seconds; the first pause then."""
HALF_OPEN = 1.0
_ABOUT_US = re.compile(
    r"\bips?\b|\bptr\b|rdns|\brbl\b|dnsbl|client host|your (?:host|server|network|address)|reverse|banned|black ?list|block ?list"
    r"|[0-9a-f.:]{7,}\] ?(?:blocked|is )|reputation|sender ?base|sbrs|spamhaus|spamcop|abusix|barracuda|sorbs|tss0|cs01|s31[45]0",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of one exchanger at most: questions a second and at once, connections, recipients for each of them.

    `idle` is how many seconds an unused connection stays open.
    """

    rate: float
    burst: float
    connections: int
    recipients: int
    idle: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What a lane found out; when not `final` another exchanger may be asked. `spent`: seconds, waiting in queues left out."""

    mailbox: Mailbox
    final: bool
    spent: float = 0.0


@dataclass(slots=True, eq=False)
class _Question:
    recipient: str
    utf8: bool
    budget: float
    answer: asyncio.Future[Finding]


@dataclass(slots=True)
class Office:
    """What all lanes share. `asked` counts the questions put on the wire, `spawn` runs something in the background."""

    dialer: Dialer
    pool: Pool
    limits: Limits
    patience: Patience
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    asked: int = 0

    def count(self) -> None:
        """A question goes out."""
        self.asked += 1


class Lane:
    """One exchanger, by name. Its workers live as long as there are questions; idle connections outlive them a little."""

    def __init__(self, host: str, office: Office) -> None:
        self._host, self._office = host, office
        self._queue: deque[_Question] = deque()
        self._idle: deque[tuple[float, Dialogue]] = deque()
        self._bucket = Bucket(office.limits.rate, office.limits.burst)
        self._breaker: Breaker[Finding] = Breaker()
        self._workers = self._strikes = self._misses = 0
        self._crew: set[asyncio.Task[None]] = set()
        self._clear, self._closing, self._ip = False, False, ""
        self._bearable = office.limits.recipients
        self._sweeping = False
        self._used = 0.0

    def ask(self, recipient: str, utf8: bool, budget: float, first: bool = False) -> asyncio.Future[Finding]:
        """Queue a question, in front with `first`; it may take `budget` seconds of talking. Cancelling the future is safe."""
        loop = asyncio.get_running_loop()
        self._used = now = loop.time()
        question = _Question(recipient, utf8, budget, loop.create_future())
        words = self._breaker.words
        if words is not None and self._breaker.remaining(now) > 0.0:
            question.answer.set_result(words)
            return question.answer
        if first:
            self._queue.appendleft(question)
        else:
            self._queue.append(question)
        self._hire(now)
        return question.answer

    def backlog(self, now: float) -> tuple[float, bool]:
        """Seconds until a question would start or be answered by the open breaker; whether another would be asked instead."""
        words = self._breaker.words
        if words is not None:
            pause = self._breaker.remaining(now) or (HALF_OPEN if self._workers else 0.0)
            return 0.0, pause > 0.0 and not words.final
        return self._bucket.wait(now, len(self._queue)), False

    def forgettable(self, now: float, after: float) -> bool:
        """Whether nothing is under way here, nothing is remembered, and nobody has asked for so many seconds."""
        busy = self._workers or self._queue or self._idle or self._breaker.remaining(now)
        return not busy and now - self._used > after

    def yield_one(self) -> None:
        """Close the connection that has been idle the longest."""
        if self._idle:
            self._dismiss(self._idle.popleft()[1])
        if not self._idle:
            self._office.pool.busy(self)

    def close(self) -> None:
        """Give up what is under way, and let every idle connection go politely."""
        self._closing = True
        for task in self._crew:
            task.cancel()
        while self._idle:
            self.yield_one()

    def _hire(self, now: float) -> None:
        """Another worker, if it pays."""
        limit = 1 if self._breaker.tried else self._office.limits.connections
        crowded = len(self._queue) >= QUEUE_PER_CONNECTION * self._workers and self._bucket.wait(now) == 0.0
        if self._workers == 0 or (self._workers < limit and crowded):
            self._workers += 1
            task = self._office.spawn(self._work())
            self._crew.add(task)
            task.add_done_callback(self._crew.discard)

    async def _work(self) -> None:
        try:
            while await self._turn():
                question = self._queue.popleft()
                try:
                    await self._serve(question)
                finally:
                    self._settle(question, self._given_up(), 0.0)
        finally:
            self._workers -= 1
            if self._workers == 0:
                self._flush(self._given_up())

    async def _turn(self) -> bool:
        """Wait for a token while there are questions; False when there are none (any more)."""
        loop = asyncio.get_running_loop()
        while True:
            while self._queue and self._queue[0].answer.done():
                self._queue.popleft()
            if not self._queue:
                return False
            now = loop.time()
            if self._bucket.take(now):
                return True
            await asyncio.sleep(self._bucket.wait(now))

    async def _serve(self, question: _Question) -> None:
        """Answer one question; on a connection that turns out to have been closed meanwhile, once more on a new one."""
        loop = asyncio.get_running_loop()
        dialogue = self._take_idle()
        reused = dialogue is not None
        if dialogue is None:
            await self._office.pool.acquire()
        started = loop.time()
        until = started + min(question.budget, self._office.patience.total)
        while True:
            try:
                dialogue = dialogue or await self._open(until)
                finding = await self._put(dialogue, question, until)
            except Trouble as trouble:
                if reused and dialogue is not None and trouble.answer is not Answer.TIMEOUT:
                    self._worn_out(dialogue, trouble)
                    dialogue, reused = None, False
                    continue
                finding = self._missed(trouble, loop.time())
                self._let_go(dialogue)
                self._settle(question, finding, loop.time() - started)
                return
            except BaseException:
                self._interrupted(dialogue)
                raise
            self._settle(question, finding, loop.time() - started)
            await self._keep(dialogue)
            return

    async def _open(self, until: float) -> Dialogue:
        """A new connection in the slot already taken."""
        dialogue = await self._office.dialer.dial(self._host, until, tls=not self._clear, prefer=self._ip)
        self._ip = dialogue.ip
        # Where TLS failed once it is not tried again while the exchanger is remembered.
        self._clear = dialogue.offers("STARTTLS") and not dialogue.secure
        return dialogue

    async def _put(self, dialogue: Dialogue, question: _Question, until: float) -> Finding:
        if question.utf8 and not dialogue.offers("SMTPUTF8"):
            return Finding(
                Mailbox(Answer.NO_SMTPUTF8, host=self._host, reply="the exchanger does not offer SMTPUTF8"), final=True
            )
        reply = await dialogue.ask(question.recipient, question.utf8, until, self._office.count)
        return self._heard(reply, asyncio.get_running_loop().time())

    def _worn_out(self, dialogue: Dialogue, trouble: Trouble) -> None:
        """A connection used before was closed meanwhile, or the server has had enough of it: a new one may do better.

        Postfix closes a session after 20 refused commands by default; the next connection is left before that.
        """
        dialogue.drop()
        if trouble.reply is not None and trouble.reply.code == CLOSING and dialogue.refused > 1:
            self._bearable = dialogue.refused - 1

    def _heard(self, reply: Reply, now: float) -> Finding:
        """What an answer to RCPT means, for the recipient and for this lane."""
        answer = Answer.RATE_LIMITED if reply.code == CLOSING else classify(reply.code, reply.text)
        finding = Finding(self._mailbox(answer, reply), final=True)
        self._misses = 0
        self._strikes = self._strikes + 1 if answer is Answer.BLOCKED else 0
        if reply.code == CLOSING or self._strikes >= STRIKES or (self._strikes and _ABOUT_US.search(reply.text)):
            self._trip(finding, now)
        elif not self._strikes:
            self._breaker.close()
        return finding

    def _missed(self, trouble: Trouble, now: float) -> Finding:
        """What it means that no answer to RCPT was to be had."""
        if trouble.reply is not None:
            finding = Finding(self._mailbox(trouble.answer, trouble.reply), trouble.final)
        else:
            finding = Finding(Mailbox(trouble.answer, host=self._host, reply=str(trouble)), trouble.final)
        self._misses += 1
        if trouble.answer is Answer.BLOCKED or (trouble.reply is not None and trouble.reply.code == CLOSING):
            self._trip(finding, now)
        elif isinstance(trouble, Unreached) or self._misses >= MISSES or self._breaker.tried:
            self._trip(finding, now, OUT_OF_ORDER)
        return finding

    def _trip(self, finding: Finding, now: float, first: float | None = None) -> None:
        self._breaker.trip(now, finding, first)
        self._strikes = self._misses = 0
        self._flush(finding)

    def _flush(self, finding: Finding) -> None:
        """Everybody in the queue gets the same answer."""
        while self._queue:
            self._settle(self._queue.popleft(), finding, 0.0)

    def _settle(self, question: _Question, finding: Finding, spent: float) -> None:
        if not question.answer.done():
            question.answer.set_result(replace(finding, spent=spent))

    def _given_up(self) -> Finding:
        """What is said to those who still wait when the prober is closed."""
        return Finding(Mailbox(Answer.NO_CONNECTION, host=self._host, reply="the prober was closed"), final=True)

    def _mailbox(self, answer: Answer, reply: Reply) -> Mailbox:
        return Mailbox(answer, None, self._host, reply.code, enhanced_code(reply.text), printable(reply.text))

    def _take_idle(self) -> Dialogue | None:
        """An idle connection that is still good, the last used first."""
        while self._idle:
            _, dialogue = self._idle.pop()
            if not self._idle:
                self._office.pool.busy(self)
            if dialogue.reusable:
                return dialogue
            self._drop(dialogue)
        return None

    async def _keep(self, dialogue: Dialogue) -> None:
        """Make the connection ready for the next question, or let it go."""
        loop = asyncio.get_running_loop()
        spent = dialogue.asked >= self._office.limits.recipients or dialogue.refused >= self._bearable
        if spent or self._office.pool.wanted or not dialogue.reusable or self._breaker.tried:
            self._let_go(dialogue)
            return
        try:
            await dialogue.rest(loop.time() + self._office.patience.step)
        except Trouble:
            self._let_go(dialogue)
            return
        except BaseException:
            self._interrupted(dialogue)
            raise
        self._idle.append((loop.time(), dialogue))
        self._office.pool.idle(self)
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(self._office.limits.idle, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long; look again when the next one may be."""
        loop = asyncio.get_running_loop()
        limit = self._office.limits.idle
        while self._idle and loop.time() - self._idle[0][0] >= limit - 0.001:
            self.yield_one()
        self._sweeping = bool(self._idle)
        if self._idle:
            loop.call_at(self._idle[0][0] + limit, self._sweep)

    def _let_go(self, dialogue: Dialogue | None) -> None:
        """Give the connection and its slot back; None for one that never came about."""
        if dialogue is None or not dialogue.reusable:
            self._drop(dialogue)
        else:
            self._dismiss(dialogue)

    def _dismiss(self, dialogue: Dialogue) -> None:
        self._office.spawn(self._farewell(dialogue))

    async def _farewell(self, dialogue: Dialogue) -> None:
        try:
            await dialogue.leave()
        finally:
            self._office.pool.release()

    def _interrupted(self, dialogue: Dialogue | None) -> None:
        """In the middle of a dialogue: there is time for a QUIT when the prober is closed, none when its event loop ends."""
        if self._closing and dialogue is not None:
            self._dismiss(dialogue)
        else:
            self._drop(dialogue)

    def _drop(self, dialogue: Dialogue | None) -> None:
        if dialogue is not None:
            dialogue.drop()
        self._office.pool.release()
