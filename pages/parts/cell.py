"""The output cell of a job: one shared component for every job type. It follows the job until it has ended."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.durable.contract import Chart, JobType
from engine.durable.tables import Job
from engine.errors import NotFound
from engine.workbench import workbench
from pages.parts import charts, clock, crowd, figures, markup, meter, situation
from pages.parts.actions import toolbar
from pages.parts.columns import View
from pages.parts.form import Form
from pages.parts.rows import table
from pages.parts.trail import trail

TICK_SECONDS = 1.0
IDLE_TICK_SECONDS = 5.0
"""A paused or parked job changes only when somebody resumes it or its moment comes."""
_BEGUN = "begun"
"""Session key: whether the page was drawn with rows of its job; the first ones have it drawn again."""
CHART_TICKS = 5
ROW_TICKS = 20
"""Charts and rows of a running job are drawn anew once in so many ticks."""


def cell(job: Job, job_type: JobType, edit: Callable[[], None], form: Form) -> None:
    """Toolbar, progress, counters, what the job type reports of itself, charts, rows, timeline."""
    phase, factor = situation.phase(job), crowd.factor() if not job.ended else 1.0
    tick = None if job.ended else factor * (TICK_SECONDS if phase in ("pending", "running") else IDLE_TICK_SECONDS)
    running = tick if phase == "running" else None
    st.session_state[_BEGUN] = bool(job.processed_items)
    with st.container(border=True, key=f"cell_out_{phase}"):
        toolbar(job, job_type, edit, form)
        st.fragment(_progress, run_every=tick)(job.id, phase, factor)
        if form.report is not None:
            form.report(job, tick, edit)
        st.fragment(_charts, run_every=running and running * CHART_TICKS)(job.id, job_type)
        st.fragment(_rows, run_every=running and running * ROW_TICKS)(job.id, job_type, form.view)
        _details(job)


def _progress(job_id: str, phase: str, factor: float) -> None:
    """The living part; anything that changes the rest of the page, its pace too, runs the whole page once."""
    job, now = _current(job_id)
    begun = bool(job.processed_items) != st.session_state[_BEGUN]
    if situation.phase(job) != phase or begun or (not job.ended and crowd.factor() != factor):
        st.rerun()
    st.html(meter.meter(job, situation.remark(workbench().database, job, now), now))


def _rows(job_id: str, job_type: JobType, view: View) -> None:
    job, _ = _current(job_id)
    if job.processed_items or not job.ended:
        table(job, job_type, view)


def _current(job_id: str) -> tuple[Job, int]:
    try:
        return figures.current(workbench().database, job_id)
    except NotFound:  # deleted meanwhile: the whole page says so
        st.rerun()


def _charts(job_id: str, job_type: JobType) -> None:
    job, _ = _current(job_id)
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
