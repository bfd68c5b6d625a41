"""Channels (static sources that own numbers) and pools (numbers leased to a site's visitors)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Call, Channel, Company, Forwarding, Lease, NumberUse, Pool, Swap
from tracker.policy.entries import count_of, read_title, refuse_if_used

Thing = TypeVar("Thing", Channel, Pool)


def add_channel(
    session: Session,
    by: By,
    company: Company,
    name: str,
    *,
    source: str | None = None,
    medium: str = "offline",
    campaign: str | None = None,
    keyword: str | None = None,
) -> Channel:
    """A new static source; without `source` its name is the source. Raises Rejected channel.*."""
    channel = Channel(
        company_id=company.id,
        name=_free_name(session, Channel, company, name, "channel"),
        source=read_title(source or name, "channel", 200),
        medium=read_title(medium, "channel"),
        campaign=read_title(campaign, "channel", 200) if campaign else None,
        keyword=read_title(keyword, "channel", 200) if keyword else None,
        created_at=by.at,
    )
    session.add(channel)
    session.flush()
    by.note(session, "channel.add", company.id, subject=channel.name, detail={"source": channel.source})
    return channel


def change_channel(
    session: Session,
    by: By,
    company: Company,
    channel: Channel,
    *,
    name: str | None = None,
    **changes: str | None,
) -> Channel:
    """Change what is given of name, source, medium, campaign, keyword; past calls show the new words."""
    given = {key: text for key, text in changes.items() if text is not None}
    if name is not None and name != channel.name:
        channel.name = given["name"] = _free_name(session, Channel, company, name, "channel")
    for key in given.keys() - {"name"}:
        setattr(channel, key, read_title(given[key], "channel"))
    by.note(session, "channel.change", channel.company_id, subject=channel.name, detail=dict(given))
    return channel


def add_pool(session: Session, by: By, company: Company, name: str, *, hold_seconds: int = 300) -> Pool:
    """A new pool; a number stays held for `hold_seconds` after its visitor left. Raises Rejected pool.*."""
    if not 0 <= hold_seconds <= 86400:
        raise Rejected(
            "pool.hold",
            f"{hold_seconds} seconds is no time to hold a number",
            "Give 0 to 86400 whole seconds; 300 is usual",
        )
    pool = Pool(
        company_id=company.id,
        name=_free_name(session, Pool, company, name, "pool"),
        hold_seconds=hold_seconds,
        created_at=by.at,
    )
    session.add(pool)
    session.flush()
    by.note(session, "pool.add", company.id, subject=pool.name, detail={"hold_seconds": hold_seconds})
    return pool


def get_channel(session: Session, company: Company, name: str) -> Channel:
    """The company's channel by its name. Raises Rejected channel.unknown, naming those there are."""
    return _get(session, Channel, company, name, "channel")


def get_pool(session: Session, company: Company, name: str) -> Pool:
    """The company's pool by its name. Raises Rejected pool.unknown, naming those there are."""
    return _get(session, Pool, company, name, "pool")


def channels_of(session: Session, company: Company) -> Sequence[Channel]:
    """The company's channels by name."""
    return _all(session, Channel, company)


def pools_of(session: Session, company: Company) -> Sequence[Pool]:
    """The company's pools by name."""
    return _all(session, Pool, company)


def numbers_in_use(session: Session, thing: Channel | Pool) -> int:
    """How many numbers are tied to the channel, or in the pool, right now."""
    wanted = sa.select(sa.func.count()).select_from(NumberUse).where(_use_of(thing))
    return session.scalar(wanted.where(NumberUse.until_at.is_(None))) or 0


def delete_channel(session: Session, by: By, channel: Channel) -> None:
    """Delete a channel that never had a number. Raises Rejected channel.in_use."""
    uses = _uses(session, channel)
    calls = _count(session, Call, Call.channel_id == channel.id)
    uses += [count_of(calls, "call")] if calls else []
    refuse_if_used(f"channel {channel.name!r}", uses, "Move its numbers elsewhere; what has history stays")
    session.execute(sa.delete(Forwarding).where(Forwarding.channel_id == channel.id))
    session.delete(channel)
    by.note(session, "channel.delete", channel.company_id, subject=channel.name)


def delete_pool(session: Session, by: By, pool: Pool) -> None:
    """Delete a pool that never had a number. Raises Rejected pool.in_use."""
    uses = _uses(session, pool)
    for model, where, word in (
        (Swap, Swap.pool_id == pool.id, "number on a site"),
        (Lease, Lease.pool_id == pool.id, "lease"),
    ):
        found = _count(session, model, where)
        uses += [count_of(found, word)] if found else []
    refuse_if_used(f"pool {pool.name!r}", uses, "Move its numbers elsewhere; what has history stays")
    session.execute(sa.delete(Forwarding).where(Forwarding.pool_id == pool.id))
    session.delete(pool)
    by.note(session, "pool.delete", pool.company_id, subject=pool.name)


def _uses(session: Session, thing: Channel | Pool) -> list[str]:
    present = numbers_in_use(session, thing)
    past = _count(session, NumberUse, sa.and_(_use_of(thing), NumberUse.until_at.is_not(None)))
    uses = [count_of(present, "number")] if present else []
    return uses + ([f"the history of {count_of(past, 'number')}"] if past else [])


def _use_of(thing: Channel | Pool) -> sa.ColumnElement[bool]:
    if isinstance(thing, Channel):
        return NumberUse.channel_id == thing.id
    return NumberUse.pool_id == thing.id


def _count(session: Session, model: type, where: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(where)) or 0


def _get(session: Session, model: type[Thing], company: Company, name: str, what: str) -> Thing:
    wanted = sa.select(model).where(model.company_id == company.id, model.name == name)
    if thing := session.scalars(wanted).one_or_none():
        return thing
    names = [each.name for each in _all(session, model, company)]
    fix = f"There are: {', '.join(names)}" if names else f"Add it: `leaseline {what} add`"
    raise Rejected(f"{what}.unknown", f"There is no {what} {name!r}", fix)


def _all(session: Session, model: type[Thing], company: Company) -> Sequence[Thing]:
    return session.scalars(sa.select(model).where(model.company_id == company.id).order_by(model.name)).all()


def _free_name(
    session: Session, model: type[Channel] | type[Pool], company: Company, text: str, what: str
) -> str:
    name = read_title(text, what)
    wanted = sa.select(model.id).where(model.company_id == company.id, model.name == name)
    if session.scalar(wanted) is not None:
        raise Rejected(f"{what}.duplicate", f"There is a {what} {name!r} already", "Choose another name")
    return name
