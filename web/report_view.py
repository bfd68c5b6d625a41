"""A report as a page shows it: heads, rows and cells in words, each with where it leads.

    view = view_of(report, Place("/reports", words), read_look(request.args))

The page, and whoever is sent a link to a report, see the same; a stranger sees it without links to calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flask_babel import gettext

from tracker.policy.figures import Change
from tracker.policy.intervals import Interval
from tracker.policy.money_figures import Number, quotient
from tracker.policy.report import Line, Report
from tracker.policy.report_words import Blank
from web import report_numbers as numbers
from web.report_columns import COLUMNS, GROUPS, Column, Group, Show, columns_of, usual_show
from web.report_findings import Finding, coverage, findings
from web.report_links import Place, among, calls_of, narrower
from web.report_names import BLANKS, BY, MODELS, name_of, title_of
from web.tiles import days_words

FIRST = 200  # rows that are shown
MOST = 1000  # rows that a page ever shows
NAME = "name"


@dataclass(frozen=True)
class Look:
    """How a report is looked at: sorted by what (a minus: the largest first), columns, how many rows."""

    sort: str = ""
    show: Show | None = None
    first: int = FIRST

    @property
    def key(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_down(self) -> bool:
        return self.sort.startswith("-")


@dataclass(frozen=True)
class Head:
    """A column's head; `direction` is how the table is sorted by it, as ARIA says it."""

    key: str
    word: Any
    hint: Any
    link: str
    direction: str = ""
    group: Group | None = None


@dataclass(frozen=True)
class Cell:
    """A figure; `range` says between what chance leaves it, `bar` its part of the largest in per cent."""

    key: str
    text: str
    number: float | None
    link: str | None = None
    is_few: bool = False
    range: str = ""
    was: str = ""
    change: Change | None = None
    bar: str = ""

    @property
    def is_loss(self) -> bool:
        return self.key in {"net", "romi"} and self.number is not None and self.number < 0


@dataclass(frozen=True)
class Row:
    names: tuple[str, ...]
    cells: Sequence[Cell]
    link: str | None = None  # to the narrower report
    leads_to: Any = ""  # what that shows
    hint: Any = ""  # why it has no word


@dataclass(frozen=True)
class View:
    """`shown` of `all` rows, and where more of them are; `beneath` says what the smaller figures are."""

    title: str
    report: Report
    place: Place
    show: Show
    names: Sequence[Head]
    columns: Sequence[Head]
    groups: Sequence[tuple[Any, int]]
    rows: Sequence[Row]
    total: Row
    all: int
    more: str | None
    beneath: str
    findings: Sequence[Finding]
    coverage: Sequence[str]

    @property
    def shown(self) -> int:
        return len(self.rows)

    @property
    def paid(self) -> int:
        """Rows that a cost and what it brought are known of."""
        return sum(bool(it.sums.cost) and it.sums.gross_profit is not None for it in self.report.lines)

    @property
    def has_few(self) -> bool:
        """Whether any figure shown may be chance."""
        return any(cell.is_few for row in (*self.rows, self.total) for cell in row.cells)


def read_look(words: Mapping[str, str]) -> Look:
    """The look that an address asks for; what means nothing is the usual."""
    sort, show, first = (words.get(name, "") for name in ("sort", "show", "first"))
    known = {NAME, *(each.key for each in COLUMNS)}
    return Look(
        sort if sort.removeprefix("-") in known else "",
        Show(show) if show in set(Show) else None,
        min(max(int(first), 1), MOST) if first.isascii() and first.isdigit() and len(first) < 6 else FIRST,
    )


def view_of(
    report: Report,
    place: Place,
    look: Look,
    *,
    linked: bool = True,
    keeps_costs: bool = False,
) -> View:
    """The report in the language of the answer; not `linked`, nothing leads away from it.

    `keeps_costs`: its reader may write costs down.
    """
    show = look.show or usual_show(report)
    columns = columns_of(show)
    lines = _sorted(report, look)
    writer = _Writer(report, columns, linked, place)
    return View(
        title=title_of(report.wish),
        report=report,
        place=place,
        show=show,
        names=[_name_head(report, at, place, look) for at in range(len(report.wish.parts))],
        columns=[_head(each, place, look) for each in columns],
        groups=_groups(columns),
        rows=[writer.row(line) for line in lines[: look.first]],
        total=writer.total(),
        all=len(lines),
        more=_more(place, look, len(lines)),
        beneath=_beneath(report),
        findings=findings(report, place, linked=linked, keeps_costs=keeps_costs),
        coverage=coverage(report),
    )


def _beneath(report: Report) -> str:
    """What the smaller figures are: by which model, or of which days."""
    if report.against is not None:
        return str(MODELS[report.against.model].one)
    return "" if report.before is None else days_words(report.before.first, report.before.last)


def _more(place: Place, look: Look, count: int) -> str | None:
    if count <= look.first or look.first >= MOST:
        return None
    return place.with_(first=str(min(max(look.first, FIRST) * 5, MOST))) + "#rows"


# ---- heads ----


def _name_head(report: Report, at: int, place: Place, look: Look) -> Head:
    by = report.wish.parts[at]
    if at:
        return Head(by.value, BY[by].one, "", "")
    return Head(NAME, BY[by].one, "", *_sorting(NAME, place, look, down_first=False))


