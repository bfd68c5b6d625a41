"""Reading the table in which an Asterisk keeps its call records, out of whatever database that is.

    found = read_table("mysql+pymysql://reader@pbx/asteriskcdrdb", "cdr", how, Wanted())

As cdr_mysql, cdr_pgsql, cdr_sqlite3_custom and FreePBX write it (`calldate`, `duration`, `billsec`), or as
cdr_adaptive_odbc may (`start`, `answer`, `end`). Only looks; nothing is written there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tracker.errors import Rejected, Said
from tracker.policy.cdr import PRESETS, Preset, in_our_words
from tracker.policy.cost_list import BadValue
from tracker.policy.reported_calls import FoundCalls, How, LeftOut, read_rows
from tracker.policy.tables import MOST_ROWS, plain_title

_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "mysql": "mysql+pymysql",
            "mariadb": "mariadb+pymysql"}  # fmt: skip
_SECONDS = 10
_NEEDED = ("src", "dst", "disposition")
_AT_A_TIME = 2_000


@dataclass(frozen=True)
class Wanted:
    """Which records, by the table's own clocks, and which of its columns is which of ours."""

    since: datetime | None = None
    until: datetime | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)


def read_table(url: str, name: str, how: How, wanted: Wanted) -> FoundCalls:
    """The calls of a table. Raises Rejected cdr.*."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            table = _table(connection, name)
            return _found(_records(connection, table, wanted), _preset(table), how, wanted.chosen)
    except sa.exc.DBAPIError as error:
        raise Rejected(
            "cdr.database",
            "The database cannot be read: %(why)s",
            "Look at the address, the account's rights and whether it may come from this machine",
            why=str(error.orig).strip().splitlines()[0][:200],
        ) from None
    finally:
        engine.dispose()


def shown(url: str) -> str:
    """The address without its password."""
    return _parsed(url).render_as_string(hide_password=True)


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError:
        raise _no_address() from None


def _no_address() -> Rejected:
    return Rejected(
        "cdr.address",
        "That is no address of a database",
        "Give it like mysql://reader:…@host/asteriskcdrdb, postgresql://… or sqlite:////path/master.db",
    )


def _engine(url: str) -> sa.Engine:
    parsed = _parsed(url)
    parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    try:
        is_file = parsed.get_backend_name() == "sqlite"
        if is_file and not Path(parsed.database or "").is_file():  # it would be made, and found to be empty
            raise Rejected(
                "cdr.database",
                "The database cannot be read: there is no file %(path)s",
                "Give its whole path, with four slashes: sqlite:////var/log/asterisk/master.db",
                path=parsed.database or "",
            )
        name = "timeout" if is_file else "connect_timeout"
        return sa.create_engine(parsed, connect_args={name: _SECONDS}, poolclass=sa.NullPool)
    except sa.exc.NoSuchModuleError:
        raise _no_address() from None
    except ModuleNotFoundError as error:
        raise Rejected(
            "cdr.driver",
            "The driver for that database is not installed: %(module)s",
            "pip install %(module)s, or save the table as CSV: `leaseline import calls`",
            module=error.name,
        ) from None


def _table(connection: sa.Connection, name: str) -> sa.Table:
    schema, _, plain = name.rpartition(".")
    try:
        table = sa.Table(plain, sa.MetaData(), autoload_with=connection, schema=schema or None)
    except sa.exc.NoSuchTableError:
        raise Rejected(
            "cdr.table",
            "There is no table %(name)r",
            "Name it with --table; there are %(tables)s",
            name=name[:60],
            tables=sorted(sa.inspect(connection).get_table_names())[:20],
        ) from None
    there = {column.name.casefold() for column in table.columns}
    if missing := [each for each in _NEEDED if each not in there]:
        raise Rejected(
            "cdr.table",
            "The table %(name)r has no column %(missing)s",
            "Name the table in which Asterisk keeps its call records (--table)",
            name=name[:60],
            missing=missing[0],
        )
    return table


def _preset(table: sa.Table) -> Preset:
    return PRESETS["freepbx" if _instant(table).name.casefold() == "calldate" else "asterisk"]


def _instant(table: sa.Table) -> sa.Column[Any]:
    """The column that says when a call began."""
    for name in ("calldate", "start"):
        for column in table.columns:
            if column.name.casefold() == name:
                return column
    raise Rejected(
        "cdr.table",
        "The table %(name)r has neither calldate nor start",
        "Name the table in which Asterisk keeps its call records (--table)",
        name=table.name,
    )


def _records(connection: sa.Connection, table: sa.Table, wanted: Wanted) -> Iterator[dict[str, str]]:
    at = _instant(table)
    query = sa.select(*table.columns).order_by(at).limit(MOST_ROWS + 1)
    if wanted.since:
        query = query.where(at >= wanted.since)
    if wanted.until:
        query = query.where(at < wanted.until)
    names = [plain_title(column.name) for column in table.columns]
    streamed = query.execution_options(stream_results=True, max_row_buffer=_AT_A_TIME)
    for number, row in enumerate(connection.execute(streamed)):
        if number == MOST_ROWS:
            raise Rejected(
                "cdr.long", "There are more than %(most)s records", "Give --since and --until", most=MOST_ROWS
            )
        yield dict(zip(names, map(_text, row), strict=True))


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "" if value is None else str(value).strip()


def _found(
    records: Iterator[dict[str, str]], preset: Preset, how: How, chosen: Mapping[str, str]
) -> FoundCalls:  # fmt: skip
    rows: list[tuple[int, Mapping[str, str] | Said]] = []
    out: Counter[str] = Counter()
    for number, theirs in enumerate(records, start=1):
        blank = dict.fromkeys(PRESETS["asterisk"].columns, "")
        try:
            rows.append((number, in_our_words(preset, chosen, blank | theirs, [*theirs.values()])))
        except LeftOut as left:
            out[left.why] += 1
        except BadValue as bad:
            rows.append((number, bad.said))
    found = read_rows(rows, how)
    return replace(found, left_out=out + Counter(found.left_out))
