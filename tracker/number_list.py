"""A list of numbers as people keep it: CSV out of a spreadsheet, or one number a line.

    number,channel,pool,label,record
    +7 495 123-45-67,Billboard M11,,,yes

Commas, semicolons or tabs; the first line names the columns, unless there is only one column of numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from tracker.errors import Rejected, Said, say

COLUMNS = ("number", "channel", "pool", "label", "record")
_YES_NO = {"": True, "yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
_LONGEST = 100_000


@dataclass(frozen=True)
class Row:
    """One wished number with its line in the file."""

    line: int
    number: str
    channel: str | None = None
    pool: str | None = None
    label: str | None = None
    record: bool = True


@dataclass(frozen=True)
class BadRow:
    """What is wrong with a line, and what would be accepted."""

    line: int
    problem: Said


def read_list(content: bytes) -> list[Row | BadRow]:
    """Every row of the file, good or bad, in order. Raises Rejected list.* when it is no list of numbers."""
    text = _decode(content)
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((each for each in ";\t," if each in first), ",")
    rows = list(_cells(text, delimiter))
    if not rows:
        raise Rejected(
            "list.empty",
            "The file has no rows",
            "Give one number a line, or columns %(columns)s",
            columns=COLUMNS,
        )
    if len(rows) > _LONGEST:
        raise Rejected(
            "list.long",
            "The file has %(count)s rows",
            "Give %(longest)s at most",
            count=len(rows),
            longest=_LONGEST,
        )
    header = [cell.strip().lower() for cell in rows[0][1]]
    if "number" not in header:
        return [Row(line, cells[0].strip()) for line, cells in _plain(rows)]
    if strange := [name for name in header if name not in COLUMNS]:
        raise Rejected(
            "list.columns",
            "Column %(name)r is not known",
            "Give columns %(columns)s",
            name=strange[0],
            columns=COLUMNS,
        )
    return [_row(line, cells, header) for line, cells in rows[1:]]


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected("list.encoding", "The file is not UTF-8", "Save it as CSV UTF-8") from None


def _cells(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise Rejected(
            "list.csv",
            "Line %(line)s is no CSV: %(error)s",
            "Save it as CSV",
            line=reader.line_num,
            error=error,
        ) from None


def _plain(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    if any(len(cells) > 1 for _, cells in rows):
        raise Rejected(
            "list.columns",
            "The first line does not name the columns",
            "Begin with a line such as: %(columns)s",
            columns=",".join(COLUMNS),
        )
    return rows


def _row(line: int, cells: list[str], header: list[str]) -> Row | BadRow:
    if len(cells) > len(header):
        return BadRow(
            line,
            say(
                "%(count)s columns, where the first line names %(named)s", count=len(cells), named=len(header)
            ),
        )
    given = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    record = _YES_NO.get(given.get("record", "").lower())
    if record is None:
        return BadRow(line, say("record is %(word)r: give yes or no", word=given["record"]))
    if given.get("channel") and given.get("pool"):
        return BadRow(line, say("both a channel and a pool: give one of them"))
    return Row(
        line,
        given.get("number", ""),
        given.get("channel") or None,
        given.get("pool") or None,
        given.get("label") or None,
        record,
    )
