"""Reports as JSON and as flat rows: money in the currency's decimals, shares and returns in per cent.

Figures are rounded half up where they leave; what nobody knows is null.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel.numbers import get_currency_precision

from tracker.policy.intervals import Count, Interval
from tracker.policy.money_figures import (
    Doubt,
    Sums,
    conversion_interval,
    cost_per_order_interval,
    doubts,
    net_interval,
    percent,
    romi_interval,
    rounded,
)
from tracker.policy.report import Coverage, Line, Report, Wish
from tracker.policy.report_advice import Advice, advise
from tracker.policy.report_wish import OWN
from tracker.policy.report_words import Blank
from tracker.policy.spans import Asks, Span

_UNSHARED = frozenset({"calls", "callers", "missed", "cost", "cost_per_call", "cost_per_caller"})
# Said once of the whole report, where nobody has judged any call.
_OF_ALL = frozenset({Doubt.EVERY_CALL_A_LEAD})


def describe(it: Report) -> dict[str, Any]:
    """Everything a report says; `filter` are the words that list the row's calls, as an address has them."""
    decimals = get_currency_precision(it.currency)
    return {
        "by": it.wish.by.value,
        "split": it.wish.split and it.wish.split.value,
        "model": it.wish.model and it.wish.model.value,
        "leads": it.wish.leads.value,
        "only": dict(it.wish.only),
        "currency": it.currency,
        "days": _span(it.span),
        "before": it.before and _span(it.before),
        "against": it.against and model_word(it.against),
        "rows": [_line(it, line, decimals) for line in it.lines],
        "total": _line(it, it.whole, decimals),
        "coverage": _coverage(it.coverage),
        "advice": _advice(advise(it), decimals),
    }


def flat(it: Report) -> Iterator[dict[str, Any]]:
    """A row a line, the total last, all with the same columns."""
    decimals = get_currency_precision(it.currency)
    for line in (*it.lines, it.whole):
        names = line.labels or ("total",) * len(it.wish.parts)
        row = dict(zip((by.value for by in it.wish.parts), names, strict=True))
        yield row | _figures(line, decimals) | {"currency": it.currency} | _second(it, line, decimals)


def model_word(wish: Wish) -> str:
    """The word of the wish's model, in addresses and commands."""
    return OWN if wish.model is None else wish.model.value


def _second(it: Report, line: Line, decimals: int) -> dict[str, Any]:
    """The figures of the days before, or by the model beside, with the words of both models."""
    if line.before is None:
        return {}
    if it.against is None:
        return {f"{name}_before": value for name, value in _sums(line.before, decimals).items()}
    theirs = {f"{name}_against": value for name, value in _credited(line.before, decimals).items()}
    return {"model": model_word(it.wish), "against": model_word(it.against)} | theirs


def _line(it: Report, line: Line, decimals: int) -> dict[str, Any]:
    named = {
        by.value: None if isinstance(cell, Blank) else name
        for by, cell, name in zip(it.wish.parts, line.key, line.labels, strict=bool(line.key))
    }
    blank = [cell.value for cell in line.key if isinstance(cell, Blank)]
    return {
        **named,
        **({"without": blank} if blank else {}),
        **_figures(line, decimals),
        "intervals": _intervals(line.sums) if line.is_few else None,
        "doubts": [doubt.value for doubt in doubts(line.sums) if doubt not in _OF_ALL],
        "filter": as_words(line.asks),
        "before": None if line.before is None or it.against else _sums(line.before, decimals),
        "against": _credited(line.before, decimals) if line.before is not None and it.against else None,
    }


def as_words(asks: Asks | None) -> dict[str, list[str]] | None:
    """A filter as JSON has it."""
    if asks is None:
        return None
    found: dict[str, list[str]] = {}
    for name, value in dict.fromkeys(asks):
        found.setdefault(name, []).append(value)
    return found


