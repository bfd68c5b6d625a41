"""The columns of a report's table: what each says of a row, how it is written, and which a reader chose.

A new column is one entry here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flask_babel import lazy_gettext as _

from tracker.policy.figures import LOST, Better
from tracker.policy.intervals import Interval
from tracker.policy.money_figures import (
    Number,
    Sums,
    conversion_interval,
    cost_per_order_interval,
    net_interval,
    quotient,
    romi_interval,
)
from tracker.policy.report import Line, Report
from tracker.policy.spans import Asks
from tracker.policy.worth import Category
from web import report_numbers as numbers

Take = Callable[[Line], Number | None]
Range = Callable[[Sums, Fraction | None], Interval | None]


class Show(enum.StrEnum):
    """Which columns: what a decision needs, those of calls, those of money, or all."""

    MAIN = "main"
    CALLS = "calls"
    MONEY = "money"
    ALL = "all"


class Group(enum.StrEnum):
    CALLS = "calls"
    WORTH = "worth"
    MONEY = "money"


SHOWS = {Show.MAIN: _("In short"), Show.CALLS: _("Calls"), Show.MONEY: _("Money"), Show.ALL: _("Everything")}
GROUPS = {Group.CALLS: _("Calls"), Group.WORTH: _("Sales"), Group.MONEY: _("Money")}


@dataclass(frozen=True)
class Column:
    """`asks` are the words that list its calls among the row's; `of_line`: none is of the time before."""

    key: str
    word: Any
    group: Group
    take: Take
    write: Callable[[Number | None], str]
    better: Better = Better.NEITHER
    asks: Asks | None = None
    hint: Any = ""
    range: Range | None = None
    of_line: bool = False
    shows: frozenset[Show] = frozenset()

    def before(self, line: Line) -> Number | None:
        """The same of the days that the report is compared with."""
        return None if line.before is None or self.of_line else self.take(Line(line.key, line.before))


def _told(category: Category) -> tuple[str, str]:
    return "category", category.value


_IN_SHORT = frozenset({Show.MAIN, Show.MONEY})
_EVERYWHERE = frozenset({Show.MAIN, Show.CALLS, Show.MONEY})
_OF_CALLS = frozenset({Show.CALLS})
_OF_MONEY = frozenset({Show.MONEY})
_SHORT_CALLS = frozenset({Show.MAIN, Show.CALLS})

