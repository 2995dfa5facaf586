"""JSON in what a language model wrote: bare, in a code fence, or among words."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_CHARS = 200_000
"""A longer answer is not looked through."""
_TRIES = 40
"""Places at which an object may begin that are tried; no answer needs more, and hostile text costs no more."""
_THINKING = r"(?:think|thinking|thought|reasoning)"
_THOUGHT = re.compile(rf"^(?!\s*[{{\[]\s*[\"{{]).*?[<\[]/{_THINKING}[>\]]", re.DOTALL | re.IGNORECASE)
"""Thoughts in front, to where they end: some services swallow the mark at their beginning."""
_THINKS_ON = re.compile(rf"^\s*[<\[]{_THINKING}[>\]]", re.IGNORECASE)
_BEGIN = re.compile(r"[{\[]")


class Unreadable(ValueError):
    """There is no JSON in the answer; the message says what was wrong, for the model and for the row."""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant, strict=False)
"""Takes line breaks inside of strings as they are: models that were not made to write JSON forget to escape them."""


def json_in(text: str, key: str) -> Any:
    """The JSON object with this key in the text, or right inside of another value; else the first object or array there.

    Thoughts in front, code fences, and words before and after are left out.

    Raises:
        Unreadable: there is none.
    """
    if len(text) > MAX_CHARS:
        raise Unreadable(f"the answer is longer than {MAX_CHARS:,} characters")
    text = _THOUGHT.sub("", text, count=1).strip()
    if _THINKS_ON.match(text):
        raise Unreadable("the answer ended amid thoughts")
    if not text:
        raise Unreadable("the answer is empty")
    found = _values(text)
    best = next((value for value in (*found, *_wrapped(found)) if isinstance(value, dict) and key in value), None)
    if best is not None:
        return best
    if found:
        return found[0]
    raise Unreadable("the answer is not JSON" if _BEGIN.search(text) is None else "the answer is not valid JSON, or was cut off")


def _values(text: str) -> list[Any]:
    """The outermost JSON values of a text, as far as they are looked for."""
    found: list[Any] = []
    place = 0
    for _ in range(_TRIES):
        begin = _BEGIN.search(text, place)
        if begin is None:
            break
        place = begin.end()
        try:
            value, place = _DECODER.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            continue
        found.append(value)
    return found


def _wrapped(found: list[Any]) -> list[Any]:
    """What is right inside of values, as in `[{…}]` and `{"draft": {…}}`."""
    inner = [list(value.values()) if isinstance(value, dict) else value for value in found]
    return [one for values in inner if isinstance(values, list) for one in values]
