"""Reading the overview: sheets of the days that have them, calls themselves for the rest.

    overview = read_overview(session, company_ids, words, zone, now)
    today = read_today(session, company_ids, zone, now)

A dozen statements, however many calls there are. Hours are in UTC; tracker.policy.overview folds them into
the company's days, as its clocks showed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import IS_COUNTED, of_companies
from tracker.models import Call, Channel, Number, NumberUse, Target
from tracker.policy.call_filter import Period
from tracker.policy.figures import Counts, Figures, total
from tracker.policy.origins import origin_of
from tracker.policy.overview import FromWhere, Overview, Read, StaticNumber, Talked, Waited, assemble
from tracker.policy.sheets import Interval, Plan, plan
from tracker.policy.spans import Asks, Span, read_spans, step_seconds
from tracker.policy.tally import Seconds, Tally, add_seconds, counts_of
from tracker.policy.worth import Category
from tracker.sheets import Written, read_sheets
from tracker.tallies import COUNTS, count, count_briefly

KIND = "overview"  # of sheets: a Tally
Names = Mapping[int | None, str]


class _Told(NamedTuple):
    span: Span
    before: Span
    now: Tally
    then: Tally


def read_overview(
    session: Session,
    company_ids: Iterable[int],
    words: Mapping[str, Sequence[str]],
    zone: ZoneInfo,
    now: datetime,
    *,
    also: Asks = (),
    by_sheets: bool = True,
) -> Overview:
    """These companies' figures for the days that `words` ask for. Raises Rejected as `read_spans` does.

    `also` are words that every figure's filter needs besides. Without sheets it says the same, later.
    """
    ids = list(company_ids)
    span, before = read_spans(words, zone, now)
    time = Interval(before.since, span.until)
    sheets = read_sheets(session, ids, KIND, time) if by_sheets else []
    step = step_seconds(span, zone)
    # Where the clocks differ by quarters, hours of elsewhere tell too little.
    fine = [sheet for sheet in sheets if sheet.time.step_seconds <= step]
    told = _Told(
        span,
        before,
        _tally(session, plan(ids, _time(span), fine), step),
        _tally_briefly(session, plan(ids, _time(before), sheets)),
    )
    return assemble(_read(session, ids, told, also), zone)


def write_sheet(session: Session, company_id: int, time: Interval) -> Written:
    """What a sheet of this kind holds of a day: it is counted now."""
    tally = Tally()
    count(session, plan([company_id], time, ()).gaps, tally, time.step_seconds)
    return Written(tally.dumps())


def _time(span: Span) -> Interval:
    return Interval(span.since, span.until)


def _tally(session: Session, made_of: Plan, step: int) -> Tally:
    tally = Tally()
    for sheet in made_of.sheets:
        tally.add(sheet.data, step)
    count(session, made_of.gaps, tally, step)
    return tally


def _tally_briefly(session: Session, made_of: Plan) -> Tally:
    tally = Tally()
    for sheet in made_of.sheets:
        tally.add_briefly(sheet.data)
    count_briefly(session, made_of.gaps, tally)
    return tally


def read_today(
    session: Session, company_ids: Iterable[int], zone: ZoneInfo, now: datetime, *, also: Asks = ()
) -> tuple[Figures, Figures]:
    """Today's figures, and yesterday's until the same minute."""
    ids = list(company_ids)
    today, yesterday = read_spans({"period": [Period.TODAY]}, zone, now)
    found = [
        counts_of(session.execute(sa.select(*COUNTS).where(*_within(ids, span))).one())
        for span in (today, yesterday)
    ]
    return Figures(found[0], (*also, *today.asks)), Figures(found[1], (*also, *yesterday.asks))


def has_calls(session: Session, company_ids: Iterable[int]) -> bool:
    """Whether these companies ever had a call."""
    theirs = sa.select(Call.id).where(of_companies(company_ids))
    return session.scalar(theirs.limit(1)) is not None


def _within(company_ids: Sequence[int], span: Span) -> tuple[sa.ColumnElement[bool], ...]:
    """Of these companies, in that time."""
    since, until = Call.started_at >= span.since, Call.started_at < span.until
    return of_companies(company_ids), since, until, IS_COUNTED


def _read(session: Session, ids: Sequence[int], told: _Told, also: Asks) -> Read:
    """What was counted, with names for ids."""
    now, then = told.now, told.then
    targets, channels, numbers = _names(session, ids, now)
    return Read(
        span=told.span,
        before=told.before,
        also=also,
        hours={
            datetime.fromtimestamp(at, UTC): counts_of(counts) for at, counts in sorted(now.hours.items())
        },
        earlier=total(map(counts_of, then.hours.values())),
        callers=len(now.callers),
        earlier_callers=len(then.callers),
        origins=_origins(now, channels, numbers),
        waits=_waits(now, targets),
        earlier_waits=_seconds(then.waits.values()),
        talks=_talks(now, targets),
        rings=_rings(now, targets),
        numbers=_numbers(session, ids),
    )


def _names(session: Session, company_ids: Sequence[int], told: Tally) -> tuple[Names, Names, Names]:
    """Of all their targets, and of the channels and numbers that are told."""
    channels = {source.channel for source in told.origins} - {None}
    numbers = {source.number for source in told.origins} - {None}
    wanted = (
        (Target.id, Target.name, Target.company_id.in_(company_ids)),
        (Channel.id, Channel.name, Channel.id.in_(channels)),
        (Number.id, Number.e164, Number.id.in_(numbers)),
    )
    found: tuple[dict[int | None, str], ...] = ({}, {}, {})
    each: list[sa.Select[*tuple[Any, ...]]] = [
        sa.select(sa.literal_column(str(place)), key, name).where(condition)
        for place, (key, name, condition) in enumerate(wanted)
    ]
    for place, found_id, name in session.connection().execute(sa.union_all(*each)):
        found[place][found_id] = name
    return found[0], found[1], found[2]


def _origins(told: Tally, channels: Names, numbers: Names) -> list[FromWhere]:
    rows = (
        FromWhere(
            origin_of(source.group, source.source, channels.get(source.channel)),
            numbers.get(source.number),
            Counts(*counts),
        )
        for source, counts in told.origins.items()
    )
    return sorted(rows, key=lambda row: (row.origin.word, row.number or "", row.counts))


def _waits(told: Tally, names: Names) -> list[Waited]:
    rows = []
    for taken, waits in told.waits.items():
        name, category = names.get(taken.target, ""), Category(taken.category) if taken.category else None
        talked = told.talked[taken] / 1000
        for seconds, calls in sorted(waits.items()):
            rows.append(Waited(name, category, seconds, calls, talked))
            talked = 0.0  # it is told once
    return sorted(rows, key=lambda row: (row.target, row.category or "", *row[2:]))


def _talks(told: Tally, names: Names) -> list[Talked]:
    rows = (
        Talked(names.get(target, ""), seconds, calls)
        for target, talks in told.talks.items()
        for seconds, calls in talks.items()
    )
    return sorted(rows)


def _rings(told: Tally, names: Names) -> dict[str, int]:
    found: dict[str, int] = {}
    for target, calls in told.rings.items():
        if target in names:
            found[names[target]] = found.get(names[target], 0) + calls
    return found


def _seconds(groups: Iterable[Seconds]) -> list[tuple[int, int]]:
    """How many calls took how long, whoever took them."""
    found: Seconds = {}
    for each in groups:
        add_seconds(found, each.items())
    return sorted(found.items())


def _numbers(session: Session, company_ids: Sequence[int]) -> list[StaticNumber]:
    """The numbers that belong to channels at this moment."""
    rows = session.execute(
        sa.select(Number.e164, Number.label, Channel.name)
        .join(NumberUse, NumberUse.number_id == Number.id)
        .join(Channel, Channel.id == NumberUse.channel_id)
        .where(NumberUse.until_at.is_(None), Number.company_id.in_(company_ids))
    )
    return [StaticNumber(*row) for row in rows]