COLUMNS = (
    Column("calls", _("Calls"), Group.CALLS, lambda it: it.sums.calls, numbers.count, Better.MORE, (),
           shows=_EVERYWHERE),
    Column("share", _("Share of calls"), Group.CALLS, lambda it: it.share, numbers.share, of_line=True,
           hint=_("Of all calls of the report"), shows=_SHORT_CALLS),
    Column("callers", _("Callers"), Group.CALLS, lambda it: it.sums.callers, numbers.count, Better.MORE,
           hint=_("Different numbers"), shows=_OF_CALLS),
    Column("missed", _("Missed"), Group.CALLS, lambda it: it.sums.missed, numbers.count, Better.LESS,
           tuple(("outcome", each.value) for each in LOST), _("Calls that nobody took"), shows=_OF_CALLS),
    Column("target", _("Target"), Group.CALLS, lambda it: it.sums.target, numbers.count, Better.MORE,
           (_told(Category.TARGET),), _("Calls that a person judged to be target calls"), shows=_SHORT_CALLS),
    Column("judged", _("Judged"), Group.CALLS, lambda it: it.judged, numbers.count, of_line=True,
           asks=tuple(map(_told, Category)), hint=_("Calls of which a person said what they were worth"),
           shows=_OF_CALLS),
    Column("non_target", _("Non-target"), Group.CALLS, lambda it: it.non_target, numbers.count,
           of_line=True, asks=(_told(Category.NON_TARGET),),
           hint=_("Calls that a person judged to be of no use"), shows=_OF_CALLS),
    Column("non_target_share", _("Non-target share"), Group.CALLS,
           lambda it: quotient(it.non_target, it.judged), numbers.share, of_line=True,
           hint=_("Of the judged calls"), shows=_OF_CALLS),
    Column("leads", _("Leads"), Group.WORTH, lambda it: it.sums.leads, numbers.count, Better.MORE,
           hint=_("Every call, or target calls only, as chosen above")),
    Column("orders", _("Orders"), Group.WORTH, lambda it: it.sums.orders, numbers.count, Better.MORE,
           hint=_("Sales made in these days"), shows=_IN_SHORT),
    Column("conversion", _("Conversion"), Group.WORTH, lambda it: it.sums.conversion, numbers.rate,
           Better.MORE, hint=_("Orders of leads"), range=lambda it, _usual: conversion_interval(it),
           shows=_IN_SHORT),
    Column("revenue", _("Revenue"), Group.WORTH, lambda it: it.sums.revenue, numbers.amount, Better.MORE,
           shows=_OF_MONEY),
    Column("profit", _("Gross profit"), Group.WORTH, lambda it: it.sums.gross_profit, numbers.amount,
           Better.MORE, hint=_("What sales brought before the cost of advertising"), shows=_IN_SHORT),
    Column("cost", _("Cost"), Group.MONEY, lambda it: it.sums.cost, numbers.amount, shows=_IN_SHORT),
    Column("per_call", _("Per call"), Group.MONEY, lambda it: it.sums.cost_per_call, numbers.amount,
           Better.LESS, hint=_("Cost / calls"), shows=_OF_MONEY),
    Column("per_caller", _("Per caller"), Group.MONEY, lambda it: it.sums.cost_per_caller, numbers.amount,
           Better.LESS, hint=_("Cost / callers")),
    Column("per_target", _("Per target call"), Group.MONEY, lambda it: it.sums.cost_per_target,
           numbers.amount, Better.LESS, hint=_("Cost / target calls"), shows=_IN_SHORT),
    Column("per_lead", _("Per lead"), Group.MONEY, lambda it: it.sums.cost_per_lead, numbers.amount,
           Better.LESS, hint=_("Cost / leads"), shows=_OF_MONEY),
    Column("per_order", _("Per order"), Group.MONEY, lambda it: it.sums.cost_per_order, numbers.amount,
           Better.LESS, hint=_("Cost / orders"), range=lambda it, _usual: cost_per_order_interval(it),
           shows=_IN_SHORT),
    Column("net", _("Net"), Group.MONEY, lambda it: it.sums.net, numbers.amount, Better.MORE,
           hint=_("Gross profit − cost; below 0 is a loss"), range=net_interval, shows=_IN_SHORT),
    Column("romi", _("ROMI"), Group.MONEY, lambda it: it.sums.romi, numbers.rate, Better.MORE,
           hint=_("(Gross profit − cost) / cost; a loss begins below 0 %"), range=romi_interval,
           shows=_IN_SHORT),
    Column("gross_return", _("Gross return"), Group.MONEY, lambda it: it.sums.gross_return, numbers.rate,
           Better.MORE, hint=_("Gross profit / cost; a loss begins below 100 %")),
    Column("roas", _("ROAS"), Group.MONEY, lambda it: it.sums.roas, numbers.rate, Better.MORE,
           hint=_("Revenue / cost; a loss begins below its break-even"), shows=_OF_MONEY),
    Column("roas_even", _("ROAS break-even"), Group.MONEY, lambda it: it.sums.roas_break_even, numbers.rate,
           hint=_("Revenue / gross profit: below this ROAS the row loses"), shows=_OF_MONEY),
)  # fmt: skip


def columns_of(show: Show) -> list[Column]:
    """Those shown, from left to right."""
    return [each for each in COLUMNS if show is Show.ALL or show in each.shows]


def usual_show(report: Report) -> Show:
    """What is shown to who has not chosen."""
    return Show.MAIN if has_money(report) else Show.CALLS


def has_money(report: Report) -> bool:
    whole = report.whole.sums
    return whole.cost is not None or bool(whole.orders)
