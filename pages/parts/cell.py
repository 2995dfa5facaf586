"""The output cell of a job: one shared component for every job type. It follows the job until it has ended."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.durable import queries
from engine.durable.contract import Chart, JobType
from engine.durable.tables import Job
from engine.errors import NotFound
from engine.workbench import workbench
from pages.parts import charts, clock, figures, markup, meter, situation
from pages.parts.actions import toolbar
from pages.parts.rows import table
from pages.parts.trail import trail

TICK_SECONDS = 1.0
IDLE_TICK_SECONDS = 5.0
"""A paused or parked job changes only when somebody resumes it or its moment comes."""
SLOW_TICK_SECONDS = 5.0
"""Charts and rows of a living job are drawn anew so often."""


def cell(job: Job, job_type: JobType, edit: Callable[[], None]) -> None:
    """Toolbar, progress, counters, charts, rows, timeline."""
    phase = situation.phase(job)
    with st.container(border=True, key=f"cell_out_{phase}"):
        toolbar(job, job_type, edit)
        moving = phase in ("pending", "running")
        tick = None if job.ended else TICK_SECONDS if moving else IDLE_TICK_SECONDS
        st.fragment(_progress, run_every=tick)(job.id, phase)
        st.fragment(_outcome, run_every=SLOW_TICK_SECONDS if phase == "running" else None)(job.id, job_type)
        _details(job)


def _progress(job_id: str, phase: str) -> None:
    """The living part; anything that changes the rest of the page runs the whole page once."""
    job = _current(job_id)
    if situation.phase(job) != phase:
        st.rerun()
    database = workbench().database
    now = figures.now(database)
    st.html(meter.meter(job, situation.remark(database, job, now), now))


def _outcome(job_id: str, job_type: JobType) -> None:
    job = _current(job_id)
    _charts(job, job_type)
    if job.processed_items or not job.ended:
        table(job, job_type)


def _current(job_id: str) -> Job:
    try:
        return queries.get(workbench().database, job_id)
    except NotFound:  # deleted meanwhile: the whole page says so
        st.rerun()


def _charts(job: Job, job_type: JobType) -> None:
    drawn = [chart for chart in job_type.charts if len(job.tallies.get(chart.tally, {})) > 1]
    if not drawn:
        return
    grid = st.grid(min(4, len(drawn)), min_column_width=230, gap="xsmall", border=True)
    for chart in drawn:
        with grid.cell():
            _chart(chart, job)


def _chart(chart: Chart, job: Job) -> None:
    tally = job.tallies[chart.tally]
    alt = charts.summary(chart, tally)
    st.html(f'<h3 class="pb-h2">{chart.title}</h3>')
    st.echarts_chart(charts.of_tally(chart, tally), height=charts.height(chart, tally), key=f"chart_{chart.tally}", alt=alt)


def _details(job: Job) -> None:
    zone = clock.zone()
    with st.expander("Timeline", icon=":material/history:", key="timeline"):
        st.html(trail(workbench().database, job.id, zone))
        st.html(markup.facts(meter.stamps(job, zone)))
