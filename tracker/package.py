"""What an export of everything holds, and how it describes itself: tables, columns, what is left out.

The description is a Data Package (https://datapackage.org/standard/data-package/): `datapackage.json` names a
file of each table with the type, the meaning and the references of every column, and the SHA-256 of the file.
It is made from the models, so that a new table is in the next export by itself.

A column whose name says that it holds a secret is left empty unless asked for; a table whose rows are nothing
without one is left out, and what cannot be without that table.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tracker import column_notes
from tracker.models import Base
from tracker.models.base import Instant, Money, Rate

DESCRIPTION = "datapackage.json"
FORMAT = 1
AUDIO, SECRETS = "audio", "secrets"
# Counted anew by the worker from what is exported.
DERIVED = frozenset(("day_sheets", "sheet_columns", "sheet_changes"))
_SECRET = re.compile(r"password|secret|token|credential|cipher|sealed|encrypted|hash|sha256|(^|_)key_?file")
# Named like a secret, and none; or a secret by what it may hold: addresses of webhooks let anybody post.
_NO_SECRET = frozenset((("recordings", "sha256"), ("callback_requests", "token")))
_SECRET_TOO = frozenset((("alert_addresses", "address"), ("users", "totp_at"), ("users", "totp_step")))


class Kind(enum.StrEnum):
    """In which form tables are written."""

    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Portion:
    """One table of the export, and its columns that stay empty."""

    table: sa.Table
    blank: frozenset[str]

    @property
    def columns(self) -> Sequence[sa.Column[Any]]:
        return list(self.table.columns)


def portions(*, secrets: bool) -> list[Portion]:
    """The tables of an export, those that others refer to first."""
    found: list[Portion] = []
    out = set(DERIVED)
    for table in Base.metadata.sorted_tables:
        blank = frozenset() if secrets else frozenset(it.name for it in table.columns if is_secret(it))
        if table.name in out or any(not table.c[name].nullable for name in blank) or _hangs(table, out):
            out.add(table.name)
        else:
            found.append(Portion(table, blank))
    return found


def left_out(*, secrets: bool) -> list[str]:
    """Tables that are not in an export."""
    inside = {it.table.name for it in portions(secrets=secrets)}
    return [table.name for table in Base.metadata.sorted_tables if table.name not in inside]


def is_secret(column: sa.Column[Any]) -> bool:
    """Whether a column lets whoever reads it in somewhere."""
    place = (column.table.name, column.name)
    return place in _SECRET_TOO or (place not in _NO_SECRET and bool(_SECRET.search(column.name)))


def _hangs(table: sa.Table, out: set[str]) -> bool:
    """Whether its rows refer to one that is left out, and cannot do without."""
    return any(
        key.column.table.name in out and not key.parent.nullable
        for key in table.foreign_keys
    )  # fmt: skip


def schema_of(portion: Portion) -> dict[str, Any]:
    """A Table Schema (https://datapackage.org/standard/table-schema/) of the table."""
    notes = column_notes.notes_of(portion.table.name)
    return {
        "fields": [_field(it, notes.get(it.name), it.name in portion.blank) for it in portion.columns],
        "primaryKey": [it.name for it in portion.table.primary_key],
        "foreignKeys": list(_foreign_keys(portion.table)),
    }


def _field(column: sa.Column[Any], note: str | None, blank: bool) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name} | type_of(column.type)
    limits: dict[str, Any] = {"required": not column.nullable}
    if isinstance(column.type, sa.Enum):
        limits["enum"] = list(column.type.enums)
    elif isinstance(column.type, sa.String) and column.type.length:
        limits["maxLength"] = column.type.length
    if note:
        field["description"] = note
    if blank:
        field["leftOut"] = "a secret"
    return field | {"constraints": limits}


def type_of(kind: Any) -> dict[str, str]:
    """The type of a column in the words of Table Schema. Amounts are texts: no number of JSON is exact."""
    words: tuple[tuple[Any, dict[str, str]], ...] = (
        (Instant, {"type": "datetime"}),
        ((Money, Rate), {"type": "number", "format": "default"}),
        (sa.Boolean, {"type": "boolean"}),
        (sa.Date, {"type": "date"}),
        (sa.Float, {"type": "number"}),
        (sa.Integer, {"type": "integer"}),
        (sa.LargeBinary, {"type": "string", "format": "binary"}),
        (sa.JSON, {"type": "any"}),
    )
    return next((dict(word) for of, word in words if isinstance(kind, of)), {"type": "string"})


def _foreign_keys(table: sa.Table) -> Iterator[dict[str, Any]]:
    for key in sorted(table.foreign_keys, key=lambda it: it.parent.name):
        other = key.column
        yield {
            "fields": [key.parent.name],
            "reference": {"resource": other.table.name, "fields": [other.name]},
        }
