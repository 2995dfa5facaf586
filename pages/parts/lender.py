"""Another job as the input list: which one, and which of its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import streamlit as st

from engine.durable import queries
from engine.durable.contract import JobType
from engine.durable.filters import Where
from engine.durable.states import ENDED
from engine.durable.tables import Job
from engine.errors import InvalidInput, NotFound
from engine.workbench import workbench
from pages.parts import catalog, figures, glance, words
from pages.parts.clock import zone
from pages.parts.columns import STATUS
from pages.parts.glance import Counts
from pages.parts.topics import Chosen, Topic

RECENT = 100
"""Jobs that are looked through for those with rows."""
COUNTED_ROWS = 2_000_000
"""Above so many rows the items of a job are not counted on the page."""
SAMPLE_ROWS = 50
_ID = re.compile(r"[a-z2-7]{26}")


@dataclass
class Loan:
    """A job whose rows can be had: its columns, its first rows, and how many fit the filter."""

    job: Job
    where: str
    rows: int
    sample: pa.Table
    likely: Mapping[str, Sequence[str]]
    counts: dict[str, Counts] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        names: list[str] = self.sample.column_names
        return names

    @property
    def kind(self) -> str:
        """What this list is, in a line."""
        return f"Rows of {catalog.title(self.job.type)} {self.job.id[:8]} · {words.plural(len(self.columns), 'column')}"

    def counted(self, topic: Topic, chosen: Chosen) -> Counts | None:
        """The counts of the chosen columns; made once. None where there are too many rows."""
        if self.rows > COUNTED_ROWS:
            return None
        known = str(sorted(chosen.items()))
        if known not in self.counts:
            names = sorted({name for name in chosen.values() if name})
            tables = workbench().results.tables(self.job.id, Where.parse(self.where))
            texts = [pa.table({name: glance.as_text(table.column(name)) for name in names}) for table in tables]
            self.counts[known] = topic.count(pa.concat_tables(texts), chosen)
        return self.counts[known]


def lendable(chosen: str | None) -> dict[str, str]:
    """The jobs of late that have ended with rows, newest first, and the one that is chosen; their ids and how they are shown."""
    jobs = queries.listed(workbench().database, limit=RECENT).jobs
    found = [job for job in jobs if job.status in ENDED and figures.kept_rows(job)]
    labels = {job.id: _label(job) for job in found if job.type in workbench().types}
    if chosen and chosen not in labels:
        labels = {chosen: _label_of(chosen), **labels}
    return labels


def _label(job: Job) -> str:
    """The same at any time: the browser gives the choice back by its label, one with an age would be unknown by then."""
    rows = words.plural(figures.kept_rows(job), "row")
    return f"{catalog.title(job.type)} · {rows} · {words.moment(job.created_at, zone())} · {job.id[:8]}"


def _label_of(job_id: str) -> str:
    """An id that is not known stands for itself."""
    try:
        return _label(queries.get(workbench().database, job_id))
    except NotFound:
        return job_id


def named(text: str | None) -> str | None:
    """The job's id in what was typed or pasted, a whole link for instance."""
    found = _ID.findall(text or "")
    return found[-1] if found else (text or "").strip() or None


def borrow(slot: str, job_id: str, where: str, topic: Topic) -> Loan:
    """The rows of that job that fit; the last loan of a session is kept in `slot`.

    Raises:
        InvalidInput: it is not known, has not ended, has no rows, or the filter is wrong.
    """
    try:
        job = queries.get(workbench().database, job_id)
    except NotFound:
        raise InvalidInput.of("fromJob", "there is no job with this id; it may have been deleted") from None
    kept = st.session_state.get(slot)
    if isinstance(kept, Loan) and (kept.job.id, kept.job.revision, kept.where) == (job.id, job.revision, where):
        return kept
    schema = workbench().results.schema(job, _lending_type(job))
    page = workbench().results.page(job.id, schema, limit=SAMPLE_ROWS, where=Where.parse(where))
    if not page.total:
        raise InvalidInput.of("where" if where else "fromJob", "no row of this job fits" if where else "this job has no rows")
    names = page.table.column_names
    likely = topic.likely(names, {name: page.table[name].to_pylist() for name in names})
    loan = st.session_state[slot] = Loan(job, where, page.total, page.table, likely)
    return loan


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
    told = (
        found is not None and STATUS in found.columns_of(job.params).names and not job.goal
    )  # with a goal only what was found has a row
    return dict(job.counts) if told and len(job.counts) > 1 else {}
