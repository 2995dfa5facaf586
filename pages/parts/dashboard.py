"""The page `/`: counts, engines, throughput, recent jobs, and where to begin."""

from __future__ import annotations

from html import escape

import streamlit as st

from engine.durable import engines, queries
from engine.durable.commit import SLOT_MS
from engine.durable.states import Status
from engine.workbench import workbench
from pages.parts import catalog, charts, clock, figures, markup, words
from pages.parts.joblist import jobs_table

RECENT = 8
MINUTES = 10
TICK_SECONDS = 2.0
SLOW_TICK_SECONDS = 10.0


def dashboard() -> None:
    """Everything on the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(markup.heading("Overview", "What runs, what is done, and where to begin."), width="content")
    if not queries.stats(workbench().database)["total"]:
        _welcome()
        return
    st.fragment(_counts, run_every=TICK_SECONDS)()
    st.fragment(_throughput, run_every=SLOW_TICK_SECONDS)()
    st.fragment(_recent, run_every=TICK_SECONDS)()
    _begin("Start something new")


def _counts() -> None:
    """Jobs by status with their arrivals of the last day."""
    database = workbench().database
    stats, day = queries.stats(database), _day(str(database.url))
    cells = []
    for status in Status:
        curve = markup.spark(day.get(status, []), markup.tone(status), "jobs by hour of the last day")
        today = sum(day.get(status, []))
        cells.append(
            markup.tile(status.capitalize(), words.number(stats[status]), f"{words.number(today)} in 24 h", curve, colour="")
        )
    st.html(markup.tiles(cells))


@st.cache_data(ttl=5, show_spinner=False)
def _day(url: str) -> dict[str, list[int]]:  # noqa: ARG001 - the key of the cache
    """The last day's arrivals, shared by all who look: with 100,000 jobs a day they take a tenth of a second to count."""
    return figures.arrivals(workbench().database)


def _throughput() -> None:
    left, right = st.columns([2, 1], gap="small")
    with left.container(border=True, height="stretch"):
        points = queries.pace(workbench().database, MINUTES)
        total = sum(items for _, items in points)
        st.html(f'<h3 class="pb-h2">Throughput <span class="pb-quiet">{total:,} items in {MINUTES} min, per second</span></h3>')
        st.echarts_chart(
            charts.pace(points, SLOT_MS // 1000, clock.zone()), height=180, key="pace", alt=f"{total} items in {MINUTES} minutes"
        )
    with right.container(border=True, height="stretch"):
        _engines()


def _engines() -> None:
    """Who works."""
    database = workbench().database
    now = figures.now(database)
    states = engines.recent(database)
    st.html('<h3 class="pb-h2">Engines</h3>')
    alive = [state.record for state in states if state.alive]
    if not alive:
        st.html(markup.notice("amber", "No engine is alive.", "Jobs wait, nothing is lost. Start one with `python -m engine`."))
    rows = [
        [
            markup.pill("alive"),
            escape(engine.hostname),
            f"{words.plural(engine.jobs, 'job')}",
            words.ago(engine.heartbeat_at, now),
        ]
        for engine in alive[:5]
    ]
    if rows:
        st.html(markup.sheet(rows, ["", "host", "in hand", "heartbeat"]))


def _recent() -> None:
    st.html('<h3 class="pb-h2">Recent jobs</h3>')
    jobs_table(queries.listed(workbench().database, limit=RECENT).jobs, "recent")


def _welcome() -> None:
    """A new installation: lead to the first job."""
    with st.container(border=True, key="welcome"):
        text = "Pick a tool and fill in its form. The job runs on its own: close the page, come back by its link."
        st.html(f'<div class="pb-empty"><b>Nothing has run here yet</b><span>{text}</span></div>')
        with st.container(horizontal=True, horizontal_alignment="center"):
            for job_type in catalog.easiest(workbench())[:1]:
                if st.button(
                    f"Make the first job: {job_type.title}", type="primary", icon=catalog.icon(job_type), key="first_job"
                ):
                    st.switch_page(catalog.script(job_type.name))
    _begin("Tools")
    with st.container(border=True):
        _engines()


def _begin(title: str) -> None:
    """A card for each job type."""
    st.html(f'<h3 class="pb-h2">{title}</h3>')
    grid = st.grid("auto", min_column_width=260, gap="xsmall", border=True)
    for job_type in catalog.shown(workbench()):
        with grid.cell():
            st.page_link(catalog.script(job_type.name), label=f"**{job_type.title}**", icon=catalog.icon(job_type))
            st.html(f'<div class="pb-quiet">{escape(catalog.about(job_type))}</div>')
