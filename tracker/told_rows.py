"""What rows of costs and of sales have in common: rates they need, one row by itself, audit entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tracker.errors import Rejected, Said, say
from tracker.policy.rates import Rates
from tracker.policy.tables import BadCell


def missing_rates(rates: Rates, lines: Iterable[tuple[Any, date]]) -> list[BadCell]:
    """The rows, each with its day, whose currency has no rate then."""
    problems: list[BadCell] = []
    known: dict[tuple[str, date], Rejected | None] = {}
    for line, day in lines:
        if line.currency == rates.into:
            continue
        if (line.currency, day) not in known:
            known[line.currency, day] = _missing(rates, line.currency, day)
        if known[line.currency, day]:
            said = say(
                "there is no rate of %(currency)s for %(day)s", currency=line.currency, day=day.isoformat()
            )
            problems.append(BadCell(line.line, "currency", said))
    return problems


def only_line(found: Any, refusal: str, fix: Said, currency: str) -> Any:
    """The only line of a list of one. Raises Rejected `refusal` with what is wrong with it."""
    if found.problems:
        bad = found.problems[0]
        raise Rejected(
            refusal,
            "%(column)s: %(problem)s",
            fix,
            column=bad.column,
            problem=bad.said,
            currency=currency,
        )
    return found.lines[0]


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as the audit log keeps them."""
    return {name: _as_json(value) for name, value in values.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value


def _missing(rates: Rates, currency: str, day: date) -> Rejected | None:
    try:
        rates.rate(currency, day)
    except Rejected as problem:
        return problem
    return None
