"""What a service takes of a model's parameters, learned from what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

_SCHEMA_WORDS = (
    "response_format",
    "json_schema",
    "json_object",
    "output_config",
    "output_format",
    "schema",
    "structured",
    "grammar",
)
_OPTIONAL = ("temperature", "seed")
_LIMIT_WORDS = ("max_tokens", "max_completion_tokens", "max_new_tokens", "context length", "context window", "context size")
_TOO_MUCH = ("too large", "at most", "maximum", "exceed", "must be <=")
_ROLE_WORDS = ("system", "alternate", "user and assistant")


class Form(IntEnum):
    """How JSON is asked for, the strictest first."""

    SCHEMA = 0
    OBJECT = 1
    PROMPT = 2


@dataclass(frozen=True, slots=True)
class Habits:
    """How a model of a service is asked. `proven`: it has answered like this, so that a refusal is about the question.

    `renamed`: the limit of tokens goes by its newer name. `tight`: answers are kept short, for a model with little room.
    `merged`: the instructions stand before the first question, for a model whose conversations know no system.
    """

    form: Form = Form.SCHEMA
    without: frozenset[str] = frozenset()
    renamed: bool = False
    tight: bool = False
    merged: bool = False
    proven: bool = False

    def after(self, said: str, forms: tuple[Form, ...], dialects: bool) -> Habits | None:
        """What to try once a request was refused with these words; None when nothing else helps.

        `forms`: those that the service may know. `dialects`: whether the limit may have another name, and instructions no place.
        """
        words = said.lower()
        if not self.tight and _has(words, _LIMIT_WORDS) and _has(words, _TOO_MUCH):
            return replace(self, tight=True)
        if dialects and not self.renamed and "max_tokens" in words and "max_completion_tokens" in words:
            return replace(self, renamed=True)
        if dialects and not self.merged and "role" in words and _has(words, _ROLE_WORDS):
            return replace(self, merged=True)
        for name in _OPTIONAL:
            if name in words and name not in self.without:
                return replace(self, without=self.without | {name})
        about_form = _has(words, _SCHEMA_WORDS)
        simpler = [form for form in forms if form > self.form]
        if simpler and (about_form or not self.proven):
            return replace(self, form=simpler[0])
        return None


def _has(words: str, some: tuple[str, ...]) -> bool:
    return any(word in words for word in some)
