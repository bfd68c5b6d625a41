"""A report as a terminal shows it: the table, how much it knows, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from commands.printing import shown, table
from tracker.policy.markov import ENOUGH_CONVERSIONS
from tracker.policy.money_figures import Number, percent, rounded
from tracker.policy.report import Leads, Line, Report
from tracker.policy.report_advice import Advice, Tempting, advise
from tracker.policy.report_text import by_other
from tracker.report_export import model_word

Column = tuple[str, Callable[[Line], Any]]
TOTAL = "total"


def text_of(report: Report) -> str:
    """Everything a person is shown."""
    days = f"{report.span.first} to {report.span.last}, money in {report.currency}"
    lines = [*_notes(report), *_advice(advise(report), report)]
    return "\n\n".join([days, _table(report), "\n".join(lines)])


def _table(report: Report) -> str:
    names = [by.value for by in report.wish.parts]
    columns = [*_counts(report), *(_money() if _has_money(report) else ()), *_by_other(report)]
    rows = [
        dict(zip(names, line.labels or (TOTAL, *[""] * (len(names) - 1)), strict=True))
        | {title: told(line) for title, told in columns}
        for line in (*report.lines, report.whole)
    ]
    titles = [*names, *(title for title, _ in columns)]
    return table([title.upper() for title in titles], rows, titles)


def _has_money(report: Report) -> bool:
    whole = report.whole.sums
    return whole.cost is not None or bool(whole.orders)


def _counts(report: Report) -> list[Column]:
    columns: list[Column] = [
        ("calls", lambda it: it.sums.calls),
        ("share", lambda it: _percent(it.share, 1)),
        ("callers", lambda it: it.sums.callers),
        ("missed", lambda it: it.sums.missed),
        ("target", lambda it: _count(it.sums.target)),
        ("judged", lambda it: it.judged),
    ]
    if report.before is not None:
        columns.insert(1, ("before", lambda it: it.before and it.before.calls))
    return columns


def _money() -> list[Column]:
    return [
        ("orders", lambda it: _count(it.sums.orders)),
        ("conversion", lambda it: _percent(it.sums.conversion)),
        ("revenue", lambda it: money(it.sums.revenue)),
        ("profit", lambda it: money(it.sums.gross_profit)),
        ("cost", lambda it: money(it.sums.cost)),
        ("per lead", lambda it: money(it.sums.cost_per_lead)),
        ("per target", lambda it: money(it.sums.cost_per_target)),
        ("per order", lambda it: money(it.sums.cost_per_order)),
        ("net", lambda it: money(it.sums.net)),
        ("romi", _returns),
        ("roas", lambda it: _percent(it.sums.roas)),
    ]


def _by_other(report: Report) -> Iterator[Column]:
    """What the model beside says otherwise."""
    if report.against is None:
        return
    wanted = {"target", "orders", "profit", "net", "romi"} if _has_money(report) else {"target"}
    for title, told in (*_counts(report), *_money()):
        if title in wanted:
            yield f"{title} by {model_word(report.against)}", partial(_of_other, report, told)


def _of_other(report: Report, told: Callable[[Line], Any], line: Line) -> Any:
    other = by_other(report, line)
    return other and told(other)


def _returns(line: Line) -> str | None:
    told = _percent(line.sums.romi)
    return f"~{told}" if told and line.is_few else told


def money(value: Number | None) -> str | None:
    """An amount in whole units, a small one with its cents; thousands apart."""
    if value is None:
        return None
    exact = Fraction(value)
    small = abs(exact) < 100 and exact.denominator != 1
    return f"{rounded(value, 2 if small else 0):,}".replace(",", " ")


def _count(value: int | Fraction) -> str:
    return f"{rounded(value, 0 if value == int(value) else 2)}"


def _percent(value: Fraction | None, decimals: int = 2) -> str | None:
    found = percent(value, decimals)
    return None if found is None else f"{found} %"


# ---- below the table ----


def _notes(report: Report) -> Iterator[str]:
    it = report.coverage
    if it.calls:
        yield (
            f"Coverage: {it.attributed} of {it.calls} calls have a source ({it.uncertain} uncertain), "
            f"{_percent(it.unattributed_share, 1)} have none. Judged: {it.judged} of {it.answered} answered."
        )
    if it.orders:
        yield f"Orders: {_count(it.matched)} of {_count(it.orders)} belong to a known call or visitor."
    if report.wish.model is not None:
        yield (
            f"Model {report.wish.model.value}: shares target calls, orders and what they brought; calls "
            "stand where they came from."
        )
    if report.against is not None:
        yield f"Beside it stands what the model {model_word(report.against)} says."
    if 0 < it.conversions < ENOUGH_CONVERSIONS:
        yield f"The model rests on {it.conversions} conversions, which are too few: take a simple one."
    leads = "every call" if report.wish.leads is Leads.CALLS else "a target call"
    yield f"A lead is {leads}; conversion is orders of leads."
    if _has_money(report) and any(line.is_few and line.sums.romi is not None for line in report.lines):
        yield "~ fewer than 10 orders: chance alone may have made it; --json has the intervals."


def _advice(it: Advice, report: Report) -> Iterator[str]:
    if it.all_leads:
        yield "Nobody has judged a call: spam and repeats count as leads too (see `--leads target`)."
    for line, each in it.losing:
        sure = "more than chance explains" if each.is_sure else "though chance may have made that"
        yield f"{_named([line])} cost {money(each.loss)} more than it brought, {sure}."
    if it.tempting is not None:
        yield _tempting(it.tempting)
    for wasteful in it.negatives:
        facts = wasteful.facts
        wasted = "" if wasteful.wasted is None else f", for {money(wasteful.wasted)} {report.currency}"
        yield (
            f"Negative keyword? {shown(wasteful.keyword)}: {facts.non_target} of {facts.judged} judged calls "
            f"were non-target{wasted}."
        )


def _tempting(it: Tempting) -> str:
    before, after = it.dropping.before, it.dropping.after
    return (
        f"Dropping {_named(it.lines)} would lose {money(it.dropping.loses)}, though the ROMI would rise from "
        f"{_percent(before.romi)} to {_percent(after.romi)}: it pays only if the "
        f"{money(it.dropping.dropped.cost)} earn a ROMI above {_percent(it.dropping.must_earn)} elsewhere."
    )


def _named(lines: Sequence[Line]) -> str:
    names = [shown(" / ".join(line.labels)) for line in lines]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
