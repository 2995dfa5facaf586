"""The four downloads of a table; they stream from the API, a result with what is committed so far."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from engine.durable.tables import Job

FORMATS = {
    "csv": ("CSV", ":material/csv:", "for any spreadsheet; UTF-8"),
    "xlsx": ("Excel", ":material/table_view:", "at most 1,048,575 rows"),
    "parquet": ("Parquet", ":material/view_column:", "typed columns, for pandas, DuckDB, Spark"),
    "json": ("JSON", ":material/data_object:", "one array of objects"),
}


def downloads(job: Job) -> None:
    """A button that opens the choice of formats."""
    with st.popover("Download", icon=":material/download:", disabled=not job.processed_items, key="downloads"):
        if not job.ended:
            st.caption("The job goes on: a download holds the rows committed so far.")
        for suffix in FORMATS:
            _link(suffix, f"/api/jobs/{job.id}/results.{suffix}")


def table_downloads(name: str, filters: Mapping[str, str], enabled: bool) -> None:
    """The same choice for a table of the API, with its filters."""
    query = f"?{urlencode(filters)}" if filters else ""
    with st.popover("Download", icon=":material/download:", disabled=not enabled, key="downloads"):
        if filters:
            st.caption("Only what fits the filters.")
        for suffix in FORMATS:
            _link(suffix, f"/api/{name}.{suffix}{query}")


def _link(suffix: str, url: str) -> None:
    name, icon, note = FORMATS[suffix]
    st.link_button(name, url, icon=icon, help=note, width="stretch", key=f"download_{suffix}")
