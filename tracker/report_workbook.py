"""A report as a workbook for Excel: the rows with their figures, and a sheet that says how to read them.

    write(report, file, Tongue(), "Spring, by campaign", "Pallets")

Figures are numbers, shares and returns among them; words are text and none a formula. What nobody knows is an
empty cell.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import IO, Any

from babel.numbers import get_currency_precision
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from tracker.call_workbook import PLAIN, text
from tracker.policy import report_text
from tracker.policy.alert_words import N_
from tracker.policy.intervals import Interval
from tracker.policy.money_figures import (
    Sums,
    conversion_interval,
    cost_per_order_interval,
    net_interval,
    romi_interval,
    rounded,
)
from tracker.policy.report import Line, Report
from tracker.policy.report_text import unit
from tracker.policy.report_words import By
from tracker.policy.tongue import Tongue

_SHARE_DIGITS = 6  # of a fraction: 12.3456 %


@dataclass(frozen=True)
class Column:
    """A figure: what it is headed by, how it looks (count, money or share), and what it is of a row."""

    title: str
    look: str
    told: Callable[[Line], Any]


def bytes_of(report: Report, tongue: Tongue, title: str, company: str) -> bytes:
    """The whole workbook; a report has some thousand rows at most."""
    out = io.BytesIO()
    write(report, out, tongue, title, company)
    return out.getvalue()


def write(report: Report, out: IO[bytes], tongue: Tongue, title: str, company: str) -> None:
    """Writes the report to `out`, its titles in the tongue's language."""
    book = Workbook(out, {"in_memory": True, **PLAIN})
    book.set_properties({"title": text(title), "company": text(company), "comments": "Leaseline"})
    _Table(book, report, tongue).write()
    _Reading(book, report, tongue).write(title, company)
    book.close()


class _Table:
    """The first sheet: a row a line, the total last."""

    def __init__(self, book: Workbook, report: Report, tongue: Tongue) -> None:
        self._report, self._tongue = report, tongue
        self._sheet = book.add_worksheet(tongue.tell(N_("Report")))
        self._columns = columns(report, tongue)
        self._formats, self._bold = _formats(book, report.currency), _formats(book, report.currency, top=1)
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})

    def write(self) -> None:
        report, words = self._report, report_text.titles(self._report, self._tongue)
        self._heading(words)
        for row, line in enumerate(report.lines, start=1):
            self._line(row, line, self._formats)
        last = len(report.lines)
        if last:
            self._sheet.autofilter(0, 0, last, len(words) + len(self._columns) - 1)
        self._line(last + 1, report.whole, self._bold)
        self._sheet.freeze_panes(1, len(words))
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        self._sheet.repeat_rows(0)

    def _heading(self, words: Sequence[str]) -> None:
        heads = [*words, *(column.title for column in self._columns)]
        for place, title in enumerate(heads):
            width = 30 if place < len(words) else max(11, min(16, len(title)))
            self._sheet.set_column(place, place, width)
            self._sheet.write_string(0, place, text(title), self._head)

    def _line(self, row: int, line: Line, formats: dict[str, Any]) -> None:
        names = report_text.names(self._report, line, self._tongue)
        for place, name in enumerate(names):
            self._sheet.write_string(row, place, text(name), formats["text"])
        for place, column in enumerate(self._columns, start=len(names)):
            _figure(self._sheet, (row, place), column.told(line), column.look, formats)


