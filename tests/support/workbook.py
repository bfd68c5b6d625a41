"""Workbooks read back from their XML, as a spreadsheet would.

Book(content).rows()        # of the first sheet, by the names in its first row
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FIRST_DAY = datetime.fromisoformat("1899-12-30")  # Excel counts days from here


class Book:
    """A workbook's sheets as XML, and their cells as values."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            assert packed.testzip() is None
            self.parts = {name: packed.read(name) for name in packed.namelist()}
        texts = self.parts.get("xl/sharedStrings.xml")
        items = ET.fromstring(texts).iter(f"{MAIN}si") if texts else ()
        self.shared = ["".join(text.text or "" for text in item.iter(f"{MAIN}t")) for item in items]

    @property
    def names(self) -> list[str]:
        return [
            str(it.get("name")) for it in ET.fromstring(self.parts["xl/workbook.xml"]).iter(f"{MAIN}sheet")
        ]

    def sheet(self, number: int = 1) -> ET.Element:
        return ET.fromstring(self.parts[f"xl/worksheets/sheet{number}.xml"])

    def rows(self, number: int = 1) -> list[dict[str, Any]]:
        """By the names in the first row."""
        head, *rest = [
            {re.sub("[0-9]", "", cell.get("r", "")): _value(cell, self.shared) for cell in row}
            for row in self.sheet(number).iter(f"{MAIN}row")
        ]
        return [{name: row.get(column) for column, name in head.items()} for row in rest]


def _value(cell: ET.Element, shared: list[str]) -> Any:
    match cell.get("t"):
        case "s":
            return shared[int(cell.findtext(f"{MAIN}v") or "")]
        case "inlineStr":
            return "".join(text.text or "" for text in cell.iter(f"{MAIN}t"))
        case "b":
            return cell.findtext(f"{MAIN}v") == "1"
        case None:
            told = cell.findtext(f"{MAIN}v")
            return None if told is None else float(told)
    raise AssertionError(ET.tostring(cell))


def as_date(days: float) -> datetime:
    return FIRST_DAY + timedelta(seconds=round(days * 86400))
