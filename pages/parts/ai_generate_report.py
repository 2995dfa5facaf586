"""What a job of writing has spent so far, and of how much it may; whose work it is."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.durable import queries
from engine.durable.spending import Spent, spent
from engine.durable.tables import Job
from engine.errors import NotFound
from engine.jobs.ai_generate import Provider
from engine.workbench import workbench
from pages.parts import markup, words

_MILLION = 1_000_000


def report(job: Job, tick: float | None, _edit: Callable[[], None]) -> None:
    """The section of the job's cell; it lives as long as the job runs."""
    st.fragment(_told, run_every=tick)(job.id)


def _told(job_id: str) -> None:
    try:
        job = queries.get(workbench().database, job_id)
    except NotFound:  # deleted meanwhile: the page says so
        return
    if job.params.get("provider") == Provider.TEMPLATE:
        st.html(markup.notice("gray", "Written by rules, not AI.", "The server has no AI service, or none was wanted."))
        return
    st.html(markup.facts(facts(job, spent(workbench().database, job.id))))


def facts(job: Job, told: Spent) -> dict[str, str]:
    """Requests and tokens beside their caps, and the cost where prices were given."""
    params = job.params
    shown = {
        "requests": f"{told.requests:,} of at most {params['maxRequests']:,}",
        "tokens": f"{words.short(told.tokens)} of at most {words.short(params['maxTokens'])}",
        "of prompts": words.number(told.tokens_in),
        "of answers": words.number(told.tokens_out),
    }
    prices = params.get("priceIn"), params.get("priceOut")
    if any(price is not None for price in prices):
        cost = (told.tokens_in * (prices[0] or 0.0) + told.tokens_out * (prices[1] or 0.0)) / _MILLION
        shown["cost"] = f"{cost:,.4f}" if cost < 1 else f"{cost:,.2f}"
    return shown
