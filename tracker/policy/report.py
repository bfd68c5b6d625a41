"""Reports: calls, sales and costs grouped by one or two words, each row with the filter that lists its calls.

    report = assemble(wish, read)           # Read: what tracker.reports counted

A cost stands once: in the row that its words name. One that was told less finely than the rows are (of the
source, where rows are campaigns) is in a row of its own, and so is one whose words no call has.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tracker.errors import Rejected
from tracker.policy.credit import Model
from tracker.policy.figures import LOST, Counts
from tracker.policy.intervals import Count
from tracker.policy.money_figures import FEW_ORDERS, Sums, completed, quotient
from tracker.policy.report_asks import asks_of
from tracker.policy.report_words import CREDITED, Blank, By, Cell, label, place_in_time
from tracker.policy.spans import Asks, Span

ONLY = ("source", "medium", "campaign", "keyword")  # what a report may be narrowed to: costs have it too
Key = tuple[Cell, ...]


class Leads(enum.StrEnum):
    """What the company calls a lead."""

    CALLS = "calls"  # each call, also spam
    TARGET = "target"  # what a person has judged to be one


@dataclass(frozen=True)
class Wish:
    """What somebody wants to see; model None: a sale is the origin's that its call came from."""

    by: By
    split: By | None = None
    model: Model | None = None
    leads: Leads = Leads.CALLS
    only: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.split is self.by:
            raise Rejected(
                "report.malformed", "Rows are split by what they are", "Split them by another word"
            )
        if self.model is not None and not CREDITED.issuperset(self.parts):
            raise Rejected(
                "report.malformed",
                "A model shares sales among origins, and these rows are none",
                "Give one of %(words)s, or no model",
                words=sorted(CREDITED),
            )
        if unknown := self.only.keys() - set(ONLY):
            raise Rejected(
                "report.malformed",
                "A report cannot be narrowed by %(names)s",
                "Give one of %(words)s",
                names=sorted(unknown),
                words=list(ONLY),
            )

    @property
    def parts(self) -> tuple[By, ...]:
        return (self.by,) if self.split is None else (self.by, self.split)


class Grouped(NamedTuple):
    """Calls of a row: how many of what, and how many callers can be told apart."""

    counts: Counts
    callers: int = 0


@dataclass(frozen=True)
class Won:
    """What a row is credited with; target calls are None where they are its own."""

    orders: Count = 0
    revenue: Decimal | None = None
    profit: Decimal | None = None
    target: Count | None = None

    def __add__(self, other: Won) -> Won:
        return Won(
            self.orders + other.orders,
            _plus(self.revenue, other.revenue),
            _plus(self.profit, other.profit),
            other.target if self.target is None else self.target + (other.target or 0),
        )


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else one + other


@dataclass(frozen=True)
class Coverage:
    """How much of what happened the rows know of."""

    calls: int = 0
    attributed: int = 0
    uncertain: int = 0
    answered: int = 0
    judged: int = 0
    orders: Count = 0
    matched: Count = 0  # orders that belong to a call or a visitor
    conversions: int = 0  # that a data-driven model has learned from

    @property
    def unattributed_share(self) -> Fraction | None:
        return quotient(self.calls - self.attributed, self.calls)


@dataclass(frozen=True)
class Days:
    """What was counted of a time: by row, and all together."""

    calls: Mapping[Key, Grouped]
    won: Mapping[Key, Won]
    costs: Mapping[Key, Decimal]
    everything: Grouped
    earned: Won
    coverage: Coverage


@dataclass(frozen=True)
class Line:
    """A row: its words, its figures, and the filter that lists exactly its calls (None: there is none)."""

    key: Key
    sums: Sums
    judged: int = 0
    non_target: int = 0
    share: Fraction | None = None  # of all calls
    asks: Asks | None = None
    before: Sums | None = None  # of the days before, or by the model beside

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map(label, self.key))

    @property
    def is_few(self) -> bool:
        """Whether chance alone may have made its returns."""
        return self.sums.orders < FEW_ORDERS


@dataclass(frozen=True)
class Report:
    wish: Wish
    currency: str
    span: Span
    before: Span | None  # what it is compared with
    lines: Sequence[Line]
    whole: Line
    coverage: Coverage
    against: Wish | None = None  # by whose model the rows' `before` is, where it is not of days before


