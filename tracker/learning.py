"""The delay model of each company: learned from its own calls once a day, kept, and read by the judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import models, once
from tracker.call_words import IS_COUNTED
from tracker.database import Database
from tracker.models import Call, Company, Lease, Number, NumberUse, Visit
from tracker.policy.attribution import CallFacts
from tracker.policy.delays import PRIOR, DelayModel
from tracker.policy.evidence import Stock
from tracker.policy.lessons import learn
from tracker.policy.sights import Holder
from tracker.portions import portions
from tracker.standing import LEASE_COLUMNS, as_holder, country_of_phone, traces_of

FIRST_CALLS = 50  # that a company must have had before its own model is better than everybody's
EVERY = timedelta(days=1)
NEWEST_LEASES, NEWEST_CALLS = 20_000, 3_000  # that are learned from
DAYS = 60  # how old they may be
_WARM = timedelta(days=1)  # after the first lease that is known: earlier ones still make people call
_AT_A_TIME = 500

_FITTED = sa.select(models.DelayModel.model).where(models.DelayModel.company_id == sa.bindparam("company"))
_pool_calls = (
    sa.select(Call.number_id, Call.started_at, Call.caller)
    .join(NumberUse, NumberUse.number_id == Call.number_id)
    .where(
        Call.company_id == sa.bindparam("company"),
        IS_COUNTED,
        NumberUse.pool_id.is_not(None),
        NumberUse.from_at <= Call.started_at,
        sa.or_(NumberUse.until_at.is_(None), NumberUse.until_at > Call.started_at),
    )
)


def model_of(session: Session, company_id: int) -> DelayModel:
    """What the company's own calls have taught; before they have, what is true of most companies."""
    kept = session.connection().execute(_FITTED, {"company": company_id}).scalar_one_or_none()
    return (DelayModel.from_json(kept) if kept is not None else None) or PRIOR


def learn_all(database: Database, now: datetime) -> int:
    """Learns the models of the companies that have had calls since theirs was a day old; gives how many."""
    with database.read() as session:
        due = [
            company for company in session.scalars(sa.select(Company.id)) if _is_due(session, company, now)
        ]
    for company_id in due:
        learn_of(database, company_id, now)
    return len(due)


def learn_of(database: Database, company_id: int, now: datetime) -> DelayModel:
    """Learns a company's model from its newest calls and leases, and keeps it."""
    with database.read() as session:
        stocks, since = _stocks(session, company_id, now)
        calls = _calls(session, company_id, now)
    if len(calls) == NEWEST_CALLS:
        since = max(since, calls[-1].at)
    model = learn(calls, stocks, now, since=since)
    row = {
        "company_id": company_id,
        "fitted_at": now,
        "calls": sum(call.at >= since for call in calls),
        "leases": sum(len(stock.holders) for stock in stocks),
        "model": model.to_json(),
    }
    with database.write() as session:
        statement = once.insert(session, models.DelayModel).values(row)
        session.connection().execute(statement.on_conflict_do_update(index_elements=["company_id"], set_=row))
    return model


def _is_due(session: Session, company_id: int, now: datetime) -> bool:
    fitted_at = session.scalar(
        sa.select(models.DelayModel.fitted_at).where(models.DelayModel.company_id == company_id)
    )
    if fitted_at is not None and now - fitted_at < EVERY:
        return False
    least = FIRST_CALLS if fitted_at is None else 1
    newer = _pool_calls.where(Call.started_at > (fitted_at or now - timedelta(days=DAYS))).limit(least)
    return len(session.execute(newer, {"company": company_id}).all()) == least


def _calls(session: Session, company_id: int, now: datetime) -> list[CallFacts]:
    """The newest calls to numbers of pools, newest first."""
    wanted = _pool_calls.where(Call.started_at > now - timedelta(days=DAYS), Call.started_at <= now)
    wanted = wanted.order_by(Call.started_at.desc()).limit(NEWEST_CALLS)
    return [
        CallFacts(row.number_id, row.started_at, row.caller, country_of_phone(row.caller))
        for row in session.execute(wanted, {"company": company_id})
    ]


def _stocks(session: Session, company_id: int, now: datetime) -> tuple[list[Stock], datetime]:
    """The pools' numbers with their newest leases, and since when these are known well enough."""
    rows: Sequence[Any] = session.execute(
        sa.select(Lease.number_id, *LEASE_COLUMNS)
        .join(Visit, Visit.id == Lease.visit_id)
        .join(Number, Number.id == Lease.number_id)
        .where(Number.company_id == company_id, Lease.from_at > now - timedelta(days=DAYS))
        .order_by(Lease.id.desc())
        .limit(NEWEST_LEASES)
    ).all()
    first = min((row.from_at for row in rows), default=now)
    cut_off = len(rows) == NEWEST_LEASES or first < now - timedelta(days=DAYS - 1)
    by_number: dict[int, list[Holder]] = defaultdict(list)
    for chunk in portions(rows, _AT_A_TIME):
        looks, clicks = traces_of(session, {row.visit_id for row in chunk})
        for row in chunk:
            by_number[row.number_id].append(
                as_holder(row, looks.get(row.visit_id, ()), clicks.get(row.visit_id, ()))
            )
    uses = session.execute(
        sa.select(NumberUse.number_id, NumberUse.from_at, NumberUse.until_at)
        .join(Number, Number.id == NumberUse.number_id)
        .where(Number.company_id == company_id, NumberUse.pool_id.is_not(None))
    )
    stocks = [_stock(Stock(*use, by_number.get(use.number_id, []))) for use in uses]
    return stocks, first + _WARM if cut_off else first


def _stock(number: Stock) -> Stock:
    """Only the leases of that use: the number may have been a pool's twice."""
    return replace(number, holders=[each for each in number.holders if number.covers(each.from_at)])
