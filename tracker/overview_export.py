"""The overview as JSON: every figure that the page shows."""

from __future__ import annotations

from typing import Any

from tracker.policy.facts import Outcome
from tracker.policy.figures import Figures
from tracker.policy.overview import Employee, Line, NumberLine, Overview, Times
from tracker.policy.spans import Span
from tracker.policy.worth import Category


def describe(it: Overview) -> dict[str, Any]:
    """Counts of calls, times in seconds, shares as fractions; `before` are as many days before."""
    return {
        "days": _span(it.span),
        "before": _span(it.before),
        "figures": _figures(it.now) | {"callers": it.callers.count} | _times(it.times),
        "figures_before": _figures(it.earlier)
        | {"callers": it.earlier_callers}
        | {name: value for name, value in _times(it.earlier_times).items() if name != "talk_median_seconds"},
        "by_time": [
            {
                "first": bar.bucket.first.isoformat(),
                "last": bar.bucket.last.isoformat(),
                "hour": bar.bucket.hour,
            }
            | _figures(bar.figures)
            for bar in it.bars
        ],
        "sources": [_line(line) for line in it.lines],
        "hours_of_week": {hour.word: cell.calls.count for hour, cell in it.week.items() if cell.calls.count},
        "missed_by_hour_of_week": {
            hour.word: cell.missed.count for hour, cell in it.week.items() if cell.missed.count
        },
        "employees": [_employee(each) for each in it.employees],
        "numbers": [_number(line) for line in it.numbers],
    }


def _span(it: Span) -> dict[str, str]:
    until = dict(it.asks).get("until", it.last.isoformat())
    return {"first": it.first.isoformat(), "last": it.last.isoformat(), "until": until}


def _figures(it: Figures) -> dict[str, Any]:
    return {
        "calls": it.calls.count,
        "first_time": it.first.count,
        "answered_share": it.answered_share,
        "not_taken": it.missed.count,
        **{outcome.value: it.ended(outcome).count for outcome in Outcome},
        **{category.value: it.worth(category).count for category in Category},
        "not_judged": it.unjudged.count,
        "target_share": it.target_share,
    }


def _times(it: Times) -> dict[str, float | None]:
    return {
        "wait_median_seconds": it.wait,
        "wait_90_seconds": it.wait_most,
        "talk_median_seconds": it.talk,
        "talk_seconds": round(it.talk_total, 1),
    }


def _line(it: Line) -> dict[str, Any]:
    named = it.origin
    group, name = (None, None) if named is None else (named.group, named.name)
    return {"source": "others" if named is None else named.word, "group": group, "name": name} | _figures(
        it.figures
    )


def _employee(it: Employee) -> dict[str, Any]:
    return {
        "name": it.name,
        "answered": it.answered.count,
        "rang_in_vain": it.missed.count,
        "target": it.target.count,
        "judged": it.judged,
    } | _times(it.times)


def _number(it: NumberLine) -> dict[str, Any]:
    named = {"number": it.number.e164, "label": it.number.label, "channel": it.number.channel}
    return named | {"most_effective": it.best, "least_effective": it.worst} | _figures(it.figures)
