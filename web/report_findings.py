"""What follows from a report, and how much it knows, in whole sentences with links to what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from babel.lists import format_list
from flask_babel import get_locale, gettext, ngettext

from tracker.policy.dropping import Losing, Negative
from tracker.policy.facts import Outcome
from tracker.policy.markov import ENOUGH_CONVERSIONS
from tracker.policy.report import Leads, Line, Report
from tracker.policy.report_advice import Advice, Tempting, advise
from tracker.policy.report_words import Blank
from tracker.policy.worth import Category
from web.report_columns import has_money
from web.report_links import Place, calls_of, narrower
from web.report_names import BY, MODELS, name_of
from web.report_numbers import cash, count, rate, share

MOST = 5  # findings of one kind


@dataclass(frozen=True)
class Link:
    words: str
    address: str


@dataclass(frozen=True)
class Finding:
    """`tone`: bad loses surely, warn may, good earns, mute is said for completeness."""

    text: str
    tone: str = "mute"
    tag: Any = ""
    links: Sequence[Link] = ()


def findings(
    report: Report, place: Place, *, linked: bool = True, keeps_costs: bool = False
) -> list[Finding]:
    """What a manager came for, the gravest first. `keeps_costs`: the reader may write costs down."""
    if not report.whole.sums.calls and not has_money(report):
        return []
    advice = advise(report)
    found = [
        *_missing(report, keeps_costs),
        *_losing(report, advice, place),
        *_tempting(report, advice),
        *_negatives(report, advice),
        *_unjudged(report, advice),
    ]
    return found if linked else [Finding(each.text, each.tone, each.tag) for each in found]


# ---- what is not known ----


def _missing(report: Report, keeps_costs: bool) -> Iterator[Finding]:
    whole = report.whole.sums
    if whole.cost is None:
        text = gettext(
            "Nobody has said what advertising cost in these days, so nobody can say what did not pay."
        )
        address = f"/costs?month={report.span.last:%Y-%m}#import"
        if keeps_costs:
            yield Finding(text, "warn", links=[Link(gettext("Write costs down or import them"), address)])
        else:
            yield Finding(text + " " + gettext("Ask an owner or an admin to write the costs down."), "warn")
    if not whole.orders:
        text = gettext("No sale is known of these days: mark sales on their calls, or import them.")
        yield Finding(text, "warn", links=[Link(gettext("Sales"), f"/sales?month={report.span.last:%Y-%m}")])
    elif whole.gross_profit is None:
        text = gettext("No sale of these days says its gross profit, so nobody can say what it earned.")
        yield Finding(text, "warn", links=[Link(gettext("Sales"), f"/sales?month={report.span.last:%Y-%m}")])


# ---- what loses ----


def _losing(report: Report, advice: Advice, place: Place) -> Iterator[Finding]:
    for line, each in advice.losing[:MOST]:
        yield _loss(report, line, each, place)
    if (left := len(advice.losing) - MOST) > 0:
        text = ngettext(
            "%(num)s more row cost more than it brought.",
            "%(num)s more rows cost more than they brought.",
            left,
        )
        by_net = Link(gettext("Sort by net"), place.with_(sort="net") + "#rows")
        yield Finding(text, "warn", links=[by_net])
    if not advice.losing and (paid := _paid(report)):
        yield Finding(
            ngettext(
                "The %(num)s row with a cost brought more than it cost.",
                "Each of the %(num)s rows with a cost brought at least what it cost.",
                paid,
            )
            + " "
            + gettext("There is nothing here to stop paying for."),
            "good",
        )


def _paid(report: Report) -> int:
    """Rows whose cost and gross profit are both known."""
    return sum(line.sums.verdict is not None and bool(line.sums.cost) for line in report.lines)


def _loss(report: Report, line: Line, each: Losing, place: Place) -> Finding:
    values = {"name": _named(report, line), "loss": cash(each.loss, report.currency)}
    if not line.sums.orders:
        values |= {"cost": cash(line.sums.cost or 0, report.currency)}
        text = gettext("%(name)s cost %(cost)s and brought no sale.", **values)
    else:
        text = gettext("%(name)s cost %(loss)s more than it brought.", **values)
    if each.is_sure:
        return Finding(text, "bad", gettext("more than chance explains"), _closer(report, line, place))
    return Finding(text, "warn", gettext("may be chance"), _closer(report, line, place))


def _closer(report: Report, line: Line, place: Place) -> list[Link]:
    links = []
    if line.sums.calls and line.asks is not None:
        words = ngettext("its %(num)s call", "its %(num)s calls", int(line.sums.calls))
        links.append(Link(words, calls_of(line.asks)))
    if found := narrower(report.wish, line):
        links.append(Link(str(BY[found[0]].all), place.with_(**found[1])))
    return links


def _tempting(report: Report, advice: Advice) -> Iterator[Finding]:
    """T5: a better ratio with less money."""
    it = advice.tempting
    if it is None:
        return
    yield Finding(_would_lose(report, it), "good", gettext("earns, though little"))


def _would_lose(report: Report, it: Tempting) -> str:
    return gettext(
        "Dropping %(names)s would lose %(loss)s, though the ROMI of the rest would rise from"
        " %(before)s to %(after)s. It pays only if the %(cost)s spent there earn a ROMI above"
        " %(least)s elsewhere.",
        names=_names([_named(report, line) for line in it.lines]),
        loss=cash(it.dropping.loses or 0, report.currency),
        before=rate(it.dropping.before.romi),
        after=rate(it.dropping.after.romi),
        cost=cash(it.dropping.dropped.cost or 0, report.currency),
        least=rate(it.dropping.must_earn),
    )


# ---- what wastes calls ----


def _negatives(report: Report, advice: Advice) -> Iterator[Finding]:
    lines = {line.key[0]: line for line in report.lines}
    for each in advice.negatives[: 2 * MOST]:
        line = lines[each.keyword]
        links = []
        if line.asks is not None:
            asks = (*line.asks, ("category", Category.NON_TARGET.value))
            links = [Link(gettext("these calls"), calls_of(asks))]
        yield Finding(_negative(report, each), "warn", gettext("negative keyword?"), links)


def _negative(report: Report, each: Negative) -> str:
    facts = each.facts
    values = {"keyword": each.keyword, "non_target": count(facts.non_target), "judged": count(facts.judged)}
    if each.wasted is None:
        return gettext(
            "“%(keyword)s”: %(non_target)s of %(judged)s judged calls were non-target."
            " Consider it for the list of negative keywords.",
            **values,
        )
    return gettext(
        "“%(keyword)s”: %(non_target)s of %(judged)s judged calls were non-target, for about %(wasted)s"
        ". Consider it for the list of negative keywords.",
        **values,
        wasted=cash(each.wasted, report.currency),
    )


def _unjudged(report: Report, advice: Advice) -> Iterator[Finding]:
    if not advice.all_leads:
        return
    asks = (*(report.whole.asks or ()), ("category", "none"), ("outcome", Outcome.ANSWERED.value))
    yield Finding(
        gettext("Nobody has judged a call of these days: spam and repeated calls count as leads too."),
        "warn",
        links=[Link(gettext("Listen and judge"), calls_of(asks))],
    )


# ---- how much is known ----


def coverage(report: Report) -> list[str]:
    """How much of what happened the rows know of, so that nobody takes a hole for a result."""
    return [*_calls_known(report), *_orders_known(report), *_costs_known(report), *_model_known(report)]


def _calls_known(report: Report) -> Iterator[str]:
    it = report.coverage
    if it.calls:
        yield gettext(
            "%(attributed)s of %(calls)s calls have a source, %(uncertain)s of them uncertain; nobody knows"
            " where %(unattributed)s came from.",
            attributed=count(it.attributed),
            calls=count(it.calls),
            uncertain=count(it.uncertain),
            unattributed=share(it.unattributed_share),
        )
        yield gettext(
            "%(judged)s of %(answered)s answered calls are judged.",
            judged=count(it.judged),
            answered=count(it.answered),
        )


def _orders_known(report: Report) -> Iterator[str]:
    it = report.coverage
    if it.orders:
        yield gettext(
            "%(matched)s of %(orders)s orders belong to a known call or visitor.",
            matched=count(it.matched),
            orders=count(it.orders),
        )


def _costs_known(report: Report) -> Iterator[str]:
    undivided = [line.sums.cost for line in report.lines if Blank.UNDIVIDED in line.key and line.sums.cost]
    if undivided:
        yield gettext(
            "%(amount)s of the costs were told less finely than these rows are: they stand in a row"
            " of their own.",
            amount=cash(sum(undivided), report.currency),
        )


def _model_known(report: Report) -> Iterator[str]:
    it, model = report.coverage, report.wish.model
    if model is not None:
        yield gettext(
            "Target calls, orders and what they brought are shared by the model “%(model)s”; calls, callers"
            " and missed calls stand where they came from.",
            model=str(MODELS[model].one),
        )
    if 0 < it.conversions < ENOUGH_CONVERSIONS:
        yield gettext(
            "The model has learned from %(conversions)s conversions, which are too few: take a simple one.",
            conversions=count(it.conversions),
        )
    elif it.conversions:
        yield gettext(
            "The model has learned from %(conversions)s conversions.", conversions=count(it.conversions)
        )
    if report.wish.leads is Leads.TARGET:
        yield gettext("Only target calls count as leads.")


def _named(report: Report, line: Line) -> str:
    return " / ".join(name_of(by, cell) for by, cell in zip(report.wish.parts, line.key, strict=True))


def _names(names: Sequence[str]) -> str:
    shown = list(names[:MOST])
    if left := len(names) - len(shown):
        shown.append(ngettext("%(num)s more", "%(num)s more", left))
    return str(format_list(shown, locale=get_locale()))
