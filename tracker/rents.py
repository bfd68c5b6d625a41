"""Rents: what a channel costs a month. Its cost of a day is computed when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.calls import amount as plain
from tracker.errors import Rejected
from tracker.held import hold
from tracker.models import Channel, ChannelRent, Company
from tracker.policy.costs import Rent
from tracker.policy.entries import read_title
from tracker.rates import rates_of


def add_rent(
    session: Session, by: By, company: Company, channel: Channel, rent: Rent, *, note: str | None = None
) -> ChannelRent:
    """A rent of the company's channel, beside others it has. Raises Rejected rent.days, rate.missing."""
    rates_of(session, company).rate(rent.currency, rent.from_day)
    made = ChannelRent(
        company_id=company.id,
        channel_id=channel.id,
        amount=rent.amount,
        currency=rent.currency,
        from_day=rent.from_day,
        until_day=_checked(rent.from_day, rent.until_day),
        note=read_title(note, "rent", 300) if note else None,
        created_at=by.at,
        changed_at=by.at,
        channel=channel,
    )
    session.add(made)
    session.flush()
    by.note(session, "rent.add", company.id, subject=channel.name, detail=_detail(made))
    return made


def end_rent(session: Session, by: By, rent: ChannelRent, until_day: date | None) -> None:
    """Its last day, or None for no end yet. Raises Rejected rent.days, rent.unknown."""
    hold(session, rent, _unknown())
    if until_day == rent.until_day:
        return
    before = _detail(rent)["until"]
    rent.until_day, rent.changed_at = _checked(rent.from_day, until_day), by.at
    detail = {**_detail(rent), "before": before}
    by.note(session, "rent.change", rent.company_id, subject=rent.channel.name, detail=detail)


def delete_rent(session: Session, by: By, rent: ChannelRent) -> None:
    """Take a rent away as if it had never been due; one that ended is ended instead.

    Raises Rejected rent.unknown where somebody else has just done so.
    """
    hold(session, rent, _unknown())
    by.note(session, "rent.delete", rent.company_id, subject=rent.channel.name, detail=_detail(rent))
    session.delete(rent)
    session.flush()


def find_rent(session: Session, company: Company, rent_id: int) -> ChannelRent:
    """The company's rent of that id. Raises Rejected rent.unknown."""
    wanted = sa.select(ChannelRent).where(ChannelRent.company_id == company.id, ChannelRent.id == rent_id)
    if found := session.scalars(wanted).one_or_none():
        return found
    raise _unknown()


def _unknown() -> Rejected:
    return Rejected("rent.unknown", "There is no such rent", "See `leaseline cost rent list`")


def list_rents(session: Session, company_ids: Sequence[int]) -> Sequence[ChannelRent]:
    """The companies' rents by channel, the newest first."""
    wanted = (
        sa.select(ChannelRent)
        .where(ChannelRent.company_id.in_(company_ids))
        .join(Channel)
        .options(joinedload(ChannelRent.channel))
    )
    return session.scalars(wanted.order_by(Channel.name, ChannelRent.from_day.desc(), ChannelRent.id)).all()


def terms_of(rent: ChannelRent) -> Rent:
    """The rent as policy counts with it."""
    return Rent(rent.amount, rent.currency, rent.from_day, rent.until_day)


def describe_rent(rent: ChannelRent) -> dict[str, Any]:
    """A rent as JSON."""
    return {
        "id": rent.id,
        "channel": rent.channel.name,
        "amount": plain(rent.amount),
        "currency": rent.currency,
        "from": rent.from_day.isoformat(),
        "until": rent.until_day.isoformat() if rent.until_day else None,
        "note": rent.note,
    }


def _checked(from_day: date, until_day: date | None) -> date | None:
    if until_day is not None and until_day < from_day:
        raise Rejected(
            "rent.days",
            "%(until_day)s is before %(from_day)s",
            "Give a last day that is not before",
            until_day=until_day,
            from_day=from_day,
        )
    return until_day


def _detail(rent: ChannelRent) -> dict[str, Any]:
    told = describe_rent(rent)
    return {name: told[name] for name in ("amount", "currency", "from", "until")}
