"""JSON in what a language model wrote: bare, in a code fence, or among words."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_CHARS = 200_000
"""A longer answer is not looked through."""
_TRIES = 40
"""Places at which an object may begin that are tried; no answer needs more, and hostile text costs no more."""
_THOUGHT = re.compile(r"^\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_BEGIN = re.compile(r"[{\[]")


class Unreadable(ValueError):
    """There is no JSON in the answer; the message says what was wrong, for the model and for the row."""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def json_in(text: str, key: str) -> Any:
    """The JSON object with this key in the text; else the first object or array that is there.

    Thoughts in front, code fences, and words before and after are left out.

    Raises:
        Unreadable: there is none.
    """
    if len(text) > MAX_CHARS:
        raise Unreadable(f"the answer is longer than {MAX_CHARS:,} characters")
    text = _THOUGHT.sub("", text, count=1).strip()
    if not text:
        raise Unreadable("the answer is empty")
    found = _values(text)
    best = next((value for value in found if isinstance(value, dict) and key in value), None)
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
