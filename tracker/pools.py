"""Pools: numbers leased to a site's visitors, and by what rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import named, scopes
from tracker.audit import By
from tracker.errors import Rejected, say
from tracker.models import (
    CodeLease,
    Company,
    Lease,
    MissCount,
    Number,
    NumberState,
    NumberUse,
    Pool,
    Swap,
    Visit,
    WhenEmpty,
)
from tracker.policy.channel_groups import ChannelGroup
from tracker.policy.entries import read_word
from tracker.policy.phone import read_number
from tracker.policy.uses import STATES, uses_of

DAY = 86400
# Least, most and usual; and what is said of anything else.
LIMITS = {
    "hold_seconds": (0, DAY, 300),
    "idle_seconds": (60, DAY, 600),
    "longest_seconds": (60, 7 * DAY, 14400),
    "cooldown_seconds": (0, DAY, 0),
}
_NO_TIME = {
    "hold_seconds": say("%(seconds)s seconds is no time to hold a number after the visitor left"),
    "idle_seconds": say(
        "%(seconds)s seconds is no time to wait for a sign of life, which comes once a minute"
    ),
    "longest_seconds": say("%(seconds)s seconds is no time to lease a number at the longest"),
    "cooldown_seconds": say("%(seconds)s seconds is no time to rest a number that was given back"),
}


class PoolWish(TypedDict, total=False):
    """What an admin may decide about a pool; what is left out stays, or has its default."""

    hold_seconds: int
    idle_seconds: int
    longest_seconds: int
    cooldown_seconds: int
    release_after_call: bool
    paid_percent: int
    dynamic_for: Sequence[str]  # channel groups; none: everybody
    when_empty: str
    overflow_number: str  # as people write it; "": none


def add_pool(session: Session, by: By, company: Company, name: str, **wish: Unpack[PoolWish]) -> Pool:
    """A new pool. Raises Rejected pool.* with what would be accepted."""
    plain = {
        "hold_seconds": 300,
        "idle_seconds": 600,
        "longest_seconds": 14400,
        "cooldown_seconds": 0,
        "release_after_call": False,
        "paid_percent": 0,
        "dynamic_for": [],
        "when_empty": WhenEmpty.REAL,
    }
    pool = Pool(
        company_id=company.id,
        name=named.free_name(session, Pool, company, name),
        created_at=by.at,
        **plain,
    )
    detail = _grant(session, company, pool, wish)
    session.add(pool)
    session.flush()
    by.note(session, "pool.add", company.id, subject=pool.name, detail=detail)
    return pool


def change_pool(
    session: Session,
    by: By,
    company: Company,
    pool: Pool,
    *,
    name: str | None = None,
    **wish: Unpack[PoolWish],
) -> Pool:
    """Change what is given; running leases keep what they were promised. Raises Rejected pool.*."""
    detail = _grant(session, company, pool, wish)
    if name is not None and name != pool.name:
        pool.name = detail["name"] = named.free_name(session, Pool, company, name)
    by.note(session, "pool.change", company.id, subject=pool.name, detail=detail)
    return pool


def get_pool(session: Session, company: Company, name: str) -> Pool:
    """The company's pool by its name. Raises Rejected pool.unknown, naming those there are."""
    return named.get(session, Pool, company, name)


def pools_of(session: Session, company: Company) -> Sequence[Pool]:
    """The company's pools by name."""
    return named.listed(session, Pool, company)


def delete_pool(session: Session, by: By, pool: Pool) -> None:
    """Delete a pool that never had a number. Raises Rejected pool.in_use."""
    uses = named.number_uses(session, pool) + uses_of(
        (named.count(session, Swap, Swap.pool_id == pool.id), "number on a site"),
        (named.count(session, Lease, Lease.pool_id == pool.id), "lease"),
        (named.count(session, CodeLease, CodeLease.pool_id == pool.id), "visitor code"),
        (named.count(session, MissCount, MissCount.pool_id == pool.id), "count of misses"),
    )
    if uses:
        raise Rejected(
            "pool.in_use",
            "pool %(name)r is used by %(uses)s",
            "Move its numbers elsewhere; what has history stays",
            name=pool.name,
            uses=uses,
        )
    scopes.forget(session, pool)
    session.delete(pool)
    by.note(session, "pool.delete", pool.company_id, subject=pool.name)


def describe(session: Session, pool: Pool) -> dict[str, Any]:
    """A pool as JSON, with how many numbers are in it."""
    overflow = session.get(Number, pool.overflow_number_id) if pool.overflow_number_id else None
    return {
        "id": pool.id,
        "name": pool.name,
        "numbers": named.numbers_in_use(session, pool),
        "hold_seconds": pool.hold_seconds,
        "idle_seconds": pool.idle_seconds,
        "longest_seconds": pool.longest_seconds,
        "cooldown_seconds": pool.cooldown_seconds,
        "release_after_call": pool.release_after_call,
        "paid_percent": pool.paid_percent,
        "dynamic_for": list(pool.dynamic_for),
        "when_empty": pool.when_empty.value,
        "overflow_number": overflow.e164 if overflow else None,
        "created_at": pool.created_at,
    }


def active_numbers(session: Session, pool: Pool) -> Sequence[Number]:
    """The pool's numbers that visitors may be shown."""
    wanted = (
        sa.select(Number)
        .join(NumberUse, NumberUse.number_id == Number.id)
        .where(NumberUse.pool_id == pool.id, NumberUse.until_at.is_(None))
        .where(Number.state == NumberState.ACTIVE)
        .order_by(Number.e164)
    )
    return session.scalars(wanted).all()


@dataclass(frozen=True)
class Standing:
    """What a pool's active numbers do at an instant: leased, resting after a lease, free to be leased."""

    numbers: int
    leased: int
    resting: int
    free: int


