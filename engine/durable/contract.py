"""The contract of a job type: what a module in `engine.jobs` defines, and the values it exchanges with the engine."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self, TypeAlias

import pyarrow as pa
from pydantic import Base64Encoder, BaseModel, ConfigDict, EncodedBytes, Field
from pydantic.alias_generators import to_camel

from engine.durable.schema import arrow_schema, items_table

Json: TypeAlias = Any
"""A value that `json` can write: what `Snooze` and `Tools.save` keep between runs of a batch."""


class JobParams(BaseModel):
    """What a job is asked to do: frozen, camelCase on the wire, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    items_field: ClassVar[str | None] = None
    """The list field that becomes the job's input stream instead of staying among the parameters."""
    items_column: ClassVar[str] = "email"
    """The column of the input stream when the items are plain strings."""
    secret_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields stored encrypted and apart from the job, and dropped when it ends."""
    condenses: ClassVar[bool] = False
    """Whether the input list is rewritten at submit by `condensed`."""
    server_secrets: ClassVar[Mapping[str, str]] = {}
    """Where the server may have a secret of its own: secret field to the name of the setting.

    A name that is no field stands for the secret field under other circumstances (see `secrets`).
    """
    server_values: ClassVar[Mapping[str, str]] = {}
    """Where the server may have a value of its own, not secret: field to the name of the setting (see `equipped`)."""
    once: ClassVar[frozenset[str]] = frozenset()
    """What is true of one job only (wire names): a job that runs again does without."""
    files_field: ClassVar[str | None] = None
    """The field of files (a list of `JobFileParam`): stored apart from the parameters, copied when a job runs again."""

    def settled(self, draw: Callable[[], int]) -> Self:
        """The parameters with every free choice made, so that a resumed job does what the first run would have done.

        `draw` gives a fresh random integer in [0, 2**53). Called once, at submit.
        """
        return self

    def equipped(self, values: Mapping[str, str], unset: Collection[str]) -> Self:
        """The parameters with what they leave to the server settled, so that a change of its settings changes no job.

        `values` are those of `server_values` that the server has, `unset` the names of its settings without a value. Called once,
        at submit, after `settled`.

        Raises:
            InvalidInput: parameters that do not go together, or with this server.
        """
        return self

    def fitted(self, source: Source) -> Self:
        """The parameters fitted to the input list: what can be told from its columns is settled. Called once, at submit.

        Raises:
            InvalidInput: the list is not one that this type can work on.
        """
        return self

    def condensed(self, rows: pa.Table) -> pa.Table:
        """The input list as the job works on it: columns renamed, duplicates folded. Called once, at submit, after `fitted`.

        Raises:
            InvalidInput: nothing is left of the list.
        """
        return rows

    def items_table(self) -> pa.Table | None:
        """The input list as a table: strings become the column `items_column`, objects one column per key."""
        items = getattr(self, self.items_field) if self.items_field else None
        if items is None:
            return None
        return items_table(items, self.items_column)

    def stored(self) -> dict[str, Any]:
        """What is kept with the job: wire names, without the input list and without secrets."""
        apart = self.secret_fields | {name for name in (self.items_field, self.files_field) if name}
        return self.model_dump(mode="json", by_alias=True, exclude=set(apart))

    @classmethod
    def needed_secrets(cls, stored: Mapping[str, Any]) -> frozenset[str]:
        """Secret fields that a job with these stored parameters cannot do without."""
        return frozenset()

    @classmethod
    def wanted_secrets(cls, stored: Mapping[str, Any]) -> frozenset[str]:
        """Secrets of the server's own that are kept with a job with these stored parameters, where the server has them."""
        return frozenset()

    @classmethod
    def needed_settings(cls, stored: Mapping[str, Any]) -> Mapping[str, str]:
        """Settings that the server must have for a job with these stored parameters: field (wire name) to the setting's name."""
        return {}

    def files(self) -> Sequence[JobFileParam]:
        """The files that were given."""
        return tuple(getattr(self, self.files_field) or ()) if self.files_field else ()

    def secrets(self) -> dict[str, str]:
        """The secret fields that were given."""
        given = {name: getattr(self, name) for name in self.secret_fields}
        return {name: getattr(v, "get_secret_value", lambda v=v: v)() for name, v in given.items() if v is not None}


class _Base64(Base64Encoder):
    """Base64 as RFC 4648 has it; the lenient decoder drops what does not belong, and the file with it."""

    @classmethod
    def decode(cls, data: bytes) -> bytes:
        """The bytes. Raises `ValueError`, which becomes the field's error."""
        try:
            return base64.b64decode(data, validate=True)
        except ValueError:
            raise ValueError("is not base64 (RFC 4648)") from None


class JobFileParam(BaseModel):
    """A file among the parameters: its name, its type such as `application/pdf`, its bytes (base64 on the wire)."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    name: str = Field(min_length=1, max_length=255, description="File name, without a folder.")
    content_type: str = Field("", max_length=255, description="Media type; told from the name when left out.")
    data: Annotated[bytes, EncodedBytes(encoder=_Base64)] = Field(description="The bytes, as base64.", repr=False)


class JobRow(BaseModel):
    """One row of a job's result; its fields, in order, are the columns (see `engine.durable.schema`)."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True)
