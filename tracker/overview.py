"""Reading the overview: a dozen statements of grouped counts, however many calls there are.

    overview = read_overview(session, company_ids, words, zone, now)
    today = read_today(session, company_ids, zone, now)

Instants are grouped by the hour in UTC; tracker.policy.overview folds the hours into the company's days, as
its clocks showed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import KNOWN, LEG_TARGET, of_companies, rang_in_vain
from tracker.models import Call, CallEvent, Channel, Number, NumberUse, Target, Visit
from tracker.policy.call_filter import Period
from tracker.policy.facts import Outcome
from tracker.policy.figures import Counts, Figures
from tracker.policy.origins import origin_of
from tracker.policy.overview import FromWhere, Overview, Read, StaticNumber, Talked, Waited, assemble
from tracker.policy.spans import Asks, Span, read_spans, step_seconds
from tracker.policy.worth import Category

TOLD = 10  # counts that are told of an origin: calls, outcomes, categories
Condition = sa.ColumnElement[bool]
# A ring ends after the call began: within so long of it.
LONGEST_CALL = timedelta(days=1)


def read_overview(
    session: Session,
    company_ids: Iterable[int],
    words: Mapping[str, Sequence[str]],
    zone: ZoneInfo,
    now: datetime,
    *,
    also: Asks = (),
) -> Overview:
    """These companies' figures for the days that `words` ask for. Raises Rejected as `read_spans` does.

    `also` are words that every figure's filter needs besides.
    """
    ids = list(company_ids)
    span, before = read_spans(words, zone, now)
    present, past = _within(ids, span), _within(ids, before)
    names = _target_names(session, ids)
    earlier, earlier_callers = _earlier(session, past)
    read = Read(
        span=span,
        before=before,
        also=also,
        hours=_hours(session, present, step_seconds(span, zone)),
        earlier=earlier,
        callers=session.scalar(sa.select(_CALLERS).where(*present)) or 0,
        earlier_callers=earlier_callers,
        origins=_origins(session, present),
        waits=_waits(session, present, names),
        earlier_waits=_earlier_waits(session, past),
        talks=_talks(session, present, names),
        rings=_rings(session, ids, span, names),
        numbers=_numbers(session, ids),
    )
    return assemble(read, zone)


def read_today(
    session: Session, company_ids: Iterable[int], zone: ZoneInfo, now: datetime, *, also: Asks = ()
) -> tuple[Figures, Figures]:
    """Today's figures, and yesterday's until the same minute."""
    ids = list(company_ids)
    today, yesterday = read_spans({"period": [Period.TODAY]}, zone, now)
    found = [
        Counts(*session.execute(sa.select(*_COUNTS).where(*_within(ids, span))).one())
        for span in (today, yesterday)
    ]
    return Figures(found[0], (*also, *today.asks)), Figures(found[1], (*also, *yesterday.asks))


def has_calls(session: Session, company_ids: Iterable[int]) -> bool:
    """Whether these companies ever had a call."""
    theirs = sa.select(Call.id).where(of_companies(company_ids))
    return session.scalar(theirs.limit(1)) is not None


def _within(company_ids: Sequence[int], span: Span) -> tuple[Condition, ...]:
    """Of these companies, in that time."""
    return of_companies(company_ids), Call.started_at >= span.since, Call.started_at < span.until


def _rows(session: Session, wanted: sa.Select[*tuple[Any, ...]]) -> Any:
    """Rows by the thousand, without what a session would do for objects."""
    return session.connection().execute(wanted)


def _count(*conditions: Condition) -> sa.ColumnElement[int]:
    return sa.func.count().filter(*conditions)


_CALLERS = sa.func.count(sa.distinct(sa.case((KNOWN, Call.caller))))
_ANSWERED = Call.outcome == Outcome.ANSWERED
_COUNTS: tuple[sa.ColumnElement[Any], ...] = (
    sa.func.count(),
    *(_count(Call.outcome == Outcome(name)) for name in Counts._fields[1:7]),
    *(_count(Call.category == Category(name)) for name in Counts._fields[7:10]),
    _count(_ANSWERED, Call.category.is_(None)),
    _count(Call.repeat.is_(False), KNOWN),
    sa.func.coalesce(sa.func.sum(Call.wait_seconds).filter(_ANSWERED), 0.0),
    sa.func.coalesce(sa.func.sum(Call.talk_seconds).filter(_ANSWERED), 0.0),
)  # in the order of Counts


def _hours(session: Session, present: Sequence[Condition], step: int) -> dict[datetime, Counts]:
    begun = _step(session, step).label("begun")
    rows = _rows(session, sa.select(begun, *_COUNTS).where(*present).group_by(begun))
    return {_instant(row[0]): Counts(*row[1:]) for row in rows}


def _step(session: Session, seconds: int) -> sa.ColumnElement[Any]:
    """The instant at which the call's step of time began; SQLite keeps instants as text."""
    if session.get_bind().dialect.name == "sqlite":
        text = sa.type_coerce(Call.started_at, sa.String)
        if seconds == 3600:
            return sa.func.substr(text, 1, 13)
        minute = sa.cast(sa.func.substr(text, 15, 2), sa.Integer) // 15 * 15
        return sa.func.substr(text, 1, 14, type_=sa.String).concat(sa.func.printf("%02d", minute))
    at = sa.type_coerce(Call.started_at, sa.DateTime(timezone=True))
    if seconds == 3600:
        return sa.func.date_trunc("hour", at)
    return sa.func.to_timestamp(sa.func.floor(sa.func.extract("epoch", at) / seconds) * seconds)


