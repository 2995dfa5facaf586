"""The foot of the sidebar: whether an engine is alive, who is signed in, which version this is."""

from __future__ import annotations

import streamlit as st

from engine.durable import engines
from engine.version import VERSION
from engine.workbench import Workbench
from pages.parts import gate, markup, words


def sidebar(bench: Workbench) -> None:
    """One line on the engines, one on the version."""
    alive = len(engines.living(bench.database))
    state = markup.pill("alive", f"{words.plural(alive, 'engine')} alive") if alive else markup.pill("gone", "no engine alive")
    with st.sidebar:
        st.html(f'<div class="pb-foot">{state}<span class="pb-quiet">Postbench {VERSION}</span></div>')
        gate.sign_out()
