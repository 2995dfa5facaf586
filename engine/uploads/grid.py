"""Rows of text as a table: names from the first row or made up, empty rows and columns left out, no other row lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc

from engine.uploads.matter import MATTERS, Matter
from engine.uploads.upload import EXPECTED, MAX_COLUMNS, note_count, refusal, shown

BLOCK_ROWS = 50_000
EXTRA_COLUMNS = 20
"""How many columns beyond the first row's are made for longer rows; what goes beyond that shares the last one."""


def grid(rows: Iterable[Sequence[str | None]], joint: str = " ") -> tuple[pa.Table, list[str]]:
    """Rows of any length as a table of nameless text columns, and notes on rows longer or shorter than the first.

    An empty cell is null. `joint` joins the cells for which there are no columns.
    """
    blocks: list[pa.Table] = []
    block: list[Sequence[str | None]] = []
    width = longer = shorter = 0
    for row in rows:
        if not any(row) or (len(row) == 1 and not (row[0] or "").strip()):
            block.append(())
        else:
            width = width or len(row)
            if len(row) != width:
                longer += any(row[width:])
                shorter += len(row) < width
            most = width + EXTRA_COLUMNS
            block.append(row if len(row) <= most else [*row[: most - 1], joint.join(filter(None, row[most - 1 :]))])
        if len(block) == BLOCK_ROWS:
            blocks.append(_table(block))
            block = []
    blocks.append(_table(block))
    notes = note_count(longer, "row", f"longer than the first: the rest is in columns named column_{width + 1} and so on")
    notes += note_count(shorter, "row", "shorter than the first: the missing cells are empty")
    return pa.concat_tables(blocks, promote_options="default"), notes


def _table(rows: list[Sequence[str | None]]) -> pa.Table:
    columns = [pa.array([cell or None for cell in column], pa.string()) for column in zip_longest(*rows)]
    if len(columns) > MAX_COLUMNS + EXTRA_COLUMNS:
        raise refusal(f"The file has {len(columns):,} columns; at most {MAX_COLUMNS:,} can be read.")
    # A table without columns would forget how many rows it has.
    return pa.Table.from_arrays(columns or [pa.nulls(len(rows), pa.string())], names=numbered(len(columns) or 1))


def numbered(width: int) -> list[str]:
    """Names for columns that have none."""
    return [f"column_{index + 1}" for index in range(width)]


def headed(raw: pa.Table, notes: list[str], matter: Matter = MATTERS["addresses"]) -> pa.Table:
    """Give nameless columns of text their names from the first row, unless that holds what is expected and so is data.

    Empty rows are left out and counted in the notes, as are nameless columns without any content.

    Raises:
        InvalidInput: there is no row of data, or there are too many columns.
    """
    full = _without_empty_rows(raw)
    notes += note_count(raw.num_rows - full.num_rows, "empty row", "left out")
    if not full.num_rows:
        raise refusal(f"The file is empty; {EXPECTED}.")
    if full.num_columns > MAX_COLUMNS + EXTRA_COLUMNS:
        raise refusal(f"The file has {full.num_columns:,} columns; at most {MAX_COLUMNS:,} can be read.")
    at = next((index for index, column in enumerate(full.columns) if matter.is_data(column)), None)
    if at is None:
        first = [column[0].as_py() or "" for column in full.columns]
        names, table = [re.sub(r"[\s\x00-\x1f]+", " ", cell).strip() for cell in first], full.slice(1)
    else:
        names, table = matter.headings(at, full.num_columns), full
        notes.append(f"No header row: the first row holds {matter.sign}{_called(names)}")
    if not table.num_rows:
        listed = shown([name for name in names if name])
        raise refusal(f"The file has a header ({listed}) but no rows; {EXPECTED}, with a row for each {matter.one}.")
    kept = [index for index, name in enumerate(names) if name or table.column(index).null_count < table.num_rows]
    return pa.Table.from_arrays([table.column(index) for index in kept], names=unique(names, kept, notes))


def _called(names: list[str]) -> str:
    return f", so the columns are called {shown(names)}" if len(names) > 1 else f", so the column is called {names[0]}"


def unique(names: Sequence[str], kept: Sequence[int], notes: list[str]) -> list[str]:
    """The kept names, none empty and none twice; renamed ones are counted in the notes."""
    wanted = {names[index] for index in kept}
    found: list[str] = []
    taken: set[str] = set()
    for index in kept:
        name = base = names[index] or f"column_{index + 1}"
        number = 1
        while name in taken or (name != names[index] and name in wanted):
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        found.append(name)
    repeated = sum(bool(names[index]) and name != names[index] for index, name in zip(kept, found, strict=True))
    notes += note_count(repeated, "column", "renamed, as the name was there already")
    return found


def _without_empty_rows(table: pa.Table) -> pa.Table:
    empty = None
    for column in table.columns:
        blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)
        empty = blank if empty is None else pc.and_(empty, blank)
        if not pc.any(empty).as_py():
            return table
    return table if empty is None else table.filter(pc.invert(empty))
