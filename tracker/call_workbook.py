"""Calls as a workbook for Excel: the columns of `call_export`, each cell of its own kind and none a formula.

Telephone numbers are text, instants dates in the company's zone, durations seconds, money is a number. A row
is written and forgotten (XlsxWriter's `constant_memory`), so a million calls cost disk, not memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from sqlalchemy.orm import Session
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from tracker.call_export import COLUMNS, values
from tracker.policy.call_filter import CallFilter

# Nothing is guessed from what a text looks like.
PLAIN = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
SHEET_ROWS = 1_048_576  # of Excel's sheet, the header among them
# What has no width of its own here is as wide as its name needs. "@" keeps text text, also when it is edited.
_WIDTHS = {
    "started": 19, "caller": 17, "caller_name": 22, "number": 17, "label": 18, "channel": 18, "group": 16,
    "source": 18, "campaign": 24, "keyword": 24, "ad": 18, "answered_by": 18, "tags": 22, "heard_of": 20,
    "key": 38,
}  # fmt: skip
_FORMATS = {
    "started": "yyyy-mm-dd hh:mm:ss", "wait_seconds": "0", "talk_seconds": "0", "message_seconds": "0",
    "probability": "0%",
    "value": "#,##0.00##", "repeat": "General", "uncertain": "General",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What was written: `sheets` is more than one when the calls are more than one sheet can hold."""

    calls: int
    sheets: int


def write(
    session: Session,
    company_ids: Iterable[int],
    by: CallFilter,
    out: IO[bytes],
    folder: Path,
    *,
    sheet_rows: int = SHEET_ROWS,
) -> Written:
    """Writes every call of the filter to `out`, newest first; `folder` is for files that are gone at the end.

    A sheet that is full says in its last row on which sheet the older calls go on.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".workbook-") as rests:
        book = Workbook(out, {"constant_memory": True, "tmpdir": rests, **PLAIN})
        book.use_zip64()  # where it needs it: a full sheet may be larger than 4 GB before it is compressed
        sheets, calls = _Sheets(book, sheet_rows), 0
        for calls, row in enumerate(values(session, company_ids, by), start=1):  # noqa: B007
            sheets.write(row)
        sheets.finish()
        book.close()
        return Written(calls, sheets.count)


def unnamed_file(
    session: Session, company_ids: Iterable[int], by: CallFilter, folder: Path
) -> tuple[IO[bytes], int]:
    """The workbook as an open file at its beginning, and its bytes. It has no name: closed, it is gone."""
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (whoever sends it closes it)
    write(session, company_ids, by, file, folder)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return file, size


class _Sheets:
    """One sheet after the other, each with its header."""

    def __init__(self, book: Workbook, most: int) -> None:
        self._book, self._most = book, most
        self._bold = book.add_format({"bold": True, "bottom": 1})
        self._formats = [book.add_format({"num_format": _FORMATS.get(name, "@")}) for name in COLUMNS]
        self.count = 0
        self._begin()

    def write(self, row: Sequence[Any]) -> None:
        if self._row == self._most - 1:
            self.finish()
            self._sheet.write_string(self._row, 0, f"Older calls: sheet {_name(self.count + 1)}", self._bold)
            self._begin()
        for column, value in enumerate(row):
            if value is not None:
                _put(self._sheet, self._row, column, value)
        self._row += 1

    def finish(self) -> None:
        self._sheet.autofilter(0, 0, max(self._row - 1, 0), len(COLUMNS) - 1)

    def _begin(self) -> None:
        self.count += 1
        self._sheet = self._book.add_worksheet(_name(self.count))
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(COLUMNS):
            self._sheet.set_column(column, column, _WIDTHS.get(name, len(name) + 4), self._formats[column])
            self._sheet.write_string(0, column, name, self._bold)
        self._row = 1


def _name(sheet: int) -> str:
    return "Calls" if sheet == 1 else f"Calls {sheet}"


def _put(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    """A cell of the value's own kind: nothing is guessed from what a text looks like."""
    if isinstance(value, str):
        sheet.write_string(row, column, text(value))
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, float(value))
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.replace(tzinfo=None))  # Excel knows no zones
    elif value:
        sheet.write_string(row, column, text(", ".join(value)))


def text(value: str) -> str:
    """A text as XlsxWriter takes it for one: "<r>…</r>" is markup to it, and would be written as XML."""
    return "'" + value if value.startswith("<r>") else str(value)
