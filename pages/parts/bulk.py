"""Acting on many jobs: those selected, or all that match the filter; and cleaning up old ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from engine.durable import control
from engine.durable.queries import Filter
from engine.durable.states import CANCELLABLE, ENDED
from engine.durable.tables import Job
from engine.errors import NotFound, WrongState
from engine.workbench import workbench
from pages.parts import figures, say, words
from pages.parts.confirm import ask, confirm


def bulk(chosen: Sequence[Job], wanted: Filter, matching: int) -> None:
    """What can be done with the selected jobs, or with all that match."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bulk"):
        everything = st.toggle(f"All {matching:,} that match", key="bulk_all", help="Act on every job that fits the filters")
        st.html(f'<span class="pb-quiet">{_said(chosen, everything)}</span>', width="content")
        st.space("stretch")
        cancels = everything or any(job.status in CANCELLABLE for job in chosen)
        deletes = everything or any(job.status in ENDED for job in chosen)
        _button("Cancel", "stop_circle", cancels)
        _button("Delete", "delete", deletes)
    which = (
        f"all {words.plural(matching, 'job')} that match" if everything else f"the {words.plural(len(chosen), 'selected job')}"
    )
    kept = "Jobs that have ended stay as they are; rows committed so far are kept."
    gone = "Only jobs that have ended are deleted, with their rows and timelines. There is no way back."
    _ask("Cancel", "cancelled", which, kept, _cancel(chosen, wanted, everything))
    _ask("Delete", "deleted", which, gone, _delete(chosen, wanted, everything))


def _said(chosen: Sequence[Job], everything: bool) -> str:
    if everything:
        return "on all pages"
    return f"{words.plural(len(chosen), 'job')} selected" if chosen else "or select rows in the table"


def _button(verb: str, icon: str, able: bool) -> None:
    name = f"bulk_{verb.lower()}"
    st.button(verb, icon=f":material/{icon}:", disabled=not able, on_click=ask, args=(name,), key=name)


def _ask(verb: str, past: str, which: str, effect: str, work: Callable[[], int]) -> None:
    def act() -> None:
        say.later(f"{words.plural(work(), 'job')} {past}")
        st.session_state.pop("jobs_table", None)

    confirm(f"bulk_{verb.lower()}", f"{verb} {which}?", effect, f"{verb} them", act)


def _cancel(chosen: Sequence[Job], wanted: Filter, everything: bool) -> Callable[[], int]:
    database = workbench().database
    if everything:
        return lambda: control.cancel_all(database, wanted)
    return lambda: sum(_tried(lambda job=job: control.cancel(database, job.id)) for job in chosen)  # type: ignore[misc]


def _delete(chosen: Sequence[Job], wanted: Filter, everything: bool) -> Callable[[], int]:
    database = workbench().database
    if everything:
        return lambda: control.remove_all(database, wanted)
    return lambda: sum(_tried(lambda job=job: control.remove(database, job.id)) for job in chosen)  # type: ignore[misc]


def _tried(work: Callable[[], None]) -> bool:
    """Do it; False where the job's state changed meanwhile, which a selection of many must not stop at."""
    try:
        work()
    except (WrongState, NotFound):
        return False
    return True


def cleanup() -> None:
    """Delete ended jobs older than some days, after showing how many."""
    database = workbench().database
    kept = workbench().settings.retention_days
    with st.popover("Clean up", icon=":material/mop:", key="cleanup"):
        st.caption(
            f"Ended jobs are pruned after {words.plural(kept, 'day')} anyway."
            if kept
            else "Ended jobs are kept for ever (POSTBENCH_RETENTION_DAYS=0)."
        )
        days = st.number_input(
            "Ended more than so many days ago", min_value=0, value=kept or 30, key="cleanup_days", help="0 means every ended job"
        )
        count = figures.ended_before(database, int(days))
        if st.button(
            f"Delete {words.plural(count, 'job')}",
            type="primary",
            disabled=not count,
            icon=":material/delete:",
            width="stretch",
            key="cleanup_go",
        ):
            say.later(f"{words.plural(control.cleanup(database, days), 'job')} deleted")
            st.rerun()
