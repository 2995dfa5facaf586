"""Verdicts as columns of a result table, built by the column: a list of known addresses must cost microseconds per row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from pydantic import Field

from engine.durable.contract import JobRow
from engine.durable.schema import arrow_schema, category
from engine.mail.address import Address, Flaw
from engine.mail.evidence import Reason
from engine.mail.lists import domain_flags, is_role
from engine.verifying.ask import Found

NOBODY = Address("", "", "", "", smtputf8=False)
"""Stands where there is no address."""


class VerdictRow(JobRow):
    """The verdict about an address."""

    normalized: str | None = Field(description="The address in its normal form; empty where it is no address.")
    status: str = Field(**category("valid, risky, invalid or unknown. Unknown is not invalid: nobody could or would tell."))
    reason: str = Field(**category("Why, in a word of a fixed list, such as mailbox_not_found."))
    score: int = Field(description="0 (surely bad) to 100 (surely good); at most 70 where only the domain was checked.")
    level: str = Field(**category("How far it was checked: syntax, domain or mailbox."))
    cached: bool = Field(description="Whether it was known before this job, so that nobody was asked.")
    disposable: bool = Field(description="A domain of throw-away mailboxes.")
    role: bool = Field(description="A function's mailbox such as info@, not a person's.")
    free: bool = Field(description="A domain of free mailboxes.")
    relay: bool = Field(description="An alias that forwards to a hidden address.")
    catch_all: bool | None = Field(description="Whether the domain takes mail for any name; empty where not known.")
    smtputf8: bool = Field(description="Needs servers that take non-ASCII addresses (RFC 6531).")
    mx: str | None = Field(**category("The mail server of the domain that comes first."))
    provider: str | None = Field(**category("Who runs that mail server, where it can be told."))
    suggestion: str | None = Field(description="A likelier address where the domain looks mistyped; never applied.")
    checked_at: datetime = Field(description="When this was found out.")
    detail: str | None = Field(description="The verdict in a sentence, with what the server said.")


_DATA = ("mx", "provider", "suggestion", "detail")

_TROUBLE = re.compile(r"connections to port \d+ seem to be blocked from this machine")
"""What keeps all mailboxes from being probed, in the prober's words; to be said once, for the whole job."""


def verdict_columns(parsed: Sequence[Address | Flaw], found: Sequence[Found]) -> dict[str, pa.Array]:
    """The columns of `VerdictRow` for addresses and their verdicts, in order."""
    plain = [one if isinstance(one, Address) else NOBODY for one in parsed]
    normalized, _, local, domain, smtputf8 = zip(*plain, strict=True) if plain else ((),) * 5
    status, reason, level, score, checked_at, cached, data = zip(*found, strict=True) if found else ((),) * 7
    flags = [domain_flags(name) for name in domain]
    values: dict[str, Any] = {
        "normalized": [text or None for text in normalized],
        "status": status,
        "reason": reason,
        "score": score,
        "level": level,
        "cached": cached,
        "disposable": [flag.disposable for flag in flags],
        "role": list(map(is_role, local)),
        "free": [flag.free for flag in flags],
        "relay": [flag.relay for flag in flags],
        "catch_all": [told.get("catchAll") for told in data],
        "smtputf8": smtputf8,
        "checked_at": checked_at,
        **{name: [told.get(name) for told in data] for name in _DATA},
    }
    return {field.name: pa.array(values[field.name], field.type) for field in arrow_schema(VerdictRow)}


def tallies(found: Sequence[Found], calls: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """What the charts and the summary count."""
    known = sum(one.cached for one in found)
    providers = Counter(one.data.get("provider") or "unknown" for one in found if one.level != "syntax")
    return {
        "status": dict(Counter(one.status for one in found)),
        "reason": dict(Counter(one.reason for one in found)),
        "provider": dict(providers),
        "cache": {"known": known, "asked": len(found) - known},
        "calls": {name: number for name, number in calls.items() if number},
        "trouble": _troubles(found),
    }


def _troubles(found: Sequence[Found]) -> dict[str, int]:
    said = [_TROUBLE.search(one.data.get("detail") or "") for one in found if one.reason == Reason.NO_CONNECTION]
    return dict(Counter(told[0] for told in said if told))
