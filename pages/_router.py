"""The entry of the pages: frame, login gate, navigation."""

from __future__ import annotations

import streamlit as st

from engine.workbench import workbench
from pages.parts import catalog, gate, look, say, sidebar

look.frame()
bench = workbench()
admitted = gate.admitted(bench)
tools = [st.Page(catalog.script(t.name), title=t.title, icon=catalog.icon(t), url_path=t.name) for t in catalog.shown(bench)]
page = st.navigation(
    {
        "Work": [
            st.Page("overview.py", title="Overview", icon=":material/dashboard:", default=True),
            st.Page("jobs.py", title="Jobs", icon=":material/list_alt:", url_path="jobs"),
        ],
        **({"Tools": tools} if tools else {}),
        "Data": [
            st.Page("verified_emails.py", title="Verified", icon=":material/contact_mail:", url_path="verified-emails"),
            st.Page("suppressions.py", title="Suppressions", icon=":material/unsubscribe:", url_path="suppressions"),
        ],
        "Installation": [st.Page("system.py", title="System", icon=":material/dns:", url_path="system")],
    },
    position="sidebar" if admitted else "hidden",
)
if admitted:
    gate.open_downloads(bench)
    sidebar.sidebar(bench)
    say.flush()
    page.run()
else:  # the address stays as it is, and is where the visitor comes out
    gate.ask(bench)
