"""A company's report data as Parquet files: the rows of the views, with exact types, in bounded memory.

    for made in write_files(session, company, Path("data")): ...    # calls.parquet, visits.parquet, …

pyarrow writes them; it is large, and not every installation has it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.errors import Rejected
from tracker.models import Company
from tracker.models.base import Instant, Money
from tracker.report_views import VIEWS, View

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 50_000  # of a group, which is all that is in memory
_DIGITS, _DECIMALS = 20, 4


@dataclass(frozen=True)
class Made:
    """A file that is written, and its rows."""

    path: Path
    rows: int


def need_pyarrow() -> None:
    """Raises Rejected export.parquet where it is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise Rejected(
            "export.parquet",
            "pyarrow is not installed, which writes Parquet files",
            "pip install 'leaseline[parquet]'",
        ) from None


def write_files(
    session: Session, company: Company, folder: Path, *, group_rows: int = ROWS
) -> Iterator[Made]:
    """Writes a file for each view, `report_calls` as calls.parquet; each is whole or not there.

    Raises Rejected export.parquet.
    """
    need_pyarrow()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # A million rows take longer than a page may.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    for view in VIEWS.values():
        groups = _groups(connection, view, company.id, group_rows)
        path = folder / f"{view.name.removeprefix('report_')}.parquet"
        yield Made(path, _write(path, schema_of(view), groups))


def _write(path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
    import pyarrow.parquet as pq

    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        rows = 0
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for group in groups:
                writer.write_table(group)
                rows += group.num_rows
        os.chmod(unfinished, 0o640)  # noqa: PTH101  (callers' numbers are nobody else's)
        os.replace(unfinished, path)  # noqa: PTH105
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return rows


def _groups(connection: sa.Connection, view: View, company_id: int, group_rows: int) -> Iterator[pa.Table]:
    import pyarrow as pa

    schema = schema_of(view)
    rows = view.select.subquery()
    wanted = sa.select(rows).where(rows.c.company_id == company_id)
    streamed = wanted.execution_options(stream_results=True, max_row_buffer=group_rows)
    for part in connection.execute(streamed).partitions(group_rows):
        columns = list(zip(*part, strict=True))
        yield pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema
        )


def schema_of(view: View) -> pa.Schema:
    """Instants in UTC, money as decimals, and each column's meaning as its metadata."""
    import pyarrow as pa

    return pa.schema(
        [pa.field(it.name, _type(it.expressions), metadata={"description": it.means}) for it in view.columns]
    )


def _type(expressions: tuple[Any, ...]) -> Any:
    import pyarrow as pa

    kinds: Mapping[type[Any], Any] = {
        Instant: pa.timestamp("us", tz="UTC"),
        Money: pa.decimal128(_DIGITS, _DECIMALS),
        sa.Boolean: pa.bool_(),
        sa.Date: pa.date32(),
        sa.Float: pa.float64(),
        sa.Integer: pa.int64(),
    }
    told = expressions[0].type
    return next((kind for of, kind in kinds.items() if isinstance(told, of)), pa.string())