def standing(session: Session, pool: Pool, at: datetime) -> Standing:
    """How many active numbers the pool has, and how many of them are leased, cooling down, free."""
    held = sa.exists().where(Lease.number_id == Number.id, Lease.until_at.is_(None))
    state = sa.case((held, "leased"), (Number.free_at > at, "resting"), else_="free").label("state")
    wanted = (
        sa.select(state, sa.func.count())
        .join(NumberUse, NumberUse.number_id == Number.id)
        .where(NumberUse.pool_id == pool.id, NumberUse.until_at.is_(None))
        .where(Number.state == NumberState.ACTIVE)
        .group_by(state)
    )
    found = {name: int(count) for name, count in session.execute(wanted)}
    leased, resting, free = (found.get(name, 0) for name in ("leased", "resting", "free"))
    return Standing(leased + resting + free, leased, resting, free)


@dataclass(frozen=True)
class Held:
    """A lease as history tells it: which number, for whom, where he came from, how it ended."""

    number: str
    visit: int
    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    from_at: datetime
    until_at: datetime | None  # None: it is going on
    ended_by: str | None


def history(session: Session, pool: Pool, since: datetime | None = None) -> Iterator[Held]:
    """The pool's leases, oldest first; from `since` on, with those that were running then."""
    wanted = (
        sa.select(Lease, Number.e164, Visit)
        .join(Number, Number.id == Lease.number_id)
        .join(Visit, Visit.id == Lease.visit_id)
        .where(Lease.pool_id == pool.id)
        .order_by(Lease.from_at, Lease.id)
        .execution_options(yield_per=1000)
    )
    if since is not None:
        wanted = wanted.where(sa.or_(Lease.until_at.is_(None), Lease.until_at >= since))
    for lease, e164, visit in session.execute(wanted):
        yield Held(
            number=e164,
            visit=visit.id,
            medium=visit.medium,
            source=visit.source,
            campaign=visit.campaign,
            keyword=visit.keyword,
            from_at=lease.from_at,
            until_at=lease.until_at,
            # While it goes on, it tells only whether its visitor has left.
            ended_by=lease.ended_by.value if lease.ended_by and lease.until_at else None,
        )


def _grant(session: Session, company: Company, pool: Pool, wish: PoolWish) -> dict[str, Any]:
    """Put the wish into the pool; what was changed, for the audit log."""
    given: dict[str, Any] = {key: value for key, value in wish.items() if value is not None}
    values = dict(given)
    if "when_empty" in given:
        values["when_empty"] = read_word(WhenEmpty, given["when_empty"], "pool.when_empty")
    if "dynamic_for" in given:
        values["dynamic_for"] = [_group(text) for text in given["dynamic_for"]]
    if "overflow_number" in given:
        text = values.pop("overflow_number")
        values["overflow_number_id"] = _overflow(session, company, text).id if text else None
    for key, value in values.items():
        setattr(pool, key, value)
    _refuse_nonsense(pool)
    return given


def _refuse_nonsense(pool: Pool) -> None:
    for key, (least, most, usual) in LIMITS.items():
        seconds = getattr(pool, key)
        if not least <= seconds <= most:
            raise Rejected(
                f"pool.{key.removesuffix('_seconds')}",
                _NO_TIME[key],
                "Give %(least)s to %(most)s whole seconds; %(usual)s is usual",
                seconds=seconds,
                least=least,
                most=most,
                usual=usual,
            )
    if pool.longest_seconds < pool.idle_seconds:
        raise Rejected(
            "pool.longest",
            "A lease of at most %(longest)s s could not wait %(idle)s s for a sign of life",
            "Make the longest lease at least as long as the idle time",
            longest=pool.longest_seconds,
            idle=pool.idle_seconds,
        )
    if not 0 <= pool.paid_percent <= 100:
        raise Rejected("pool.paid", "%(percent)s %% is no share", "Give 0 to 100", percent=pool.paid_percent)
    if pool.when_empty is WhenEmpty.OVERFLOW and pool.overflow_number_id is None:
        raise Rejected(
            "pool.overflow",
            "Pool %(name)r has no overflow number to show",
            "Name one: --overflow-number NUMBER, or choose another way for when it is empty",
            name=pool.name,
        )


def _group(text: str) -> str:
    """A channel group as it is spelt, however it was typed."""
    known = {group.casefold(): group.value for group in ChannelGroup}
    if group := known.get(text.strip().casefold()):
        return group
    raise Rejected(
        "pool.group",
        "%(text)r is no channel group",
        "Give some of: %(known)s",
        text=text[:40],
        known=list(known.values()),
    )


def _overflow(session: Session, company: Company, text: str) -> Number:
    """A number of the company's that is leased to nobody."""
    e164 = read_number(text, company.default_region)
    number = session.scalar(sa.select(Number).where(Number.company_id == company.id, Number.e164 == e164))
    if number is None:
        raise Rejected(
            "pool.overflow",
            "%(e164)s is no number of %(company)s",
            "Add it: `leaseline number add`",
            e164=e164,
            company=company.slug,
        )
    if number.state is not NumberState.ACTIVE:
        raise Rejected(
            "pool.overflow",
            "%(e164)s is %(state)s",
            "Give an active number",
            e164=e164,
            state=STATES[number.state],
        )
    leased = sa.select(NumberUse.pool_id).where(
        NumberUse.number_id == number.id, NumberUse.until_at.is_(None)
    )
    if session.scalar(leased) is not None:
        raise Rejected(
            "pool.overflow",
            "%(e164)s is itself leased to visitors",
            "Give a number that is tied to a channel: `leaseline number move`",
            e164=e164,
        )
    return number
