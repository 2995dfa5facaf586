"""The input list of a form, given in one of three ways: pasted, uploaded, or the rows of another job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import streamlit as st

from engine import uploads
from engine.durable import queries
from engine.durable.tables import Job
from engine.errors import InvalidInput, NotFound, Problem
from engine.uploads import Upload
from engine.workbench import workbench
from pages.parts import lender, markup, reading, specimen, words
from pages.parts.form import Given, Slots
from pages.parts.reading import Read

WAYS = {"paste": "Paste", "upload": "Upload a file", "job": "Another job"}
PASTE_CHARS = 2_000_000
"""A browser sends pasted text again with every change of the form; longer lists are uploaded."""
FIELDS = ("emails", "fromJob", "where", "input")
"""What a submit calls the list."""
_EXAMPLE = "ann@example.com\nBen Hill <ben@example.org>\n\nor rows copied from a spreadsheet, with their headings"


@dataclass(frozen=True)
class Listing:
    """The part of a form that asks for the list; `name` keeps its fields apart from those of other pages."""

    name: str

    def __call__(self, slots: Slots) -> Given:
        """Draw it; what was given so far."""
        self._preselect()
        st.session_state.setdefault(self._key("way"), "paste")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html('<h3 class="pb-h2">List</h3>', width="content")
            way = st.segmented_control(
                "Where the list comes from",
                list(WAYS),
                format_func=WAYS.__getitem__,
                required=True,
                label_visibility="collapsed",
                persist_state="session",
                key=self._key("way"),
            )
        draw = {"paste": self._paste, "upload": self._upload, "job": self._job}[way or "paste"]
        return draw(slots)

    def load(self, job: Job) -> None:
        """Offer the list of a job again: the other job it came from if that is still there, else the rows it kept."""
        if job.source_job_id and _exists(job.source_job_id):
            self._choose(job.source_job_id, job.source_where or "", job.params.get("column"))
            return
        tables = list(workbench().results.tables(job.id, stream="input"))
        if not tables:
            return
        table = pa.concat_tables(tables, promote_options="default")
        first = [name for name in table.column_names if name == job.params.get("column")]
        reading.keep(
            self._key("read"), Read(job.id, f"the list of job {job.id[:8]}", Upload(table, first, "kept with the job", []))
        )
        st.session_state[self._key("way")] = "upload"

    def release(self) -> None:
        """Let go of the list: it was submitted."""
        for slot in ("read", "text_read", "loan", "text", "file"):
            st.session_state.pop(self._key(slot), None)

    def _key(self, part: str) -> str:
        return f"{self.name}_{part}"

    def _preselect(self) -> None:
        """`?from_job=<id>` chooses that job, once: what the visitor chooses afterwards stays."""
        wanted = lender.named(st.query_params.get("from_job"))
        if wanted and st.session_state.get(self._key("preselected")) != wanted:
            self._choose(wanted, st.query_params.get("from_where", ""), None)
        st.session_state[self._key("preselected")] = wanted

    def _choose(self, job_id: str, where: str, column: Any) -> None:
        st.session_state[self._key("way")] = "job"
        st.session_state[self._key("job")] = job_id
        st.session_state[self._key("where")] = where
        st.session_state[self._key(f"column_{job_id}")] = column

    def _paste(self, slots: Slots) -> Given:
        text = st.text_area(
            "Addresses",
            height=150,
            max_chars=PASTE_CHARS,
            placeholder=_EXAMPLE,
            persist_state="session",
            key=self._key("text"),
        )
        slots.under("list", "One address per line, or rows with headings; up to about 80,000 addresses", FIELDS)
        if not (text or "").strip():
            return Given()
        return self._read(slots, reading.of_text(self._key("text_read"), text or ""))

    def _upload(self, slots: Slots) -> Given:
        limit = uploads.MAX_BYTES >> 20
        file = st.file_uploader(
            "CSV, Excel, Parquet or text file",
            max_upload_size=limit,
            on_change=self._replaced,
            key=self._key("file"),
        )
        slots.under("list", "The first row holds the headings; every column comes back in the result", FIELDS)
        slot = self._key("read")
        read = reading.of_file(slot, file.file_id, file.name, file) if file else reading.kept(slot)
        if read is None:
            return Given()
        if file is None:
            self._kept(read)
        return self._read(slots, read)

    def _replaced(self) -> None:
        """The visitor took the file away or gave another."""
        reading.drop(self._key("read"))

    def _kept(self, read: Read) -> None:
        """What is still here although the browser shows no file: after a change of page, or from a job."""
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(markup.facts({"in use": read.name}), width="content")
            st.button("Remove", icon=":material/close:", type="tertiary", on_click=self._replaced, key=self._key("remove"))

    def _read(self, slots: Slots, read: Read) -> Given:
        """A list that was read: what it is, its address column, its first rows."""
        if read.upload is None:
            return Given(problems=(Problem("list", read.problem),))
        upload = read.upload
        left, right = st.columns([1, 2], gap="medium")
        with left:
            column = self._column(slots, read.mark[:26], upload.table.column_names, upload.columns)
        with right:
            counts = read.counted(column) if column else None
            specimen.numbers(specimen.what(upload), upload.table.num_rows, counts)
        specimen.preview(upload.table.slice(0, specimen.SHOWN_ROWS), column)
        if column is None:
            return Given(problems=(Problem("column", uploads.no_column(upload)),))
        return Given(rows=upload.table, column=column)

    def _job(self, slots: Slots) -> Given:
        job_id = lender.named(self._picked())
        slots.under("list", "Its rows are copied when you submit; any id or link of a job can be pasted", FIELDS)
        if not job_id:
            return Given()
        where = self._where(job_id)
        try:
            loan = lender.borrow(self._key("loan"), job_id, where)
        except InvalidInput as error:
            return Given(problems=tuple(Problem("list", problem.message) for problem in error.problems))
        left, right = st.columns([1, 2], gap="medium")
        with left:
            column = self._column(slots, job_id, loan.columns, loan.likely)
        with right:
            specimen.numbers(loan.kind, loan.rows, loan.counted(column) if column else None)
        specimen.preview(loan.sample.slice(0, specimen.SHOWN_ROWS), column)
        if column is None:
            return Given(problems=(Problem("column", "no column of this job holds addresses; choose one"),))
        return Given(from_job=job_id, where=where or None, column=column)

    def _picked(self) -> str | None:
        labels = lender.lendable(lender.named(st.session_state.get(self._key("job"))))
        return st.selectbox(
            "Job",
            list(labels),
            index=None,
            format_func=lambda job_id: labels.get(job_id, job_id),
            accept_new_options=True,
            placeholder="Choose a job, or paste its id or link" if labels else "No job has rows yet",
            persist_state="session",
            key=self._key("job"),
        )

    def _where(self, job_id: str) -> str:
        """Which of its rows: a filter, with its statuses as quick choices."""
        counts = lender.statuses(job_id)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            text = st.text_input(
                "Only rows that fit",
                placeholder="all rows",
                help="`column:value` is equal, `column~text` contains; join several with ` and `",
                persist_state="session",
                width=300,
                key=self._key("where"),
            )
            if counts:
                picked = (text or "").strip().removeprefix("status:")
                st.session_state[self._key("status")] = picked if picked in counts else None
                st.pills(
                    "By status",
                    sorted(counts, key=lambda status: -counts[status]),
                    format_func=lambda status: f"{status.replace('_', ' ')} {words.short(counts[status])}",
                    label_visibility="collapsed",
                    on_change=self._pick_status,
                    key=self._key("status"),
                )
        return (text or "").strip()

    def _pick_status(self) -> None:
        picked = st.session_state.get(self._key("status"))
        st.session_state[self._key("where")] = f"status:{picked}" if picked else ""

    def _column(self, slots: Slots, mark: str, names: Sequence[str], likely: Sequence[str]) -> str | None:
        """The column of the addresses: the likeliest is chosen first, any can be; where none is likely, the visitor says."""
        options = [*likely, *(name for name in names if name not in likely)]
        key = self._key(f"column_{mark}")
        if st.session_state.get(key) not in options:
            st.session_state[key] = likely[0] if likely else None
        chosen = st.selectbox(
            "Address column", options, index=None, placeholder="Choose a column", persist_state="session", key=key
        )
        slots.under("column", "The likeliest one comes first; any can be chosen")
        return chosen


def _exists(job_id: str) -> bool:
    try:
        queries.get(workbench().database, job_id)
    except NotFound:
        return False
    return True
