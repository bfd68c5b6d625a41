"""What a report advises: which rows lose, what dropping the weak ones costs, which keywords waste calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.policy.dropping import Dropping, KeywordCalls, Losing, Negative, dropping, losing, negatives
from tracker.policy.money_figures import Sums
from tracker.policy.report import Leads, Line, Report
from tracker.policy.report_words import Blank, By, Calendar


@dataclass(frozen=True)
class Tempting:
    """Rows that earned, though their ROMI is below 100 %: who takes that for a loss would drop them (T5)."""

    lines: Sequence[Line]
    dropping: Dropping


@dataclass(frozen=True)
class Advice:
    """`all_leads`: every call counts as a lead, for nobody has judged any (T5)."""

    losing: Sequence[tuple[Line, Losing]] = ()
    tempting: Tempting | None = None
    negatives: Sequence[Negative] = ()
    all_leads: bool = False


def advise(report: Report) -> Advice:
    """What follows from the rows, none of it certain: only a person drops a channel."""
    lines = {str(place): line for place, line in enumerate(report.lines)}
    rows = {name: line.sums for name, line in lines.items()}
    # Nobody can stop paying for a day that is over.
    named = {
        name
        for name, line in lines.items()
        if not any(isinstance(cell, Blank | Calendar) for cell in line.key)
    }
    return Advice(
        [(lines[each.name], each) for each in losing(rows) if each.name in named],
        _tempting(lines, rows, named),
        _negatives(report),
        report.wish.leads is Leads.CALLS and bool(report.whole.sums.calls) and not report.whole.judged,
    )


def _tempting(lines: dict[str, Line], rows: dict[str, Sums], named: set[str]) -> Tempting | None:
    """None where there are none, or nothing else is left."""
    weak = [name for name in lines if name in named and _is_weak(rows[name])]
    paid = [name for name in rows if rows[name].cost]
    if not weak or len(weak) == len(paid):
        return None
    found = dropping(rows, weak)
    return Tempting([lines[name] for name in weak], found) if found.misleads else None


def _is_weak(row: Sums) -> bool:
    """Whether its ROMI is between 0 and 100 %."""
    return row.net is not None and row.cost is not None and 0 < row.net < row.cost


def _negatives(report: Report) -> Sequence[Negative]:
    if report.wish.by is not By.KEYWORD or report.wish.split is not None:
        return ()
    return negatives({
        line.key[0]: KeywordCalls(line.judged, line.non_target, line.sums.cost)
        for line in report.lines
        if isinstance(line.key[0], str)
    })  # fmt: skip
