"""Arrow schemas from row models: one declaration gives the columns, their types and their descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel

TIMESTAMP = pa.timestamp("ms", tz="UTC")
CATEGORY = pa.dictionary(pa.int32(), pa.string())
_BARE = b"postbench.bare"
_HIDDEN = b"postbench.hidden"
_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: TIMESTAMP,
}


def category(description: str) -> dict[str, Any]:
    """Field keywords of a text column with few distinct values; stored as a dictionary."""
    return {"description": description, "json_schema_extra": {"category": True}}


@cache
def arrow_schema(row: type[BaseModel]) -> pa.Schema:
    """The Arrow schema of a row model: str, int, float, bool and datetime fields, `| None` where a cell may be empty.

    A field's description travels as metadata, so that every reader of the table can show it.
    """
    fields = []
    for name, info in row.model_fields.items():
        kind, nullable = _unwrap(info.annotation)
        extra = info.json_schema_extra
        arrow = CATEGORY if isinstance(extra, dict) and extra.get("category") else _TYPES[kind]
        fields.append(pa.field(name, arrow, nullable, {"description": info.description or ""}))
    return pa.schema(fields)


def rows_table(rows: Iterable[BaseModel | Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table of that schema; a key the schema lacks is an error of the job type, not silently dropped."""
    plain = [row.model_dump() if isinstance(row, BaseModel) else dict(row) for row in rows]
    for row in plain:
        if unknown := row.keys() - set(schema.names):
            raise KeyError(f"row has columns outside its schema: {', '.join(sorted(unknown))}")
    return pa.Table.from_pylist(plain, schema=schema)


def items_table(items: Sequence[Any], column: str) -> pa.Table:
    """A list as a table: strings under `column`; objects with one column per key, in order of appearance.

    A column whose values are of several kinds becomes text.
    """
    plain = [item.model_dump() if isinstance(item, BaseModel) else item for item in items]
    rows = [item if isinstance(item, Mapping) else {column: item} for item in plain]
    names = list(dict.fromkeys(name for row in rows for name in row)) or [column]
    return pa.table({name: _array([row.get(name) for row in rows]) for name in names})


def _array(values: list[Any]) -> pa.Array:
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        return pa.array([None if value is None else _text(value) for value in values], pa.string())
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _text(value: Any) -> str:
    """The value as text that UTF-8 can hold; half a surrogate pair becomes U+FFFD, which is no part of any address."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def bare(items: pa.Table, *names: str) -> pa.Table:
    """The table with these columns (all when none is named) marked: a type with a column of that name does not repeat them."""
    marked = names or items.column_names
    fields = [field.with_metadata({_BARE: b"1"}) if field.name in marked else field for field in items.schema]
    return items.cast(pa.schema(fields))


def hidden(items: pa.Table, *names: str) -> pa.Table:
    """The table with these columns marked: they are for the job alone, and do not come back."""
    fields = [field.with_metadata({_HIDDEN: b"1"}) if field.name in names else field for field in items.schema]
    return items.cast(pa.schema(fields))


def visible(items: pa.Table) -> pa.Table:
    """The table without hidden columns."""
    return items.select([field.name for field in items.schema if _HIDDEN not in (field.metadata or {})])


def output_schema(columns: pa.Schema, source: pa.Schema | None) -> pa.Schema:
    """Input columns first, unchanged, then the type's own; an input column of the same name becomes `input_<name>`."""
    if source is None:
        return columns
    own = set(columns.names)
    taken = [_renamed(field, own) for field in _carried(source, columns)]
    return pa.schema([*taken, *columns])


def carry(source: pa.Table, rows: pa.Table) -> pa.Table:
    """Join input rows with their result rows, one to one and in order, under `output_schema`."""
    schema = output_schema(rows.schema, source.schema)
    kept = [source[field.name] for field in _carried(source.schema, rows.schema)]
    return pa.Table.from_arrays([*kept, *rows.columns], schema=schema)


def _carried(source: pa.Schema, own: pa.Schema) -> list[pa.Field]:
    return [field for field in source if not _stays(field.metadata or {}, field.name in own.names)]


def _stays(marks: Mapping[bytes, bytes], repeated: bool) -> bool:
    """Whether a column of the input stays there."""
    return _HIDDEN in marks or (_BARE in marks and repeated)


def _renamed(field: pa.Field, own: set[str]) -> pa.Field:
    name = field.name
    while name in own:
        name = f"input_{name}"
    own.add(name)
    return field.with_name(name)


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0], True
    return annotation, False
