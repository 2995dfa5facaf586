"""Toy job types that workers import by name, and a door that shows where it was opened."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import SecretStr

from engine.durable.contract import Batch, Done, JobParams, JobRow, JobType, Plan, Snooze, Source, Tools
from engine.durable.schema import arrow_schema, carry, rows_table

UNTIL = datetime.fromisoformat("2031-02-03T04:05:06+00:00")


class Params(JobParams):
    secret_fields: ClassVar[frozenset[str]] = frozenset({"key"})
    items: int = 6
    batch: int = 3
    folder: str = ""
    key: SecretStr | None = None


class Row(JobRow):
    number: int
    pid: int


SCHEMA = arrow_schema(Row)


def toy(process: Any) -> JobType:
    """A job type around a process function."""
    return JobType(
        name="toy-" + process.__name__, title="Toy", icon="", summary="", params=Params, row=Row, plan=plan, process=process
    )


def plan(params: Params, source: Source | None) -> Plan:
    return Plan(params.items, params.batch)


def doors() -> dict[str, Any]:
    """Needs the running loop, as real doors do; says when and in which process it was made."""
    return {"loop": asyncio.get_running_loop(), "pid": os.getpid(), "serial": object()}


def numbered(batch: Batch) -> Done:
    rows = [{"number": n, "pid": os.getpid()} for n in range(batch.start, batch.stop)]
    return Done(rows_table(rows, SCHEMA), succeeded=batch.stop - batch.start)


async def count(batch: Batch, params: Params, tools: Tools) -> Done:
    return numbered(batch)


async def carried(batch: Batch, params: Params, tools: Tools) -> Done:
    assert batch.rows is not None
    rows = carry(batch.rows, numbered(batch).rows)
    return Done(rows, 1, batch.stop - batch.start - 1, {"valid": 1, "invalid": 2}, {"provider": {"gmail.com": 3}})


async def snooze(batch: Batch, params: Params, tools: Tools) -> Snooze:
    return Snooze(UNTIL, {"seen": [batch.number, batch.state]}, all=True)


async def slow(batch: Batch, params: Params, tools: Tools) -> Done:
    await asyncio.sleep(0.01)
    return numbered(batch)


class OddError(Exception):
    """Its `__init__` does not take what it keeps as `args`, so plain pickle cannot make it again."""

    def __init__(self, field: str, hint: str) -> None:
        super().__init__(f"{field}: {hint}")
        self.field = field


async def odd(batch: Batch, params: Params, tools: Tools) -> Done:
    raise OddError("email", "is empty")


async def lookup(batch: Batch, params: Params, tools: Tools) -> Done:
    raise KeyError("missing")


async def refused(batch: Batch, params: Params, tools: Tools) -> Done:
    raise ConnectionRefusedError(111, "refused")


async def unpicklable(batch: Batch, params: Params, tools: Tools) -> Done:
    raise ValueError("holds a loop", asyncio.get_running_loop())


async def leaves(batch: Batch, params: Params, tools: Tools) -> Done:
    raise SystemExit(3)


async def tool_report(batch: Batch, params: Params, tools: Tools) -> Snooze:
    where = {"pid": os.getpid(), "serial": id(tools.doors["serial"]), "same": tools.doors["loop"] is asyncio.get_running_loop()}
    return Snooze(tools.now(), {"secrets": dict(tools.secrets), **where})


async def saves(batch: Batch, params: Params, tools: Tools) -> Snooze:
    for page in range(3):
        await tools.save({"page": page})
    return Snooze(UNTIL, "saved")


async def saves_at_once(batch: Batch, params: Params, tools: Tools) -> Snooze:
    await asyncio.gather(*(tools.save(page) for page in range(5)))
    return Snooze(UNTIL)


async def told(batch: Batch, params: Params, tools: Tools) -> Snooze:
    """What `save` raises comes to `process`, which may go on."""
    try:
        await tools.save(1)
    except LookupError as error:
        return Snooze(UNTIL, repr(error))
    return Snooze(UNTIL, "nothing was raised")


async def journey(batch: Batch, params: Params, tools: Tools) -> Done | Snooze:
    """Saves, is parked once, and needs its secret."""
    assert tools.secrets["key"]
    await tools.save("begun")
    return numbered(batch) if batch.state == "parked" else Snooze(tools.now(), "parked")


async def waits(batch: Batch, params: Params, tools: Tools) -> Done:
    """Leaves a file when it starts and one when it is stopped."""
    folder = Path(params.folder)
    (folder / "started").write_text(str(os.getpid()))
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        (folder / "stopped").touch()
        raise
    return numbered(batch)


async def outlives(batch: Batch, params: Params, tools: Tools) -> Snooze:
    """The first run saves a cursor, says where it is and waits to be killed; the next says what it found."""
    folder = Path(params.folder)
    if batch.state != "begun":
        await tools.save("begun")
        (folder / "started").write_text(str(os.getpid()))
        await asyncio.sleep(60)
    return Snooze(UNTIL, {"state": batch.state, "pid": os.getpid()})


async def poison(batch: Batch, params: Params, tools: Tools) -> Done:
    os._exit(9)


def table(rows: int) -> pa.Table:
    """Input rows with a dictionary column, as stored results have."""
    text = pa.array([f"user{n}@example.com" for n in range(rows)])
    kind = pa.array(["a" if n % 2 else "b" for n in range(rows)]).dictionary_encode()
    return pa.table({"email": text, "kind": kind})