def _figures(line: Line, decimals: int) -> dict[str, Any]:
    judged = {"judged": line.judged, "non_target": line.non_target}
    return {"share_percent": _percent(line.share, 1)} | _sums(line.sums, decimals) | judged


def _sums(it: Sums, decimals: int) -> dict[str, Any]:
    return {
        "calls": _count(it.calls),
        "callers": it.callers,
        "missed": _count(it.missed),
        "target": _count(it.target),
        "leads": _count(it.leads),
        "orders": _count(it.orders),
        "conversion_percent": _percent(it.conversion),
        "revenue": _money(it.revenue, decimals),
        "gross_profit": _money(it.gross_profit, decimals),
        "cost": _money(it.cost, decimals),
        "cost_per_call": _money(it.cost_per_call, decimals),
        "cost_per_caller": _money(it.cost_per_caller, decimals),
        "cost_per_target": _money(it.cost_per_target, decimals),
        "cost_per_lead": _money(it.cost_per_lead, decimals),
        "cost_per_order": _money(it.cost_per_order, decimals),
        "net": _money(it.net, decimals),
        "romi_percent": _percent(it.romi),
        "gross_return_percent": _percent(it.gross_return),
        "roas_percent": _percent(it.roas),
        "roas_break_even_percent": _percent(it.roas_break_even),
    }


def _credited(it: Sums, decimals: int) -> dict[str, Any]:
    """What a model has a say in: calls and costs stand where they are by any."""
    return {name: value for name, value in _sums(it, decimals).items() if name not in _UNSHARED}


def _count(value: Count) -> int | float:
    return int(value) if value == int(value) else float(rounded(value, 2) or 0)


def _percent(value: Fraction | None, decimals: int = 2) -> float | None:
    found = percent(value, decimals)
    return None if found is None else float(found)


def _money(value: Decimal | Fraction | None, decimals: int) -> Decimal | None:
    return rounded(value, decimals)


def _intervals(it: Sums) -> dict[str, Any]:
    """Between which the true values lie, 95 times in 100: shares as fractions, money as it is."""
    return {
        "conversion": _ends(conversion_interval(it)),
        "cost_per_order": _ends(cost_per_order_interval(it)),
        "net": _ends(net_interval(it)),
        "romi": _ends(romi_interval(it)),
    }


def _ends(it: Interval | None) -> list[float | None] | None:
    return None if it is None else [round(it.low, 4), None if it.high is None else round(it.high, 4)]


def _span(it: Span) -> dict[str, str]:
    until = dict(it.asks).get("until", it.last.isoformat())
    return {"first": it.first.isoformat(), "last": it.last.isoformat(), "until": until}


def _coverage(it: Coverage) -> dict[str, Any]:
    return {
        "calls": it.calls,
        "attributed": it.attributed,
        "unattributed_percent": _percent(it.unattributed_share, 1),
        "uncertain": it.uncertain,
        "answered": it.answered,
        "judged": it.judged,
        "orders": _count(it.orders),
        "orders_matched": _count(it.matched),
        "conversions_learned_from": it.conversions or None,
    }


def _advice(it: Advice, decimals: int) -> dict[str, Any]:
    tempting = it.tempting
    return {
        "losing": [
            {"row": line.labels, "loss": _money(each.loss, decimals), "sure": each.is_sure}
            for line, each in it.losing
        ],
        "dropping": tempting
        and {
            "rows": [line.labels for line in tempting.lines],
            "cost": _money(tempting.dropping.dropped.cost, decimals),
            "would_lose": _money(tempting.dropping.loses, decimals),
            "romi_percent_before": _percent(tempting.dropping.before.romi),
            "romi_percent_after": _percent(tempting.dropping.after.romi),
            "must_earn_percent": _percent(tempting.dropping.must_earn),
        },
        "negative_keywords": [
            {
                "keyword": each.keyword,
                "judged": each.facts.judged,
                "non_target": each.facts.non_target,
                "wasted": _money(each.wasted, decimals),
            }
            for each in it.negatives
        ],
        "every_call_is_a_lead": it.all_leads,
    }
