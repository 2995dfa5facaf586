"""The toolbar of a job cell: what can be done with this job in its present state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from engine.durable import control
from engine.durable.contract import JobType
from engine.durable.states import CANCELLABLE, PAUSABLE, RESUMABLE, Status
from engine.durable.tables import Job
from engine.workbench import workbench
from pages.parts import browser, catalog, figures, markup, say, words
from pages.parts.columns import STATUS, Onward
from pages.parts.confirm import ask, confirm
from pages.parts.downloads import downloads
from pages.parts.form import Form
from pages.parts.situation import phase

AGAIN = ":material/replay: Run again"
EDIT = ":material/edit: Edit and run"
DELETE = ":material/delete: Delete"


def toolbar(job: Job, job_type: JobType, edit: Callable[[], None], form: Form) -> None:
    """Title and pill on the left, buttons on the right.

    The keys of what acts on the job name it: the browser may still show the job before, and a click there must not hit this one.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="toolbar"):
        title = f"<b>{job_type.title}</b>{markup.pill(phase(job))}<code>{job.id[:8]}</code>"
        st.html(f'<div class="pb-title">{title}</div>', width="content")
        st.space("stretch")
        _steering(job)
        if form.view.onward is not None:
            _onward(job, form.view.onward)
        downloads(job)
        _use(job, form.view.bare)
        browser.copy_link(catalog.link(job))
        question = form.again(job) if form.again else None
        _more(job, job_type, edit, question is not None)
    if question is not None:
        confirm("again", question.title, question.text, question.label, lambda: _again(job, job_type), about=job.id)
    text = f"Its {words.plural(figures.kept_rows(job), 'row')} and its timeline go for good, and the link to it stops working."
    confirm("delete", "Delete this job?", text, "Delete it", lambda: _delete(job), about=job.id)


def _steering(job: Job) -> None:
    database = workbench().database
    if job.status in PAUSABLE:
        _button(job, "Pause", "pause", lambda: control.pause(database, job.id))
    if job.status in RESUMABLE:
        primary = job.status != Status.CANCELLED
        _button(job, "Resume", "play_arrow", lambda: control.resume(database, job.id), primary=primary)
    if job.status in CANCELLABLE:
        _button(job, "Cancel", "stop_circle", lambda: control.cancel(database, job.id))


def _onward(job: Job, step: Onward) -> None:
    """Go to the usual next step with those rows that are meant for it."""
    if not (job.ended and job.counts.get(step.status)):
        return
    if st.button(step.label, icon=step.icon, type="primary", key="onward"):
        where = f"{STATUS}:{step.status}"
        st.switch_page(catalog.script(step.type_name), query_params={"from_job": job.id, "from_where": where})


def _use(job: Job, bare: Sequence[str]) -> None:
    """Go to the form of a type that reads a list, with this job as its list; a list of addresses leaves out rows without one."""
    readers = {t.title: t for t in catalog.shown(workbench()) if t.source != "none"}
    if not (readers and job.ended and figures.kept_rows(job)):
        return
    options = [f"{catalog.icon(reader)} {title}" for title, reader in readers.items()]
    picked = st.menu_button("Use as input", options, icon=":material/input:", key="use")
    if picked:
        reader = readers[picked.partition(" ")[2]]
        addressed = reader.params.items_column == "email" and any(job.counts.get(status) for status in bare)
        where = {"from_where": "email~@"} if addressed else {}
        st.switch_page(catalog.script(reader.name), query_params={"from_job": job.id, **where})


def _more(job: Job, job_type: JobType, edit: Callable[[], None], asks: bool) -> None:
    options = [AGAIN, EDIT, *([DELETE] if job.ended else [])]
    args = (job, job_type, edit, asks)
    st.menu_button("More", options, icon=":material/more_horiz:", key=f"more_{job.id}", on_click=_picked, args=args)


def _picked(job: Job, job_type: JobType, edit: Callable[[], None], asks: bool) -> None:
    """Before the page is drawn anew, as only then the form's fields may be set."""
    picked = st.session_state.get(f"more_{job.id}")
    if picked == AGAIN and asks:
        ask("again", job.id)
    elif picked == AGAIN:
        _again(job, job_type)
    elif picked == EDIT:
        edit()
    elif picked == DELETE:
        ask("delete", job.id)


def _button(job: Job, label: str, icon: str, work: Callable[[], object], *, primary: bool = False) -> None:
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    st.button(
        label, icon=f":material/{icon}:", type=kind, on_click=say.attempted, args=(work,), key=f"do_{label.lower()}_{job.id}"
    )


def _again(job: Job, job_type: JobType) -> None:
    say.attempt(lambda: _rerun(job, job_type))


def _rerun(job: Job, job_type: JobType) -> None:
    bench = workbench()
    new = control.rerun(bench.database, bench.vault, job.id, job_type, bench.defaults(job_type))
    st.query_params.from_dict({"job_id": new})
    say.later("Submitted again as a new job")


def _delete(job: Job) -> None:
    if say.attempt(lambda: control.remove(workbench().database, job.id), "Deleted"):
        st.session_state["forget"] = job.id
        st.query_params.clear()
