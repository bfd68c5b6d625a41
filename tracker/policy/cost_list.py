"""Lists of costs: out of a file, or told by a program. Every row is read, or said to be bad and why.

found = read_costs(content, Wanted(currency="RUB"))      # a file
found = told_costs(rows, Wanted(currency="RUB"))         # [{"day": "2026-11-30", "amount": "1200.50", …}, …]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from tracker.errors import Rejected, Said, say
from tracker.policy.amounts import Amounts, Mark
from tracker.policy.costs import Words, key_of
from tracker.policy.dates import Dates, Order
from tracker.policy.entries import read_title
from tracker.policy.money import MOST, currency_named
from tracker.policy.tables import BadCell, Sheet, Unreadable, read_sheet
from tracker.policy.titles import COST_COLUMNS, COST_TITLES, is_total, said

_WORDS = ("source", "medium", "campaign", "keyword", "content", "channel")
LONGEST = {"medium": 100, "source": 200, "campaign": 200, "keyword": 200, "content": 200, "channel": 100,
           "note": 300, "reference": 60, "call": 40, "visitor": 40, "phone": 40}  # fmt: skip


@dataclass(frozen=True)
class KnownChannel:
    """A static channel of the company, and its words."""

    id: int
    name: str
    medium: str
    source: str
    campaign: str | None = None
    keyword: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What whoever gives a list says of it: what its rows do not say, and how they are to be read."""

    currency: str  # the company's own
    given: str | None = None  # the currency of amounts that name none; None: the company's
    day: date | None = None
    source: str | None = None
    medium: str | None = None
    channels: Sequence[KnownChannel] = ()
    mark: Mark | None = None
    order: Order | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # {"campaign": "№ Кампании"}


@dataclass(frozen=True, slots=True)
class CostLine:
    """A row of a list of costs."""

    line: int
    day: date
    words: Words
    channel_id: int | None
    amount: Decimal
    currency: str
    note: str | None
    reference: str  # its own, or what makes it the same


@dataclass(frozen=True)
class Found:
    """What a list has: rows, what is wrong, and what was left out or put together, told to who gave it."""

    lines: Sequence[CostLine]
    problems: Sequence[BadCell]
    totals: int = 0  # rows that sum up others
    merged: int = 0  # rows that were added to another of the same day and words
    unused: Sequence[str] = ()  # titles of columns


def read_costs(content: bytes, wanted: Wanted) -> Found:
    """The costs of a CSV file. Raises Rejected file.* when it is none, cost.text for what is said of it."""
    wanted = replace(wanted, source=_given(wanted.source, "source"), medium=_given(wanted.medium, "medium"))
    sheet = read_sheet(content, COST_TITLES, wanted.columns)
    _check_columns(sheet, wanted)
    currency = title_currency(sheet, "amount") or wanted.given
    rows, totals = rows_of(sheet, "day")
    reader = _Reader(
        replace(wanted, given=currency),
        Dates(sheet.cells("day"), wanted.order),
        Amounts(sheet.cells("amount"), wanted.mark),
        sheet,
    )
    return _read_all(reader, rows, totals, sheet.unused)


def told_costs(rows: Sequence[Mapping[str, Any]], wanted: Wanted) -> Found:
    """The costs that a program tells: ISO days, decimal points; the line is the row's place, from 1."""
    reader = _Reader(wanted, Dates(()), Amounts((), Mark.POINT), None)
    numbered = list(enumerate(map(as_texts, rows), start=1))
    strange = [
        BadCell(line, name, say("is not known here: there are %(columns)s", columns=", ".join(COST_COLUMNS)))
        for line, row in numbered
        for name in row
        if name not in COST_COLUMNS
    ]
    found = _read_all(reader, numbered, 0, ())
    return replace(found, problems=[*strange, *found.problems])


def as_texts(row: Mapping[str, Any]) -> dict[str, str]:
    """A told row as a file would have it."""
    return {str(name)[:60]: "" if value is None else str(value) for name, value in row.items()}


