"""The four downloads of a result; they stream from the API, with what is committed so far."""

from __future__ import annotations

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
        for suffix, (name, icon, note) in FORMATS.items():
            url = f"/api/jobs/{job.id}/results.{suffix}"
            st.link_button(name, url, icon=icon, help=note, width="stretch", key=f"download_{suffix}")
