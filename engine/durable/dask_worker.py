"""The worker's side of the Dask executor: takes a ticket, asks the engine for its batch, runs it, hands back the outcome.

A task of the cluster is only a ticket. The batch, its secrets and its newest cursor come from the engine when a worker asks
for them, so that none of them rests in the scheduler, and a ticket that Dask runs again starts where the last run had saved.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypedDict
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from distributed import Reschedule, Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from engine.durable.contract import Json
from engine.durable.dask_wire import Doors, Order, Sealed, pack_error, pack_outcome, unpack
from engine.durable.executor import EngineTools, close_doors

NAME = "postbench"
ORDER = 0
"""The question for the batch itself; the questions after it are cursors to save."""
REPEAT_SECONDS = 5.0
"""How often a question is put again until the engine answers."""
CLOSE_SECONDS = 5.0


class Question(TypedDict):
    """What a worker tells the engine: run `run` of ticket `key` waits at `worker` for the answer to `number`.

    An order is locked with `public`, a key (hex) whose other half stays in the worker's memory.
    """

    key: str
    run: str
    number: int
    worker: str
    public: str


@dataclass
class _Run:
    """A ticket on this worker, and the questions that it waits for: what they are about, and where the answer goes."""

    key: str
    topic: str
    task: asyncio.Task[Any] | None
    id: str = field(default_factory=lambda: uuid4().hex)
    asked: int = 0
    waiting: dict[int, tuple[Json, asyncio.Future[Any]]] = field(default_factory=dict)
    unwanted: bool = False

    def stop(self) -> None:
        """Nobody waits for the outcome any more."""
        self.unwanted = True
        if self.task is not None:
            self.task.cancel()


class Desk(WorkerPlugin):  # type: ignore[misc, unused-ignore]
    """Runs the batches of one worker process in an event loop of their own, with doors that are built once.

    The worker's threads wait for them, so a worker has as many batches in hand as it has threads. All of `_runs` is used
    from that one loop only.
    """

    name = NAME
    idempotent = True

    def __init__(self, doors: Doors) -> None:
        self._make_doors = doors

    def setup(self, worker: Worker) -> None:
        """Start the loop."""
        self._worker, self._key = worker, X25519PrivateKey.generate()
        self._doors: Mapping[str, Any] | None = None
        self._runs: dict[str, _Run] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="postbench batches", daemon=True)
        self._thread.start()

    async def teardown(self, worker: Worker) -> None:
        """Stop every batch, then the loop; Dask runs the tickets elsewhere."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._wind_up(), self._loop))
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Called by the worker for each of its tasks: one that is released while it runs is stopped."""
        if start == "executing" and finish == "released":
            self._loop.call_soon_threadsafe(self._stop, key)

    def take(self, key: str, topic: str) -> bytes:
        """The packed outcome of a ticket; called by a thread of the worker, which waits for it."""
        return asyncio.run_coroutine_threadsafe(self._work(key, topic), self._loop).result()

    def peek(self, key: str, run: str, number: int) -> tuple[bool, Json]:
        """Whether that question is open, and the cursor it is about; in the loop of the batches."""
        found = self._runs.get(key)
        if found is None or found.id != run or number not in found.waiting:
            return False, None
        return True, found.waiting[number][0]

    def answer(self, key: str, run: str, number: int, answer: Sealed) -> None:
        """Answer a question that is still open; in the loop of the batches."""
        if self.peek(key, run, number)[0]:
            reply = self._runs[key].waiting[number][1]
            if not reply.done():
                reply.set_result(answer)

    async def call(self, function: Any, *arguments: Any) -> Any:
        """Call one of the above from the worker's loop."""

        async def there() -> Any:
            return function(*arguments)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(there(), self._loop))

    async def _work(self, key: str, topic: str) -> bytes:
        run = self._runs[key] = _Run(key, topic, asyncio.current_task())
        try:
            return await self._outcome(run)
        except asyncio.CancelledError as error:
            if run.unwanted:
                raise Reschedule() from None
            return pack_error(error)
        except BaseException as error:
            return pack_error(error)
        finally:
            if self._runs.get(key) is run:
                del self._runs[key]

    async def _outcome(self, run: _Run) -> bytes:
        order = Order.unseal(await self._ask(run), self._key)

        async def save(state: Json) -> None:
            unpack((await self._ask(run, state)).payload)

        if self._doors is None:
            self._doors = self._make_doors()
        outcome = await order.process(order.batch, order.params, EngineTools(save, order.secrets, self._doors))
        return await asyncio.to_thread(pack_outcome, outcome)

    async def _ask(self, run: _Run, state: Json = None) -> Sealed:
        """The engine's answer to the next question; put again from time to time, as either side may lose a message."""
        number, run.asked = run.asked, run.asked + 1
        reply: asyncio.Future[Sealed] = self._loop.create_future()
        run.waiting[number] = state, reply
        public = self._key.public_key().public_bytes_raw().hex()
        question = Question(key=run.key, run=run.id, number=number, worker=self._worker.address, public=public)
        try:
            while not reply.done():
                if not self._wanted(run.key):
                    run.unwanted = True
                    raise asyncio.CancelledError
                self._worker.log_event(run.topic, question)
                await asyncio.wait({reply}, timeout=REPEAT_SECONDS)
            return reply.result()
        finally:
            del run.waiting[number]

    def _wanted(self, key: str) -> bool:
        """Whether the scheduler still asks this worker for the task."""
        task = self._worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    def _stop(self, key: str) -> None:
        if key in self._runs:
            self._runs[key].stop()

    async def _wind_up(self) -> None:
        runs = list(self._runs.values())
        for run in runs:
            run.stop()
        if tasks := [run.task for run in runs if run.task is not None]:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        await close_doors(self._doors or {})


def take(topic: str) -> bytes:
    """The task that the engine submits: a ticket for one batch, answered with its packed outcome."""
    worker = get_worker()
    desk: Any = worker.plugins.get(NAME)
    if desk is None:
        raise RuntimeError(f"worker {worker.address} has no desk; it could not load this Postbench: see its log")
    outcome: bytes = desk.take(worker.get_current_task(), topic)
    return outcome


async def peek(key: str, run: str, number: int, dask_worker: Worker) -> tuple[bool, bytes]:
    """For the engine: whether a question is open, and its cursor, pickled."""
    desk: Any = dask_worker.plugins[NAME]
    is_open, state = await desk.call(desk.peek, key, run, number)
    return is_open, pickle.dumps(state)


async def answer(key: str, run: str, number: int, sealed: Sealed, dask_worker: Worker) -> None:
    """For the engine: answer a question."""
    desk: Any = dask_worker.plugins[NAME]
    await desk.call(desk.answer, key, run, number, sealed)
