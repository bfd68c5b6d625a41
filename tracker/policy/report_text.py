"""A report in the words of a language: titles, figures, what follows from it, how much it knows.

For what is told without a page: e-mails, workbooks, and pages of people who have no account. English stands
here; `Tongue.translate` puts it into the reader's language (`N_` marks what it translates).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from babel.dates import get_day_names

from tracker.policy.alert_words import N_
from tracker.policy.call_words import Delay, Heard, Kind
from tracker.policy.credit import Model
from tracker.policy.markov import ENOUGH_CONVERSIONS
from tracker.policy.money_figures import FEW_ORDERS
from tracker.policy.origins import NOT_SET
from tracker.policy.report import Leads, Line, Report, Wish
from tracker.policy.report_advice import Advice, Tempting, advise
from tracker.policy.report_words import CHANNEL, Blank, By, Calendar, Cell, Weekday
from tracker.policy.schedules import Every, Schedule
from tracker.policy.tongue import Tongue

TITLES = {
    By.SOURCE: N_("Source"), By.MEDIUM: N_("Medium"), By.CHANNEL: N_("Channel"), By.CAMPAIGN: N_("Campaign"),
    By.AD: N_("Ad"), By.KEYWORD: N_("Keyword"), By.LANDING: N_("Landing page"), By.SITE: N_("Website"),
    By.NUMBER: N_("Number dialled"), By.COUNTRY: N_("Country"), By.DEVICE: N_("Device"),
    By.KIND: N_("Way of the number"), By.DELAY: N_("Time until the call"), By.CALLER: N_("Caller"),
    By.REGION: N_("Country of the caller"), By.MONTH: N_("Month"), By.DAY: N_("Day"),
    By.HOUR: N_("Hour of the day"), By.WEEKDAY: N_("Weekday"), By.EMPLOYEE: N_("Answered by"),
    By.CATEGORY: N_("Category"), By.TAG: N_("Tag"),
}  # fmt: skip
MODELS = {
    None: N_("The call’s own source"), Model.FIRST: N_("First touch"), Model.LAST: N_("Last touch"),
    Model.LAST_NON_DIRECT: N_("Last touch that was not direct"), Model.LINEAR: N_("All touches alike"),
    Model.POSITION: N_("First and last most"), Model.DECAY: N_("The later the more"),
    Model.DATA_DRIVEN: N_("Learned from your journeys"),
}  # fmt: skip
_BLANKS = {
    Blank.UNKNOWN: N_("(nothing known)"),
    Blank.NONE: N_("(none)"),
    Blank.UNDIVIDED: N_("(not divided)"),
}
_VALUES: dict[By, dict[str, str]] = {
    By.CATEGORY: {"target": N_("Target"), "service": N_("Service"), "non_target": N_("Non-target")},
    By.DEVICE: {"phone": N_("Phone"), "tablet": N_("Tablet"), "desktop": N_("Computer")},
    By.KIND: {
        Kind.DYNAMIC: N_("Shown to one visitor"), Kind.STATIC: N_("Number of a channel"),
        Kind.KNOWN_CALLER: N_("Known from an earlier call"),
    },
    By.CALLER: {
        Heard.FIRST: N_("First call"), Heard.REPEAT: N_("Repeat caller"),
        Heard.WITHHELD: N_("Withheld number"),
    },
    By.DELAY: {
        Delay.MINUTE: N_("Under a minute"), Delay.FIVE_MINUTES: N_("1 to 5 minutes"),
        Delay.HALF_HOUR: N_("5 to 30 minutes"), Delay.HOUR: N_("30 to 60 minutes"),
        Delay.DAY: N_("1 to 24 hours"), Delay.LATER: N_("Over a day"),
    },
}  # fmt: skip
TOTAL = N_("Total")
COMPANY, REPORT, PERIOD = N_("Company"), N_("Report"), N_("Period")
COMPARED, CURRENCY = N_("Compared with"), N_("Currency")


# ---- what rows are called ----


def titles(report: Report, tongue: Tongue) -> list[str]:
    """What the columns with the rows' words are headed by."""
    return [tongue.tell(TITLES.get(by, by.value)) for by in report.wish.parts]


def names(report: Report, line: Line, tongue: Tongue) -> list[str]:
    """The row's words as people read them; of the whole, "Total"."""
    if not line.key:
        return [tongue.tell(TOTAL), *[""] * (len(report.wish.parts) - 1)]
    return [_name(by, cell, tongue) for by, cell in zip(report.wish.parts, line.key, strict=True)]