class Source:
    """What a job reads: its uploaded input, or another job's output."""

    rows: int
    schema: pa.Schema
    head: pa.Table | None = None
    """The first rows, at submit only."""
    job_type: str | None = None
    """The type of the job whose rows these are, at submit only; None for an uploaded list."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many items a job has and how many go into one batch. Item order is the order of the result.

    With a `goal` the items are candidates: the job ends as soon as its first batches together have that many successes, the
    last one cut to measure, and starts no more batches than it seems to need. Each success must be one row, each failure none.
    """

    items: int
    batch: int
    goal: int | None = None

    @property
    def batches(self) -> int:
        """How many numbered batches the plan has."""
        return -(-self.items // self.batch)

    def span(self, number: int) -> tuple[int, int]:
        """First item and end (exclusive) of batch `number`."""
        start = number * self.batch
        return start, min(start + self.batch, self.items)


@dataclass(frozen=True, slots=True)
class JobRef:
    """Which job a batch belongs to, when that was submitted (aware, UTC), and the lease under which the batch runs."""

    id: str = ""
    created_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Items `start` to `stop` (exclusive) of `items` in the whole plan, with their input rows and what an earlier run saved."""

    number: int
    start: int
    stop: int
    items: int
    rows: pa.Table | None = None
    state: Json = None
    job: JobRef = JobRef()


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of a batch: rows in the job's output schema, how many items succeeded and failed, and numbers to add up.

    `counts` are rows by status; `tallies` are further counts for charts, by chart and value: `{"provider": {"gmail.com": 12}}`.
    """

    rows: pa.Table
    succeeded: int
    failed: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    tallies: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snooze:
    """Park the batch until a moment (aware, UTC) with a state to come back to; it holds no slot meanwhile.

    `all`: no other batch of the job would get any further before that either, so none is begun. A `why` in the state, a sentence
    without addresses or secrets, is shown to whoever watches the job.
    """

    until: datetime
    state: Json = None
    all: bool = False


class Tools(Protocol):
    """The doors a batch may use, injected by the engine; tests pass fakes."""

    @property
    def doors(self) -> Mapping[str, Any]:
        """Resolver, prober, fetcher …, by name, as `engine.jobs` registers them."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """The values of the job's `secret_fields` that were given."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""

    async def save(self, state: Json) -> None:
        """Commit a private cursor: a later run of this batch finds it in `batch.state`."""


class Process(Protocol):
    """Turn a batch into rows. Runs in the engine or on another machine: no database, no globals, no clock.

    Raising `engine.errors.Held` pauses the job with that reason.
    """

    def __call__(self, batch: Batch, params: Any, tools: Tools) -> Awaitable[Done | Snooze]:
        """The outcome of the batch."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over one of a job type's tallies. `line` keeps the keys in numeric order, `bar` sorts by count."""

    tally: str
    title: str
    kind: Literal["bar", "line"] = "bar"


LAST = 1_000
"""The place of job types that name none."""
SourceUse: TypeAlias = Literal["none", "optional", "required"]
"""Whether a job type reads an input list."""


@dataclass(frozen=True, slots=True)
class JobType:
    """A job type as the machinery sees it."""

    name: str
    title: str
    icon: str
    summary: str
    params: type[JobParams]
    row: type[JobRow]
    plan: Callable[[Any, Source | None], Plan]
    process: Process
    source: SourceUse = "none"
    cpu_bound: bool = False
    paced: bool = False
    here: bool = False
    carries: bool = True
    charts: tuple[Chart, ...] = ()
    row_of: Callable[[Mapping[str, Any]], type[JobRow]] | None = None
    place: int = LAST

    @classmethod
    def from_module(cls, module: ModuleType) -> Self:
        """Read the contract off a module: TYPE, TITLE, ICON, Params, Row, plan, process, and what is optional.

        SOURCE and CHARTS as below. CPU_BOUND: work for a core, not for the network. CARRIES (True): the input's columns come
        back in the result, row by row. PACED: the doors keep to the engine's concurrency, so that batches may be larger than it.
        HERE: batches run in the engine that holds the job and never elsewhere, as their doors count what all of them do together.
        `row_of`: from a job's stored parameters to the Row of its result, where not all jobs of the type have the same columns;
        `Row` then has all of them. PLACE: where the type stands among those that people choose from, low ones first; no two have
        the same, and a type without one comes last.
        """
        return cls(
            name=module.TYPE,
            title=module.TITLE,
            icon=module.ICON,
            summary=(module.__doc__ or "").strip().partition("\n")[0],
            params=module.Params,
            row=module.Row,
            plan=module.plan,
            process=module.process,
            source=getattr(module, "SOURCE", "none"),
            cpu_bound=getattr(module, "CPU_BOUND", False),
            paced=getattr(module, "PACED", False),
            here=getattr(module, "HERE", False),
            carries=getattr(module, "CARRIES", True),
            charts=tuple(getattr(module, "CHARTS", ())),
            row_of=getattr(module, "row_of", None),
            place=getattr(module, "PLACE", LAST),
        )

    @property
    def page(self) -> str:
        """Path of the page where jobs of this type are made and followed."""
        return f"/{self.name}"

    @property
    def columns(self) -> pa.Schema:
        """The columns this type adds to its input."""
        return arrow_schema(self.row)

    def columns_of(self, stored: Mapping[str, Any]) -> pa.Schema:
        """The columns that a job with these stored parameters adds to its input."""
        return arrow_schema(self.row_of(stored)) if self.row_of else self.columns
