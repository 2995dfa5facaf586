"""The living part of a job cell as HTML: remark, progress, counters. Drawn from the job row alone."""

from __future__ import annotations

from datetime import tzinfo

from engine.durable.states import Status
from engine.durable.tables import Job
from pages.parts import charts, gist, markup, words
from pages.parts.situation import Remark, parked, phase

FRESH_MS = 10_000
"""A rate older than this says nothing about now."""


def meter(job: Job, note: Remark | None, now_ms: int) -> str:
    """The whole of it."""
    parts = [markup.notice(note.tone, note.title, note.text)] if note else []
    parts += [line(job, now_ms), markup.bar(job.progress, phase(job)), markup.tiles(counters(job, now_ms))]
    if len(shares := gist.outcomes(job)) > 1:
        parts.append(markup.shares(shares))
    return "".join([*parts, gist.gist(job)])


def line(job: Job, now_ms: int) -> str:
    """`6,214 of 10,000 · 62.1 % · 212/s · 18 s left`."""
    done = f"<b>{words.number(job.processed_items)}</b> of {words.number(job.total_items)}"
    said = [gist.sought(job) or done, f"{job.progress:g} %"]
    if moving(job, now_ms):
        said += [words.rate(job.rate), f"{words.duration(job.eta_seconds)} left"]
    elif job.ended and job.started_at:
        said.append(f"took {words.duration(elapsed(job, now_ms))}")
    return f'<div class="pb-line">{"".join(f"<span>{part}</span>" for part in said)}</div>'


def moving(job: Job, now_ms: int) -> bool:
    """Whether the stored rate is still true: the job runs and has lately committed."""
    fresh = now_ms - job.updated_at < FRESH_MS
    return bool(job.status == Status.RUNNING and not parked(job) and job.rate and fresh)


def elapsed(job: Job, now_ms: int) -> float | None:
    """Seconds from the start to the end, or to now."""
    if job.started_at is None:
        return None
    return max(0, (job.completed_at or now_ms) - job.started_at) / 1000


def counters(job: Job, now_ms: int) -> list[str]:
    """The tiles, each with its curve where there is one."""
    speed = charts.rates(job.history)
    curve = [point[1] for point in job.history]
    return [
        _processed(job, markup.spark(curve, "blue")),
        markup.tile("Rate", words.rate(_rate(job, now_ms)), _peak(speed), markup.spark(speed, "violet", "items per second")),
        *_outcomes(job),
        markup.tile(
            "Time", words.duration(elapsed(job, now_ms)), _left(job, now_ms), help_text="since the job was first started"
        ),
        markup.tile(
            "Checkpoint",
            f"{words.number(job.batches_done)}",
            f"of {words.plural(job.batches, 'batch', 'batches')}",
            help_text="batches committed: they survive any crash and are never done twice",
        ),
    ]


def _processed(job: Job, curve: str) -> str:
    total = words.number(job.total_items)
    label, note = ("Candidates", f"of at most {total}") if job.goal else ("Processed", f"of {total}")
    return markup.tile(label, words.number(job.processed_items), note, curve)


def _outcomes(job: Job) -> list[str]:
    """Succeeded and failed, in the words of the job: a candidate that fell out is no failure, nor is an unknown verdict."""
    if gist.sends(job):
        return []
    good, bad, colour = "Succeeded", "Failed", "red"
    if job.goal:
        good, bad, colour = "Found", "Fell out", "gray"
    elif gist.crawls(job):
        good, bad, colour = "Sites read", "Not readable", "amber"
    elif gist.finds(job):
        good, bad, colour = "Found", "Not found", "gray"
    elif gist.verifies(job):
        good, bad, colour = "Decided", "Unknown", "gray"
    return [_outcome(good, job.success_count, job, "green"), _outcome(bad, job.failed_count, job, colour)]


def _outcome(label: str, count: int, job: Job, colour: str) -> str:
    share = words.percent(count, job.processed_items)
    return markup.tile(label, words.number(count), share, colour=colour if count else "")


def _rate(job: Job, now_ms: int) -> float | None:
    """The present rate; of an ended job the mean."""
    if not job.ended:
        return job.rate if moving(job, now_ms) else None
    seconds = elapsed(job, now_ms)
    return job.processed_items / seconds if seconds else None


def _peak(speed: list[float]) -> str:
    return f"peak {words.rate(max(speed))}" if speed else ""


def _left(job: Job, now_ms: int) -> str:
    if job.ended:
        return "in all"
    return f"{words.duration(job.eta_seconds)} left" if moving(job, now_ms) else ""


def stamps(job: Job, zone: tzinfo | None) -> dict[str, str]:
    """The job's own facts, for the details below the table."""
    given = {
        "id": job.id,
        "created": words.moment(job.created_at, zone),
        "started": words.moment(job.started_at, zone),
        "ended": words.moment(job.completed_at, zone),
        "user": job.user_id or "",
        "source": job.source_job_id or "",
        "rows of the source": job.source_where or "",
    }
    return {name: value for name, value in given.items() if value and value != words.DASH}