def _name(by: By, cell: Cell, tongue: Tongue) -> str:
    if isinstance(cell, Blank):
        return tongue.tell(_BLANKS[cell])
    if isinstance(cell, Weekday):
        return weekdays(tongue)[int(cell)]
    if isinstance(cell, int):
        return f"{cell:02}:00"
    if isinstance(cell, Calendar):
        return tongue.day(date.fromisoformat(cell)) if by is By.DAY else tongue.month(cell)
    return tongue.tell(N_("(not set)")) if cell == NOT_SET else _word(by, cell, tongue)


def _word(by: By, cell: str, tongue: Tongue) -> str:
    word = _VALUES.get(by, {}).get(cell)
    return tongue.tell(word) if word else cell.removeprefix(CHANNEL) if by is By.CHANNEL else cell


def named(report: Report, lines: Sequence[Line], tongue: Tongue) -> str:
    """Rows in a sentence: “google / cpc”, “Billboard”."""
    quoted = N_("“%(name)s”")
    return ", ".join(tongue.tell(quoted, name=" / ".join(names(report, line, tongue))) for line in lines)


# ---- what follows ----


def advice(report: Report, tongue: Tongue, most: int = 5) -> list[str]:
    """What the figures say should be done, a sentence each; never none, of a kind at most so many."""
    it = advise(report)
    found = [*_losing(it, report, tongue)][:most]
    if len(it.losing) > most:
        text = N_("Further rows that cost more than they brought: %(count)s.")
        found.append(tongue.tell(text, count=tongue.count(len(it.losing) - most)))
    if it.tempting is not None:
        found.append(_tempting(it.tempting, report, tongue))
    found += [*_negatives(it, report, tongue)][:most]
    if not found:
        nothing = N_("No row cost more than it brought: nothing has to be dropped.")
        unknown = N_("What to stop paying for cannot be said: costs or sales of these days are not known.")
        known = any(line.sums.cost and line.sums.net is not None for line in report.lines)
        found.append(tongue.tell(nothing if known else unknown))
    if it.all_leads:
        found.append(tongue.tell(N_("Nobody has judged a call: spam and repeats count as leads too.")))
    return found


def _losing(it: Advice, report: Report, tongue: Tongue) -> Iterator[str]:
    for line, each in it.losing:
        text = (
            N_("%(row)s cost %(loss)s more than it brought, more than chance explains.")
            if each.is_sure
            else N_("%(row)s cost %(loss)s more than it brought, though chance may have made that.")
        )
        row, loss = named(report, [line], tongue), tongue.money(each.loss, report.currency)
        yield tongue.tell(text, row=row, loss=loss)


def _tempting(it: Tempting, report: Report, tongue: Tongue) -> str:
    text = N_(
        "Dropping %(rows)s would lose %(money)s, though the ROMI would rise from %(before)s to %(after)s: it "
        "pays only if the %(cost)s earn a ROMI above %(must)s elsewhere."
    )
    dropping = it.dropping
    return tongue.tell(
        text,
        rows=named(report, it.lines, tongue),
        money=tongue.money(dropping.loses, report.currency),
        before=tongue.percent(dropping.before.romi),
        after=tongue.percent(dropping.after.romi),
        cost=tongue.money(dropping.dropped.cost, report.currency),
        must=tongue.percent(dropping.must_earn),
    )


def _negatives(it: Advice, report: Report, tongue: Tongue) -> Iterator[str]:
    plain = N_("Negative keyword? “%(keyword)s”: %(non_target)s of %(judged)s judged calls were non-target.")
    paid = N_(
        "Negative keyword? “%(keyword)s”: %(non_target)s of %(judged)s judged calls were non-target, "
        "for %(cost)s."
    )
    for each in it.negatives:
        yield tongue.tell(
            plain if each.wasted is None else paid,
            keyword=each.keyword,
            non_target=tongue.count(each.facts.non_target),
            judged=tongue.count(each.facts.judged),
            cost=tongue.money(each.wasted, report.currency),
        )


# ---- how to read it ----