def rows_of(sheet: Sheet, day: str) -> tuple[list[tuple[int, dict[str, str]]], int]:
    """The sheet's rows by our words, and how many that sum up others were left out."""
    at = sheet.names.index(day) if day in sheet.names else None
    kept, totals = [], 0
    wide = len(sheet.names)
    for line, cells in sheet.rows:
        if is_total(cells, None if at is None else cells[at] if len(cells) > at else ""):
            totals += 1
            continue
        row = {name: cell for name, cell in zip(sheet.names, cells, strict=False) if name is not None}
        if len(cells) > wide and any(map(str.strip, cells[wide:])):
            row[""] = str(len(cells))
        kept.append((line, row))
    return kept, totals


def title_currency(sheet: Sheet, name: str) -> str | None:
    """The currency that the column's title names: "Cost (USD)", "Расход, руб."."""
    _, *rest = re.split(r"[(,]", sheet.title_of(name), maxsplit=1)
    parts = re.split(r"[(),]", rest[0]) if rest else []
    return next(filter(None, map(currency_named, parts)), None)


def _given(text: str | None, name: str) -> str | None:
    return read_title(text, "cost", LONGEST[name]) if text else None


def _check_columns(sheet: Sheet, wanted: Wanted) -> None:
    """Raises Rejected file.column for what no row could have."""
    titles = list(filter(None, sheet.titles))
    if "amount" not in sheet.names:
        raise Rejected(
            "file.column",
            "No column is the amount; there are %(titles)s",
            "Say which: --column amount=TITLE",
            titles=titles,
        )
    if "day" not in sheet.names and wanted.day is None:
        raise Rejected(
            "file.column",
            "No column is the day; there are %(titles)s",
            "Say one for all rows: --day 2026-11-30",
            titles=titles,
        )
    if not {"source", "channel"} & set(filter(None, sheet.names)) and wanted.source is None:
        raise Rejected(
            "file.column",
            "No column is the source; there are %(titles)s",
            "Say one for all rows: --source google --medium cpc",
            titles=titles,
        )


def _read_all(
    reader: _Reader, rows: Iterable[tuple[int, Mapping[str, str]]], totals: int, unused: Sequence[str]
) -> Found:
    lines: dict[str, CostLine] = {}
    problems: list[BadCell] = []
    merged = 0
    for line, row in rows:
        try:
            read = reader.read(line, row)
            earlier = lines.get(read.reference)
            if earlier is not None:
                read = reader.together(earlier, read, named=bool(said(row.get("reference", ""))))
                merged += 1
            lines[read.reference] = read
        except BadValue as bad:
            problems.append(BadCell(line, bad.column, bad.said))
    return Found(list(lines.values()), problems, totals, merged, unused)


class BadValue(Exception):
    """What is wrong with one value of a row."""

    def __init__(self, column: str, said: Said) -> None:
        super().__init__(str(said))
        self.column, self.said = column, said


class Cells:
    """Reads a row's cells by our words for their columns; a refusal names the file's own title."""

    def __init__(self, wanted: Wanted, sheet: Sheet | None) -> None:
        self.wanted, self.sheet = wanted, sheet

    def bad(self, name: str, said: Said) -> BadValue:
        return BadValue(self.sheet.title_of(name) if self.sheet and name else name, said)

    def check_width(self, row: Mapping[str, str]) -> None:
        if self.sheet and "" in row:
            wide = len(self.sheet.titles)
            raise self.bad(
                "", say("%(cells)s cells, where there are %(titles)s titles", cells=row[""], titles=wide)
            )

    def text(self, row: Mapping[str, str], name: str) -> str | None:
        """A word or a note: any printable text on one line; what looks like a formula is text as well."""
        found = said(row.get(name, ""))
        if found is None:
            return None
        if not found.isprintable():
            found = "".join(each for each in found if each.isprintable())
        if len(found) > LONGEST[name]:
            raise self.bad(
                name,
                say(
                    "%(length)s characters are too many: give at most %(most)s",
                    length=len(found),
                    most=LONGEST[name],
                ),
            )
        return found or None

    def currency(self, row: Mapping[str, str]) -> str | None:
        """What the row's own column says, else what was said of all."""
        told = said(row.get("currency", ""))
        if told is None:
            return self.wanted.given
        found = currency_named(told, self.wanted.currency)
        if found is None:
            raise self.bad(
                "currency", say("'%(text)s' is no currency: give a code such as EUR", text=told[:40])
            )
        return found

    def amount(
        self, row: Mapping[str, str], name: str, amounts: Amounts, *, below_zero: bool = False
    ) -> tuple[Decimal, str]:
        """An amount and its currency."""
        told = self.currency(row)
        try:
            written = amounts.read(row.get(name, ""), told or self.wanted.currency, below_zero=below_zero)
        except Unreadable as why:
            raise self.bad(name, why.said) from None
        if told and written.currency and written.currency != told:
            raise self.bad(
                name, say("it is in %(one)s, and the row in %(other)s", one=written.currency, other=told)
            )
        return written.amount, told or written.currency or self.wanted.currency


