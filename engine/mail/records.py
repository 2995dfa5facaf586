"""What the DNS says to one question, as a plain value; no answer is not the answer "none"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

RecordKind = Literal["A", "AAAA", "MX", "TXT"]


class RecordOutcome(StrEnum):
    """What a lookup comes to."""

    FOUND = "found"
    NO_DATA = "no_data"
    """The name exists, without records of this kind."""
    NO_NAME = "no_name"
    """NXDOMAIN: there is no such name."""
    FAILED = "failed"
    """No answer that counts, so that nothing is known."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a name: addresses, exchangers' hosts by preference, or texts, each in one piece.

    `detail` says what failed.
    """

    outcome: RecordOutcome
    values: tuple[str, ...] = ()
    detail: str = ""


Lookup = Callable[[str, RecordKind], Awaitable[Records]]
"""Asks for the records of a name (ASCII); does not raise for what the DNS says or does not say."""