def assemble(
    wish: Wish,
    currency: str,
    now: tuple[Span, Days],
    before: tuple[Span, Days] | None = None,
    also: Asks = (),
) -> Report:
    """The report, its rows with the most calls first; what is named by no word comes last."""
    span, days = now
    base = (*also, *span.asks, *wish.only.items())
    rows = _rows(wish, days)
    earlier = _rows(wish, before[1]) if before else {}
    lines = [
        _line(
            key,
            rows.get(key, Sums()),
            days,
            asks_of(wish.parts, key, span, base),
            earlier.get(key, Sums()) if before else None,
        )
        for key in dict.fromkeys((*rows, *earlier))
    ]
    return Report(
        wish,
        currency,
        span,
        before[0] if before else None,
        sorted(lines, key=_order),
        _whole(wish, days, base, before),
        days.coverage,
    )


def beside(report: Report, other: Report) -> Report:
    """The rows with another model's figures where those of the days before would stand."""
    theirs = {line.key: line.sums for line in other.lines}
    lines = [replace(line, before=theirs.get(line.key, Sums())) for line in report.lines]
    known = {line.key for line in report.lines}
    more = [
        replace(line, sums=Sums(cost=line.sums.cost, calls=line.sums.calls), before=line.sums)
        for line in other.lines
        if line.key not in known
    ]
    whole = replace(report.whole, before=other.whole.sums)
    learned = replace(report.coverage, conversions=max(it.coverage.conversions for it in (report, other)))
    return replace(
        report, before=None, lines=[*lines, *more], whole=whole, coverage=learned, against=other.wish
    )


def _rows(wish: Wish, days: Days) -> dict[Key, Sums]:
    keys = dict.fromkeys((*days.calls, *days.won, *days.costs))
    rows = {
        key: _sums(
            wish,
            days.calls.get(key, Grouped(Counts())),
            days.won.get(key, Won(target=0 if wish.model else None)),
            days.costs.get(key),
        )
        for key in keys
    }
    found = completed({str(place): row for place, row in enumerate(rows.values())})
    return {key: _undivided(key, row) for key, row in zip(rows, found.values(), strict=True)}


def _undivided(key: Key, row: Sums) -> Sums:
    """A cost that is not divided has no returns: what it brought stands in other rows."""
    return replace(row, revenue=None, gross_profit=None) if Blank.UNDIVIDED in key else row


def _sums(wish: Wish, grouped: Grouped, won: Won, cost: Decimal | None) -> Sums:
    counts = grouped.counts
    target = counts.target if won.target is None else won.target
    return Sums(
        cost=cost,
        calls=counts.calls,
        callers=grouped.callers,
        missed=sum(getattr(counts, outcome.value) for outcome in LOST),
        target=target,
        leads=counts.calls if wish.leads is Leads.CALLS else target,
        orders=won.orders,
        revenue=won.revenue,
        gross_profit=won.profit,
    )


def _line(key: Key, sums: Sums, days: Days, asks: Asks | None, before: Sums | None) -> Line:
    counts = days.calls.get(key, Grouped(Counts())).counts
    return Line(
        key,
        sums,
        judged=_judged(counts),
        non_target=counts.non_target,
        share=quotient(counts.calls, days.everything.counts.calls),
        asks=asks,
        before=before,
    )


def _whole(wish: Wish, days: Days, base: Asks, before: tuple[Span, Days] | None) -> Line:
    counts = days.everything.counts
    return Line(
        (),
        _all(wish, days),
        judged=_judged(counts),
        non_target=counts.non_target,
        share=quotient(counts.calls, counts.calls),
        asks=base,
        before=_all(wish, before[1]) if before else None,
    )


def _all(wish: Wish, days: Days) -> Sums:
    """All together, each call and sale once, also where it stands in several rows."""
    return _sums(wish, days.everything, days.earned, total_cost(days.costs.values()))


def total_cost(costs: Iterable[Decimal]) -> Decimal | None:
    """Their sum; None where there are none."""
    told = list(costs)
    return sum(told, Decimal(0)) if told else None


def _judged(counts: Counts) -> int:
    return counts.target + counts.service + counts.non_target


def _order(line: Line) -> tuple[object, ...]:
    """By the clock or the calendar where rows are times, else by what they brought."""
    places = map(place_in_time, line.key)
    blank = any(isinstance(cell, Blank) for cell in line.key)
    told = line.sums
    return blank, *places, -told.calls, -told.orders, -(told.cost or 0), line.labels