class _Reader(Cells):
    """Reads rows of costs."""

    def __init__(self, wanted: Wanted, dates: Dates, amounts: Amounts, sheet: Sheet | None) -> None:
        super().__init__(wanted, sheet)
        self.dates, self.amounts = dates, amounts
        self.channels = {each.name.casefold(): each for each in wanted.channels}
        self.known: dict[tuple[str | None, ...], tuple[Words, KnownChannel | None]] = {}

    def read(self, line: int, row: Mapping[str, str]) -> CostLine:
        self.check_width(row)
        day = self.day(row)
        texts = tuple(self.text(row, name) for name in _WORDS)
        if texts not in self.known:
            self.known[texts] = self.words(texts)
        words, channel = self.known[texts]
        amount, currency = self.amount(row, "amount", self.amounts)
        reference = self.text(row, "reference") or key_of(day, self.given(texts), texts[-1])
        return CostLine(
            line,
            day,
            words,
            channel.id if channel else None,
            amount,
            currency,
            self.text(row, "note"),
            reference,
        )

    def together(self, earlier: CostLine, later: CostLine, *, named: bool) -> CostLine:
        """Rows of the same day and words add up: an export may be split by what is not kept here."""
        if named:
            raise self.bad("reference", say("line %(line)s has the same reference", line=earlier.line))
        if earlier.currency != later.currency:
            said = say("line %(line)s has the same day and words in another currency", line=earlier.line)
            raise self.bad("currency", said)
        total = earlier.amount + later.amount
        if total > MOST:
            raise self.bad("amount", say("'%(text)s' is too large", text=f"{total:f}"))
        return replace(earlier, amount=total)

    def day(self, row: Mapping[str, str]) -> date:
        if self.wanted.day and not row.get("day", "").strip():
            return self.wanted.day
        try:
            return self.dates.day(row.get("day", ""))
        except Unreadable as why:
            raise self.bad("day", why.said) from None

    def given(self, texts: Sequence[str | None]) -> Words:
        """The words as the list has them: a channel may get another name, and what is told stays the same."""
        source, medium, campaign, keyword, content, channel = texts
        source = source or (self.wanted.source if not channel else None)
        return Words(source or "", medium or self.wanted.medium, campaign, keyword, content)

    def words(self, texts: Sequence[str | None]) -> tuple[Words, KnownChannel | None]:
        """The words as visits have them, or the channel's own where it is one."""
        source, medium, campaign, keyword, content, channel = texts
        source, medium = source or (self.wanted.source if not channel else None), medium or self.wanted.medium
        found = self.channel(channel) if channel else None
        if found is None and source is None:
            raise self.bad("source", say("it is empty"))
        if found is None and source is not None and (keyword, content) == (None, None):
            found = channel_of(source, medium, self.wanted.channels)
        if found is not None:
            campaign, keyword = found.campaign or campaign, found.keyword or keyword
            return Words(found.source, found.medium, campaign, keyword, content), found
        assert source is not None  # noqa: S101  (refused above)
        return Words(source.lower(), medium.lower() if medium else None, campaign, keyword, content), None

    def channel(self, name: str) -> KnownChannel:
        found = self.channels.get(name.casefold())
        if found is None:
            names = ", ".join(each.name for each in self.wanted.channels) or "-"
            raise self.bad(
                "channel", say("there is no channel '%(text)s'; there are: %(names)s", text=name, names=names)
            )
        return found


def channel_of(source: str, medium: str | None, channels: Iterable[KnownChannel]) -> KnownChannel | None:
    """The one channel that a source's name means; None where it is none's, or several'."""
    word = source.casefold()
    found = [
        each
        for each in channels
        if word in {each.source.casefold(), each.name.casefold()}
        and (medium is None or medium.casefold() == each.medium.casefold())
    ]
    return found[0] if len(found) == 1 else None
