"""Reading parameters from outside: every problem named by its field, no rejected value ever echoed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.durable.contract import JobParams, JobType
from engine.errors import InvalidInput, Problem

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MAX_PROBLEMS = 20


def read_params(job_type: JobType, raw: Mapping[str, Any] | JobParams) -> JobParams:
    """The parameters as the job type's model.

    Raises:
        InvalidInput: with one problem per wrong field, at most `MAX_PROBLEMS`.
    """
    if isinstance(raw, JobParams):
        return raw
    try:
        return job_type.params.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(problems(error, job_type.params)) from None


def problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """The errors of a validation, in the product's words where pydantic's could show the value."""
    items = error.errors(include_input=False, include_url=False)
    found = [Problem(field_path(item["loc"]), _message(item, model)) for item in items]
    return list(dict.fromkeys(found))[:MAX_PROBLEMS]


def field_path(loc: Sequence[int | str]) -> str:
    """`providers.0.weight`; parts that cannot be field names are values and stay unsaid."""
    parts = [str(part) if isinstance(part, int) or _FIELD.fullmatch(part) else "…" for part in loc]
    return ".".join(parts)


def _message(item: Any, model: type[BaseModel]) -> str:
    kind = item["type"]
    if kind == "extra_forbidden":
        names = sorted(info.alias or name for name, info in model.model_fields.items())
        # Of a field within another it is that one's names that count, not these.
        return f"is not a known field; known are {', '.join(names)}" if len(item["loc"]) == 1 else "is not a known field"
    if kind == "missing":
        return "is required"
    if kind in ("too_long", "too_short") and item["ctx"]["field_type"] == "Value":  # a text that a validator of ours has seen
        least, most = item["ctx"].get("min_length"), item["ctx"].get("max_length")
        return f"has more than {most} characters" if most is not None else f"has fewer than {least} characters"
    text = str(item["msg"])
    return text.removeprefix("Value error, ")
