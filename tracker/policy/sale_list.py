"""Lists of sales: out of a file, or told by a program. Every row is read, or said to be bad and why."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tracker.errors import Rejected, say
from tracker.policy.amounts import Amounts, Mark
from tracker.policy.cost_list import BadValue, Cells, Wanted, as_texts, rows_of, title_currency
from tracker.policy.dates import Dates
from tracker.policy.phone import read_number
from tracker.policy.references import ROW
from tracker.policy.sales import SaleStatus
from tracker.policy.tables import BadCell, Sheet, Unreadable, read_sheet
from tracker.policy.titles import CANCELLED, SALE_COLUMNS, SALE_TITLES, WON, said


@dataclass(frozen=True)
class Place:
    """Where and when a list is read: whose clocks and telephone numbers it has."""

    zone: ZoneInfo
    region: str  # ISO 3166
    now: datetime


@dataclass(frozen=True, slots=True)
class SaleLine:
    """A row of a list of sales."""

    line: int
    at: datetime
    revenue: Decimal
    profit: Decimal | None
    currency: str
    status: SaleStatus | None  # None: the row does not say
    call: str | None
    phone: str | None
    visitor: str | None
    note: str | None
    reference: str  # its own, or what makes it the same


@dataclass(frozen=True)
class FoundSales:
    """What a list has: rows, what is wrong, and what was left out, told to who gave it."""

    lines: Sequence[SaleLine]
    problems: Sequence[BadCell]
    totals: int = 0
    unused: Sequence[str] = ()
    unnamed: int = 0  # rows without a reference


def read_sales(content: bytes, wanted: Wanted, place: Place) -> FoundSales:
    """The sales of a CSV file. Raises Rejected file.* when it is none."""
    sheet = read_sheet(content, SALE_TITLES, wanted.columns)
    titles = list(filter(None, sheet.titles))
    if "at" not in sheet.names and wanted.day is None:
        raise Rejected(
            "file.column",
            "No column is the day; there are %(titles)s",
            "Say one for all rows: --day 2026-11-30",
            titles=titles,
        )
    if "revenue" not in sheet.names:
        raise Rejected(
            "file.column",
            "No column is the revenue; there are %(titles)s",
            "Say which: --column revenue=TITLE",
            titles=titles,
        )
    currency = title_currency(sheet, "revenue") or title_currency(sheet, "profit") or wanted.given
    rows, totals = rows_of(sheet, "at")
    revenues, profits = list(sheet.cells("revenue")), list(sheet.cells("profit"))
    reader = _Reader(
        replace(wanted, given=currency),
        place,
        Dates(sheet.cells("at"), wanted.order),
        {
            "revenue": Amounts(revenues, wanted.mark, profits),
            "profit": Amounts(profits, wanted.mark, revenues),
        },
        sheet,
    )
    return replace(_read_all(reader, rows), totals=totals, unused=sheet.unused)


def told_sales(rows: Sequence[Mapping[str, Any]], wanted: Wanted, place: Place) -> FoundSales:
    """The sales that a program tells: ISO instants, decimal points; the line is the row's place, from 1."""
    plain = Amounts((), Mark.POINT)
    reader = _Reader(wanted, place, Dates(()), {"revenue": plain, "profit": plain}, None)
    numbered = list(enumerate(map(as_texts, rows), start=1))
    strange = [
        BadCell(line, name, say("is not known here: there are %(columns)s", columns=", ".join(SALE_COLUMNS)))
        for line, row in numbered
        for name in row
        if name not in SALE_COLUMNS
    ]
    found = _read_all(reader, numbered)
    return replace(found, problems=[*strange, *found.problems])


def _read_all(reader: _Reader, rows: Iterable[tuple[int, Mapping[str, str]]]) -> FoundSales:
    lines: dict[str, SaleLine] = {}
    problems: list[BadCell] = []
    alike: Counter[str] = Counter()
    unnamed = 0
    for line, row in rows:
        try:
            read = reader.read(line, row)
            if not read.reference:
                unnamed += 1
                key = _key_of(read)
                alike[key] += 1
                read = replace(read, reference=f"{ROW}{key}:{alike[key]}")
            elif read.reference in lines:
                earlier = lines[read.reference].line
                raise reader.bad("reference", say("line %(line)s has the same reference", line=earlier))
            lines[read.reference] = read
        except BadValue as bad:
            problems.append(BadCell(line, bad.column, bad.said))
    return FoundSales(list(lines.values()), problems, unnamed=unnamed)


def _key_of(read: SaleLine) -> str:
    """What makes rows without a reference the same: whose sale it was and when, not what it came to."""
    text = "\0".join([read.at.isoformat(), read.call or "", read.phone or "", read.visitor or ""])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class _Reader(Cells):
    """Reads rows of sales."""

    def __init__(
        self, wanted: Wanted, place: Place, dates: Dates, amounts: Mapping[str, Amounts], sheet: Sheet | None
    ) -> None:
        super().__init__(wanted, sheet)
        self.place, self.dates, self.amounts = place, dates, amounts

    def read(self, line: int, row: Mapping[str, str]) -> SaleLine:
        self.check_width(row)
        revenue, currency = self.amount(row, "revenue", self.amounts["revenue"])
        return SaleLine(
            line,
            self.at(row),
            revenue,
            self.profit(row, currency),
            currency,
            self.status(row),
            self.text(row, "call"),
            self.phone(row),
            self.text(row, "visitor"),
            self.text(row, "note"),
            self.text(row, "reference") or "",
        )

    def at(self, row: Mapping[str, str]) -> datetime:
        text = row.get("at", "")
        if self.wanted.day and not text.strip():
            text = self.wanted.day.isoformat()
        try:
            at = self.dates.instant(text, self.place.zone)
        except Unreadable as why:
            raise self.bad("at", why.said) from None
        if at > self.place.now + timedelta(days=1):
            raise self.bad("at", say("'%(text)s' has not come yet", text=text[:40]))
        return at

    def profit(self, row: Mapping[str, str], currency: str) -> Decimal | None:
        if said(row.get("profit", "")) is None:
            return None
        profit, its = self.amount(row, "profit", self.amounts["profit"], below_zero=True)
        if its != currency:
            raise self.bad(
                "profit", say("it is in %(one)s, and the row in %(other)s", one=its, other=currency)
            )
        return profit

    def status(self, row: Mapping[str, str]) -> SaleStatus | None:
        told = said(row.get("status", ""))
        word = (told or "").casefold().replace("ё", "е").replace("_", " ")
        if not word:
            return None
        if word not in WON | CANCELLED:
            raise self.bad("status", say("'%(text)s' is no status: give won or cancelled", text=word[:40]))
        return SaleStatus.WON if word in WON else SaleStatus.CANCELLED

    def phone(self, row: Mapping[str, str]) -> str | None:
        told = self.text(row, "phone")
        if told is None:
            return None
        try:
            # Spreadsheets take telephone numbers for numbers, and lists from them lack the +.
            return read_number(told, self.place.region)
        except Rejected as why:
            if told.isdecimal() and len(told) > 10:
                try:
                    return read_number("+" + told, self.place.region)
                except Rejected:
                    pass
            raise self.bad("phone", say("'%(text)s' is no telephone number", text=told)) from why