def coverage(report: Report, tongue: Tongue) -> list[str]:
    """How much of what happened the rows know of."""
    it, found = report.coverage, []
    if it.calls:
        text = N_(
            "Coverage: %(attributed)s of %(calls)s calls have a source, %(uncertain)s of them uncertain; "
            "%(share)s have none. Judged: %(judged)s of %(answered)s answered calls."
        )
        counts = {name: tongue.count(getattr(it, name)) for name in _COUNTED}
        found.append(tongue.tell(text, **counts, share=tongue.percent(it.unattributed_share)))
    else:
        found.append(tongue.tell(N_("There were no calls in these days.")))
    if it.orders:
        text = N_("Orders: %(matched)s of %(orders)s belong to a known call or visitor.")
        found.append(tongue.tell(text, matched=tongue.count(it.matched), orders=tongue.count(it.orders)))
    return found


_COUNTED = ("attributed", "calls", "uncertain", "judged", "answered")


def model(report: Report, tongue: Tongue) -> list[str]:
    """By which rule sales are whose, and what counts as a lead."""
    kind, conversions = report.wish.model, report.coverage.conversions
    if kind is None:
        found = [tongue.tell(N_("A sale is the origin’s that its call came from."))]
    else:
        text = N_("Model: %(model)s. It shares target calls, orders and what they brought among origins.")
        found = [tongue.tell(text, model=model_name(report.wish, tongue))]
    if 0 < conversions < ENOUGH_CONVERSIONS:
        text = N_("The model rests on %(count)s conversions, which are too few: take a simple one.")
        found.append(tongue.tell(text, count=tongue.count(conversions)))
    every, target = (
        N_("A lead is every call; conversion is orders of leads."),
        N_("A lead is a target call; conversion is orders of leads."),
    )
    found.append(tongue.tell(every if report.wish.leads is Leads.CALLS else target))
    return found


def model_name(wish: Wish, tongue: Tongue) -> str:
    """By what sales are shared: "First touch"."""
    return tongue.tell(MODELS[wish.model])


def side_by_side(report: Report, tongue: Tongue) -> str:
    """The two models that the rows are told by; empty where there is one."""
    if report.against is None:
        return ""
    one, other = (model_name(wish, tongue) for wish in (report.wish, report.against))
    return tongue.tell(N_("Two models side by side: “%(model)s” and “%(other)s”"), model=one, other=other)


def by_other(report: Report, line: Line) -> Line | None:
    """The row by the model beside; None where it has no say: a cost that is not divided earns elsewhere."""
    if report.against is None or line.before is None or Blank.UNDIVIDED in line.key:
        return None
    return Line(line.key, line.before)


def conventions(tongue: Tongue) -> list[str]:
    """How returns are written."""
    return [
        tongue.tell(N_("ROMI is (gross profit − cost) / cost: a loss begins below 0 %.")),
        tongue.tell(
            N_("ROAS is revenue / cost: a loss begins below revenue / gross profit, so the margin decides.")
        ),
        tongue.tell(
            N_("~ stands before the ROMI of fewer than %(few)s orders: chance alone may have made it."),
            few=str(FEW_ORDERS),
        ),
    ]


def returns(line: Line, tongue: Tongue) -> str:
    """The row's ROMI in per cent, with a ~ where chance may have made it."""
    told = tongue.percent(line.sums.romi).removesuffix(" %")
    return f"~{told}" if line.sums.romi is not None and line.is_few and line.key else told


def has_money(report: Report) -> bool:
    """Whether anything is known of costs or sales."""
    whole = report.whole.sums
    return whole.cost is not None or bool(whole.orders)


def unit(title: str, unit: str) -> str:
    """What a column is headed by, with what its figures are in: "Cost, EUR"."""
    return f"{title}, {unit}"


# ---- when it is sent ----


def times(it: Schedule, tongue: Tongue) -> str:
    """ "Every week: Monday, 08:00"."""
    hour = f"{it.hour:02}:00"
    if it.every is Every.DAY:
        return tongue.tell(N_("Every day: %(hour)s"), hour=hour)
    if it.every is Every.WEEK:
        weekday = weekdays(tongue)[it.day]
        return tongue.tell(N_("Every week: %(weekday)s, %(hour)s"), weekday=weekday, hour=hour)
    return tongue.tell(N_("Every month: day %(day)s, %(hour)s"), day=str(it.day), hour=hour)


def weekdays(tongue: Tongue) -> list[str]:
    """The days of the week from Monday on."""
    found = get_day_names("wide", "stand-alone", tongue.language)
    return [str(found[day]) for day in range(7)]
