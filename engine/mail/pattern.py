"""Patterns of local parts: literal text and placeholders, parsed and checked."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

MAX_LOCAL_PART = 64
"""RFC 5321 section 4.5.3.1.1."""
MAX_PATTERN = 200
DEFAULT_PATTERN = "{firstname}.{lastname}"
NUMBERS = range(100, 1000)
"""Values of the placeholder `number`: always three digits, so that what stands beside it can't be mistaken for it."""

_LEGAL = frozenset(string.ascii_lowercase + string.digits + "._-+")


class Part(StrEnum):
    """What a placeholder is made from. One address has one first name, one surname, one birth year and one number."""

    FIRST = "first"
    LAST = "last"
    YEAR = "year"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder: what it is made from, how many letters or digits it keeps (None: all), and how it is explained."""

    name: str
    part: Part
    width: int | None
    description: str
    example: str


def _initials(part: Part, label: str, example: str) -> list[Placeholder]:
    return [
        Placeholder(f"{part}{n}", part, n, f"first {n} letters of the {label} (all of it when shorter)", example[:n])
        for n in range(2, 6)
    ]


PLACEHOLDERS: Mapping[str, Placeholder] = MappingProxyType(
    {
        placeholder.name: placeholder
        for placeholder in [
            Placeholder("firstname", Part.FIRST, None, "first name", "daniel"),
            Placeholder("lastname", Part.LAST, None, "surname", "murphy"),
            Placeholder("first", Part.FIRST, None, "the same as firstname", "daniel"),
            Placeholder("last", Part.LAST, None, "the same as lastname", "murphy"),
            Placeholder("f", Part.FIRST, 1, "initial of the first name", "d"),
            Placeholder("l", Part.LAST, 1, "initial of the surname", "m"),
            *_initials(Part.FIRST, "first name", "daniel"),
            *_initials(Part.LAST, "surname", "murphy"),
            Placeholder("birthyear", Part.YEAR, 4, "year of birth, which agrees with the age", "1987"),
            Placeholder("yy", Part.YEAR, 2, "last two digits of the year of birth", "87"),
            Placeholder("number", Part.NUMBER, 3, f"a number from {NUMBERS[0]} to {NUMBERS[-1]}", "274"),
        ]
    }
)
"""Every valid placeholder by its name: the one list that forms, messages and documents read."""


class PatternError(ValueError):
    """The pattern is not valid; the message says where (characters are counted from 1) and never repeats the pattern."""


Token = str | Placeholder


@dataclass(frozen=True, slots=True)
class Pattern:
    """A checked pattern: literal text (never two in a row) and placeholders."""

    tokens: tuple[Token, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """Its placeholders in order, repeated ones too."""
        return tuple(token for token in self.tokens if isinstance(token, Placeholder))

    def width(self, part: Part) -> int | None:
        """How many letters of a part the pattern shows: 0 when none, None when all."""
        widths = [placeholder.width for placeholder in self.placeholders if placeholder.part is part]
        return None if None in widths else max((width for width in widths if width), default=0)

    @property
    def fixed_length(self) -> int:
        """Characters that do not depend on names."""
        return sum(len(t) if isinstance(t, str) else (t.width or 0) for t in self.tokens if not is_name(t))

    def letter_runs(self) -> list[list[Token]]:
        """The stretches that render as letters only; what stands between them has a fixed number of characters, none a letter."""
        runs: list[list[Token]] = [[]]
        for token in self.tokens:
            if is_name(token):
                runs[-1].append(token)
            elif isinstance(token, str):
                head, *rest = re.split(r"[^a-z]+", token)
                runs[-1].extend([head] if head else [])
                runs.extend([text] if text else [] for text in rest)
            else:
                runs.append([])
        return [run for run in runs if run]


def is_name(token: Token) -> bool:
    """Whether a token renders letters of a name."""
    return isinstance(token, Placeholder) and token.part in (Part.FIRST, Part.LAST)


def parse(text: str) -> Pattern:
    """Parse and check a pattern such as `{f}{lastname}`; upper-case letters count as lower-case. Raises `PatternError`."""
    if not text.strip():
        raise PatternError("the pattern is empty; write text and placeholders, for example " + DEFAULT_PATTERN)
    if len(text) > MAX_PATTERN:
        raise PatternError(f"the pattern is longer than {MAX_PATTERN} characters")
    tokens = tuple(_tokens(text))
    _check_dots(text)
    return Pattern(tokens)


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if text[at] == "{":
            end = text.find("}", at)
            if end < 0 or "{" in text[at + 1 : end]:
                raise PatternError(f"the brace opened at character {at + 1} is never closed")
            yield _placeholder(text[at + 1 : end], at + 1)
            at = end + 1
        else:
            end = min(i for i in (text.find("{", at), len(text)) if i >= 0)
            yield _literal(text[at:end], at)
            at = end


def _placeholder(name: str, position: int) -> Placeholder:
    try:
        return PLACEHOLDERS[name.strip().lower()]
    except KeyError:
        valid = ", ".join(PLACEHOLDERS)
        raise PatternError(f"unknown placeholder at character {position}; valid ones are: {valid}") from None


def _literal(text: str, start: int) -> str:
    for offset, character in enumerate(text.lower() if text.isascii() else text):
        position = start + offset + 1
        if character == "}":
            raise PatternError(f"the brace closed at character {position} was never opened")
        if character not in _LEGAL:
            raise PatternError(f"character {position} can't stand in an address; use letters a-z, digits and . _ - +")
    return text.lower()


def _check_dots(text: str) -> None:
    """A local part has no dot at its ends and no two in a row (RFC 5322 section 3.2.3, dot-atom)."""
    if text[0] == ".":
        raise PatternError("the pattern begins with a dot, which no address may")
    if text[-1] == ".":
        raise PatternError(f"the pattern ends with a dot at character {len(text)}, which no address may")
    if (double := text.find("..")) >= 0:
        raise PatternError(f"the pattern has two dots in a row at character {double + 1}, which no address may")
