"""The figures of the overview, made of grouped counts: each with the words that list exactly its calls.

    overview = assemble(read, zone)         # Read: what tracker.overview counted

Nothing here knows calls one by one: a million of them come as some hundred rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from tracker.policy.facts import Outcome
from tracker.policy.figures import Counts, Figure, Figures, Spread, share_of, total
from tracker.policy.origins import Origin
from tracker.policy.spans import Asks, Bucket, Span, buckets, place_of
from tracker.policy.week import WeekHour, week_hour_of
from tracker.policy.worth import Category

TOP = 10  # sources that are told one by one


# ---- what was read ----


class Waited(NamedTuple):
    """Answered calls: by whom, their worth, how long they waited, how many.

    How long they talked stands once for all of the same target and worth, in any of their rows.
    """

    target: str
    category: Category | None
    seconds: int
    calls: int
    talked: float


class Talked(NamedTuple):
    target: str
    seconds: int
    calls: int


Row = TypeVar("Row", Waited, Talked)


class FromWhere(NamedTuple):
    """Calls of one origin; `number` is the one they dialled where it is a channel's."""

    origin: Origin
    number: str | None
    counts: Counts


@dataclass(frozen=True)
class StaticNumber:
    e164: str
    label: str | None
    channel: str


@dataclass(frozen=True)
class Read:
    """What the books say, grouped. `hours` by the instant at which each step of time begins."""

    span: Span
    before: Span
    also: Asks  # words that every figure's filter needs besides, as a company's
    hours: Mapping[datetime, Counts]
    earlier: Counts
    callers: int
    earlier_callers: int
    origins: Sequence[FromWhere]
    waits: Sequence[Waited]
    earlier_waits: Sequence[tuple[int, int]]
    talks: Sequence[Talked]
    rings: Mapping[str, int]  # calls with which a target rang in vain
    numbers: Sequence[StaticNumber]  # that belong to channels now


# ---- what is told ----


@dataclass(frozen=True)
class Times:
    """Seconds; None where nobody was answered."""

    wait: int | None
    wait_most: int | None  # nine of ten waited no longer
    talk: int | None
    talk_total: float


@dataclass(frozen=True)
class Bar:
    bucket: Bucket
    figures: Figures


@dataclass(frozen=True)
class Line:
    """A line of the report about sources; origin None: all that are not told one by one."""

    origin: Origin | None
    figures: Figures


@dataclass(frozen=True)
class Employee:
    """A target: who answered, what, and how long callers waited for it."""

    name: str
    answered: Figure
    missed: Figure
    target: Figure
    judged: int
    times: Times

    @property
    def target_share(self) -> float | None:
        return share_of(self.target.count, self.judged)


@dataclass(frozen=True)
class NumberLine:
    number: StaticNumber
    figures: Figures
    best: bool = False
    worst: bool = False


@dataclass(frozen=True)
class Overview:
    span: Span
    before: Span
    now: Figures
    earlier: Figures
    callers: Figure  # the callers of these calls, not their number
    earlier_callers: int
    times: Times
    earlier_times: Times
    bars: Sequence[Bar]
    lines: Sequence[Line]
    week: Mapping[WeekHour, Figures]
    employees: Sequence[Employee]
    numbers: Sequence[NumberLine]
    answered: Mapping[Category | None, Figure] = field(default_factory=dict)  # by what they were worth


def assemble(read: Read, zone: ZoneInfo) -> Overview:
    """Everything the page shows, from what was counted."""
    base = (*read.also, *read.span.asks)
    earlier = (*read.also, *read.before.asks)
    return Overview(
        span=read.span,
        before=read.before,
        now=Figures(total(read.hours.values()), base),
        earlier=Figures(read.earlier, earlier),
        callers=Figure(read.callers, (*base, ("known", "yes"))),
        earlier_callers=read.earlier_callers,
        times=_times(read.waits, read.talks),
        earlier_times=Times(*_waits(read.earlier_waits), None, read.earlier.talked),
        bars=_bars(read, zone),
        lines=_lines(read.origins, base),
        week=_week(read.hours, base, zone),
        employees=_employees(read, base),
        numbers=_numbers(read, base),
        answered=_by_worth(read.waits, base),
    )


def _bars(read: Read, zone: ZoneInfo) -> list[Bar]:
    groups: defaultdict[int, list[Counts]] = defaultdict(list)
    for at, counts in read.hours.items():
        groups[place_of(at, read.span, zone)].append(counts)
    return [
        Bar(each, Figures(total(groups[place]), (*read.also, *each.asks)))
        for place, each in enumerate(buckets(read.span))
    ]


