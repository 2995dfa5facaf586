"""The JSON shapes of the API, and how a job becomes one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from engine.api.context import PREFIX
from engine.durable.clock import iso
from engine.durable.tables import Job

MAX_EMAILS = 10_000
"""Addresses shown in `resultData`; all of them are behind `resultsUrl`."""
MAX_PARTIAL = 100
"""Rows shown in `partialResults`."""


class Wire(BaseModel):
    """camelCase outside, snake_case inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Answer(Wire):
    """Every answer says whether the call succeeded."""

    success: bool = True


class Said(Answer):
    """Done, in words."""

    message: str


class Checkpoint(Wire):
    """How far the job has committed."""

    batch_index: int = Field(description="batches committed")
    batches: int = Field(description="batches planned")


class Figures(Wire):
    """How far a job is."""

    total_items: int
    processed_items: int
    success_count: int
    failed_count: int
    counts: dict[str, int] = Field(description="rows by status")
    tallies: dict[str, dict[str, int]] = Field(description="further counts, by chart and value")
    rate_per_second: float | None
    eta_seconds: float | None
    checkpoint: Checkpoint


class Metadata(Figures):
    """How far a job is, what it was asked, and its first rows."""

    params: dict[str, Any]
    partial_results: list[dict[str, Any]] = Field(description=f"the first rows so far, at most {MAX_PARTIAL}")


class ResultData(Wire):
    """What an ended job leaves behind."""

    success: bool = Field(description="whether the job completed")
    data: dict[str, Any] = Field(description=f"the summary, and `emails`: at most {MAX_EMAILS} addresses")
    truncated: bool
    results_url: str


class ListedJob(Wire):
    """A job as lists show it: without parameters, rows and addresses."""

    id: str
    type: str
    status: str
    progress: float = Field(description="0 to 100")
    metadata: Figures
    result_data: ResultData | None
    error_message: str | None
    user_id: str | None
    created_at: str | None
    updated_at: str | None
    started_at: str | None
    completed_at: str | None
    run_after: str | None


class FullJob(ListedJob):
    """A job with everything."""

    metadata: Metadata


class JobAnswer(Answer):
    """One job."""

    job: FullJob


class Excerpt(Wire):
    """What a job's first rows show: rows for `partialResults`, addresses for `resultData`, and whether there are more."""

    rows: list[dict[str, Any]] = []
    emails: list[str] = []
    truncated: bool = False


def link(job_id: str, what: str) -> str:
    """The path of something of a job: `status`, `stream`, `results` …."""
    return f"{PREFIX}/jobs/{job_id}/{what}"


def figures(job: Job) -> Figures:
    """The numbers of a job."""
    return Figures(
        total_items=job.total_items,
        processed_items=job.processed_items,
        success_count=job.success_count,
        failed_count=job.failed_count,
        counts=job.counts,
        tallies=job.tallies,
        rate_per_second=None if job.rate is None else round(job.rate, 2),
        eta_seconds=job.eta_seconds,
        checkpoint=Checkpoint(batch_index=job.batches_done, batches=job.batches),
    )


def listed(job: Job) -> ListedJob:
    """A job for a list; its addresses are left to `resultsUrl`."""
    has_rows = job.batches_done > 0
    return ListedJob(metadata=figures(job), result_data=_result(job, has_rows, Excerpt(truncated=has_rows)), **_plain(job))


def full(job: Job, excerpt: Excerpt) -> FullJob:
    """A job for whoever asked for this one."""
    metadata = Metadata(params=job.params, partial_results=excerpt.rows, **figures(job).model_dump())
    return FullJob(metadata=metadata, result_data=_result(job, bool(excerpt.rows), excerpt), **_plain(job))


def _plain(job: Job) -> dict[str, Any]:
    moments = ("created_at", "updated_at", "started_at", "completed_at", "run_after")
    same = ("id", "type", "status", "progress", "error_message", "user_id")
    return {name: getattr(job, name) for name in same} | {name: iso(getattr(job, name)) for name in moments}


def _result(job: Job, has_rows: bool, excerpt: Excerpt) -> ResultData | None:
    completed = job.status == "completed"
    if not job.ended or not (completed or has_rows):
        return None
    names = ("total_items", "processed_items", "success_count", "failed_count", "counts", "tallies")
    summary = {to_camel(name): getattr(job, name) for name in names}
    seconds = ((job.completed_at or 0) - (job.started_at or job.created_at)) / 1000
    data = {**summary, "durationSeconds": round(seconds, 3), "emails": excerpt.emails}
    return ResultData(success=completed, data=data, truncated=excerpt.truncated, results_url=link(job.id, "results"))
