"""The page of a job type: the form as an input cell, under it the job as an output cell."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.durable import queries
from engine.durable.contract import JobType
from engine.durable.submit import Request, submit
from engine.durable.tables import Job
from engine.errors import IdempotencyConflict, InvalidInput, NotFound, Problem
from engine.workbench import workbench
from pages.parts import browser, catalog, figures, gate, markup, words
from pages.parts.cell import cell
from pages.parts.form import Draft, Form, Given, Raw, Slots, brief, check
from pages.parts.situation import phase


def notebook(type_name: str, form: Form) -> None:
    """Everything on a job type's page."""
    job_type = workbench().job_type(type_name)
    st.html(markup.heading(job_type.title, catalog.about(job_type)))
    job_id = st.query_params.get("job_id")
    if not job_id:
        _forget(type_name)
        _offer(job_type)
        st.fragment(_input)(job_type, form)
        return
    try:
        job = queries.get(workbench().database, job_id)
    except NotFound:
        _unknown(job_type, job_id)
        return
    if job.type != type_name and job.type in workbench().types:
        catalog.open_job(job.type, job.id)
    _filled(job, job_type, form)


def _filled(job: Job, job_type: JobType, form: Form) -> None:
    """Input and output of a job."""

    def edit() -> None:
        form.load(job.params)
        if form.source:
            form.source.load(job)
        st.session_state[_editing(job_type)] = job.id

    browser.remember(job_type.name, job.id)
    if st.session_state.get(_editing(job_type)) == job.id:
        st.fragment(_input)(job_type, form)
    else:
        _folded(job, form, edit)
    cell(job, job_type, edit, form)


def _editing(job_type: JobType) -> str:
    return f"editing_{job_type.name}"


def _folded(job: Job, form: Form, edit: Callable[[], None]) -> None:
    """The input cell of a submitted job: its parameters on a line."""
    with (
        st.container(border=True, key="cell_in"),
        st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall"),
    ):
        st.html(markup.facts({**_list_of(job), **(form.brief or brief)(job.params)}))
        st.button("Edit", icon=":material/edit:", type="tertiary", on_click=edit, key="edit")
        st.button("New", icon=":material/add:", type="tertiary", on_click=st.query_params.clear, key="new")


def _list_of(job: Job) -> dict[str, str]:
    """Which list the job read; nothing for a job without one."""
    if workbench().job_type(job.type).source == "none":
        return {}
    rows = words.plural(job.total_items, "row")
    lender = f" of job {job.source_job_id[:8]}" if job.source_job_id else ""
    return {"list": rows + lender + (f", {job.source_where}" if job.source_where else "")}


