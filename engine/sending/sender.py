"""The sender: takes a batch's recipients through the ledger and a transport, and sends no message twice.

An attempt belongs to the sender, not to the batch that began it: once its message may have left, nothing stops it from writing
down what the server said, not even the end of its job. A later run of the batch waits for it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from engine.durable.clock import to_ms
from engine.durable.contract import JobRef
from engine.durable.ledger import Entry, Ledger, Outcome, Overtaken, State, Suppressed
from engine.errors import Held, LeaseLost
from engine.mail.message import RowFlaw
from engine.net.submission import Receipt, Result, Transport
from engine.sending.halting import Halt
from engine.sending.judging import outcome_of
from engine.sending.line import Line
from engine.sending.parcels import Answer, Order, Parcel, Route
from engine.sending.timetable import HORIZON, Timetable

PATIENCE_SECONDS = 2.0
"""A batch whose next message may go later than this is parked meanwhile."""
CLOSE_SECONDS = 3.0
"""Seconds that attempts under way get when the engine stops."""
STRANDED_SECONDS = 0.5
"""Seconds after which a batch looks again at what could not be begun although its moment had come."""
PARKED = 2
"""A job that was parked, and claimed again by nobody else in between, has a lease that is greater by so much."""
_SETTLE_TRIES = 5
log = structlog.get_logger()

Now = Callable[[], datetime]
Flight = asyncio.Task[Entry | None]
"""An attempt under way; None when it was not begun after all."""


@dataclass
class _Run:
    """What is kept in memory of a job for as long as it is held here, parkings included."""

    timetable: Timetable
    halt: Halt = field(default_factory=Halt)


@dataclass
class _Round:
    """One call of `send`."""

    order: Order
    run: _Run
    transport: Transport
    line: Line
    now: Now


class Sender:
    """Sends for all jobs of this process. `routes` are the transports there are; `first_wait` seconds precede the first retry."""

    def __init__(self, ledger: Ledger, routes: Mapping[Route, Transport], first_wait: float) -> None:
        self._ledger, self._routes, self._first_wait = ledger, routes, first_wait
        self._lines = {route: Line(transport.capacity) for route, transport in routes.items()}
        self._runs: dict[str, tuple[int, _Run]] = {}
        self._flights: dict[tuple[str, str], Flight] = {}
        self._begun: set[Flight] = set()

    async def send(self, order: Order, now: Now) -> Answer:
        """Send what is due of a batch.

        Raises:
            Held: the job cannot go on until somebody has looked.
            LeaseLost: it is not ours any more.
        """
        transport = self._routes.get(order.route)
        if transport is None:
            raise Held("There is no relay: set POSTBENCH_SMTP_URL where the engines run, start them again, then resume.")
        round_ = _Round(order, await self._run(order, now()), transport, self._lines[order.route], now)
        if round_.run.halt.reason:
            raise Held(round_.run.halt.reason)
        if (early := _too_early(round_)) is not None:
            return early
        await self._landed(order)
        entries = dict(await self._ledger.open(order.job, [p.fresh for p in order.parcels.values()], (), transport.replays))
        asked = to_ms(now())
        fresh, later = await self._attempts(round_, [key for key in order.parcels if _is_due(entries[key], asked)])
        if round_.run.halt.reason:
            raise Held(round_.run.halt.reason)
        entries |= {entry.recipient: entry for entry in fresh}
        return _answer(round_, entries, min(later, _first_retry(entries.values(), asked)))

    async def close(self) -> None:
        """Give attempts under way some time, then drop those that have not handed their message over; write down the rest."""
        tasks = list(self._flights.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for transport in self._routes.values():
            await transport.close()
        await self._ledger.close()

    async def _landed(self, order: Order) -> None:
        """Wait for attempts of an earlier run of this batch: they write down what becomes of them."""
        under_way = [task for key in order.parcels if (task := self._flights.get((order.job.id, key))) is not None]
        if under_way:
            await asyncio.wait(under_way)

    async def _run(self, order: Order, now: datetime) -> _Run:
        if (run := self._known(order.job)) is not None:
            return run
        last, begun = None, None
        if order.pace.per_minute or order.pace.per_domain:
            last, begun = await self._ledger.last_sent(order.job), await self._ledger.begun(order.job)
        if (run := self._known(order.job)) is not None:  # another batch was faster
            return run
        run = _Run(Timetable(order.pace, now.timestamp(), None if last is None else last / 1000, begun))
        self._runs[order.job.id] = order.job.lease, run
        while len(self._runs) > 1_000:
            del self._runs[next(iter(self._runs))]
        return run

    def _known(self, job: JobRef) -> _Run | None:
        """What is kept of the job, if it has been held here ever since.

        Raises:
            LeaseLost: it was claimed anew here since.
        """
        lease, run = self._runs.get(job.id, (0, None))
        if job.lease < lease:
            raise LeaseLost  # and what is known belongs to whoever has it now
        if run is None or job.lease not in (lease, lease + PARKED):
            return None
        self._runs[job.id] = job.lease, run
        return run

    async def _attempts(self, round_: _Round, due: Sequence[str]) -> tuple[list[Entry], float]:
        """Make the attempts whose moment has come or is near; and when the first of the others may be made (s since 1970)."""
        timetable, later = round_.run.timetable, math.inf
        tasks: list[Flight] = []
        for place, key in enumerate(due):
            parcel, now = round_.order.parcels[key], round_.now().timestamp()
            moment = timetable.moment(key, parcel.fresh.domain, now, parcel.turn)
            if moment is None:
                later = min(later, timetable.back(parcel.fresh.domain, now, parcel.turn))
            elif moment - now > PATIENCE_SECONDS:
                later = min(later, moment)
            else:
                tasks.append(self._launch(round_, parcel, moment))
            if place % 50 == 49:
                await asyncio.sleep(0)
        found = await self._finished(tasks)
        if sum(entry.state is not State.QUEUED for entry in found) < len(tasks):
            later = min(later, max(round_.line.closed_until, round_.now().timestamp() + STRANDED_SECONDS))
        return found, later

    def _launch(self, round_: _Round, parcel: Parcel, moment: float) -> Flight:
        key = round_.order.job.id, parcel.fresh.recipient
        task = asyncio.create_task(self._attempt(round_, parcel, moment), name=f"{key[0]}/message")
        self._flights[key] = task

        def landed(_: Flight) -> None:
            self._begun.discard(task)
            if self._flights.get(key) is task:
                del self._flights[key]

        task.add_done_callback(landed)
        return task

    async def _finished(self, tasks: Sequence[Flight]) -> list[Entry]:
        """Wait for attempts. When the batch is cancelled those that have begun go on by themselves."""
        if tasks:
            try:
                await asyncio.wait(tasks)
            except asyncio.CancelledError:
                for task in tasks:
                    task.add_done_callback(_heard)
                    if task not in self._begun:
                        task.cancel()
                raise
        if errors := [error for task in tasks if not task.cancelled() and (error := task.exception()) is not None]:
            raise errors[0]
        return [entry for task in tasks if (entry := task.result()) is not None]

    async def _attempt(self, round_: _Round, parcel: Parcel, moment: float) -> Entry | None:
        """One message: wait for the turn, hand it over, write down what was said."""
        job, recipient, run = round_.order.job, parcel.fresh.recipient, round_.run
        if (wait := moment - round_.now().timestamp()) > 0:
            await asyncio.sleep(wait)
        async with round_.line.place(job.id):
            if run.halt.reason or round_.line.closed_until > round_.now().timestamp():
                return None
            self._begin()
            run.timetable.used(recipient)
            attempt = await self._ledger.intend(job, recipient)
            try:
                receipt = await self._handed_over(round_, parcel, attempt)
            except Suppressed as suppressed:
                return Entry(recipient, State.SUPPRESSED, attempt, message_id=parcel.fresh.message_id, error=str(suppressed))
            except Overtaken:
                return None
            if receipt.wait:
                round_.line.closed_until = round_.now().timestamp() + receipt.wait
        # Queued for writing before whoever has the place now runs: the next message is armed together with this or later.
        outcome = outcome_of(receipt, recipient, attempt, to_ms(round_.now()), self._first_wait)
        await self._settle(job, outcome)
        if run.halt.heard(receipt, outcome):
            run.halt.weigh(await self._ledger.standing(job))
        return _entry(parcel, outcome)

    async def _handed_over(self, round_: _Round, parcel: Parcel, attempt: int) -> Receipt:
        """Write the letter and hand it over. A value that no message can hold is its recipient's failure, and nobody else's."""
        job, recipient = round_.order.job, parcel.fresh.recipient
        try:
            letter = parcel.write(round_.now())
        except ValueError as error:
            log.warning("message not written", job=job.id, item=parcel.fresh.item, error=type(error).__name__)
            flaw = str(error) if isinstance(error, RowFlaw) else type(error).__name__
            return Receipt(Result.FAILED, error=f"The message could not be written: {flaw}")
        return await round_.transport.deliver(letter, partial(self._ledger.arm, job, recipient, attempt))

    def _begin(self) -> None:
        """From here on this attempt is not stopped from outside."""
        task = asyncio.current_task()
        if task is not None:
            self._begun.add(task)

    async def _settle(self, job: JobRef, outcome: Outcome) -> None:
        """Write it down, whatever it takes: the message is out, and only this process knows what was said."""
        for attempt in range(_SETTLE_TRIES):
            try:
                await self._ledger.settle(job, outcome)
                return
            except LeaseLost:
                raise
            except Exception as error:
                if attempt + 1 == _SETTLE_TRIES:
                    raise
                log.error("outcome not written, trying again", job=job.id, error=type(error).__name__)
                await asyncio.sleep(0.2 * 4**attempt)


def _heard(task: Flight) -> None:
    """Nobody waits for this attempt any more: say what went wrong with it, except that the job was taken away."""
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, LeaseLost):
        log.error("attempt failed", error=f"{type(error).__name__}: {error}")


def _is_due(entry: Entry, now: int) -> bool:
    return entry.state is State.QUEUED or (entry.state is State.RETRY and (entry.due_at or 0) <= now)


def _entry(parcel: Parcel, outcome: Outcome) -> Entry:
    """The ledger's entry after an outcome."""
    return Entry(
        outcome.recipient,
        outcome.state,
        outcome.attempt,
        outcome.due_at,
        parcel.fresh.message_id,
        outcome.smtp_code,
        outcome.smtp_reply,
        outcome.error,
        outcome.at if outcome.state is State.SENT else None,
    )


