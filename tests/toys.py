"""Toy job types: as small as a job type can be, and one for each way a batch can behave."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field, SecretStr

from engine.durable.contract import Batch, Chart, Done, JobParams, JobRow, JobType, Plan, Process, Snooze, Source, Tools
from engine.durable.schema import carry, category, rows_table


class CountParams(JobParams):
    """Count upwards."""

    secret_fields: ClassVar[frozenset[str]] = frozenset({"api_key"})

    count: int = Field(10, ge=0, le=10_000_000, description="how many rows")
    batch: int = Field(3, ge=1, description="rows per batch")
    seed: int | None = Field(None, description="drawn when not given")
    note: str = Field("", description="anything")
    api_key: SecretStr | None = Field(None, description="a secret")

    def settled(self, draw: Callable[[], int]) -> CountParams:
        return self if self.seed is not None else self.model_copy(update={"seed": draw()})

    @classmethod
    def needed_secrets(cls, stored: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({"api_key"}) if stored.get("note") == "needs a key" else frozenset()


class CountRow(JobRow):
    """A number."""

    number: int = Field(description="the index of the item")
    parity: str = Field(**category("odd or even"))


class ListParams(JobParams):
    """Look at each address of a list."""

    items_field: ClassVar[str | None] = "emails"

    emails: list[str] | None = Field(None, min_length=1, description="addresses")


class LookRow(JobRow):
    """What was seen."""

    length: int = Field(description="characters")


def plan_count(params: CountParams, source: Source | None) -> Plan:
    return Plan(params.count, params.batch)


def plan_list(params: ListParams, source: Source | None) -> Plan:
    assert source is not None
    return Plan(source.rows, 4)


def numbers(start: int, stop: int) -> Done:
    """The outcome of a batch of counting."""
    rows = [CountRow(number=n, parity="odd" if n % 2 else "even") for n in range(start, stop)]
    odd = sum(n % 2 for n in range(start, stop))
    counts = {"odd": odd, "even": stop - start - odd}
    return Done(rows_table(rows, COUNT_SCHEMA), stop - start, counts=counts, tallies={"parity": counts})


async def count(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
    return numbers(batch.start, batch.stop)


async def look(batch: Batch, params: ListParams, tools: Tools) -> Done | Snooze:
    assert batch.rows is not None
    rows = rows_table([{"length": len(str(text))} for text in batch.rows.column(0).to_pylist()], LOOK.columns)
    return Done(carry(batch.rows, rows), batch.rows.num_rows)


def counting(process: Process, name: str = "count", **more: Any) -> JobType:
    """A counting job type with another way to process."""
    charts = (Chart("parity", "Parity"),)
    return JobType(name, "Count", "🔢", "Counts.", CountParams, CountRow, plan_count, process, charts=charts, **more)


COUNT = counting(count)
COUNT_SCHEMA: pa.Schema = COUNT.columns
LOOK = JobType("look", "Look", "👀", "Looks.", ListParams, LookRow, plan_list, look, source="required")


class Gate:
    """Batches wait at the gate until it opens; it knows how many came and how many wait."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.started: list[int] = []
        self.waiting = 0
        self.most = 0
        self.cancelled = 0

    async def process(self, batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
        self.started.append(batch.number)
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.waiting -= 1
        return numbers(batch.start, batch.stop)


async def snooze_once(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
    """Every batch parks once, for as long as `note` says, and remembers in which process that was."""
    if batch.state is None:
        return Snooze(tools.now() + timedelta(seconds=float(params.note or 0)), {"pid": os.getpid()})
    return numbers(batch.start, batch.stop)


def tomorrow() -> datetime:
    """A moment that no test waits for."""
    return datetime.now(UTC) + timedelta(days=1)
