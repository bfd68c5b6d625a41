"""How listings and single things are printed: aligned text for people, JSON for programs."""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from tracker.spreadsheet import cell, plain


def print_json(value: Any) -> None:
    """JSON, indented; letters of every language as they are; instants in ISO 8601, UTC."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=plain))


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str
) -> None:
    """A listing. JSON has every field; text has the named columns, or the sentence `empty`."""
    if as_json:
        print_json(rows)
    elif rows:
        click.echo(table([column.replace("_", " ").upper() for column in columns], rows, columns))
    else:
        click.echo(empty)


def print_thing(thing: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: a line a field."""
    if as_json:
        print_json(thing)
        return
    wide = max(len(name) for name in thing)
    for name, value in thing.items():
        click.echo(f"{name.replace('_', ' '):{wide}}  {shown(value)}".rstrip())


def print_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows of the same fields as CSV, the names first; nothing where there are none."""
    writer: Any = None
    for row in rows:
        if writer is None:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(row)
        writer.writerow([cell(value) for value in row.values()])


def table(titles: Sequence[str], rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as aligned text; the last column is never padded."""
    cells = [list(titles), *([shown(row.get(column)) for column in columns] for row in rows)]
    wide = [max(_width(line[index]) for line in cells) for index in range(len(titles))]
    return "\n".join(
        "  ".join(_padded(cell, wide[index]) for index, cell in enumerate(line)).rstrip() for line in cells
    )


def shown(value: Any) -> str:
    """A value as a person reads it; control characters never reach the terminal."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S %Z").removesuffix(" UTC")
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value) or "-"
    return "".join(each if each.isprintable() else "?" for each in str(value))


def clock(seconds: float | None) -> str:
    """1:05 for 65 seconds; "-" when there are none to show."""
    if seconds is None:
        return "-"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def _padded(text: str, wide: int) -> str:
    return text + " " * (wide - _width(text))