def _head(column: Column, place: Place, look: Look) -> Head:
    link, direction = _sorting(column.key, place, look, down_first=True)
    return Head(column.key, column.word, column.hint, link, direction, column.group)


def _sorting(key: str, place: Place, look: Look, *, down_first: bool) -> tuple[str, str]:
    """Where a press on the head leads, and how the table is sorted by it now."""
    sorted_so = "" if look.key != key else "descending" if look.is_down else "ascending"
    down = not look.is_down if sorted_so else down_first
    return place.with_(sort=f"-{key}" if down else key) + "#rows", sorted_so


def _groups(columns: Sequence[Column]) -> list[tuple[Any, int]]:
    counts = {group: sum(each.group is group for each in columns) for group in GROUPS}
    return [(GROUPS[group], count) for group, count in counts.items() if count]


def _sorted(report: Report, look: Look) -> Sequence[Line]:
    """As the report has them, or by the figure asked for; what has none comes last either way."""
    if look.key == NAME:
        return sorted(report.lines, key=lambda line: _named(report, line), reverse=look.is_down)
    column = next((each for each in COLUMNS if each.key == look.key), None)
    if column is None:
        return report.lines
    values = [(value_of(column, line), line) for line in report.lines]
    known = [(value, line) for value, line in values if value is not None]
    known.sort(key=lambda pair: pair[0], reverse=look.is_down)
    return [*(line for _, line in known), *(line for value, line in values if value is None)]


def _named(report: Report, line: Line) -> list[str]:
    return [name_of(by, cell).casefold() for by, cell in zip(report.wish.parts, line.key, strict=True)]


# ---- rows ----


class _Writer:
    """Writes the rows of one report."""

    def __init__(self, report: Report, columns: Sequence[Column], linked: bool, place: Place) -> None:
        self._report, self._columns, self._linked, self._place = report, columns, linked, place
        whole = report.whole.sums
        self._usual = quotient(whole.gross_profit, whole.orders)
        self._most = max((line.share or 0 for line in report.lines), default=0)

    def row(self, line: Line) -> Row:
        wish = self._report.wish
        names = tuple(name_of(by, cell) for by, cell in zip(wish.parts, line.key, strict=True))
        blank = next((cell for cell in line.key if isinstance(cell, Blank)), None)
        found = narrower(wish, line) if self._linked and line.asks is not None else None
        return Row(
            names,
            [self._cell(column, line) for column in self._columns],
            self._place.with_(**found[1]) if found else None,
            BY[found[0]].all if found else "",
            BLANKS[blank].all if blank else "",
        )

    def total(self) -> Row:
        return Row((gettext("Total"),), [self._cell(column, self._report.whole) for column in self._columns])

    def _cell(self, column: Column, line: Line) -> Cell:
        value, before = value_of(column, line), column.before(line)
        reach = self._range(column, line) if line.is_few and value is not None else ""
        return Cell(
            column.key,
            _marked(column.write(value), few=bool(reach)),
            None if value is None else float(value),
            self._link(column, line, value),
            bool(reach),
            reach,
            column.write(before) if self._is_told(column, line, value, before) else "",
            _change(column, value, before),
            self._bar(line) if column.key == "share" and line.key else "",
        )

    def _is_told(self, column: Column, line: Line, value: Number | None, before: Number | None) -> bool:
        """Whether a smaller figure stands beneath; of another model only what differs."""
        if line.before is None or column.of_line or Blank.UNDIVIDED in line.key:
            return False
        return self._report.before is not None or value != before

    def _link(self, column: Column, line: Line, value: Number | None) -> str | None:
        """The calls behind a count; parts of target calls, which a model shares, are no calls."""
        shared = column.key == "target" and self._report.wish.model is not None
        if not self._linked or not value or shared or column.asks is None or line.asks is None:
            return None
        return calls_of(among(line.asks, column.asks))

    def _range(self, column: Column, line: Line) -> str:
        found = column.range(line.sums, self._usual) if column.range else None
        return "" if found is None else range_words(column, found)

    def _bar(self, line: Line) -> str:
        return f"{float(100 * (line.share or 0) / self._most):.1f}" if self._most else "0"


def _marked(told: str, *, few: bool) -> str:
    """With a ~ before what few orders tell; a minus keeps its distance, or both look like one sign."""
    if not few:
        return told
    return f"~\N{HAIR SPACE}{told}" if told.startswith(numbers.MINUS) else f"~{told}"


def value_of(column: Column, line: Line) -> Number | None:
    """The row's figure. A cost that is not divided has no returns: what it brought stands in other rows."""
    if Blank.UNDIVIDED in line.key and column.key not in {"calls", "share", "cost"}:
        return None
    return column.take(line)


def range_words(column: Column, found: Interval) -> str:
    """ "9.50 to 40,000": where the true value lies, 95 times in 100."""
    low = column.write(Fraction(found.low))
    if found.high is None:
        return gettext("%(low)s or more", low=low)
    return gettext("%(low)s to %(high)s", low=low, high=column.write(Fraction(found.high)))


def _change(column: Column, now: Number | None, before: Number | None) -> Change:
    told = [None if value is None else float(value) for value in (now, before)]
    is_share = column.write is numbers.rate
    return Change(told[0], told[1], column.better, is_share=is_share)
