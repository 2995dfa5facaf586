"""The life of a job: its states, the changes allowed between them, and what each says about the timestamps."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    """Where a job is in its life."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
ALIVE = frozenset(Status) - ENDED

CANCELLABLE = ALIVE
PAUSABLE = frozenset({Status.PENDING, Status.RUNNING})
RESUMABLE = frozenset({Status.PAUSED, Status.FAILED, Status.CANCELLED})


def _listed(states: Iterable[Status]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


CHECKS = {
    "status_known": f"status IN ({_listed(Status)})",
    "ended_has_completed_at": f"(status IN ({_listed(ENDED)})) = (completed_at IS NOT NULL)",
    "running_has_started_at": "status NOT IN ('running', 'completed') OR started_at IS NOT NULL",
    "held_only_while_running": "engine_id IS NULL OR status = 'running'",
    "held_has_lease": "(engine_id IS NULL) = (lease_until IS NULL)",
    "parked_only_while_running": "wake_at IS NULL OR (status = 'running' AND engine_id IS NULL)",
    "failed_has_message": "status <> 'failed' OR error_message IS NOT NULL",
    "counts_add_up": "processed_items = success_count + failed_count AND processed_items <= total_items",
}
"""CHECK constraints of the job table, by name; the same text on every database."""
