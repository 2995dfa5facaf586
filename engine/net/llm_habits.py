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


class Form(IntEnum):
    """How JSON is asked for, the strictest first."""

    SCHEMA = 0
    OBJECT = 1
    PROMPT = 2


@dataclass(frozen=True, slots=True)
class Habits:
    """How a model of a service is asked. `proven`: it has answered like this, so that a refusal is about the question.

    `renamed`: the limit of tokens goes by its newer name.
    """

    form: Form = Form.SCHEMA
    without: frozenset[str] = frozenset()
    renamed: bool = False
    proven: bool = False

    def after(self, said: str, forms: tuple[Form, ...], renames: bool) -> Habits | None:
        """What to try once a request was refused with these words; None when nothing else helps.

        `forms`: those that the service may know. `renames`: whether the limit has another name.
        """
        words = said.lower()
        if renames and not self.renamed and "max_tokens" in words and "max_completion_tokens" in words:
            return replace(self, renamed=True)
        for name in _OPTIONAL:
            if name in words and name not in self.without:
                return replace(self, without=self.without | {name})
        about_form = any(word in words for word in _SCHEMA_WORDS)
        simpler = [form for form in forms if form > self.form]
        if simpler and (about_form or not self.proven):
            return replace(self, form=simpler[0])
        return None
