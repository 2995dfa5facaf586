"""Taking addresses off the list of suppressed ones, which needs a reason."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from engine.durable import suppressions
from engine.durable.suppressions import MAX_REASON
from engine.durable.suppressions import SuppressionSource as Source
from engine.workbench import workbench
from pages.parts import markup, say, words
from pages.parts.confirm import ask

TABLE = "suppressions_table"
"""Key of the page's table: what is selected there is let go of."""
REASON = "remove_reason"
_ASKED = "asked"
_MISSING = "remove_missing"
_EFFECT = "May get mail again, from the next message on. The reason stays in the history."


def opener(key: str = "remove_ask") -> None:
    """The button that asks."""
    st.button("Remove", icon=":material/undo:", on_click=ask, args=("remove",), key=key)


def removal(keys: Sequence[str]) -> None:
    """What can be done with several addresses."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bulk"):
        st.html(f'<span class="pb-quiet">{words.plural(len(keys), "address", "addresses")} selected</span>', width="content")
        st.space("stretch")
        opener("bulk_remove")
    question(keys, f"the {words.plural(len(keys), 'selected address', 'selected addresses')}")


def question(keys: Sequence[str], which: str) -> None:
    """The question, while it is asked: why, and two buttons."""
    if st.session_state.get(_ASKED) != "remove":
        return
    with st.container(border=True, key="confirm_remove"):
        st.html(f"<b>{markup.ticked(f'Remove {which}?')}</b> <span class='pb-quiet'>{_EFFECT}</span>")
        st.text_input("Why", max_chars=MAX_REASON, placeholder="Has a new mailbox, asked to be written to again …", key=REASON)
        wrong = st.session_state.pop(_MISSING, False)
        said = '<span class="pb-wrong" role="alert">say why; it is kept with the address</span>' if wrong else ""
        st.html(said or '<span class="pb-hint">Kept with the address, for whoever wonders later</span>')
        with st.container(horizontal=True, gap="small"):
            st.button("Remove", type="primary", on_click=partial(_remove, list(keys)), key="remove_yes")
            st.button("No, leave it", on_click=_drop, key="remove_no")


def _remove(keys: Sequence[str]) -> None:
    reason = (st.session_state.get(REASON) or "").strip()
    if not reason:
        st.session_state[_MISSING] = True
        return
    count = suppressions.remove(workbench().database, keys, reason, Source.MANUAL)
    say.later(f"{words.plural(count, 'address', 'addresses')} may get mail again")
    st.session_state.pop(TABLE, None)
    st.query_params.pop("address", None)
    _drop()


def _drop() -> None:
    st.session_state.pop(_ASKED, None)
    st.session_state.pop(REASON, None)
