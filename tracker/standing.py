"""How things stood when a call came in: who had been shown its number, what its caller had done before.

Loads the facts of tracker.policy.attribution for one call after the other, about seven indexed statements a
call. What a later call changes is left out: only what happened before it counts, so that a call judged a
month later finds what it would have found at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import phonenumbers
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from tracker.call_words import IS_COUNTED
from tracker.models import (
    Call,
    CallCandidate,
    CodeLease,
    Lease,
    NumberUse,
    PageView,
    Visit,
    VisitEvent,
    VisitEventKind,
)
from tracker.models.base import Instant
from tracker.policy.attribution import (
    NEWEST_WITHHELD,
    Attribution,
    Belief,
    CallFacts,
    Earlier,
    History,
    Used,
)
from tracker.policy.evidence import CALLERS_DAYS
from tracker.policy.sights import NEWEST, WINDOW, Holder, seen_of

CODE_HOURS = 24  # how long before a call its code may have been shown
_CLOSELY = timedelta(hours=3)  # whose visits are looked at page by page
_EARLIER = 50  # calls of a caller
_WITHHELD_DAYS = 90


@dataclass(frozen=True)
class Asked:
    """A call to be judged, as the books have it."""

    id: int
    company_id: int
    number_id: int
    caller: str | None
    started_at: datetime
    ended_at: datetime | None
    visitor_code: str | None

    @property
    def facts(self) -> CallFacts:
        return CallFacts(self.number_id, self.started_at, self.caller, country_of_phone(self.caller))


@dataclass
class Known:
    """What was found out for other calls of the batch: their judgements, and how many callers there are."""

    judged: dict[int, Attribution] = field(default_factory=dict)
    callers: dict[tuple[int, datetime], int] = field(default_factory=dict)


# Statements are built once: putting one together takes longer than running it.
_at = sa.bindparam("at", type_=Instant())
_since = sa.bindparam("since", type_=Instant())
_later = aliased(Visit, name="later")
next_visit_at = (
    sa.select(sa.func.min(_later.started_at, type_=Instant()))
    .where(_later.visitor_id == Visit.visitor_id, _later.started_at > Visit.started_at)
    .correlate(Visit)
    .scalar_subquery()
)
LEASE_COLUMNS = (
    Lease.id,
    Lease.visit_id,
    Lease.from_at,
    Lease.until_at,
    Visit.visitor_id,
    Visit.started_at,
    Visit.seen_at,
    Visit.left_at,
    Visit.device,
    Visit.country,
    next_visit_at.label("next_at"),
)
_LEASES = (
    sa.select(*LEASE_COLUMNS)
    .join(Visit, Visit.id == Lease.visit_id)
    .where(Lease.number_id == sa.bindparam("number"), Lease.from_at <= _at, Lease.from_at > _since)
    .order_by(Lease.from_at.desc())
    .limit(NEWEST)
)
_LOOKS = (
    sa.select(PageView.visit_id, PageView.at, PageView.until_at)
    .where(PageView.visit_id.in_(sa.bindparam("visits", expanding=True)))
    .order_by(PageView.visit_id, PageView.at)
)
_CLICKS = (
    sa.select(VisitEvent.visit_id, VisitEvent.at)
    .where(
        VisitEvent.visit_id.in_(sa.bindparam("visits", expanding=True)),
        VisitEvent.kind == VisitEventKind.PHONE_CLICK,
    )
    .order_by(VisitEvent.visit_id, VisitEvent.at)
)
_USES = sa.select(NumberUse.channel_id, NumberUse.pool_id, NumberUse.from_at, NumberUse.until_at).where(
    NumberUse.number_id == sa.bindparam("number"), NumberUse.from_at <= _at
)
_PHONES = (
    sa.select(Visit.visitor_id, Call.caller, sa.func.max(Call.probability))
    .join(Call, Call.visit_id == Visit.id)
    .where(
        Visit.visitor_id.in_(sa.bindparam("visitors", expanding=True)),
        Call.caller.is_not(None),
        Call.started_at < _at,
    )
    .group_by(Visit.visitor_id, Call.caller)
)
_CALLERS = sa.select(sa.func.count(Call.caller.distinct())).where(
    Call.company_id == sa.bindparam("company"), Call.started_at >= _since, Call.started_at < _at, IS_COUNTED
)
_CODE = (
    sa.select(CodeLease.visit_id, CodeLease.from_at, CodeLease.until_at, Visit.visitor_id)
    .join(Visit, Visit.id == CodeLease.visit_id)
    .where(
        CodeLease.company_id == sa.bindparam("company"),
        CodeLease.code == sa.bindparam("code"),
        CodeLease.from_at <= _at,
        sa.or_(CodeLease.until_at.is_(None), CodeLease.until_at > _since),
    )
    .order_by(CodeLease.from_at.desc())
    .limit(1)
)


def _earlier(of_caller: sa.ColumnElement[bool], limit: int) -> sa.Select[Any]:
    calls = (
        sa.select(Call.id, Call.number_id, Call.started_at, Call.visit_id, Call.channel_id, Call.probability)
        .where(
            Call.company_id == sa.bindparam("company"),
            of_caller,
            Call.started_at < _at,
            Call.started_at > _since,
            IS_COUNTED,
        )
        .order_by(Call.started_at.desc())
        .limit(limit)
        .subquery()
    )
    likely = CallCandidate
    visit_id = sa.func.coalesce(likely.visit_id, sa.case((likely.call_id.is_(None), calls.c.visit_id)))
    return (
        sa.select(
            calls.c.id,
            calls.c.number_id,
            calls.c.started_at,
            sa.or_(calls.c.visit_id.is_not(None), calls.c.channel_id.is_not(None)).label("was_named"),
            sa.func.coalesce(likely.probability, calls.c.probability).label("probability"),
            visit_id.label("visit_id"),
            sa.func.coalesce(
                likely.channel_id, sa.case((likely.call_id.is_(None), calls.c.channel_id))
            ).label("channel_id"),
            Visit.visitor_id,
        )
        .join_from(calls, likely, likely.call_id == calls.c.id, isouter=True)
        .join(Visit, Visit.id == visit_id, isouter=True)
        .order_by(calls.c.started_at, calls.c.id, likely.position)
    )


_EARLIER_OF_CALLER = _earlier(Call.caller == sa.bindparam("caller"), _EARLIER)
_EARLIER_WITHHELD = _earlier(
    sa.and_(Call.caller.is_(None), Call.number_id == sa.bindparam("number")), NEWEST_WITHHELD
)


def standing_of(session: Session, call: Asked, known: Known) -> tuple[list[Holder], History]:
    """Who had been shown the call's number, and what is known of its caller."""
    connection = session.connection()
    rows = connection.execute(
        _LEASES,
        {"number": call.number_id, "at": call.started_at, "since": call.started_at - WINDOW},
    ).all()
    holders = _holders(session, rows, call.started_at)
    uses = connection.execute(_USES, {"number": call.number_id, "at": call.started_at})
    history = History(
        earlier=_earlier_calls(session, call, known),
        phones=_phones(session, {row.visitor_id for row in rows}, call.started_at),
        callers=_callers(session, call, known),
        uses=tuple(Used(*row) for row in uses),
        code=code_holder(session, call.company_id, call.visitor_code, call.started_at),
    )
    return holders, history