def _too_early(round_: _Round) -> Answer | None:
    """The answer where nobody's turn can have come, None where it may have: a batch that waits costs next to nothing."""
    now, parcels, timetable = round_.now().timestamp(), round_.order.parcels.values(), round_.run.timetable
    if round_.line.closed_until > now:
        return Answer({}, _ms(round_.line.closed_until), closed=True)
    places = [(parcel.fresh.domain, now, parcel.turn) for parcel in parcels]
    if any(timetable.guess(*place) - now <= HORIZON for place in places):
        return None
    return Answer({}, _ms(min(timetable.back(*place) for place in places)))


def _answer(round_: _Round, entries: Mapping[str, Entry], later: float) -> Answer:
    """What became of the batch; `later` (s) is when to go on, infinite when all is settled."""
    if math.isinf(later):
        return Answer(entries)
    closed = round_.line.closed_until
    if closed > round_.now().timestamp() and later <= closed:
        return Answer(entries, _ms(closed), closed=True)
    return Answer(entries, _ms(later))


def _first_retry(entries: Iterable[Entry], asked: int) -> float:
    """When the first message is due (s) that was not yet when it was asked for (ms); those were tried, or wait their turn."""
    waits = (entry.due_at for entry in entries if entry.state is State.RETRY and entry.due_at is not None)
    return min((due / 1000 for due in waits if due > asked), default=math.inf)


def _ms(seconds: float) -> int:
    """Not before that moment."""
    return math.ceil(round(seconds * 1000, 3))