class _Reading:
    """The second sheet: what the figures are about, what follows, and how far chance goes."""

    def __init__(self, book: Workbook, report: Report, tongue: Tongue) -> None:
        self._report, self._tongue = report, tongue
        self._sheet = book.add_worksheet(tongue.tell(N_("How to read it")))
        self._formats = _formats(book, report.currency)
        self._bold = book.add_format({"bold": True, "num_format": "@"})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        self._row = 0

    def write(self, title: str, company: str) -> None:
        self._sheet.set_column(0, 0, 30)
        self._sheet.set_column(1, 8, 18)
        report, tongue = self._report, self._tongue
        for name, value in about(report, tongue, title, company):
            self._sheet.write_string(self._row, 0, text(name), self._bold)
            self._sheet.write_string(self._row, 1, text(value), self._formats["text"])
            self._row += 1
        self._part(tongue.tell(N_("What follows")), report_text.advice(report, tongue, 50))
        self._part(tongue.tell(N_("How much is known")), report_text.coverage(report, tongue))
        told = [*report_text.model(report, tongue), *report_text.conventions(tongue)]
        self._part(tongue.tell(N_("What the words mean")), told)
        self._chance()

    def _part(self, title: str, sentences: Sequence[str]) -> None:
        self._row += 1
        self._sheet.write_string(self._row, 0, text(title), self._bold)
        for each in sentences:
            self._row += 1
            self._sheet.merge_range(self._row, 0, self._row, 6, "", self._wrapped)
            self._sheet.write_string(self._row, 0, text(each), self._wrapped)
            self._sheet.set_row(self._row, 15 * (1 + len(each) // 130))
        self._row += 1

    def _chance(self) -> None:
        """Between which the true values of rows with few orders lie, 95 times in 100."""
        lines = [line for line in self._report.lines if line.is_few and intervals(line.sums)]
        if not lines:
            return
        tongue = self._tongue
        self._part(tongue.tell(N_("What chance may have made")), [tongue.tell(_CHANCE)])
        heads = report_text.titles(self._report, tongue)
        lead = len(heads)
        heads += [tongue.tell(word) for word in _ENDS]
        for place, head in enumerate(heads):
            self._sheet.write_string(self._row, place, text(head), self._bold)
        for line in lines:
            self._row += 1
            for place, name in enumerate(report_text.names(self._report, line, tongue)):
                self._sheet.write_string(self._row, place, text(name), self._formats["text"])
            for place, (look, value) in enumerate(intervals(line.sums), start=lead):
                _figure(self._sheet, (self._row, place), value, look, self._formats)


_CHANCE = N_("Of rows with few orders, the true figure lies between these two, 95 times in 100.")
_ENDS = (
    N_("Conversion from"), N_("Conversion to"), N_("Cost per order from"), N_("Cost per order to"),
    N_("Net profit from"), N_("Net profit to"), N_("ROMI from"), N_("ROMI to"),
)  # fmt: skip


def intervals(it: Sums) -> list[tuple[str, float | None]]:
    """The ends of the row's intervals, with how they look; empty where nothing can be said."""
    found = [
        ("share", conversion_interval(it)),
        ("money", cost_per_order_interval(it)),
        ("money", net_interval(it)),
        ("share", romi_interval(it)),
    ]
    return [each for look, ends in found for each in _ends(look, ends)] if any(it for _, it in found) else []


def _ends(look: str, it: Interval | None) -> Iterator[tuple[str, float | None]]:
    yield look, None if it is None else it.low
    yield look, None if it is None else it.high


def about(report: Report, tongue: Tongue, title: str, company: str) -> Iterator[tuple[str, str]]:
    """What the report is of, word by word."""
    yield tongue.tell(report_text.COMPANY), company
    yield tongue.tell(report_text.REPORT), title
    yield tongue.tell(report_text.PERIOD), tongue.days(report.span)
    if report.before is not None:
        yield tongue.tell(report_text.COMPARED), tongue.days(report.before)
    if report.against is not None:
        yield tongue.tell(N_("Model")), report_text.model_name(report.wish, tongue)
        yield tongue.tell(N_("Beside it")), report_text.model_name(report.against, tongue)
    for name, value in report.wish.only.items():
        yield tongue.tell(report_text.TITLES[By(name)]), value
    yield tongue.tell(report_text.CURRENCY), report.currency


def columns(report: Report, tongue: Tongue) -> list[Column]:
    """The figures of a row, each with its unit in its title."""
    calls, money = _of_calls(tongue), _of_money(tongue, report.currency)
    if report.before is not None:
        told = [calls[0], calls[4], calls[8], *money[:4], money[8]]
        return [*calls, *money, *(_earlier(column, tongue) for column in told)]
    if report.against is not None:
        told = [calls[4], *calls[8:], *money[:2], money[3], *money[6:]]
        return [*calls, *money, *(_other(column, report, tongue) for column in told)]
    return [*calls, *money]


def _of_calls(tongue: Tongue) -> list[Column]:
    return [
        Column(tongue.tell(N_("Calls")), "count", lambda it: it.sums.calls),
        Column(unit(tongue.tell(N_("Share of calls")), "%"), "share", lambda it: it.share),
        Column(tongue.tell(N_("Callers")), "count", lambda it: it.sums.callers),
        Column(tongue.tell(N_("Missed calls")), "count", lambda it: it.sums.missed),
        Column(tongue.tell(N_("Target calls")), "count", lambda it: it.sums.target),
        Column(tongue.tell(N_("Judged")), "count", lambda it: it.judged),
        Column(tongue.tell(N_("Non-target")), "count", lambda it: it.non_target),
        Column(tongue.tell(N_("Leads")), "count", lambda it: it.sums.leads),
        Column(tongue.tell(N_("Orders")), "count", lambda it: it.sums.orders),
        Column(unit(tongue.tell(N_("Conversion")), "%"), "share", lambda it: it.sums.conversion),
    ]


def _of_money(tongue: Tongue, currency: str) -> list[Column]:
    money: list[tuple[str, Callable[[Line], Any]]] = [
        (N_("Revenue"), lambda it: it.sums.revenue),
        (N_("Gross profit"), lambda it: it.sums.gross_profit),
        (N_("Cost"), lambda it: it.sums.cost),
        (N_("Net profit"), lambda it: it.sums.net),
        (N_("Cost per call"), lambda it: it.sums.cost_per_call),
        (N_("Cost per lead"), lambda it: it.sums.cost_per_lead),
        (N_("Cost per target call"), lambda it: it.sums.cost_per_target),
        (N_("Cost per order"), lambda it: it.sums.cost_per_order),
    ]
    shares: list[tuple[str, Callable[[Line], Any]]] = [
        (N_("ROMI"), lambda it: it.sums.romi),
        (N_("ROAS"), lambda it: it.sums.roas),
        (N_("ROAS at which it breaks even"), lambda it: it.sums.roas_break_even),
    ]
    return [
        *(Column(unit(tongue.tell(title), currency), "money", told) for title, told in money),
        *(Column(unit(tongue.tell(title), "%"), "share", told) for title, told in shares),
    ]


def _earlier(column: Column, tongue: Tongue) -> Column:
    def told(line: Line) -> Any:
        return None if line.before is None else column.told(Line(line.key, line.before))

    return Column(tongue.tell(N_("Before: %(title)s"), title=column.title), column.look, told)


def _other(column: Column, report: Report, tongue: Tongue) -> Column:
    """The same by the model beside."""

    def told(line: Line) -> Any:
        other = report_text.by_other(report, line)
        return other and column.told(other)

    name = report_text.model_name(report.against or report.wish, tongue)
    title = tongue.tell(N_("By “%(model)s”: %(title)s"), model=name, title=column.title)
    return Column(title, column.look, told)


def _formats(book: Workbook, currency: str, **more: Any) -> dict[str, Any]:
    decimals = get_currency_precision(currency)
    bold = {"bold": True} if more else {}
    looks = {
        "text": "@", "count": "#,##0", "part": "#,##0.00", "share": "0.00%",
        "money": "#,##0" + ("." + "0" * decimals if decimals else ""),
    }  # fmt: skip
    return {name: book.add_format({"num_format": look, **bold, **more}) for name, look in looks.items()}


def _figure(sheet: Worksheet, place: tuple[int, int], value: Any, look: str, formats: dict[str, Any]) -> None:
    if value is None:
        sheet.write_blank(*place, None, formats[look])
        return
    if look == "count" and value != int(value):
        look = "part"
    digits = {"share": _SHARE_DIGITS, "money": 4, "part": 2, "count": 0}[look]
    exact = value if isinstance(value, int | Fraction | Decimal) else Fraction(value)
    sheet.write_number(*place, float(rounded(exact, digits) or 0), formats[look])
