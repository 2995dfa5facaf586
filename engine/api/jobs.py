"""Jobs: submit, look, list, cancel, pause, resume, run again, delete, clean up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BeforeValidator, Field

from engine.api.context import Bench, Body, Key, body_schema, parse_object, read_model
from engine.api.requests import Common, Created, creation
from engine.api.reruns import rerun
from engine.api.shapes import Answer, JobAnswer, ListedJob, Said, Wire, full, listed
from engine.durable import control
from engine.durable.clock import iso
from engine.durable.database import Database
from engine.durable.queries import MAX_LIMIT, Filter, get, stats
from engine.durable.queries import listed as page_of
from engine.durable.submit import submit
from engine.durable.timeline import timeline

router = APIRouter(prefix="/jobs", tags=["jobs"])
JobId = Annotated[str, Path(description="the job's id")]
Text = Annotated[str | None, BeforeValidator(lambda text: text or None), Query()]
DEFAULT_CLEANUP_DAYS = 30.0


class Asked(Wire):
    """What a job is asked to do."""

    params: dict[str, Any] = Field(default={}, description="as in the body of `POST /api/<type>-job`")


class JobBody(Common):
    """A job of any type."""

    type: str = Field(description="the job type, such as `generate-emails`")
    metadata: Asked = Asked()


class CleanupBody(Wire):
    """Which ended jobs to delete."""

    older_than_days: float = Field(DEFAULT_CLEANUP_DAYS, ge=0, le=36_500, allow_inf_nan=False)


class Deleted(Answer):
    """How many jobs were deleted."""

    deleted: int


class JobList(Answer):
    """A page of jobs, newest first; or, with `stats=true`, `stats` alone."""

    jobs: list[ListedJob]
    count: int = Field(description="jobs on this page")
    next_cursor: str | None


class Stats(Answer):
    """How many jobs there are, by status and in `total`."""

    stats: dict[str, int]


class EventShape(Wire):
    """One change of a job's state."""

    at: str | None
    from_: str | None = Field(alias="from")
    to: str
    reason: str
    engine: str | None


class Events(Answer):
    """A job's timeline, oldest first."""

    events: list[EventShape]


@router.post("", status_code=201, openapi_extra=body_schema(JobBody), summary="Submit a job of any type")
def create(bench: Bench, body: Body, response: Response, key: Key = None) -> Created:
    """201 for a new job, 200 when the Idempotency-Key found it."""
    asked = read_model(parse_object(body), JobBody)
    job_type = bench.job_type(asked.type)
    request = asked.request(job_type, asked.metadata.params, key, bench)
    done = submit(bench.database, bench.vault, request)
    return creation(response, done, "The job was submitted")


@router.get("/list", response_model=JobList | Stats, summary="List jobs, or count them")
def list_jobs(
    bench: Bench,
    type: Text = None,  # noqa: A002 - the name on the wire
    status: Text = None,
    q: Text = None,
    user_id: Annotated[Text, Query(alias="userId")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Text = None,
    stats_only: Annotated[bool, Query(alias="stats")] = False,
) -> JobList | Stats:
    """Keyset paging: pass `nextCursor` as `cursor`; null means the end. `q` searches id prefix, type and parameters."""
    wanted = Filter(type=type, status=status, user_id=user_id, q=q)
    if stats_only:
        return Stats(stats=stats(bench.database, wanted))
    page = page_of(bench.database, wanted, limit, cursor)
    return JobList(jobs=[listed(job) for job in page.jobs], count=len(page.jobs), next_cursor=page.cursor)


@router.post("/cleanup", openapi_extra=body_schema(CleanupBody), summary="Delete jobs that ended long ago")
def cleanup(bench: Bench, body: Body) -> Deleted:
    """Never a job that has not ended; 0 days deletes every ended job."""
    days = read_model(parse_object(body), CleanupBody).older_than_days
    return Deleted(deleted=control.cleanup(bench.database, days))


@router.get("/{job_id}/status", summary="A job with its figures, first rows and result")
def status(bench: Bench, request: Request, job_id: JobId) -> JobAnswer:
    """Everything about one job."""
    job = get(bench.database, job_id)
    return JobAnswer(job=full(job, request.app.state.excerpts.of(job)))


@router.get("/{job_id}/events", summary="The timeline of a job")
def events(bench: Bench, job_id: JobId) -> Events:
    """Every change of state with its reason."""
    get(bench.database, job_id)
    found = timeline(bench.database, job_id)
    shapes = [EventShape(at=iso(e.at), from_=e.from_status, to=e.to_status, reason=e.reason, engine=e.engine_id) for e in found]
    return Events(events=shapes)


@router.post("/{job_id}/rerun", status_code=201, summary="A new job with the same parameters and input")
def run_again(bench: Bench, job_id: JobId, response: Response, key: Key = None) -> Created:
    """The answer names the new job."""
    return creation(response, rerun(bench, job_id, key), "The job runs again as a new one")


@router.delete("/{job_id}", summary="Delete an ended job with its rows and timeline")
def delete(bench: Bench, job_id: JobId) -> Said:
    """409 while the job has not ended."""
    control.remove(bench.database, job_id)
    return Said(message="The job was deleted")


def _action(act: Callable[[Database, str], None], message: str) -> Callable[..., Said]:
    def endpoint(bench: Bench, job_id: JobId) -> Said:
        act(bench.database, job_id)
        return Said(message=message)

    return endpoint


_ACTIONS: dict[str, tuple[Callable[[Database, str], None], str]] = {
    "cancel": (control.cancel, "The job was cancelled"),
    "pause": (control.pause, "The job was paused"),
    "resume": (control.resume, "The job was resumed"),
}
for _name, (_act, _message) in _ACTIONS.items():
    router.add_api_route(
        f"/{{job_id}}/{_name}", _action(_act, _message), methods=["POST"], name=_name, summary=f"{_name.capitalize()} a job"
    )