def _week(hours: Mapping[datetime, Counts], base: Asks, zone: ZoneInfo) -> dict[WeekHour, Figures]:
    groups: defaultdict[WeekHour, list[Counts]] = defaultdict(list)
    for at, counts in hours.items():
        groups[week_hour_of(at, zone)].append(counts)
    every = (WeekHour(day, hour) for day in range(7) for hour in range(24))
    return {each: Figures(total(groups[each]), (*base, ("hour", each.word))) for each in every}


def _lines(rows: Sequence[FromWhere], base: Asks) -> list[Line]:
    """The origins with the most calls, the most first; what is left in one line."""
    sums: defaultdict[Origin, list[Counts]] = defaultdict(list)
    for row in rows:
        sums[row.origin].append(row.counts)
    found = {origin: total(each) for origin, each in sums.items()}
    ranked = sorted(found, key=lambda it: (-found[it].calls, it.word))
    # One line more says more than "1 other".
    top = ranked if len(ranked) <= TOP + 1 else ranked[:TOP]
    lines = [Line(origin, Figures(found[origin], (*base, *origin.asks))) for origin in top]
    if len(top) < len(ranked):
        besides = tuple(("beside", origin.word) for origin in top)
        lines.append(Line(None, Figures(total(found[it] for it in ranked[TOP:]), (*base, *besides))))
    return lines


def _employees(read: Read, base: Asks) -> list[Employee]:
    waits, talks = _grouped(read.waits), _grouped(read.talks)
    names = {*waits, *read.rings} - {""}  # "": answered, and nothing says by whom
    found = [_employee(name, waits[name], talks[name], read.rings.get(name, 0), base) for name in names]
    return sorted(found, key=lambda it: (-it.answered.count, -it.missed.count, it.name))


def _grouped(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.target].append(row)
    return groups


def _employee(name: str, waits: Sequence[Waited], talks: Sequence[Talked], rung: int, base: Asks) -> Employee:
    hers = (*base, ("answered_by", name), ("outcome", Outcome.ANSWERED.value))
    judged = [row for row in waits if row.category is not None]
    target = sum(row.calls for row in judged if row.category is Category.TARGET)
    return Employee(
        name=name,
        answered=Figure(sum(row.calls for row in waits), hers),
        missed=Figure(rung, (*base, ("missed_by", name))),
        target=Figure(target, (*hers, ("category", Category.TARGET.value))),
        judged=sum(row.calls for row in judged),
        times=_times(waits, talks),
    )


def _numbers(read: Read, base: Asks) -> list[NumberLine]:
    """The numbers of channels by what they brought: target calls, then their share, then calls."""
    sums = {number: Counts() for number in read.numbers}
    known = {(number.e164, number.channel): number for number in read.numbers}
    for row in read.origins:
        if row.number is not None and row.origin.name is not None:
            given = row.number, row.origin.name
            number = known.get(given) or StaticNumber(given[0], None, given[1])
            sums[number] = total((sums.get(number, Counts()), row.counts))
    lines = [
        NumberLine(
            number, Figures(counts, (*base, *Origin(None, number.channel).asks, ("number", number.e164)))
        )
        for number, counts in sums.items()
    ]
    lines.sort(key=lambda it: (*_effect(it.figures), it.number.e164), reverse=True)
    return _marked(lines)


def _effect(it: Figures) -> tuple[int, float, int]:
    return it.target.count, it.target_share or 0.0, it.calls.count


def _marked(lines: list[NumberLine]) -> list[NumberLine]:
    """With the most and the least effective marked, where they differ."""
    if len(lines) > 1 and _effect(lines[0].figures) > _effect(lines[-1].figures):
        lines[0] = NumberLine(lines[0].number, lines[0].figures, best=True)
        lines[-1] = NumberLine(lines[-1].number, lines[-1].figures, worst=True)
    return lines


def _by_worth(waits: Iterable[Waited], base: Asks) -> dict[Category | None, Figure]:
    sums: dict[Category | None, int] = dict.fromkeys((*Category, None), 0)
    for row in waits:
        sums[row.category] += row.calls
    answered = (*base, ("outcome", Outcome.ANSWERED.value))
    return {it: Figure(count, (*answered, ("category", it or "none"))) for it, count in sums.items()}


def _times(waits: Sequence[Waited], talks: Sequence[Talked]) -> Times:
    talk = Spread((row.seconds, row.calls) for row in talks).at(50)
    median, most = _waits([(row.seconds, row.calls) for row in waits])
    return Times(median, most, talk, sum(row.talked for row in waits))


def _waits(rows: Sequence[tuple[int, int]]) -> tuple[int | None, int | None]:
    spread = Spread(rows)
    return spread.at(50), spread.at(90)
