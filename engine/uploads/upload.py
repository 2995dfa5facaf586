"""What an uploaded list becomes, and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from engine.errors import InvalidInput
from engine.uploads.matter import MATTERS, Matter

MAX_BYTES = 200 << 20
"""The largest file that is read, in bytes; of a compressed one, what it unpacks to."""
MAX_COLUMNS = 2_000
SAMPLE_ROWS = 500
"""How many rows are looked at to tell which columns hold what is expected."""
EXPECTED = "expected a list as CSV, XLSX, Parquet or text"
_NAMES_SHOWN = 12
_NAME_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Upload:
    """A list that was read: every column, in the order of the file.

    `columns` are those that plausibly hold what was expected, the best first. `kind` is the format found ("CSV", "XLSX", "XLS",
    "ODS", "Parquet", "text" or "pasted text"), `notes` are sentences on how it was read.
    """

    table: pa.Table
    columns: list[str]
    kind: str
    notes: list[str]


def make_upload(table: pa.Table, kind: str, notes: Sequence[str], matter: Matter) -> Upload:
    """An upload of a table, its likely columns found by name and by content."""
    return Upload(table, matter.likely(table.column_names, sampled(table)), kind, list(notes))


def no_column(upload: Upload, matter: Matter = MATTERS["addresses"]) -> str:
    """What to say when no column of an upload holds what is expected."""
    rows, names = _count(upload.table.num_rows, "row"), upload.table.column_names
    found = f"Found the columns {shown(names)} with {rows}, but none holds {matter.holds}"
    if len(names) == 1:
        found = f"Found the column {shown(names)} with {rows}, which holds no {matter.holds}"
    return f"{found}; expected one named {matter.named}, or choose a column."


def shown(names: Sequence[str]) -> str:
    """Names of columns for a message, shortened."""
    short = [name if len(name) <= _NAME_SHOWN else f"{name[: _NAME_SHOWN - 1]}…" for name in names[:_NAMES_SHOWN]]
    return ", ".join(short) + (f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else "")


def refusal(message: str) -> InvalidInput:
    """The error of an upload."""
    return InvalidInput.of("file", message)


def too_large(size: int | None, limit: int) -> InvalidInput:
    """The error of a file beyond the limit; `size` is None when it was not read to its end."""
    what = f"is {_megabytes(size)}" if size is not None else "is larger than that when unpacked"
    return refusal(
        f"The file {what}; at most {_megabytes(limit)} can be read. Split it, or leave out columns that are not needed."
    )


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MB" if size >= 10 << 20 else f"{size / (1 << 20):.1f} MB"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def note_count(number: int, noun: str, what: str) -> list[str]:
    """A note such as "3 empty rows left out", none for 0."""
    return [f"{_count(number, noun)} {what}"] if number else []


def sampled(table: pa.Table) -> dict[str, list[object]]:
    """The first values of each column, by its name."""
    return {name: _sample(table.column(index)) for index, name in enumerate(table.column_names)}


def _sample(column: pa.ChunkedArray) -> list[object]:
    """Those that are not null, from the beginning of the column."""
    values: list[object] = column.slice(0, SAMPLE_ROWS * 4).drop_null().slice(0, SAMPLE_ROWS).to_pylist()
    return values
