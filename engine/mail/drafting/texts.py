"""Texts that a model may write into a row: without control characters, in bounds, and without anything that is no text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

_AT = re.compile(r"[^\s@<>()\[\]\",;:]{1,64}@[^\s@<>()\[\]\",;:]{1,255}\.[^\s@<>()\[\]\",;:.]{2,}")
_BLANK = re.compile(
    r"\{\{.{0,200}?\}\}|\{%.{0,200}?%\}"
    r"|\[(?:your|my|insert|enter|add|recipient|sender|(?:first |last )?name|company|title|position|date|link)\b[^\]\n]{0,60}\]"
    r"|<(?:your|insert|enter|recipient|sender|name|company)\b[^>\n]{0,60}>",
    re.IGNORECASE | re.DOTALL,
)
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SAID = {
    "missing": "is missing",
    "string_type": "must be a text",
    "string_unicode": "must be a text; half a character is none",
    "too_short": "is empty",
    "too_long": "must have at most {max_length} characters",
}
"""pydantic's own words for texts that a validator has touched speak of items."""
MAX_PROBLEMS = 5
"""Said to the model at once; the rest shows when it answers again."""


class Written(BaseModel):
    """What a model has to give; keys beside the known ones are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True, hide_input_in_errors=True)


def addresses_in(text: str) -> set[str]:
    """Whatever looks like an e-mail address, in lower case."""
    return {found.group().rstrip(".").lower() for found in _AT.finditer(text)}


def blanks_in(text: str) -> list[str]:
    """Places left to be filled in, such as `[Your name]` or `{{ company }}`."""
    return [found.group() for found in _BLANK.finditer(text)]


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise ValueError("must be one line")
    return _clean(text)


def _lines(text: str) -> str:
    return _clean(text.replace("\r\n", "\n").replace("\r", "\n").strip(), "\n\t")


def _clean(text: str, allowed: str = "") -> str:
    for char in text:
        if char not in allowed and (unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _DIRECTIONS):
            raise ValueError(f"must not hold the control character U+{ord(char):04X}")
    return text


def _no_address(text: str) -> str:
    if addresses_in(text):
        raise ValueError("must not hold an e-mail address")
    return text


def _no_blank(text: str) -> str:
    if found := blanks_in(text):
        raise ValueError(f"leaves {found[0][:60]} to be filled in; write the final text")
    return text


def _text(value: Any) -> Any:
    """Numbers are what they say: a model writes 3 where it means "3"."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Fact = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_no_blank),
    AfterValidator(_no_address),
    AfterValidator(_one_line),
    Field(min_length=1, max_length=120),
]
"""A name, a title: one line, no address."""
Remark = Annotated[
    str,
    BeforeValidator(lambda value: "" if value is None else _text(value)),
    AfterValidator(_no_blank),
    AfterValidator(_no_address),
    AfterValidator(_one_line),
    Field(max_length=500),
]
"""A line that may be empty."""
Subject = Annotated[str, AfterValidator(_no_blank), AfterValidator(_one_line), Field(min_length=1, max_length=200)]
Body = Annotated[str, AfterValidator(_no_blank), AfterValidator(_lines), Field(min_length=1, max_length=10_000)]


def problems_of(error: ValidationError, place: str = "") -> list[str]:
    """What is wrong, a line for each field, in words that a model understands and a row may show; no value is in them."""
    found = []
    for item in error.errors(include_input=False, include_url=False):
        name = ".".join([*filter(None, [place]), *(str(part) for part in item["loc"])]) or "the answer"
        known = _SAID.get(item["type"])
        said = known.format(**item.get("ctx", {})) if known else str(item["msg"]).removeprefix("Value error, ")
        found.append(f"{name}: {said}")
    return found[:MAX_PROBLEMS]


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model whose fields are texts: every key required and no other, as strict modes demand."""
    properties = {name: {"type": "string", "description": info.description or ""} for name, info in model.model_fields.items()}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def listed(problems: Sequence[str]) -> str:
    """Problems in one line."""
    return "; ".join(problems)


def text_lines(text: str) -> str:
    """A text of several lines without control characters, for parameters. Raises `ValueError`."""
    return _lines(text)