def code_holder(session: Session, company_id: int, code: str | None, at: datetime) -> Holder | None:
    """Who was shown that visitor code last before that instant, in the last 24 hours; None: nobody."""
    if not code:
        return None
    asked = {"company": company_id, "code": code, "at": at, "since": at - timedelta(hours=CODE_HOURS)}
    row = session.connection().execute(_CODE, asked).one_or_none()
    return row and Holder(0, row.visit_id, row.visitor_id, row.from_at, row.until_at)


@cache
def country_of_phone(caller: str | None) -> str | None:
    """The country (ISO 3166) of a phone in E.164; None if it is none, or of several countries at once."""
    if caller is None or not caller.startswith("+"):
        return None
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(caller))
    except phonenumbers.NumberParseException:
        return None


def traces_of(
    session: Session, visits: Collection[int]
) -> tuple[Mapping[int, list[tuple[datetime, datetime]]], Mapping[int, list[datetime]]]:
    """When these visits' pages were looked at, and when the phone link was pressed."""
    looks: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    clicks: dict[int, list[datetime]] = defaultdict(list)
    if visits:
        connection = session.connection()
        for row in connection.execute(_LOOKS, {"visits": list(visits)}):
            looks[row.visit_id].append((row.at, row.until_at))
        for visit_id, at in connection.execute(_CLICKS, {"visits": list(visits)}):
            clicks[visit_id].append(at)
    return looks, clicks


