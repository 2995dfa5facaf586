"""The form of generate-emails: how many, where, who, which pattern; five sample rows as one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, cast

import streamlit as st

from engine.durable.contract import JobParams
from engine.jobs import generate_emails as job
from engine.mail.names import COUNTRIES
from engine.mail.pattern import DEFAULT_PATTERN, PLACEHOLDERS, Placeholder
from engine.mail.providers import DEFAULT_PROVIDERS
from pages.parts import form, markup
from pages.parts.form import Form, Raw, Slots

CHIPS = ("firstname", "lastname", "f", "l", "birthyear", "yy", "number")
"""Placeholders offered as buttons; all others are in the explanation."""
_FIELDS = job.Params.model_fields
_GENDERS = ("any", "male", "female")
_SUFFIXES = {"auto": "Add digits where names run out", "never": "Never"}
_SHOWN = ("first_name", "last_name", "gender", "age", "country")
_DEFAULTS: Mapping[str, Any] = {
    "count": 10_000,
    "providers": ["gmail.com", "outlook.com"],
    "country": ["US"],
    "age_range": (18, 65),
    "gender": "any",
    "pattern": DEFAULT_PATTERN,
    "suffix": "auto",
    "seed": "",
    "year": _FIELDS["year"].default,
    "weighed": False,
}


def draw(slots: Slots) -> Raw:
    """The fields; returns the parameters as a caller of the API would write them."""
    for name, value in _DEFAULTS.items():
        st.session_state.setdefault(_key(name), value)
    left, right = st.columns(2, gap="medium")
    with left:
        raw = _how_many(slots) | _providers(slots)
    with right:
        raw |= _people(slots)
    return raw | _pattern(slots) | _advanced(slots, raw["providers"])


def _how_many(slots: Slots) -> Raw:
    count = st.number_input("Count", step=1000, value=None, **_common("count"))
    slots.under("count", f"1 to {job.MAX_COUNT:,} distinct addresses")
    return {"count": count}


def _providers(slots: Slots) -> Raw:
    known = [domain for domain, _ in DEFAULT_PROVIDERS]
    options = list(dict.fromkeys([*known, *st.session_state[_key("providers")]]))
    domains = st.multiselect("Providers", options, accept_new_options=True, placeholder="gmail.com", **_common("providers"))
    slots.under("providers", "Pick, or type any domain; weights are under Advanced")
    return {"providers": domains}


def _people(slots: Slots) -> Raw:
    codes = sorted(COUNTRIES, key=lambda code: COUNTRIES[code].name)
    countries = st.multiselect("Countries", codes, format_func=lambda code: COUNTRIES[code].name, **_common("country"))
    slots.under("country", "Whose names to use; several get equal shares")
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=260):
            low, high = st.slider("Ages", *job.AGES, **_common("age_range"))
            slots.under("ageRange")
        with st.container(width="content"):
            gender = st.segmented_control("Gender", _GENDERS, required=True, **_common("gender"))
            slots.under("gender")
    return {"country": countries, "ageRange": f"{low}-{high}", "gender": gender}


def _pattern(slots: Slots) -> Raw:
    text = st.text_input("Pattern", live=True, **_common("pattern"))
    slots.under("pattern", "The part before the @: text, and placeholders in braces")
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="chips"):
        for name in CHIPS:
            known = PLACEHOLDERS[name]
            meaning = f"{known.description}: {known.example}"
            st.button(f"`{{{name}}}`", help=meaning, on_click=_add, args=(name,), key=f"chip_{name}", type="tertiary")
        with st.popover("All placeholders", type="tertiary", icon=":material/help:"):
            st.html(
                markup.sheet([_explained(known) for known in PLACEHOLDERS.values()], ["placeholder", "stands for", "example"])
            )
    return {"pattern": text}


def _explained(known: Placeholder) -> list[str]:
    return [f'<span class="pb-mono">{{{known.name}}}</span>', escape(known.description), escape(known.example)]


def _add(name: str) -> None:
    st.session_state[_key("pattern")] = f"{st.session_state.get(_key('pattern')) or ''}{{{name}}}"


def _advanced(slots: Slots, domains: Sequence[str]) -> Raw:
    with st.expander("Advanced", icon=":material/tune:", key="advanced"):
        left, middle, right = st.columns(3, gap="medium")
        with left:
            seed = st.text_input("Seed", placeholder="random", **_common("seed"))
            slots.under("seed", "The same seed and settings give the same list")
        with middle:
            suffix = st.selectbox("Suffix", list(_SUFFIXES), format_func=_SUFFIXES.__getitem__, **_common("suffix"))
            slots.under("suffix", "When the plain address is taken")
        with right:
            year = st.number_input("Reference year", step=1, value=None, **_common("year"))
            slots.under("year", "The year in which ages are counted")
        weighed = st.toggle("Weigh the providers", key=_key("weighed"), persist_state="session")
        providers = _weights(domains) if weighed else list(domains)
    return {"seed": _seed(seed), "suffix": suffix, "year": year, "providers": providers}


def _weights(domains: Sequence[str]) -> list[Any]:
    grid = st.grid("auto", min_column_width=150, gap="small")
    known = dict(DEFAULT_PROVIDERS)
    found: list[Any] = []
    for domain in domains:
        key = _key(f"weight_{domain}")
        st.session_state.setdefault(key, float(known.get(domain, 1)))
        weight = grid.number_input(domain, min_value=0.0, step=1.0, key=key, persist_state="session")
        found.append({"domain": domain, "weight": weight})
    return found


def _common(name: str) -> dict[str, Any]:
    """What every field has: its name in the session, where it outlives a change of page, and its explanation."""
    return {"key": _key(name), "persist_state": "session", "help": _FIELDS[name].description}


def _key(name: str) -> str:
    return f"generate_{name}"


def _seed(text: str | None) -> int | str | None:
    """An integer where it is one; else the text itself, for the check to refuse."""
    text = (text or "").strip()
    if not text:
        return None
    return int(text) if text.removeprefix("-").isdecimal() else text


def preview(params: JobParams) -> None:
    """The first five rows."""
    wanted = cast(job.Params, params)
    cells = [
        [f'<span class="pb-mono">{escape(row["email"])}</span>', *(escape(str(row[name])) for name in _SHOWN)]
        for row in job.preview(wanted, 5)
    ]
    sample = "the first rows of this seed" if wanted.seed is not None else "a sample; the seed is drawn when the job is submitted"
    st.html(f'<div class="pb-quiet pb-above">Preview: {sample}</div>' + markup.sheet(cells, ["email", *_SHOWN]))


def load(params: Mapping[str, Any]) -> None:
    """Fill the fields from a job's parameters; the seed was drawn for that job and is left out."""
    wanted = job.Params.model_validate(params)
    low, high = (int(age) for age in wanted.age_range.split("-"))
    weights = {provider.domain: provider.weight for provider in wanted.providers}
    given = {
        "count": wanted.count,
        "providers": list(weights),
        "country": list(wanted.country),
        "age_range": (low, high),
        "gender": wanted.gender,
        "pattern": wanted.pattern,
        "suffix": wanted.suffix,
        "seed": "",
        "year": wanted.year,
        "weighed": len(set(weights.values())) > 1,
        **{f"weight_{domain}": weight for domain, weight in weights.items()},
    }
    for name, value in given.items():
        st.session_state[_key(name)] = value


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in a line; weights only where they differ, and nothing that is as usual."""
    wanted = job.Params.model_validate(params)
    even = len({provider.weight for provider in wanted.providers}) == 1
    shown: dict[str, Any] = {
        "count": wanted.count,
        "providers": [p.domain if even else f"{p.domain} × {p.weight:g}" for p in wanted.providers],
        "country": list(wanted.country),
        "ages": wanted.age_range,
        "gender": None if wanted.gender == "any" else wanted.gender,
        "pattern": wanted.pattern,
        "suffix": None if wanted.suffix == "auto" else wanted.suffix,
        "seed": str(wanted.seed),
    }
    return form.brief(shown)


FORM = Form(draw, load, preview, brief, verb="Generate")
