"""How the list of suppressed addresses speaks: by what ways an address comes onto it, and the jobs it came from."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from engine.durable.suppressions import SuppressionSource as Source
from pages.parts import catalog, words

WAYS: Mapping[str, tuple[str, str]] = {
    Source.UNSUBSCRIBE: ("unsubscribed", "violet"),
    Source.BOUNCE: ("bounced", "red"),
    Source.COMPLAINT: ("complained", "amber"),
    Source.MANUAL: ("by hand", "blue"),
    Source.IMPORT: ("imported", "gray"),
    Source.API: ("by the API", "gray"),
}
"""What each way is called, and its tone."""


def way(source: str) -> str:
    """A way in a word or two; one that this version does not know as it is."""
    return WAYS.get(source, (source, ""))[0]


def pill(label: str, tone: str) -> str:
    """A coloured pill."""
    return f'<span class="pb-pill pb-{tone}">{escape(label)}</span>'


def way_pill(source: str) -> str:
    """A way as a coloured pill."""
    return pill(way(source), WAYS.get(source, ("", "gray"))[1])


def job(job_id: str | None, job_type: str | None) -> str:
    """A job as HTML: a link while it exists."""
    if job_id is None:
        return words.DASH
    short = f'<span class="pb-mono">{escape(job_id[:8])}</span>'
    if job_type is None:
        return f'{short} <span class="pb-quiet">deleted</span>'
    there = f"{escape(job_type)}?job_id={escape(job_id)}"
    return f'<a href="{there}" target="_self">{escape(catalog.title(job_type))} {short}</a>'