def _input(job_type: JobType, form: Form) -> None:
    """The open input cell. Every change is checked as a submit would; the button stands on top, where no message moves it."""
    slots = Slots()
    with st.container(border=True, key="cell_in"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html('<h3 class="pb-h2">Parameters</h3>', width="content")
            st.space("stretch")
            if st.session_state.get(_editing(job_type)) and st.query_params.get("job_id"):
                st.button("Close", type="tertiary", on_click=_close, args=(job_type,), key="close")
            verb = form.verb if isinstance(form.verb, str) else form.verb()
            # What is asked about once more is not to be started by the keys that end a text.
            shortcut = None if form.question else "Ctrl+Enter"
            pressed = st.button(verb, icon=":material/play_arrow:", type="primary", shortcut=shortcut, key="run")
        elsewhere, once_more = st.empty(), st.container()
        with st.container():  # a list grows as it is read: what is typed in the fields below must not lose its place
            given = form.source(slots) if form.source else Given()
        raw = form.draw(slots) | given.params
        checked = check(job_type, raw)
        draft = Draft(given, raw, checked)
        problems = _problems(job_type, draft, pressed)
        if form.proof:
            problems += form.proof(slots, draft)
        if not problems and _agreed(job_type, form, draft, pressed, once_more):
            problems = _submit(job_type, form, raw, given)
        slots.fill(problems, elsewhere)
        if checked.params is not None and form.preview:
            form.preview(checked.params)
    if pressed and problems:
        st.toast("Nothing was submitted: see the marked fields", icon=":material/error:")


def _problems(job_type: JobType, draft: Draft, pressed: bool) -> tuple[Problem, ...]:
    """What is wrong with the list and the fields; that something is missing is said only when it is asked for."""
    given, raw, checked = draft.given, draft.raw, draft.checked
    missing = pressed and given.empty and not given.problems and job_type.source == "required"
    absent = (Problem("list", "there is no list yet; paste one, upload a file, or choose another job"),) if missing else ()
    told = (problem for problem in checked.problems if pressed or problem.field.partition(".")[0] in raw)
    return (*given.problems, *absent, *told)


def _agreed(job_type: JobType, form: Form, draft: Draft, pressed: bool, place: DeltaGenerator) -> bool:
    """Whether to submit now: at once, or where the form has a question, once that was answered for what the form says now."""
    question = form.question(draft) if form.question else None
    if question is None:
        return pressed
    slot, key = f"asked_{job_type.name}", _key(job_type, draft.raw, draft.given)
    if pressed:
        st.session_state[slot] = key
    if st.session_state.get(slot) != key:  # the form changed since it was asked
        st.session_state.pop(slot, None)
        return False
    with place.container(border=True, key="once_more"):
        st.html(f"<b>{markup.ticked(question.title)}</b> <span class='pb-quiet'>{markup.ticked(question.text)}</span>")
        with st.container(horizontal=True, gap="small"):
            agreed = st.button(question.label, type="primary", key="once_more_yes")
            st.button("No, not yet", on_click=st.session_state.pop, args=(slot, None), key="once_more_no")
    return agreed


def _close(job_type: JobType) -> None:
    st.session_state.pop(_editing(job_type), None)
    st.rerun("app")


def _submit(job_type: JobType, form: Form, raw: Raw, given: Given) -> tuple[Problem, ...]:
    bench = workbench()
    request = Request(
        job_type,
        raw,
        user_id=gate.visitor(),
        from_job=given.from_job,
        where=given.where,
        rows=given.rows,
        idempotency_key=_key(job_type, raw, given),
        defaults=bench.defaults(job_type),
        unset=bench.settings.unset,
        values=bench.values(job_type),
    )
    try:
        with st.spinner("Submitting …", show_time=False):
            done = submit(bench.database, bench.vault, request)
    except InvalidInput as error:
        return error.problems
    except IdempotencyConflict:  # the list changed under a double click
        st.session_state.pop(_token(job_type), None)
        return (Problem("", "the form changed while it was submitted; try again"),)
    st.session_state.pop(_token(job_type), None)
    st.session_state.pop(_editing(job_type), None)
    if form.source:
        form.source.release()
    st.query_params.from_dict({"job_id": done.job_id})
    st.rerun()


def _token(job_type: JobType) -> str:
    return f"token_{job_type.name}"


def _key(job_type: JobType, raw: Raw, given: Given) -> str:
    """The same for a double click, another for another submit; secrets do not go into it."""
    token = st.session_state.setdefault(_token(job_type), secrets.token_urlsafe(16))
    hidden = {job_type.params.model_fields[name].alias or name for name in job_type.params.secret_fields}
    shown = {name: value for name, value in raw.items() if name not in hidden}
    size = given.rows.shape if given.rows is not None else None
    known = [shown, given.from_job, given.where, size]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()
    return f"page-{token}-{digest[:32]}"


def _forget(type_name: str) -> None:
    if deleted := st.session_state.pop("forget", None):
        browser.forget(type_name, deleted)


def _offer(job_type: JobType) -> None:
    """The last job of this page in this browser, if it still exists."""
    job_id = browser.recall(job_type.name)
    if not job_id:
        return
    try:
        job = queries.get(workbench().database, job_id)
    except NotFound:
        return
    now = figures.now(workbench().database)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="last_job"):
        done = f"{job.success_count:,} of {job.goal:,} found" if job.goal else f"{job.processed_items:,} of {job.total_items:,}"
        text = f"{done} · {words.ago(job.created_at, now)}"
        st.html(f'<div class="pb-quiet">Last job here: {markup.pill(phase(job))} {text}</div>', width="content")
        st.button("Open it", icon=":material/arrow_forward:", type="tertiary", on_click=_open, args=(job.id,), key="open_last")


def _open(job_id: str) -> None:
    st.query_params.from_dict({"job_id": job_id})


def _unknown(job_type: JobType, job_id: str) -> None:
    """There is no such job: say so, and how to go on."""
    with st.container(border=True, key="cell_out_unknown"):
        text = "It was deleted, or pruned after the retention time, or the link is not complete."
        said = f'<b>This job is not here</b><span>{text}</span><span class="pb-mono">{_safe(job_id)}</span>'
        st.html(f'<div class="pb-empty">{said}</div>')
        with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
            st.button("New job", type="primary", icon=":material/add:", on_click=st.query_params.clear, key="new")
            st.page_link("jobs.py", label="All jobs", icon=":material/list:", width="content")
    browser.forget(job_type.name, job_id)


def _safe(job_id: str) -> str:
    return "".join(c for c in job_id[:40] if c.isalnum() or c in "-_")
