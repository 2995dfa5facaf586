"""Lists of recipients as send-emails takes them: who is written to, who is left out and why, and what refuses the whole list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from engine.durable.schema import hidden
from engine.errors import InvalidInput, Problem
from engine.mail.address import Address, folded
from engine.mail.drafting import is_made_up
from engine.mail.evidence import Status
from engine.mail.message import Malformed, Refused, RowFlaw, read
from engine.sending.parcels import Turn

KEY, WHY, SAID, TURN, NTH = HIDDEN = ("_recipient", "_why", "_said", "_turn", "_nth")
"""Hidden columns of the list: the mailbox's key, why the row gets no message, the same in a sentence, and its turn: how many
before it get one, in all and of the same domain."""
_NAMED = 10
"""Rows that an error names."""
STATUS_COLUMNS = ("status", "input_status")
_UNFIT = frozenset(
    "risky invalid unknown not_found found no_addresses blocked_by_robots unreachable refused failed suppressed in_doubt".split()
)
"""What a status says of rows that are not to be written to, in any job's table."""
_OUTDATED = "Not known to whom: an older version stored this list. Submit it again."
_TRUE = frozenset({"true", "1", "yes", "wahr"})


class Why(StrEnum):
    """Why a row of the list gets no message."""

    SYNTHETIC = "made up"
    UNVERIFIED = "not verified"
    REPEATED = "given before"
    NO_ADDRESS = "no address"
    SUPPRESSED = "on the suppression list"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why this row gets none."""

    why: Why
    said: str


@dataclass(frozen=True, slots=True)
class Recipients:
    """A list, row by row: the mailbox's key ("" without an address), why it gets no message (None for one that does), and its
    turn among those that get one.
    """

    keys: Sequence[str]
    left_out: Sequence[LeftOut | None]
    turns: Sequence[Turn]

    @classmethod
    def of(cls, keys: Sequence[str], left_out: Sequence[LeftOut | None]) -> Recipients:
        """With the turns counted."""
        turns: list[Turn] = []
        sent, per_domain = 0, Counter[str]()
        for key, out in zip(keys, left_out, strict=True):
            domain = key.rpartition("@")[2]
            turns.append(Turn(sent, per_domain[domain]))
            if out is None:
                sent += 1
                per_domain[domain] += 1
        return cls(keys, left_out, turns)

    def table(self, rows: pa.Table) -> pa.Table:
        """The list with the hidden columns that `of_table` reads."""
        rows = rows.select([name for name in rows.column_names if name not in HIDDEN])
        columns: dict[str, list[Any]] = {
            KEY: [key or None for key in self.keys],
            WHY: [out and out.why.value for out in self.left_out],
            SAID: [out and out.said for out in self.left_out],
        }
        for name, values in columns.items():
            rows = rows.append_column(name, pa.array(values, pa.string()))
        rows = rows.append_column(TURN, pa.array([turn.of_all for turn in self.turns], pa.int64()))
        rows = rows.append_column(NTH, pa.array([turn.of_domain for turn in self.turns], pa.int64()))
        return hidden(rows, *HIDDEN)

    @classmethod
    def of_table(cls, rows: pa.Table) -> Recipients:
        """What `table` wrote, this version or an older one.

        Where it is not kept who gets a message, nobody does; where turns are not kept, those among these rows.
        """
        names = set(rows.column_names)
        if not names >= {KEY, WHY}:
            return cls.of([""] * rows.num_rows, [LeftOut(Why.NO_ADDRESS, _OUTDATED)] * rows.num_rows)
        keys = [key or "" for key in rows[KEY].to_pylist()]
        whys = rows[WHY].to_pylist()
        said = rows[SAID].to_pylist() if SAID in names else [None] * len(whys)
        outs = [None if why is None else LeftOut(Why(why), text or "") for why, text in zip(whys, said, strict=True)]
        if not names >= {TURN, NTH}:
            return cls.of(keys, outs)
        return cls(keys, outs, list(map(Turn, rows[TURN].to_pylist(), rows[NTH].to_pylist())))


def recipients_of(rows: pa.Table, column: str, verified_only: bool) -> Recipients:
    """Who of the list is written to.

    Raises:
        InvalidInput: an address field holds several addresses or control characters; the rows are named. Or a column has a
            name that is kept for what the list is not to show.
    """
    if taken := [name for name in rows.column_names if name in HIDDEN]:
        raise InvalidInput.of("recipients", f"columns must not be called {', '.join(taken)}; give them other names")
    parsed = [read(value) for value in rows[column].to_pylist()]
    _refuse_where(parsed)
    keys = [folded(one) if isinstance(one, Address) else "" for one in parsed]
    made_up = _made_up(rows, parsed, keys)
    statuses = _unfit(rows) if verified_only else [""] * len(keys)
    first: dict[str, int] = {}
    left_out: list[LeftOut | None] = []
    for place, (one, key) in enumerate(zip(parsed, keys, strict=True)):
        out: LeftOut | None = None
        if not isinstance(one, Address):
            out = LeftOut(Why.NO_ADDRESS, one.message)
        elif key in made_up:
            out = LeftOut(Why.SYNTHETIC, "Made up: synthetic addresses are never sent to.")
        elif statuses[place]:
            out = LeftOut(Why.UNVERIFIED, f"Not verified: its status is {statuses[place]}.")
        elif key in first:
            out = LeftOut(Why.REPEATED, f"Given before, in row {first[key] + 1}: a mailbox gets one message.")
        else:
            first[key] = place
        left_out.append(out)
    return Recipients.of(keys, left_out)


def _refuse_where(cells: Sequence[Address | Malformed | Refused]) -> None:
    """Refuse a list with cells that are more than one address: nobody can say who was meant."""
    wrong: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        if isinstance(cell, Refused):
            wrong.setdefault(cell.message, []).append(place)
    if wrong:
        raise InvalidInput([Problem("recipients", f"{in_rows(places)}: {message}") for message, places in wrong.items()])


def _made_up(rows: pa.Table, parsed: Sequence[object], keys: Sequence[str]) -> set[str]:
    """The keys of addresses that some row says are synthetic, or that are so by their domain."""
    marks = rows["synthetic"].to_pylist() if "synthetic" in rows.column_names else [None] * len(keys)
    marked = (str(mark).strip().lower() in _TRUE for mark in marks)
    return {
        key
        for key, one, mark in zip(keys, parsed, marked, strict=True)
        if isinstance(one, Address) and (mark or is_made_up(one.domain))
    }


def _unfit(rows: pa.Table) -> list[str]:
    """For each row the status that speaks against it, "" where none does."""
    columns = [rows[name].to_pylist() for name in STATUS_COLUMNS if name in rows.column_names]
    if not columns:
        return [""] * rows.num_rows
    return [next((str(value) for value in values if value in _UNFIT), "") for values in zip(*columns, strict=True)]


def vouched(rows: pa.Table) -> bool:
    """Whether all rows that no status speaks against were verified as valid; false where the statuses are of other things, such
    as drafts that were written.
    """
    columns = [rows[name].to_pylist() for name in STATUS_COLUMNS if name in rows.column_names]
    fit = [values for values, unfit in zip(zip(*columns, strict=True), _unfit(rows), strict=False) if not unfit]
    return bool(columns) and all(Status.VALID in values for values in fit)


def check_rows(rows: pa.Table, recipients: Recipients, render: Callable[[Mapping[str, Any], str], object]) -> None:
    """Write every message once, before the first is sent; `render` takes a row's values and its mailbox's key.

    Raises:
        InvalidInput: some rows lack what the message says of them; they are named.
    """
    wrong: dict[str, list[int]] = {}
    for place, values in each_row(rows):
        if recipients.left_out[place] is None:
            try:
                render(values, recipients.keys[place])
            except RowFlaw as flaw:
                wrong.setdefault(str(flaw), []).append(place)
    if wrong:
        worst = sorted(wrong.items(), key=lambda item: -len(item[1]))[:_NAMED]
        raise InvalidInput([Problem("recipients", f"{in_rows(places)}: {message}") for message, places in worst])


def each_row(rows: pa.Table) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every row with its number, as a mapping of its visible columns."""
    names = [name for name in rows.column_names if name not in HIDDEN]
    place = 0
    for batch in rows.select(names).to_batches(max_chunksize=10_000):
        for values in batch.to_pylist():
            yield place, values
            place += 1


def in_rows(places: Sequence[int]) -> str:
    """`row 3`, `rows 3, 5 and 9`, `rows 3, 5, … and 12 more`; counted from 1."""
    numbers = [f"{place + 1:,}" for place in places[:_NAMED]]
    if len(places) > _NAMED:
        return f"rows {', '.join(numbers)} and {len(places) - _NAMED:,} more"
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    return f"rows {', '.join(numbers[:-1])} and {numbers[-1]}"
