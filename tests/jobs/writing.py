"""What tests of ai-generate share: a job's parameters as a submit settles them, doors in memory, and batches run to their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from engine.durable.contract import Batch, Done, JobRef, Json, Plan, Snooze, Source
from engine.durable.spending import FakeSpending
from engine.jobs import registry
from engine.jobs.ai_generate import Params, plan, process
from engine.net.llm import Answer, FakeLlm, Llms, Question, Trouble

WRITE = registry()["ai-generate"]
KEY = "sk-secret-0123456789"
NOTHING_SET = frozenset({"ai_url", "ai_api_key", "ai_model", "anthropic_api_key", "ai_model_file"})
PEOPLE = [{"email": f"p{n}@shop.test", "first_name": name, "note": f"row-{n}"} for n, name in enumerate(("Ann", "Ben", "Cay"))]
Reply = Callable[[Question], Answer | Trouble | str]


def settled(**given: Any) -> Params:
    """Parameters as they are kept with a job on a server with an OpenAI-compatible service."""
    wanted = {"mode": "drafts", "brief": "Invite them.", "seed": 7, **given}
    unset = NOTHING_SET - ({"ai_url", "ai_model"} if wanted.get("provider") != "template" else set())
    return Params.model_validate(wanted).settled(lambda: 7).equipped({"model": "lab-1"}, unset)


@dataclass
class World:
    """The doors of a batch, a clock that only moves when a batch is parked, and what was saved."""

    reply: Reply
    secrets: Mapping[str, str] = field(default_factory=lambda: {"api_key": KEY})
    saved: list[Json] = field(default_factory=list)
    parked: list[Json] = field(default_factory=list)
    snoozes: list[float] = field(default_factory=list)
    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.llm, self.spending = FakeLlm(self.reply), FakeSpending()
        self.doors: Mapping[str, Any] = {"llm": Llms({"openai": self.llm, "local": self.llm}), "spending": self.spending}

    def now(self) -> datetime:
        return self.time

    async def save(self, state: Json) -> None:
        self.saved.append(state)

    @property
    def asked(self) -> list[Question]:
        return self.llm.asked


async def run(tools: World, params: Params, rows: list[dict[str, Any]] | None = None) -> pa.Table:
    """The whole job, batch after batch, each parked one resumed when it is due."""
    table = pa.Table.from_pylist(rows) if rows is not None else None
    source = Source(table.num_rows, table.schema, table) if table is not None else None
    params = params.fitted(source) if source else params
    found = plan(params, source)
    done = [await outcome(tools, params, found, number, table) for number in range(found.batches)]
    return pa.concat_tables([one.rows for one in done])


async def first(tools: World, state: Json = None) -> Done:
    """The first of a list's drafts, from a state to its end."""
    table = pa.Table.from_pylist(PEOPLE[:1])
    source = Source(1, table.schema, table)
    params = settled().fitted(source)
    return await outcome(tools, params, plan(params, source), 0, table, state)


async def outcome(
    tools: World, params: Params, found: Plan, number: int, table: pa.Table | None = None, state: Json = None
) -> Done:
    """One batch, from a state to its end."""
    start, stop = found.span(number)
    rows = table.slice(start, stop - start) if table is not None else None
    batch = Batch(number, start, stop, found.items, rows, state, JobRef("job", tools.time, 1))
    while True:
        result = await process(batch, params, tools)
        if isinstance(result, Done):
            assert result.succeeded + result.failed == stop - start == result.rows.num_rows
            return result
        assert isinstance(result, Snooze)
        tools.snoozes.append((result.until - tools.time).total_seconds())
        tools.parked.append(result.state)
        tools.time = result.until
        batch = replace(batch, state=result.state)
