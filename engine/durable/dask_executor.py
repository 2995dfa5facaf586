"""Runs batches on a Dask cluster. A cluster that is away is waited for: no job fails because of it."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import pickle
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from engine.durable.contract import Batch, Done, JobParams, JobType, Json, Snooze
from engine.durable.dask_wire import Doors, Order, Sealed, pack_error, unpack
from engine.durable.executor import LocalExecutor, Saver
from engine.errors import ConfigError

if TYPE_CHECKING:
    from engine.durable.dask_worker import Question

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 15.0
log = structlog.get_logger()


class DaskExecutor:
    """Sends each batch to a worker of the cluster at `address` (`host:port`), where `doors()` gives it its doors.

    Batches of types that are to stay `here` run in this process.

    The scheduler and the workers run in the same environment as the engine, with the settings of the doors in their own.
    """

    def __init__(self, address: str, doors: Doors) -> None:
        self._cluster = _Cluster(address, doors, self._heard)
        self._tickets: dict[str, _Ticket] = {}
        self._doors = doors
        self._local: LocalExecutor | None = None

    @classmethod
    def connect(cls, address: str, doors: Doors) -> DaskExecutor:
        """An executor that reaches for the cluster with its first batch.

        Raises:
            ConfigError: Dask is not installed.
        """
        if importlib.util.find_spec("distributed") is None:
            raise ConfigError(
                f"POSTBENCH_EXECUTOR is dask://{address}, but Dask is not installed: "
                "pip install 'postbench[dask]', or set it to local"
            )
        return cls(address, doors)

    async def run(
        self, job_type: JobType, batch: Batch, params: JobParams, secrets: Mapping[str, str], save: Saver
    ) -> Done | Snooze:
        """The outcome of the batch.

        When its worker dies Dask gives the ticket to another, up to the scheduler's `allowed-failures`; when the scheduler
        goes, the ticket is submitted again once there is one. Either way the batch starts from the cursor it saved last.
        """
        if job_type.here:
            self._local = self._local or LocalExecutor(self._doors())
            return await self._local.run(job_type, batch, params, secrets, save)
        ticket = _Ticket(Order(job_type.process, batch, params, secrets), save)
        delays = _delays()
        while True:
            key = f"{job_type.name}-{uuid4().hex}"
            packed = await self._attempt(key, ticket)
            if packed is not None:
                outcome: Done | Snooze = await asyncio.to_thread(unpack, packed)
                return outcome
            seconds = next(delays)
            log.warning("dask cluster lost, the batch goes again", ticket=key, seconds=seconds)
            await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Let go of the cluster; tickets that are out are stopped there."""
        if self._local is not None:
            await self._local.close()
        await self._cluster.close()

    async def _attempt(self, key: str, ticket: _Ticket) -> bytes | None:
        """What a worker made of the ticket; None when the scheduler lost it."""
        from concurrent.futures import CancelledError

        from engine.durable.dask_worker import take

        client = await self._cluster.client()
        self._tickets[key] = ticket
        future = client.submit(take, self._cluster.topic, key=key, pure=False)
        try:
            packed: bytes = await future
        except (CancelledError, OSError):
            # The exceptions of `process` are in the answer: these are the cluster's own.
            return None
        finally:
            del self._tickets[key]
            ticket.close()
            future.release()
        return packed

    def _heard(self, event: tuple[float, Question]) -> None:
        """A worker asks something; questions about tickets that are gone need no answer, as Dask stops those."""
        question = event[1]
        ticket = self._tickets.get(question["key"])
        if ticket is not None:
            ticket.heard(question, self._cluster.on_worker)


OnWorker = Callable[..., Coroutine[Any, Any, Any]]


