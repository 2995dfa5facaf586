"""Forms of job types: a line under each field for its hint or its error, and the same checks as a submit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol, TypeAlias

import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.durable.contract import JobParams, JobType, Plan
from engine.durable.tables import Job
from engine.durable.validate import read_params
from engine.errors import InvalidInput, Problem
from pages.parts import words
from pages.parts.columns import USUAL, View

Raw = dict[str, Any]


@dataclass
class Slots:
    """The line under each field: its hint, or what is wrong with it."""

    _slots: dict[str, DeltaGenerator] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, DeltaGenerator] = field(default_factory=dict)
    """Places among the fields that are filled once the whole form is known."""

    def under(self, name: str, hint: str = "", also: Iterable[str] = ()) -> None:
        """Make the line of a field; call it right after the widget. It serves the fields of `also` as well."""
        slot = st.empty()
        slot.html(_line("pb-hint", hint))
        self._slots[name] = slot
        self._names.update(dict.fromkeys(also, name))

    def fill(self, problems: tuple[Problem, ...], elsewhere: DeltaGenerator) -> None:
        """Write the problems over the hints; those of fields without a line go to `elsewhere`."""
        wrong: dict[str, list[str]] = defaultdict(list)
        for problem in problems:
            name = problem.field.partition(".")[0]
            wrong[self._names.get(name, name)].append(words.sentence(problem.message))
        for name in wrong.keys() & self._slots.keys():
            self._slots[name].html(_line("pb-wrong", " ".join(wrong.pop(name))))
        if wrong:
            rest = " ".join(f"{name}: {' '.join(said)}" if name else " ".join(said) for name, said in wrong.items())
            elsewhere.html(f'<div class="pb-notice pb-red" role="alert"><b>Not yet.</b><span>{escape(rest)}</span></div>')


@dataclass(frozen=True, slots=True)
class Given:
    """The input list of a form: rows or another job, the parameters that name its columns, and what is wrong with it."""

    rows: pa.Table | None = None
    from_job: str | None = None
    where: str | None = None
    params: Raw = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether no list was given at all."""
        return self.rows is None and not self.from_job


class Source(Protocol):
    """The part of a form that asks for the input list."""

    def __call__(self, slots: Slots) -> Given:
        """Draw it; what was given so far."""

    def load(self, job: Job) -> None:
        """Offer the list of a job again."""

    def release(self) -> None:
        """Let go of the list: it was submitted."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a check: parameters and plan, or problems."""

    params: JobParams | None = None
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it stands: its list, its fields as a caller of the API would write them, and what a check says of them."""

    given: Given
    raw: Raw
    checked: Checked


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked once more before a submit: what would happen, and the label of the button that does it."""

    title: str
    text: str
    label: str


Report: TypeAlias = Callable[[Job, float | None, Callable[[], None]], None]
"""A section of its own in the cell of a job: the job, seconds between two looks (None: it has ended), and how to edit it."""


@dataclass(frozen=True)
class Form:
    """What a job type's page brings: its list, its fields, how to fill them from parameters, a preview, its result's look.

    `proof` shows what the form amounts to with its list, and says what is wrong beyond single fields; `question` is what a submit
    asks first, `again` what is asked before a job is run again as it was.
    """

    draw: Callable[[Slots], Raw]
    load: Callable[[Mapping[str, Any]], None]
    preview: Callable[[JobParams], None] | None = None
    brief: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None
    verb: str | Callable[[], str] = "Run"
    source: Source | None = None
    view: View = USUAL
    proof: Callable[[Slots, Draft], tuple[Problem, ...]] | None = None
    question: Callable[[Draft], Question | None] | None = None
    report: Report | None = None
    again: Callable[[Job], Question | None] | None = None


def check(job_type: JobType, raw: Raw) -> Checked:
    """What a submit of these values would say, without submitting. A type that needs a list is planned only at submit."""
    try:
        params = read_params(job_type, raw)
        plan = job_type.plan(params, None) if job_type.source == "none" else None
    except InvalidInput as error:
        return Checked(problems=error.problems)
    return Checked(params, plan)


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as names and short values, without what was left out."""
    return {name: _value(value) for name, value in params.items() if value not in (None, "", [], {})}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return " ".join(part for part in value.values() if isinstance(part, str))
    if isinstance(value, list):
        text = ", ".join(_value(part) for part in value[:6])
        return text + (f" and {len(value) - 6} more" if len(value) > 6 else "")
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _line(style: str, text: str) -> str:
    role = ' role="alert"' if style == "pb-wrong" else ""
    return f'<span class="{style}"{role}>{escape(text) or "&nbsp;"}</span>'
