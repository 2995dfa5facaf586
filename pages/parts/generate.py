"""The fields of generating types: how many, where, who, which pattern; five sample rows as one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
_GENDERS = ("any", "male", "female")
_SUFFIXES = {"auto": "Add digits where names run out", "never": "Never"}
_SHOWN = ("first_name", "last_name", "gender", "age", "country")
_DEFAULTS: Mapping[str, Any] = {
    "providers": ["gmail.com", "outlook.com"],
    "country": ["US"],
    "age_range": (18, 65),
    "gender": "any",
    "pattern": DEFAULT_PATTERN,
    "suffix": "auto",
    "seed": "",
    "year": job.Params.model_fields["year"].default,
    "weighed": False,
}


@dataclass(frozen=True)
class Fields:
    """The fields for parameters of a type; `name` keeps them apart from those of other pages."""

    name: str
    params: type[job.Params]
    count: int
    """The count that the form begins with."""
    counted: str
    """The line under the count."""
    step: int = 1000

    def draw(self, slots: Slots) -> Raw:
        """The fields; returns the parameters as a caller of the API would write them."""
        for name, value in {**_DEFAULTS, "count": self.count}.items():
            st.session_state.setdefault(self.key(name), value)
        left, right = st.columns(2, gap="medium")
        with left:
            raw = self._how_many(slots) | self._providers(slots)
        with right:
            raw |= self._people(slots)
        return raw | self._pattern(slots) | self._advanced(slots, raw["providers"])

    def load(self, params: Mapping[str, Any]) -> None:
        """Fill the fields from a job's parameters; the seed was drawn for that job and is left out."""
        wanted = self.params.model_validate(params)
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
            st.session_state[self.key(name)] = value

    def brief(self, params: Mapping[str, Any]) -> dict[str, str]:
        """The parameters in a line; weights only where they differ, and nothing that is as usual."""
        wanted = self.params.model_validate(params)
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

    def _how_many(self, slots: Slots) -> Raw:
        count = st.number_input("Count", step=self.step, value=None, **self.common("count"))
        slots.under("count", self.counted)
        return {"count": count}

    def _providers(self, slots: Slots) -> Raw:
        known = [domain for domain, _ in DEFAULT_PROVIDERS]
        options = list(dict.fromkeys([*known, *st.session_state[self.key("providers")]]))
        domains = st.multiselect(
            "Providers", options, accept_new_options=True, placeholder="gmail.com", **self.common("providers")
        )
        slots.under("providers", "Pick, or type any domain; weights are under Advanced")
        return {"providers": domains}

    def _people(self, slots: Slots) -> Raw:
        codes = sorted(COUNTRIES, key=lambda code: COUNTRIES[code].name)
        countries = st.multiselect("Countries", codes, format_func=lambda code: COUNTRIES[code].name, **self.common("country"))
        slots.under("country", "Whose names to use; several get equal shares")
        with st.container(horizontal=True, gap="medium"):
            with st.container(width=260):
                low, high = st.slider("Ages", *job.AGES, **self.common("age_range"))
                slots.under("ageRange")
            with st.container(width="content"):
                gender = st.segmented_control("Gender", _GENDERS, required=True, **self.common("gender"))
                slots.under("gender")
        return {"country": countries, "ageRange": f"{low}-{high}", "gender": gender}

    def _pattern(self, slots: Slots) -> Raw:
        text = st.text_input("Pattern", live=True, **self.common("pattern"))
        slots.under("pattern", "The part before the @: text, and placeholders in braces")
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="chips"):
            for name in CHIPS:
                known = PLACEHOLDERS[name]
                meaning = f"{known.description}: {known.example}"
                st.button(f"`{{{name}}}`", help=meaning, on_click=self._add, args=(name,), key=f"chip_{name}", type="tertiary")
            with st.popover("All placeholders", type="tertiary", icon=":material/help:"):
                explained = [_explained(known) for known in PLACEHOLDERS.values()]
                st.html(markup.sheet(explained, ["placeholder", "stands for", "example"]))
        return {"pattern": text}

    def _add(self, placeholder: str) -> None:
        key = self.key("pattern")
        st.session_state[key] = f"{st.session_state.get(key) or ''}{{{placeholder}}}"

    def _advanced(self, slots: Slots, domains: Sequence[str]) -> Raw:
        with st.expander("Advanced", icon=":material/tune:", key="advanced"):
            left, middle, right = st.columns(3, gap="medium")
            with left:
                seed = st.text_input("Seed", placeholder="random", **self.common("seed"))
                slots.under("seed", "The same seed and settings give the same list")
            with middle:
                suffix = st.selectbox("Suffix", list(_SUFFIXES), format_func=_SUFFIXES.__getitem__, **self.common("suffix"))
                slots.under("suffix", "When the plain address is taken")
            with right:
                year = st.number_input("Reference year", step=1, value=None, **self.common("year"))
                slots.under("year", "The year in which ages are counted")
            weighed = st.toggle("Weigh the providers", key=self.key("weighed"), persist_state="session")
            providers = self._weights(domains) if weighed else list(domains)
        return {"seed": _seed(seed), "suffix": suffix, "year": year, "providers": providers}

    def _weights(self, domains: Sequence[str]) -> list[Any]:
        grid = st.grid("auto", min_column_width=150, gap="small")
        known = dict(DEFAULT_PROVIDERS)
        found: list[Any] = []
        for domain in domains:
            key = self.key(f"weight_{domain}")
            st.session_state.setdefault(key, float(known.get(domain, 1)))
            weight = grid.number_input(domain, min_value=0.0, step=1.0, key=key, persist_state="session")
            found.append({"domain": domain, "weight": weight})
        return found

    def common(self, name: str) -> dict[str, Any]:
        """What every field has: its name in the session, where it outlives a change of page, and its explanation."""
        return {"key": self.key(name), "persist_state": "session", "help": self.params.model_fields[name].description}

    def key(self, name: str) -> str:
        """A field's name in the session."""
        return f"{self.name}_{name}"


def _explained(known: Placeholder) -> list[str]:
    return [f'<span class="pb-mono">{{{known.name}}}</span>', escape(known.description), escape(known.example)]


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


_FIELDS = Fields("generate", job.Params, 10_000, f"1 to {job.MAX_COUNT:,} distinct addresses")
FORM = Form(_FIELDS.draw, _FIELDS.load, preview, _FIELDS.brief, verb="Generate")
