"""The input list of a form: pasted, uploaded, the rows of another job, or typed where a list of people is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import uploads
from engine.durable import queries
from engine.durable.tables import Job
from engine.errors import InvalidInput, NotFound, Problem
from engine.uploads import Upload
from engine.workbench import workbench
from pages.parts import extra, lender, markup, reading, roster, specimen, words
from pages.parts.form import Given, Slots
from pages.parts.reading import Read
from pages.parts.topics import Chosen, Topic

WAYS = {"paste": "Paste", "upload": "Upload a file", "type": "Type", "job": "Another job"}
PASTE_CHARS = 2_000_000
"""A browser sends pasted text again with every change of the form; longer lists are uploaded."""
FIELDS = ("emails", "domains", "people", "recipients", "contacts", "fromJob", "where", "input")
"""What a submit calls the list."""


@dataclass(frozen=True)
class Listing:
    """The part of a form that asks for the list; `name` keeps its fields apart from those of other pages."""

    name: str
    topic: Topic

    def __call__(self, slots: Slots) -> Given:
        """Draw it; what was given so far."""
        self._preselect()
        st.session_state.setdefault(self._key("way"), "paste")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html('<h3 class="pb-h2">List</h3>', width="content")
            way = st.segmented_control(
                "Where the list comes from",
                [way for way in WAYS if way != "type" or self.topic.typed],
                format_func=WAYS.__getitem__,
                required=True,
                label_visibility="collapsed",
                persist_state="session",
                key=self._key("way"),
            )
        draw = {"paste": self._paste, "upload": self._upload, "type": self._type, "job": self._job}[way or "paste"]
        given = draw(slots)
        return extra.domains(self._key("domains"), slots, given) if self.topic.typed and way != "job" else given

    def load(self, job: Job) -> None:
        """Offer the list of a job again: the other job it came from if that is still there, else the rows it kept."""
        if job.source_job_id and _exists(job.source_job_id):
            self._choose(job.source_job_id, job.source_where or "", self.topic.chosen(job.params))
            return
        tables = list(workbench().results.tables(job.id, stream="input"))
        if not tables:
            return
        table = self.topic.kept(pa.concat_tables(tables, promote_options="default"))
        upload = Upload(table, [], "kept with the job", [])
        reading.keep(self._key("read"), reading.of_upload(job.id, f"the list of job {job.id[:8]}", upload, self.topic))
        self._prefer(job.id, {} if self.topic.condensed else self.topic.chosen(job.params))
        st.session_state[self._key("way")] = "upload"

    def release(self) -> None:
        """Let go of the list: it was submitted."""
        for slot in ("read", "text_read", "loan", "text", "file", "typed", "domains"):
            st.session_state.pop(self._key(slot), None)

    def _key(self, part: str) -> str:
        return f"{self.name}_{part}"

    def _preselect(self) -> None:
        """`?from_job=<id>` chooses that job, once: what the visitor chooses afterwards stays."""
        wanted = lender.named(st.query_params.get("from_job"))
        if wanted and st.session_state.get(self._key("preselected")) != wanted:
            self._choose(wanted, st.query_params.get("from_where", ""), {})
        st.session_state[self._key("preselected")] = wanted

    def _choose(self, job_id: str, where: str, chosen: Chosen) -> None:
        st.session_state[self._key("way")] = "job"
        st.session_state[self._key("job")] = job_id
        st.session_state[self._key("where")] = where
        self._prefer(job_id, chosen)

    def _prefer(self, mark: str, chosen: Chosen) -> None:
        """Have these columns chosen when the list comes."""
        for role in self.topic.roles:
            st.session_state.pop(self._role(mark, role), None)
            if any(chosen.values()):
                st.session_state[self._role(mark, role)] = chosen.get(role)

    def _role(self, mark: str, role: str) -> str:
        return self._key(f"{role}_{mark[:26]}")

    def _paste(self, slots: Slots) -> Given:
        text = st.text_area(
            self.topic.label,
            height=150,
            max_chars=PASTE_CHARS,
            placeholder=self.topic.example,
            persist_state="session",
            key=self._key("text"),
        )
        slots.under("list", self.topic.hint, FIELDS)
        if not (text or "").strip():
            return Given()
        return self._read(slots, reading.of_text(self._key("text_read"), text or "", self.topic))

    def _upload(self, slots: Slots) -> Given:
        limit = uploads.MAX_BYTES >> 20
        file = st.file_uploader(
            "CSV, Excel, Parquet or text file",
            max_upload_size=limit,
            on_change=self._replaced,
            key=self._key("file"),
        )
        slots.under("list", self.topic.file_hint, FIELDS)
        slot = self._key("read")
        read = reading.of_file(slot, file.file_id, file.name, file, self.topic) if file else reading.kept(slot)
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
        """A list that was read: what it is, its columns, its first rows."""
        if read.upload is None:
            return Given(problems=(Problem("list", read.problem),))
        upload, topic = read.upload, self.topic
        chosen, aside = self._columns(slots, read.mark, upload.table.column_names, read.likely)
        complete = chosen[topic.needed] is not None
        with aside:
            counts = read.counted(topic, chosen) if complete else None
            specimen.numbers(specimen.what(upload), upload.table.num_rows, topic, counts)
        specimen.preview(upload.table.slice(0, specimen.SHOWN_ROWS), _names(chosen))
        if not complete:
            return Given(problems=(Problem(topic.param, uploads.no_column(upload, uploads.MATTERS[topic.expects])),))
        return Given(rows=upload.table, params=topic.params(chosen))

    def _type(self, slots: Slots) -> Given:
        rows = roster.roster(self._key("typed"))
        slots.under("list", "A row without a name stands for its domain; paste works here too", FIELDS)
        if rows is None:
            return Given()
        chosen = dict.fromkeys(self.topic.roles) | {name: name for name in rows.column_names}
        specimen.numbers("Typed here", rows.num_rows, self.topic, self.topic.count(rows, chosen))
        return Given(rows=rows, params=self.topic.params(chosen))

    def _job(self, slots: Slots) -> Given:
        job_id = lender.named(self._picked())
        slots.under("list", "Its rows are copied when you submit; any id or link of a job can be pasted", FIELDS)
        if not job_id:
            return Given()
        where = self._where(job_id)
        try:
            loan = lender.borrow(self._key("loan"), job_id, where, self.topic)
        except InvalidInput as error:
            return Given(problems=tuple(Problem("list", problem.message) for problem in error.problems))
        topic = self.topic
        chosen, aside = self._columns(slots, job_id, loan.columns, loan.likely)
        complete = chosen[topic.needed] is not None
        with aside:
            specimen.numbers(loan.kind, loan.rows, topic, loan.counted(topic, chosen) if complete else None)
        specimen.preview(loan.sample.slice(0, specimen.SHOWN_ROWS), _names(chosen))
        if not complete:
            held = uploads.MATTERS[topic.expects].holds
            return Given(problems=(Problem(topic.param, f"no column of this job holds {held}; choose one"),))
        return Given(from_job=job_id, where=where or None, params=topic.params(chosen))

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

    def _columns(
        self, slots: Slots, mark: str, names: Sequence[str], likely: Mapping[str, Sequence[str]]
    ) -> tuple[Chosen, DeltaGenerator]:
        """The column of each role, and where there is room beside them."""
        roles = self.topic.roles
        if len(roles) == 1:
            left, aside = st.columns([1, 2], gap="medium")
            with left:
                chosen = {role: self._column(mark, role, names, likely.get(role, ())) for role in roles}
                slots.under(self.topic.param, self.topic.column_hint)
            return chosen, aside
        chosen = {}
        grid = st.grid(len(roles), min_column_width=160, gap="small")
        for role in roles:
            with grid.cell():
                chosen[role] = self._column(mark, role, names, likely.get(role, ()))
        slots.under(self.topic.param, self.topic.column_hint)
        return chosen, st.container()

    def _column(self, mark: str, role: str, names: Sequence[str], likely: Sequence[str]) -> str | None:
        """The column of a role: the likeliest is chosen first, any can be; where none is likely, the visitor says."""
        options = [*likely, *(name for name in names if name not in likely)]
        key = self._role(mark, role)
        needed = role == self.topic.needed
        cleared = not needed and st.session_state.get(key, "") is None
        if not cleared and st.session_state.get(key) not in options:
            st.session_state[key] = likely[0] if likely else None
        empty = "Choose a column" if needed else "None"
        return st.selectbox(self.topic.roles[role], options, index=None, placeholder=empty, persist_state="session", key=key)


def _names(chosen: Chosen) -> list[str]:
    """The chosen columns, each once."""
    return list(dict.fromkeys(name for name in chosen.values() if name))


def _exists(job_id: str) -> bool:
    try:
        queries.get(workbench().database, job_id)
    except NotFound:
        return False
    return True
