"""How many pages of a site to read, and the manners in which they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from engine.durable.contract import JobParams
from engine.net.http import user_agent
from engine.workbench import workbench
from pages.parts import markup, words
from pages.parts.form import Raw, Slots

FIELD = "max_pages_per_domain"


@dataclass(frozen=True)
class Depth:
    """The field; `name` keeps it apart from those of other pages."""

    name: str
    params: type[JobParams]

    def draw(self, slots: Slots) -> Raw:
        """The field; returns wire name and value."""
        info = self.params.model_fields[FIELD]
        least, most = (getattr(rule, bound) for bound in ("ge", "le") for rule in info.metadata if hasattr(rule, bound))
        st.session_state.setdefault(self._key, info.default)
        pages = st.number_input(
            "Pages per site", step=1, value=None, width=220, key=self._key, persist_state="session", help=info.description
        )
        slots.under("maxPagesPerDomain", f"{least} to {most:,}; pages such as contact, imprint and team come first")
        return {"maxPagesPerDomain": pages}

    def load(self, params: Mapping[str, Any]) -> None:
        """Fill it from a job's parameters."""
        st.session_state[self._key] = params.get("maxPagesPerDomain", self.params.model_fields[FIELD].default)

    @property
    def _key(self) -> str:
        return f"{self.name}_pages"


def manners() -> None:
    """How sites are treated, in a sentence."""
    configured = workbench().settings
    pause = f"at least {words.duration(configured.crawl_delay)} apart" if configured.crawl_delay else "one after the other"
    agent = user_agent(configured.base_url)
    text = f"Manners: robots.txt is obeyed, a site gets one request at a time, {pause}, and each says who asks: `{agent}`."
    st.html(f'<div class="pb-quiet">{markup.ticked(text)}</div>')