def _instant(found: str | datetime) -> datetime:
    return datetime.fromisoformat(found).replace(tzinfo=UTC) if isinstance(found, str) else found


def _earlier(session: Session, past: Sequence[Condition]) -> tuple[Counts, int]:
    row = session.execute(sa.select(*_COUNTS, _CALLERS).where(*past)).one()
    return Counts(*row[:-1]), row[-1]


def _origins(session: Session, present: Sequence[Condition]) -> list[FromWhere]:
    static = sa.case((Call.channel_id.is_not(None), Call.number_id))
    by: tuple[Any, ...] = (Visit.group, Visit.source, Call.channel_id, static)
    keys = [
        column.label(name) for column, name in zip(by, ("group", "source", "channel", "number"), strict=True)
    ]
    # What the lines do not tell is not counted: each column makes SQLite's sorting dearer.
    grouped: sa.Select[*tuple[Any, ...]] = (
        sa.select(*keys, *_COUNTS[:TOLD])
        .select_from(Call)
        .outerjoin(Visit, Visit.id == Call.visit_id)
        .where(*present)
        .group_by(*by)
    )
    rows = _rows(session, grouped).all()
    channels = _names(session, Channel.id, Channel.name, {row.channel for row in rows})
    numbers = _names(session, Number.id, Number.e164, {row.number for row in rows})
    return [
        FromWhere(
            origin_of(row.group, row.source, channels.get(row.channel)),
            numbers.get(row.number),
            Counts(*row[4:]),
        )
        for row in rows
    ]


def _names(session: Session, key: Any, name: Any, wanted: set[int | None]) -> dict[int | None, str]:
    rows = session.execute(sa.select(key, name).where(key.in_(wanted - {None})))
    return {row[0]: row[1] for row in rows}


def _waits(session: Session, present: Sequence[Condition], names: Mapping[int | None, str]) -> list[Waited]:
    by = (Call.target_id, Call.category, _whole(Call.wait_seconds))
    talked = sa.func.coalesce(sa.func.sum(Call.talk_seconds), 0.0)
    grouped = sa.select(*by, sa.func.count(), talked).where(*present, _ANSWERED).group_by(*by)
    rows = _rows(session, grouped)
    return [
        Waited(names.get(target, ""), category, int(seconds or 0), count, total)
        for target, category, seconds, count, total in rows
    ]


def _earlier_waits(session: Session, past: Sequence[Condition]) -> list[tuple[int, int]]:
    whole = _whole(Call.wait_seconds)
    rows = _rows(session, sa.select(whole, sa.func.count()).where(*past, _ANSWERED).group_by(whole))
    return [(int(seconds or 0), count) for seconds, count in rows]


def _talks(session: Session, present: Sequence[Condition], names: Mapping[int | None, str]) -> list[Talked]:
    by = (Call.target_id, _whole(Call.talk_seconds))
    rows = _rows(session, sa.select(*by, sa.func.count()).where(*present, _ANSWERED).group_by(*by))
    return [Talked(names.get(target, ""), int(seconds or 0), count) for target, seconds, count in rows]


def _whole(seconds: Any) -> sa.ColumnElement[float]:
    return sa.func.round(seconds)


def _rings(
    session: Session, company_ids: Sequence[int], span: Span, names: Mapping[int | None, str]
) -> dict[str, int]:
    """With how many calls each target rang and did not take them."""
    rang = sa.select(LEG_TARGET, sa.func.count(sa.distinct(Call.id))).join(Call, Call.id == CallEvent.call_id)
    in_time = CallEvent.at >= span.since - LONGEST_CALL, CallEvent.at < span.until + LONGEST_CALL
    grouped = rang.where(*rang_in_vain(), *in_time, *_within(company_ids, span)).group_by(LEG_TARGET)
    found: dict[str, int] = {}
    for target, count in _rows(session, grouped):
        if target in names:
            found[names[target]] = found.get(names[target], 0) + count
    return found


def _target_names(session: Session, company_ids: Sequence[int]) -> dict[int | None, str]:
    rows = session.execute(sa.select(Target.id, Target.name).where(Target.company_id.in_(company_ids)))
    return {row.id: row.name for row in rows}


def _numbers(session: Session, company_ids: Sequence[int]) -> list[StaticNumber]:
    """The numbers that belong to channels at this moment."""
    rows = session.execute(
        sa.select(Number.e164, Number.label, Channel.name)
        .join(NumberUse, NumberUse.number_id == Number.id)
        .join(Channel, Channel.id == NumberUse.channel_id)
        .where(NumberUse.until_at.is_(None), Number.company_id.in_(company_ids))
    )
    return [StaticNumber(*row) for row in rows]
