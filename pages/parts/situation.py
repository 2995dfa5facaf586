"""Why a job is where it is, in words, with the remedy."""

from __future__ import annotations

from dataclasses import dataclass

from engine.durable import delivery_pages, engines, queries
from engine.durable.database import Database
from engine.durable.ledger import State
from engine.durable.states import Status
from engine.durable.tables import Job
from pages.parts import figures, gist, words

BY_A_PERSON = "paused by the user"
"""How the timeline says that somebody paused the job."""
BRIEF_MS = 5_000
"""A shorter wait is not told."""
STALE_MS = 6_000
"""A running job without a sign for so long: look whether any engine lives."""
_NO_ENGINE = "Nothing is lost. Start one with `python -m engine`, or restart `python app.py`; the job goes on by itself."


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on a job: its colour, what is the matter, and what helps."""

    tone: str
    title: str
    text: str = ""


def phase(job: Job) -> str:
    """The job's status, or `waiting` while all that is left of it is parked for a while or its start lies ahead."""
    return "waiting" if parked(job) else str(job.status)


def parked(job: Job) -> bool:
    """Whether all that is left of a running job waits; a moment, as between two messages at a slow rate, is none."""
    return job.status == Status.RUNNING and job.wake_at is not None and job.wake_at - job.updated_at > BRIEF_MS


def remark(database: Database, job: Job, now_ms: int) -> Remark | None:
    """What a user should know about the job now; None when it simply works or is done."""
    match job.status:
        case Status.PENDING:
            return _pending(database, job, now_ms)
        case Status.RUNNING:
            return _running(database, job, now_ms)
        case Status.PAUSED if job.error_message:
            return Remark("amber", f"Held. {job.error_message}", "Resume goes on from what is committed.")
        case Status.PAUSED:
            return _paused(database, job)
        case Status.FAILED:
            return Remark("red", job.error_message or "The job failed.", _after_failure(job))
        case Status.CANCELLED if rows := figures.kept_rows(job):
            return Remark("gray", "Cancelled.", f"The {words.plural(rows, 'row')} below are kept. Resume does the rest.")
        case Status.CANCELLED:
            return Remark("gray", "Cancelled before the first row.", "Resume starts it again.")
        case Status.COMPLETED if job.goal and job.success_count < job.goal:
            found = f"Only {job.success_count:,} of {job.goal:,} were found."
            return Remark(
                "amber", found, "All candidates were tried. Allow more of them, or choose other providers or a wider pattern."
            )
    return None


def _pending(database: Database, job: Job, now_ms: int) -> Remark:
    if job.run_after and job.run_after > now_ms:
        return Remark(
            "violet",
            f"Starts in {words.duration((job.run_after - now_ms) / 1000)}.",
            "Its start was put off when it was submitted.",
        )
    if not engines.living(database):
        return Remark("amber", "Waiting: no engine is alive.", _NO_ENGINE)
    before = figures.ahead(database, job)
    if not before:
        return Remark("blue", "Next in the queue.", "An engine takes it in a moment.")
    return Remark(
        "blue",
        f"In the queue, {words.plural(before, 'job')} ahead.",
        "Jobs share the engine; small ones do not wait for large ones.",
    )


def _paused(database: Database, job: Job) -> Remark:
    """Why it was held, where it was not a person who did it."""
    reason = figures.last_reason(database, job.id)
    if reason.startswith(BY_A_PERSON):
        return Remark("amber", "Paused.", "Resume goes on from the rows that are committed.")
    return Remark("amber", "Paused, until somebody has looked.", words.sentence(reason))


def _running(database: Database, job: Job, now_ms: int) -> Remark | None:
    if job.wake_at is not None and parked(job):
        wait = max(0.0, (job.wake_at - now_ms) / 1000)
        return Remark(
            "violet", f"Waiting, goes on in {words.duration(wait)}.", f"{_put_off(database, job)} It costs nothing meanwhile."
        )
    if now_ms - job.updated_at > STALE_MS and not engines.living(database):
        return Remark("amber", "Standing still: no engine is alive.", _NO_ENGINE)
    return None


def _put_off(database: Database, job: Job) -> str:
    """Why all that is left waits: what a batch says of it; of messages the ledger knows an example."""
    if not gist.sends(job):
        return queries.why_parked(database, job.id) or "A server asked to come back later, or cannot be reached."
    why = "What is left is deferred, or its moment at this rate has not come."
    deferred = delivery_pages.page(database, job.id, State.RETRY, limit=1).deliveries
    if not (deferred and deferred[0].error):
        return why
    reply = " ".join(filter(None, [str(deferred[0].smtp_code or ""), deferred[0].smtp_reply or ""]))
    answered = f" The server answered: {words.sentence(reply)}" if reply else ""
    return f"{why} Of a deferred message: {words.sentence(deferred[0].error)}{answered}"


def _after_failure(job: Job) -> str:
    rows = figures.kept_rows(job)
    kept = f"The {words.plural(rows, 'row')} below are kept. " if rows else ""
    return kept + "Resume tries the rest again; “Edit and run” starts anew with other parameters."
