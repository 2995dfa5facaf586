"""Rows of a sending job's result once somebody has decided about messages in doubt; other columns are left as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from engine.durable.ledger import State


def holds(table: pa.Table, message_ids: Collection[str]) -> pa.ChunkedArray:
    """For each row whether it is that of one of these messages, and in doubt; False for a table of something else."""
    if not {"status", "message_id"} <= set(table.column_names):
        return pa.chunked_array([pa.array([False] * table.num_rows)])
    known = pc.is_in(table.column("message_id").cast(pa.string()), value_set=pa.array(sorted(message_ids), pa.string()))
    return pc.and_(known, pc.fill_null(pc.equal(table.column("status").cast(pa.string()), State.IN_DOUBT.value), False))


def treated(table: pa.Table, moments: Mapping[str, int], said: str) -> tuple[pa.Table, list[str]]:
    """The table with these messages in doubt (Message-ID to a moment in ms) as sent, and the Message-ID of each row that changed.

    `said` stands in the column `error` then.
    """
    return decided(table, {one: {"status": State.SENT.value, "error": said, "sent_at": at} for one, at in moments.items()})


def decided(table: pa.Table, values: Mapping[str, Mapping[str, Any]]) -> tuple[pa.Table, list[str]]:
    """The table with other values, by column, for these messages in doubt (by Message-ID; the same columns for all of them), and
    the Message-ID of each row that changed. Schema and metadata stay, the notes of a merge among them.
    """
    mask = holds(table, values.keys()).combine_chunks()
    ids: Sequence[str] = table.column("message_id").filter(mask).to_pylist() if pc.any(mask).as_py() else []
    for name in values[ids[0]] if ids else ():
        place = table.schema.get_field_index(name)
        if place >= 0:
            new = [values[one][name] for one in ids]
            table = table.set_column(place, table.schema.field(place), _replaced(table.column(place), mask, new))
    return table, list(ids)


def _replaced(column: pa.ChunkedArray, mask: pa.Array, values: list[Any]) -> pa.Array:
    """The column with other values where the mask says so."""
    kind = column.type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    flat = pa.concat_arrays(column.cast(plain).chunks)
    return pc.replace_with_mask(flat, mask, pa.array(values, plain)).cast(kind)