class _Ticket:
    """The engine's side of a batch: answers the worker that has it."""

    def __init__(self, order: Order, save: Saver) -> None:
        self._order, self._save = order, save
        self._runs: list[str] = []
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._one_by_one = asyncio.Lock()

    def heard(self, question: Question, on_worker: OnWorker) -> None:
        """Begin to answer a question, unless that has begun. A new run replaces the one before it, whose worker is lost."""
        if question["run"] not in self._runs:
            self.close()
            self._runs.append(question["run"])
        number = question["number"]
        begun = self._answering.get(number)
        if question["run"] == self._runs[-1] and (begun is None or begun.done()):
            self._answering[number] = asyncio.create_task(self._answer(question, on_worker), name=f"{question['key']} {number}")

    def close(self) -> None:
        """Stop answering."""
        for task in self._answering.values():
            task.cancel()
        self._answering.clear()

    async def _answer(self, question: Question, on_worker: OnWorker) -> None:
        """A worker that cannot be reached is Dask's to replace; one that can asks again."""
        from engine.durable.dask_worker import ORDER, answer, peek

        where = question["key"], question["run"], question["number"]
        try:
            if question["number"] == ORDER:
                sealed = await asyncio.to_thread(self._order.seal, bytes.fromhex(question["public"]))
            else:
                async with self._one_by_one:
                    is_open, state = await on_worker(question["worker"], peek, *where)
                    if not is_open:
                        return
                    sealed = await self._saved(pickle.loads(state))
            await on_worker(question["worker"], answer, *where, sealed)
        except Exception as error:
            log.warning("dask worker not answered", ticket=question["key"], worker=question["worker"], error=type(error).__name__)

    async def _saved(self, state: Json) -> Sealed:
        """Commit a cursor; a later run of the ticket starts from it."""
        try:
            await self._save(state)
        except Exception as error:
            return Sealed(pack_error(error))
        self._order = replace(self._order, batch=replace(self._order.batch, state=state))
        return Sealed(pickle.dumps((type(None),)))


class _Cluster:
    """The connection to the scheduler, made when it is first needed and again when it was lost."""

    def __init__(self, address: str, doors: Doors, heard: Callable[[tuple[float, Question]], None]) -> None:
        self._address, self._doors, self._heard = address, doors, heard
        self.topic = f"postbench-{uuid4().hex}"
        self._client: Any = None
        self._comm: Any = None
        self._connecting = asyncio.Lock()

    async def client(self) -> Any:
        """A connected client; waits for as long as there is no scheduler."""
        async with self._connecting:
            if not self._usable():
                await self.close()
                self._client = await self._connected()
                self._comm = self._client.scheduler_comm
            return self._client

    async def on_worker(self, worker: str, function: Callable[..., Any], *arguments: object) -> Any:
        """What the function returns on that worker."""
        client = await self.client()
        return (await client.run(function, *arguments, workers=[worker]))[worker]

    async def close(self) -> None:
        """Close the connection, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            await _close(client)

    def _usable(self) -> bool:
        """Whether this is still the connection that was made: Dask's own reconnecting keeps neither topic nor desk."""
        client = self._client
        return client is not None and client.status == "running" and client.scheduler_comm is self._comm

    async def _connected(self) -> Any:
        for seconds in _delays():
            try:
                return await self._connect()
            except OSError as error:
                log.warning("dask scheduler not reached, trying again", address=self._address, seconds=seconds, error=str(error))
            await asyncio.sleep(seconds)
        raise AssertionError("the delays never end")

    async def _connect(self) -> Any:
        from distributed import Client

        from engine.durable.dask_worker import Desk

        # It tells of a lost scheduler with a traceback; here that is a warning of one line.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        options = {"asynchronous": True, "set_as_default": False, "name": "postbench", "timeout": CONNECT_SECONDS}
        client: Any = Client(self._address, **options)  # type: ignore[no-untyped-call, unused-ignore]
        try:
            await client
            client.subscribe_topic(self.topic, self._heard)
            await client.register_plugin(Desk(self._doors))
        except BaseException:
            await _close(client)
            raise
        log.info("dask scheduler reached", address=self._address)
        return client


async def _close(client: Any) -> None:
    try:
        await asyncio.wait_for(client.close(), CLOSE_SECONDS)
    except (OSError, TimeoutError) as error:
        log.warning("dask client not closed cleanly", error=str(error))


def _delays() -> Iterator[float]:
    """Seconds to wait before each new try, for ever."""
    seconds = FIRST_DELAY_SECONDS
    while True:
        yield seconds
        seconds = min(2 * seconds, LONGEST_DELAY_SECONDS)
