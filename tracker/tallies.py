"""Counting calls themselves: half a dozen statements of grouped counts, however many calls there are.

    count(session, gaps, tally, step_seconds)       # everything the overview tells of them
    count_briefly(session, gaps, tally)             # what it tells of the days before

Instants are grouped by the hour in UTC, or by the quarter where a zone's clocks differ so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import IS_COUNTED, KNOWN, LEG_TARGET, of_companies, rang_in_vain
from tracker.models import Call, CallEvent, Visit
from tracker.policy.facts import Outcome
from tracker.policy.figures import Counts
from tracker.policy.sheets import Gap
from tracker.policy.tally import Source, Taken, Tally, add_counts, add_seconds, known_as
from tracker.policy.worth import Category

TOLD = 10  # counts that are told of an origin: calls, outcomes, categories
Condition = sa.ColumnElement[bool]
Rows = Any


def count(session: Session, gaps: Sequence[Gap], tally: Tally, step_seconds: int) -> None:
    """Add the calls of these times."""
    if not gaps:
        return
    within = _within(gaps)
    _hours(session, within, tally, step_seconds)
    _origins(session, within, tally)
    _waits(session, within, tally)
    _talks(session, within, tally)
    _rings(session, within, tally)
    _callers(session, within, tally)


def count_briefly(session: Session, gaps: Sequence[Gap], tally: Tally) -> None:
    """Add the calls of these times: how many of what, how long they waited, and who called."""
    if not gaps:
        return
    within = _within(gaps)
    (counts,) = _rows(session, sa.select(*COUNTS).where(within))
    add_counts(tally.hours, epoch_of(gaps[0].time.since), counts)
    _waits(session, within, tally)
    _callers(session, within, tally)


def _within(gaps: Sequence[Gap]) -> Condition:
    """Of these companies, in these times."""
    return sa.or_(
        *(
            sa.and_(
                of_companies(gap.company_ids),
                Call.started_at >= gap.time.since,
                Call.started_at < gap.time.until,
                IS_COUNTED,
            )
            for gap in gaps
        )
    )


def _rows(session: Session, wanted: sa.Select[*tuple[Any, ...]]) -> Rows:
    """Rows by the thousand, without what a session would do for objects."""
    return session.connection().execute(wanted)


def _count(*conditions: Condition) -> sa.ColumnElement[int]:
    return sa.func.count().filter(*conditions)


_ANSWERED = Call.outcome == Outcome.ANSWERED


def _milliseconds(seconds: Any) -> sa.ColumnElement[int]:
    """The sum of those of answered calls, each in whole milliseconds: so it adds up in any order."""
    each = sa.cast(sa.func.round(seconds * 1000), sa.BigInteger)
    return sa.cast(sa.func.coalesce(sa.func.sum(each).filter(_ANSWERED), 0), sa.BigInteger)


COUNTS: tuple[sa.ColumnElement[Any], ...] = (
    sa.func.count(),
    *(_count(Call.outcome == Outcome(name)) for name in Counts._fields[1:7]),
    *(_count(Call.category == Category(name)) for name in Counts._fields[7:10]),
    _count(_ANSWERED, Call.category.is_(None)),
    _count(Call.repeat.is_(False), KNOWN),
    _milliseconds(Call.wait_seconds),
    _milliseconds(Call.talk_seconds),
)  # in the order of Counts


def _hours(session: Session, within: Condition, tally: Tally, step_seconds: int) -> None:
    begun = step_of(session, step_seconds).label("begun")
    for at, *counts in _rows(session, sa.select(begun, *COUNTS).where(within).group_by(begun)):
        add_counts(tally.hours, epoch_of(at), counts)


def step_of(session: Session, seconds: int) -> sa.ColumnElement[Any]:
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


def epoch_of(found: str | datetime) -> int:
    """That instant in seconds."""
    at = datetime.fromisoformat(found).replace(tzinfo=UTC) if isinstance(found, str) else found
    return int(at.timestamp())


def _origins(session: Session, within: Condition, tally: Tally) -> None:
    static = sa.case((Call.channel_id.is_not(None), Call.number_id))
    by: tuple[Any, ...] = (Visit.group, Visit.source, Call.channel_id, static)
    # What the lines do not tell is not counted: each column makes SQLite's sorting dearer.
    grouped: sa.Select[*tuple[Any, ...]] = (
        sa.select(*by, *COUNTS[:TOLD])
        .select_from(Call)
        .outerjoin(Visit, Visit.id == Call.visit_id)
        .where(within)
        .group_by(*by)
    )
    for group, source, channel, number, *counts in _rows(session, grouped):
        add_counts(tally.origins, Source(group, source, channel, number), counts)


def _waits(session: Session, within: Condition, tally: Tally) -> None:
    by = (Call.target_id, Call.category, _whole(Call.wait_seconds))
    grouped = sa.select(*by, sa.func.count(), _milliseconds(Call.talk_seconds)).where(within, _ANSWERED)
    for target, category, seconds, calls, milliseconds in _rows(session, grouped.group_by(*by)):
        taken = Taken(target, category)
        tally.talked[taken] += milliseconds
        add_seconds(tally.waits[taken], [(int(seconds or 0), calls)])


def _talks(session: Session, within: Condition, tally: Tally) -> None:
    by = (Call.target_id, _whole(Call.talk_seconds))
    rows = _rows(session, sa.select(*by, sa.func.count()).where(within, _ANSWERED).group_by(*by))
    for target, seconds, calls in rows:
        add_seconds(tally.talks[target], [(int(seconds or 0), calls)])


def _whole(seconds: Any) -> sa.ColumnElement[float]:
    return sa.func.round(seconds)


def _rings(session: Session, within: Condition, tally: Tally) -> None:
    """With how many calls each target rang and did not take them."""
    rang = sa.select(LEG_TARGET, sa.func.count(sa.distinct(Call.id))).select_from(Call)
    found = rang.join(CallEvent, CallEvent.call_id == Call.id).where(within, *rang_in_vain())
    for target, calls in _rows(session, found.group_by(LEG_TARGET)):
        if target is not None:
            tally.rings[target] += calls


def _callers(session: Session, within: Condition, tally: Tally) -> None:
    rows = _rows(session, sa.select(Call.caller).where(within, KNOWN).distinct())
    tally.callers.update(known_as(caller) for (caller,) in rows)
