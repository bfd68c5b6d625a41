"""What becomes of a caller whom the company may not want: read while the number rings, decided in policy.

    decision = look_up_guard(session, found.company_id, found.number_id, started, caller)

One statement where the company has set something, a second one only for callers whose earlier calls matter;
both go by indexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Call, CallerRule, Guard
from tracker.models.base import Instant
from tracker.policy.facts import GuardStep, Presentation, Started, Treatment
from tracker.policy.spam import (
    MOST_RECENT,
    RECENT,
    RING,
    Decision,
    Earlier,
    Rule,
    RuleKind,
    Watch,
    beginnings,
    decide,
)


def look_up_guard(
    session: Session, company_id: int, number_id: int, started: Started, caller: str | None
) -> Decision:
    """What becomes of this call to one of the company's numbers; `caller` is as the books have him."""
    asked = {"company": company_id, "digits": beginnings(caller)}
    rows = session.connection().execute(_GUARD, asked).all()
    if not rows:
        return RING
    rules, watch = list(_rules(rows)), watch_of(rows[0]) if rows[0].watches else None
    recent: Sequence[Earlier] = ()
    passed = False
    if caller is not None and (watch is not None or rules):
        days = timedelta(days=rows[0].passed_days)
        passed, recent = _earlier(session, company_id, caller, started, days, counts=watch is not None)
    return decide(caller, rules, watch, recent, number_id=number_id, passed=passed, now=started.at)


def watch_of(it: Any) -> Watch:
    """What makes a caller suspicious, of a row that has a guard's columns."""
    return Watch(
        per_minute=it.per_minute,
        per_hour=it.per_hour,
        per_day=it.per_day,
        numbers=it.numbers,
        short_calls=it.short_calls,
        short_seconds=it.short_seconds,
        countries=tuple(it.countries),
    )


def _rules(rows: Iterable[Any]) -> Iterable[Rule]:
    for row in rows:
        if row.rule_id is not None:
            treatment: Treatment = row.own_treatment or row.treatment
            yield Rule(row.rule_id, RuleKind(row.kind), row.digits, row.allows, treatment, row.expires_at)


def _earlier(
    session: Session, company_id: int, caller: str, started: Started, days: timedelta, *, counts: bool
) -> tuple[bool, Sequence[Earlier]]:
    """Whether the caller passed a challenge lately, and his calls of the last day where they count."""
    asked = {
        "company": company_id,
        "caller": caller,
        "call": started.call,
        "until": started.at,
        "since": started.at - RECENT,
        "passed_since": started.at - days,
    }
    connection = session.connection()
    if not counts:
        return bool(connection.scalar(_PASSED, asked)), ()
    rows = connection.execute(_RECENT, asked).all()
    passed = any(row.guard == GuardStep.PASSED and row.spam is None for row in rows)
    lately = [row for row in rows if row.started_at > started.at - RECENT]
    return passed, [Earlier(row.started_at, row.number_id, _seconds(row)) for row in lately]


def _seconds(row: sa.Row[Any]) -> float | None:
    if row.ended_at is None:
        return None
    since: datetime = row.answered_at or row.started_at
    return float((row.ended_at - since).total_seconds())


_GUARD = (
    sa.select(
        Guard.treatment,
        Guard.watches,
        Guard.per_minute,
        Guard.per_hour,
        Guard.per_day,
        Guard.numbers,
        Guard.short_calls,
        Guard.short_seconds,
        Guard.countries,
        Guard.passed_days,
        CallerRule.id.label("rule_id"),
        CallerRule.kind,
        CallerRule.digits,
        CallerRule.allows,
        CallerRule.treatment.label("own_treatment"),
        CallerRule.expires_at,
    )
    .join_from(
        Guard,
        CallerRule,
        sa.and_(
            CallerRule.company_id == Guard.company_id,
            CallerRule.digits.in_(sa.bindparam("digits", expanding=True)),
        ),
        isouter=True,
    )
    .where(Guard.company_id == sa.bindparam("company"))
)
_of_caller = (
    Call.company_id == sa.bindparam("company"),
    Call.caller == sa.bindparam("caller"),
    Call.presentation == Presentation.ALLOWED,
    Call.started_at <= sa.bindparam("until", type_=Instant()),
    Call.key != sa.bindparam("call"),
)
_has_passed = sa.and_(
    Call.guard == GuardStep.PASSED,
    Call.spam.is_(None),
    Call.started_at > sa.bindparam("passed_since", type_=Instant()),
)
_COLUMNS = Call.started_at, Call.number_id, Call.answered_at, Call.ended_at, Call.guard, Call.spam
_lately = (
    sa.select(*_COLUMNS)
    .where(*_of_caller, Call.started_at > sa.bindparam("since", type_=Instant()))
    .order_by(Call.started_at.desc())
    .limit(MOST_RECENT)
    .subquery()
)
_showed = sa.select(*_COLUMNS).where(*_of_caller, _has_passed).limit(1).subquery()
_RECENT = sa.union_all(sa.select(_lately), sa.select(_showed))
_PASSED = sa.select(sa.exists().where(*_of_caller, _has_passed))
