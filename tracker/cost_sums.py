"""Costs added up by the words that a report asks for, rents among them; the database does the adding."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.costs import rents_between, words_now
from tracker.models import Channel, Company, Cost
from tracker.policy.costs import Words
from tracker.rates import rates_of

MORE = ("medium", "campaign", "keyword", "content")  # words beside the source


class CostSum(NamedTuple):
    """What the costs of these words come to, in the company's currency, not rounded."""

    day: date | None  # None: of all days that were asked for
    words: Words
    channel_id: int | None
    value: Decimal


def cost_sums(
    session: Session, company: Company, first: date, last: date, words: Collection[str], *, by_day: bool
) -> Iterator[CostSum]:
    """The costs of these days, both included, by their sources and those of MORE that are named.

    Words are the channel's present ones where a cost has a channel. A day's rate is that day's, so what is
    in another currency comes a day at a time. Raises Rejected rate.missing.
    """
    rates = rates_of(session, company)
    channels = {
        channel.id: channel
        for channel in session.scalars(sa.select(Channel).where(Channel.company_id == company.id))
    }
    named = [name for name in MORE if name in words]
    theirs = (Cost.company_id == company.id, Cost.day.between(first, last))
    home = Cost.currency == company.currency
    for days, within in ((by_day, home), (True, ~home)):
        for row in session.execute(_sums(named, by_day=days).where(*theirs, within)):
            more: dict[str, str | None] = {name: getattr(row, name) for name in named}
            told = Words(row.source, **more)
            value = row.value if row.day is None else rates.convert(row.value, row.currency, row.day)
            yield CostSum(row.day, words_now(told, channels.get(row.channel_id)), row.channel_id, value)
    for rent, day, value in rents_between(session, company, rates, first, last):
        yield CostSum(day, words_now(Words(""), channels[rent.channel_id]), rent.channel_id, value)


def total_between(session: Session, company: Company, first: date, last: date) -> Decimal:
    """What all costs of these days come to, both included. Raises Rejected rate.missing."""
    return sum((it.value for it in cost_sums(session, company, first, last, (), by_day=False)), Decimal(0))


def _sums(named: Collection[str], *, by_day: bool) -> sa.Select[*tuple[Any, ...]]:
    by = [Cost.currency, Cost.channel_id, Cost.source, *(getattr(Cost, name) for name in named)]
    days = [Cost.day] if by_day else []
    day = Cost.day if by_day else sa.null().label("day")
    return sa.select(day, *by, sa.func.sum(Cost.amount).label("value")).group_by(*days, *by)
