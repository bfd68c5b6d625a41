"""The values of a table's columns as JSON Lines and Parquet have them, and back, exactly."""

from __future__ import annotations

import base64
import enum
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tracker.models.base import Instant, Money, Rate
from tracker.package import Portion
from tracker.parquet_export import need_pyarrow
from tracker.sealed import Sealed, Stored
from tracker.vault import is_sealed

if TYPE_CHECKING:
    import pyarrow as pa

Reader = Callable[[Any], Any]


def to_json(value: Any) -> Any:
    """A value of Python as JSON has it: amounts and instants as texts, bytes in base64."""
    match value:
        case enum.Enum():
            return value.value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return value


def readers(portion: Portion) -> dict[str, Reader]:
    """How each column's value is read from JSON or Parquet, as the database takes it."""
    return {column.name: _reader(column) for column in portion.columns}


def _reader(column: sa.Column[Any]) -> Reader:
    if isinstance(column.type, sa.JSON):
        # Nothing at all, and not the word "null", unless something has to stand there.
        return lambda value: sa.null() if value is None and column.nullable else value
    read = _plain_reader(column.type)
    return lambda value: None if value is None else read(value)


def _plain_reader(kind: Any) -> Reader:
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:
        return kind.enum_class
    found: tuple[tuple[Any, Reader], ...] = (
        (Instant, lambda value: value if isinstance(value, datetime) else datetime.fromisoformat(value)),
        ((Money, Rate), Decimal),
        (sa.Date, lambda value: value if isinstance(value, date) else date.fromisoformat(value)),
        (sa.LargeBinary, lambda it: it if isinstance(it, bytes) else base64.b64decode(it, validate=True)),
        (sa.Float, float),
        (Sealed, lambda text: Stored(text) if is_sealed(text) else text),
    )
    return next((read for of, read in found if isinstance(kind, of)), lambda value: value)


def arrow_schema(portion: Portion) -> pa.Schema:
    """Exact types; what JSON holds is its text. Raises Rejected export.parquet."""
    need_pyarrow()
    import pyarrow as pa

    return pa.schema([pa.field(it.name, _arrow_type(it.type)) for it in portion.columns])


def to_arrow(column: sa.Column[Any], value: Any) -> Any:
    """A value as pyarrow takes it."""
    if isinstance(column.type, sa.JSON):
        return None if value is None else json.dumps(value, ensure_ascii=False)
    return value.value if isinstance(value, enum.Enum) else value


def from_arrow(column: sa.Column[Any], value: Any) -> Any:
    """A value of Parquet as JSON would have it, or better."""
    return json.loads(value) if isinstance(column.type, sa.JSON) and value is not None else value


def _arrow_type(kind: Any) -> Any:
    import pyarrow as pa

    types: tuple[tuple[type[Any], Any], ...] = (
        (Instant, pa.timestamp("us", tz="UTC")),
        (Money, pa.decimal128(20, 4)),
        (Rate, pa.decimal128(30, 10)),
        (sa.Boolean, pa.bool_()),
        (sa.Date, pa.date32()),
        (sa.Float, pa.float64()),
        (sa.Integer, pa.int64()),
        (sa.LargeBinary, pa.binary()),
    )
    return next((found for of, found in types if isinstance(kind, of)), pa.string())