def as_holder(
    row: sa.Row[Any], looks: Sequence[tuple[datetime, datetime]], clicks: Sequence[datetime]
) -> Holder:
    """A lease (LEASE_COLUMNS) with the traces of its visit; without pages, the visit's last sign of life."""
    known = looks or ((row.started_at, row.seen_at),) if row.seen_at is not None or looks else ()
    seen, left = seen_of(known, row.left_at)
    return Holder(
        row.id, row.visit_id, row.visitor_id, row.from_at, row.until_at, seen, left, tuple(clicks),
        row.device, row.country, row.next_at,
    )  # fmt: skip


def _holders(session: Session, rows: Sequence[Any], at: datetime) -> list[Holder]:
    closely = {row.visit_id for row in rows if (row.seen_at or row.from_at) > at - _CLOSELY}
    looks, clicks = traces_of(session, closely)
    return [as_holder(row, looks.get(row.visit_id, ()), clicks.get(row.visit_id, ())) for row in rows]


def _earlier_calls(session: Session, call: Asked, known: Known) -> tuple[Earlier, ...]:
    withheld = call.caller is None
    asked = {"company": call.company_id, "at": call.started_at}
    if withheld:
        since = call.started_at - timedelta(days=_WITHHELD_DAYS)
        asked |= {"number": call.number_id, "since": since}
    else:
        asked |= {"caller": call.caller, "since": datetime.min.replace(tzinfo=call.started_at.tzinfo)}
    found: dict[int, Earlier] = {}
    beliefs: dict[int, list[Belief]] = defaultdict(list)
    for row in session.connection().execute(_EARLIER_WITHHELD if withheld else _EARLIER_OF_CALLER, asked):
        found[row.id] = Earlier(row.started_at, row.number_id, was_named=row.was_named)
        if row.visit_id is not None or row.channel_id is not None:
            beliefs[row.id].append(
                Belief(row.probability or 1.0, row.visitor_id, row.visit_id, row.channel_id)
            )
    return tuple(
        _judged(each, known.judged[call_id])
        if call_id in known.judged
        else replace(each, beliefs=tuple(beliefs[call_id]))
        for call_id, each in found.items()
    )


def _judged(earlier: Earlier, found: Attribution) -> Earlier:
    beliefs = (
        Belief(each.probability, each.visitor_id, each.visit_id, each.channel_id) for each in found.candidates
    )
    return replace(earlier, beliefs=tuple(beliefs), was_named=found.named is not None)


def _phones(session: Session, visitors: Collection[int], at: datetime) -> dict[int, dict[str, float]]:
    phones: dict[int, dict[str, float]] = defaultdict(dict)
    if visitors:
        found = session.connection().execute(_PHONES, {"visitors": list(visitors), "at": at})
        for who, caller, sure in found:
            if caller is not None:  # for mypy: the statement leaves these out
                phones[who][caller] = sure or 0.0
    return phones


def _callers(session: Session, call: Asked, known: Known) -> int:
    """How many callers the company had heard in the month before that day."""
    day = call.started_at.replace(hour=0, minute=0, second=0, microsecond=0)
    key = call.company_id, day
    if key not in known.callers:
        asked = {"company": call.company_id, "since": day - timedelta(days=CALLERS_DAYS), "at": day}
        known.callers[key] = session.connection().execute(_CALLERS, asked).scalar_one()
    return known.callers[key]
