"""The timeline of a job: every change of state with its reason."""

from __future__ import annotations

from datetime import tzinfo
from html import escape

from engine.durable.database import Database
from engine.durable.tables import Event
from engine.durable.timeline import timeline
from pages.parts import markup, words

SHOWN = 200
"""Lines shown; a job that was parked and rescued for days may have more."""


def trail(database: Database, job_id: str, zone: tzinfo | None) -> str:
    """The timeline as a table, newest first."""
    events = timeline(database, job_id)
    rows = [_row(event, zone) for event in reversed(events[-SHOWN:])]
    return markup.sheet(rows, ["at", "state", "reason", "engine"])


def _row(event: Event, zone: tzinfo | None) -> list[str]:
    engine = f'<span class="pb-mono">{escape(event.engine_id[:8])}</span>' if event.engine_id else ""
    return [words.moment(event.at, zone), markup.pill(event.to_status), escape(event.reason), engine]
