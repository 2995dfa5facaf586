"""Another job as the input list: which one, and which of its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import streamlit as st

from engine.durable import queries
from engine.durable.contract import JobType
from engine.durable.filters import Where
from engine.durable.states import ENDED
from engine.durable.tables import Job
from engine.errors import InvalidInput, NotFound
from engine.mail.columns import address_column
from engine.workbench import workbench
from pages.parts import catalog, figures, reading, words
from pages.parts.reading import Counts
from pages.parts.rows import STATUS

RECENT = 100
"""Jobs that are looked through for those with rows."""
COUNTED_ROWS = 2_000_000
"""Above so many rows the addresses of a job are not counted on the page."""
SAMPLE_ROWS = 50
_ID = re.compile(r"[a-z2-7]{26}")


@dataclass(frozen=True, slots=True)
class Loan:
    """A job whose rows can be had: its columns, and how many rows fit the filter."""

    job: Job
    schema: pa.Schema
    where: str
    rows: int

    def head(self, count: int) -> pa.Table:
        """The first rows."""
        return workbench().results.page(self.job.id, self.schema, 0, count, Where.parse(self.where)).table

    @property
    def likely(self) -> list[str]:
        """The column that most probably holds the addresses."""
        head = self.head(SAMPLE_ROWS)
        found = address_column(head.column_names, {name: head[name].to_pylist() for name in head.column_names})
        return [found] if found else []

    @property
    def kind(self) -> str:
        """What this list is, in a line."""
        return f"Rows of {catalog.title(self.job.type)} {self.job.id[:8]} · {words.plural(len(self.schema), 'column')}"

    def counted(self, slot: str, column: str) -> Counts | None:
        """The counts of a column; made once. None where there are too many rows."""
        if self.rows > COUNTED_ROWS:
            return None
        mark = (self.job.id, self.job.revision, self.where, column)
        known = st.session_state.get(slot)
        if known is None or known[0] != mark:
            tables = workbench().results.tables(self.job.id, Where.parse(self.where))
            parts = [reading.as_text(table.column(column)) for table in tables]
            known = mark, reading.count(pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string()))
            st.session_state[slot] = known
        counts: Counts = known[1]
        return counts


def lendable() -> list[Job]:
    """The jobs of late that have ended with rows, newest first."""
    found = queries.listed(workbench().database, limit=RECENT).jobs
    return [job for job in found if job.status in ENDED and figures.kept_rows(job) and job.type in workbench().types]


def label(job_id: str) -> str:
    """A job in a list of choices; an id that is not known stands for itself."""
    try:
        job = queries.get(workbench().database, job_id)
    except NotFound:
        return job_id
    when = words.ago(job.created_at, figures.now(workbench().database))
    return f"{catalog.title(job.type)} · {words.plural(figures.kept_rows(job), 'row')} · {when} · {job.id[:8]}"


def named(text: str | None) -> str | None:
    """The job's id in what was typed or pasted, a whole link for instance."""
    found = _ID.findall(text or "")
    return found[-1] if found else (text or "").strip() or None


def borrow(job_id: str, where: str) -> Loan:
    """The rows of that job that fit.

    Raises:
        InvalidInput: it is not known, has not ended, has no rows, or the filter is wrong.
    """
    try:
        job = queries.get(workbench().database, job_id)
    except NotFound:
        raise InvalidInput.of("fromJob", "there is no job with this id; it may have been deleted") from None
    job_type = _lending_type(job)
    schema = workbench().results.schema(job, job_type)
    rows = workbench().results.page(job.id, schema, limit=0, where=Where.parse(where)).total
    if not rows:
        raise InvalidInput.of("where" if where else "fromJob", "no row of this job fits" if where else "this job has no rows")
    return Loan(job, schema, where, rows)


def _lending_type(job: Job) -> JobType:
    if job.status not in ENDED:
        raise InvalidInput.of("fromJob", "this job has not ended; wait for it, or cancel it")
    return workbench().job_type(job.type)


def statuses(job_id: str | None) -> dict[str, int]:
    """The job's rows by status, where it has a column to filter them by."""
    try:
        job = queries.get(workbench().database, job_id or "")
    except NotFound:
        return {}
    found = workbench().types.get(job.type)
    told = found is not None and STATUS in found.columns.names and not job.goal  # with a goal only what was found has a row
    return dict(job.counts) if told and len(job.counts) > 1 else {}
