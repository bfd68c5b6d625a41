"""What was sold, as reports count it: sale by sale, or as columns where sales are plain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Call, Company, Sale, Visit
from tracker.models.base import MONEY_SCALE
from tracker.policy.columns import Ints
from tracker.policy.sales import Match, SaleStatus
from tracker.rates import rates_of


class SaleFact(NamedTuple):
    """A sale as reports count it; money is in the company's currency, not rounded."""

    id: int
    at: datetime
    revenue: Decimal
    profit: Decimal | None  # None: nobody said
    matched_by: Match | None
    call_id: int | None
    visitor_id: int | None


def sold_between(
    session: Session, company: Company, since: datetime, until: datetime, *, but_plain: bool = False
) -> Iterator[SaleFact]:
    """Every sale in [since, until) that was not cancelled, in the company's currency.

    The rate is that of the sale's day by the company's clocks. With `but_plain` those are left out that
    `plainly_sold` tells of. Raises Rejected rate.missing.
    """
    rates, zone = rates_of(session, company), ZoneInfo(company.timezone)
    wanted = sa.select(
        Sale.id,
        Sale.at,
        Sale.revenue,
        Sale.profit,
        Sale.matched_by,
        Sale.call_id,
        Sale.visitor_id,
        Sale.currency,
    ).where(*_won(company, since, until))
    if but_plain:
        wanted = wanted.where(~_is_plain(company))
    for row in session.connection().execute(wanted.order_by(Sale.at, Sale.id)):
        *told, currency = row
        fact = SaleFact._make(told)
        if currency == company.currency:
            yield fact
            continue
        day = fact.at.astimezone(zone).date()
        profit = None if fact.profit is None else rates.convert(fact.profit, currency, day)
        yield fact._replace(revenue=rates.convert(fact.revenue, currency, day), profit=profit)


def last_visits(session: Session, company: Company, since: datetime, until: datetime) -> dict[int, int]:
    """Of the sales of that time that no call led to, but a visitor, his last visit before."""
    last = sa.select(Visit.id).where(Visit.visitor_id == Sale.visitor_id, Visit.started_at <= Sale.at)
    last = last.order_by(Visit.started_at.desc(), Visit.id.desc()).limit(1)
    wanted = sa.select(Sale.id, last.scalar_subquery()).where(
        *_won(company, since, until), Sale.call_id.is_(None), Sale.visitor_id.is_not(None)
    )
    rows = session.connection().execute(wanted)
    return {sale_id: visit_id for sale_id, visit_id in rows if visit_id is not None}


def first_sold_call(session: Session, company: Company, since: datetime, until: datetime) -> datetime | None:
    """When the first of the calls came that the sales of that time belong to."""
    wanted = sa.select(sa.func.min(Call.started_at)).select_from(Sale).join(Call, Call.id == Sale.call_id)
    return session.scalar(wanted.where(*_won(company, since, until)))


def _won(company: Company, since: datetime, until: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        Sale.company_id == company.id, Sale.at >= since, Sale.at < until, Sale.status == SaleStatus.WON
    ]  # fmt: skip


def _is_plain(company: Company) -> sa.ColumnElement[bool]:
    return sa.and_(Sale.call_id.is_not(None), Sale.currency == company.currency)


@dataclass(frozen=True, eq=False)
class PlainSales:
    """Sales of calls in the company's own currency, as columns: money in its smallest parts."""

    calls: Ints
    revenue: Ints
    profit: Ints
    has_profit: Ints
    is_matched: Ints

    def money(self, parts: int) -> Decimal:
        return Decimal(parts) / MONEY_SCALE


def plainly_sold(session: Session, company: Company, since: datetime, until: datetime) -> PlainSales:
    """The sales in [since, until) that were not cancelled and are so plain; there may be many."""
    profit = sa.type_coerce(Sale.profit, sa.BigInteger)
    wanted = sa.select(
        Sale.call_id,
        sa.type_coerce(Sale.revenue, sa.BigInteger),
        sa.func.coalesce(profit, 0),
        sa.cast(profit.is_not(None), sa.Integer),
        sa.cast(Sale.matched_by.is_not(None), sa.Integer),
    ).where(*_won(company, since, until), _is_plain(company))
    # Whole numbers, as the driver has them: thousands of rows of our own would cost thrice as much.
    cursor = session.connection().execute(wanted).cursor
    rows = [] if cursor is None else cursor.fetchall()
    return PlainSales(*np.array(rows, np.int64).reshape(-1, 5).T)
