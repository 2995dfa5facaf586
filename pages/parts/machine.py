"""The page `/system`: engines, database, settings in force, versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from html import escape
from pathlib import Path

import streamlit as st

from engine.durable import engines, queries
from engine.durable.engines import EngineState
from engine.durable.migrate import HEAD
from engine.durable.space import free_bytes
from engine.version import VERSION
from engine.workbench import workbench
from pages.parts import clock, figures, markup, words

TICK_SECONDS = 5.0
LOW_BYTES = 1_000_000_000
"""Below so much free space the page warns."""


def machine() -> None:
    """Everything on the page."""
    st.html(markup.heading("System", "What this installation runs on, and how it is set up."))
    st.fragment(_engines, run_every=TICK_SECONDS)()
    left, right = st.columns(2, gap="small")
    with left.container(border=True, height="stretch"):
        _database()
    with right.container(border=True, height="stretch"):
        _versions()
    with st.container(border=True):
        _settings()


def _engines() -> None:
    database = workbench().database
    now = figures.now(database)
    states = engines.recent(database)
    with st.container(border=True):
        alive = sum(state.alive for state in states)
        st.html(f'<h3 class="pb-h2">Engines <span class="pb-quiet">{alive} alive, of those seen in the last hour</span></h3>')
        if not alive:
            st.html(
                markup.notice("amber", "No engine is alive.", "Jobs wait, nothing is lost. Start one with `python -m engine`.")
            )
        if states:
            head = ["state", "engine", "host", "pid", "version", "jobs in hand", "started", "last heartbeat"]
            st.html(markup.sheet([_engine(state, now) for state in states], head))


def _engine(state: EngineState, now: int) -> list[str]:
    record = state.record
    status = "alive" if state.alive else "stopped" if record.stopped_at else "gone"
    return [
        markup.pill(status),
        f'<span class="pb-mono">{record.id[:8]}</span>',
        escape(record.hostname),
        str(record.pid),
        escape(record.version),
        str(record.jobs),
        words.moment(record.started_at, clock.zone()),
        words.ago(record.heartbeat_at, now),
    ]


def _database() -> None:
    bench = workbench()
    database = bench.database
    st.html('<h3 class="pb-h2">Database</h3>')
    free = free_bytes(database)
    if database.warning:
        st.html(markup.notice("amber", "Risky version.", database.warning))
    if free is not None and free < LOW_BYTES:
        st.html(markup.notice("red", "The disk is nearly full.", "Jobs are paused before it is; free some space."))
    stats = queries.stats(database)
    _pairs(
        {
            "engine": database.version,
            "schema revision": HEAD,
            "address": database.url.render_as_string(hide_password=True),
            "size": words.size(_file_bytes(database.url.database)) if database.is_sqlite else words.DASH,
            "free space": words.size(free) if free is not None else words.DASH,
            "data folder": str(bench.settings.data_dir.resolve()),
            "jobs": words.number(stats["total"]),
            "retention": words.plural(bench.settings.retention_days, "day") if bench.settings.retention_days else "for ever",
        }
    )


def _file_bytes(path: str | None) -> int:
    """The database file and its write-ahead log."""
    files = [Path(f"{path}{suffix}") for suffix in ("", "-wal")]
    return sum(file.stat().st_size for file in files if file.exists())


def _versions() -> None:
    st.html('<h3 class="pb-h2">Versions</h3>')
    import pyarrow

    _pairs(
        {
            "Postbench": VERSION,
            "Python": platform.python_version(),
            "Streamlit": st.__version__,
            "Arrow": pyarrow.__version__,
            "system": f"{platform.system()} {platform.release()}",
            "job types": ", ".join(workbench().types),
        }
    )


def _settings() -> None:
    st.html('<h3 class="pb-h2">Settings in force <span class="pb-quiet">environment variables; secrets are masked</span></h3>')
    fields = type(workbench().settings).model_fields
    rows = []
    for name, value in workbench().settings.shown().items():
        meaning = fields[name.removeprefix("POSTBENCH_").lower()].description or ""
        rows.append(
            [
                f'<span class="pb-mono">{name}</span>',
                f'<span class="pb-mono">{escape(value) or words.DASH}</span>',
                markup.ticked(meaning),
            ]
        )
    st.html(markup.sheet(rows, ["variable", "value", "meaning"]))


def _pairs(values: Mapping[str, str]) -> None:
    rows = [
        [f'<span class="pb-quiet">{escape(name)}</span>', f'<span class="pb-mono">{escape(value)}</span>']
        for name, value in values.items()
    ]
    st.html(f'<div class="pb-pairs">{markup.sheet(rows, ["", ""])}</div>')
