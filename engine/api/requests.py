"""What every creating call has in common: who asks, when, from which job; and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Response
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator
from pydantic.alias_generators import to_camel

from engine.api.shapes import Answer, Wire, link
from engine.durable.clock import to_ms
from engine.durable.contract import JobType
from engine.durable.submit import Request, Submitted
from engine.workbench import Workbench

MAX_ID = 200


class FromJob(Wire):
    """Another job's rows as input."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=MAX_ID)
    where: str | None = Field(None, max_length=10_000, description="`status:valid`, `email~smith`, several joined by ` and `")


def _source(value: object) -> object:
    if isinstance(value, str):
        return {"id": value}
    if isinstance(value, dict):
        return value
    raise ValueError("must be a job's id, or an object with id and where")


Source = Annotated[
    FromJob,
    BeforeValidator(_source),
    WithJsonSchema({"anyOf": [{"type": "string"}, FromJob.model_json_schema()]}),
]


class Common(Wire):
    """Fields that every job takes beside its parameters."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="forbid", hide_input_in_errors=True)

    user_id: str | None = Field(None, max_length=MAX_ID, description="whose job it is; lists can be filtered by it")
    run_after: datetime | None = Field(None, description="ISO 8601; the job starts then at the earliest; without a zone: UTC")
    from_job: Source | None = Field(None, description="another job's id, or `{id, where}`: its rows are the input")

    @field_validator("run_after", mode="before")
    @classmethod
    def _moment(cls, value: object) -> object:
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
            if moment is not None:
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ValueError("must be a moment in ISO 8601, such as 2030-01-31T08:00:00Z")

    def request(self, job_type: JobType, params: Mapping[str, Any], key: str | None, bench: Workbench) -> Request:
        """The submission of a job of this type with these parameters."""
        source = self.from_job
        return Request(
            job_type,
            params,
            user_id=self.user_id or None,
            run_after=None if self.run_after is None else to_ms(self.run_after),
            from_job=source.id if source else None,
            where=source.where if source else None,
            idempotency_key=key or None,
            defaults=bench.defaults(job_type),
            unset=bench.settings.unset,
            values=bench.values(job_type),
        )


class Created(Answer):
    """A job was created, or found by its Idempotency-Key."""

    job_id: str
    message: str


def creation(response: Response, done: Submitted, message: str) -> Created:
    """The answer to a creating call: 201 with the place of the job, 200 when it had been created before."""
    announce(response, done)
    return Created(job_id=done.job_id, message=message if done.created else "This job had been submitted before")


def announce(response: Response, done: Submitted) -> None:
    """Set status and `Location`."""
    response.status_code = 201 if done.created else 200
    response.headers["Location"] = link(done.job_id, "status")
