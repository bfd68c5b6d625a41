"""How many numbers a pool needs: from its own visits, or before there are any from what is expected.

advise(...)   replays the visits of the last weeks, and judges the busiest hour of the week by Erlang B
plan(...)     Erlang B, with "so many visitors an hour stay so many minutes"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import models, pools
from tracker.errors import Rejected
from tracker.models import Company, Lease, Pool, Swap, Visit
from tracker.policy import erlang
from tracker.policy.advice import (
    ENOUGH_DAYS,
    ENOUGH_VISITS,
    CallTimes,
    Hour,
    Rules,
    Stay,
    fewest,
    hours_of_week,
    replay,
    trial,
)
from tracker.policy.delays import PRIOR, DelayModel

SINCE = timedelta(weeks=4)
MOST_VISITS = 30_000  # from here on a week is enough; a replay of so many takes a tenth of a second
HOLDS = (150, 300, 600, 1800)  # seconds after leaving that are worth comparing
# Reasons that more numbers would have helped against.
HELPED = ("pool_empty", "reserved", "untrusted")


@dataclass(frozen=True)
class Option:
    """A pool of so many numbers with such a hold time, and how it would do."""

    numbers: int
    hold_seconds: int
    own: float  # share of visits with a number of their own
    in_time: float  # share of calls that come before the number is somebody else's
    without_a_day: float | None  # visits; None where no days are known
    own_when_busiest: float  # the same as `own`, in the busiest hour of the week, by Erlang B


@dataclass(frozen=True)
class Basis:
    """The visits that the advice rests on."""

    visits: int
    since: datetime
    until: datetime
    hours: tuple[Hour, ...]

    @property
    def days(self) -> float:
        return (self.until - self.since) / timedelta(days=1)

    @property
    def enough(self) -> bool:
        """Whether a week and some hundreds of visits have been seen; less is chance."""
        return self.visits >= ENOUGH_VISITS and self.days >= ENOUGH_DAYS

    @property
    def busiest(self) -> Hour:
        return max(self.hours, key=lambda hour: hour.load)


@dataclass(frozen=True)
class Advice:
    """`needed` numbers keep the share of visits without one at or below `target`."""

    target: float
    hold_seconds: int
    numbers: int | None  # the pool has now; None: no pool was named
    needed: int
    needed_when_busiest: int  # where the target is to hold in the busiest hour too
    load: float  # erlangs, of that hour
    basis: Basis | None  # None: a plan, not a replay
    options: tuple[Option, ...]

    def option(self, numbers: int | None, hold_seconds: int | None = None) -> Option | None:
        """The one of these numbers, at the hold time asked for unless another is given."""
        wanted = numbers, hold_seconds or self.hold_seconds
        return next((each for each in self.options if (each.numbers, each.hold_seconds) == wanted), None)

    @property
    def next_buys(self) -> float | None:
        """How many more visits a day one number more would give a number of their own; None: unknown."""
        now = self.option(self.numbers)
        more = self.option(self.numbers + 1) if self.numbers is not None else None
        if now is None or more is None or now.without_a_day is None or more.without_a_day is None:
            return None
        return now.without_a_day - more.without_a_day


def advise(
    session: Session,
    company: Company,
    pool: Pool,
    now: datetime,
    *,
    target: float = 0.01,
    hold_seconds: int | None = None,
) -> Advice:
    """Advice from the pool's visits of the last four weeks. Raises Rejected pool.no_visits, pool.target.

    Every visit that a number of its own was meant for counts, whether there was one or not; the shares kept
    for some channel groups or for paid clicks are not replayed.
    """
    _check(target, hold_seconds)
    stays, since = _stays(session, pool, now)
    log = _Log(stays, since, now, ZoneInfo(company.timezone), CallTimes(model_of(session, company)))
    rules = rules_of(pool, hold_seconds)
    basis = Basis(len(stays), since, now, tuple(log.week(rules)))
    needed = fewest(stays, rules, target, log.times)
    has = pools.standing(session, pool, now).numbers
    holds = sorted({*HOLDS, int(rules.hold)})
    options = [each for hold in holds for each in log.options(_sizes(has, needed), replace(rules, hold=hold))]
    return Advice(
        target=target,
        hold_seconds=int(rules.hold),
        numbers=has,
        needed=needed,
        needed_when_busiest=erlang.numbers_needed(basis.busiest.load, target),
        load=basis.busiest.load,
        basis=basis,
        options=tuple(options),
    )


def plan(
    visitors_per_hour: float,
    minutes: float,
    *,
    target: float = 0.01,
    hold_seconds: int = 300,
    numbers: int | None = None,
    model: DelayModel = PRIOR,
) -> Advice:
    """Advice without any visits: so many visitors come in the busiest hour and stay so many minutes.

    The shares of visits are Erlang's; the share of calls comes of a replay of chance visits. Raises Rejected
    pool.target, pool.visitors.
    """
    _check(target, hold_seconds)
    if not (0 < visitors_per_hour <= 100_000 and 0 < minutes <= 240):
        raise Rejected(
            "pool.visitors",
            "%(visitors)s visitors an hour for %(minutes)s minutes cannot be worked with",
            "Give up to 100000 visitors an hour and up to 240 minutes, both above 0",
            visitors=f"{visitors_per_hour:g}",
            minutes=f"{minutes:g}",
        )
    load = erlang.offered_load(visitors_per_hour, minutes, hold_seconds)
    needed = erlang.numbers_needed(load, target)
    stays, times = trial(visitors_per_hour, minutes), CallTimes(model)
    options = []
    for hold in sorted({*HOLDS, hold_seconds}):
        offered = erlang.offered_load(visitors_per_hour, minutes, hold)
        for size in _sizes(numbers, needed):
            own = 1 - erlang.missed(offered, size)
            done = replay(stays, size, Rules(hold=hold, longest=float("inf")), times)
            options.append(Option(size, hold, own, done.in_time, None, own))
    return Advice(target, hold_seconds, numbers, needed, needed, load, None, tuple(options))


def rules_of(pool: Pool, hold_seconds: int | None = None) -> Rules:
    """The pool's times for a replay, with another hold time if one is given."""
    return Rules(
        hold=pool.hold_seconds if hold_seconds is None else hold_seconds,
        idle=pool.idle_seconds,
        longest=pool.longest_seconds,
        cooldown=pool.cooldown_seconds,
    )


def model_of(session: Session, company: Company) -> DelayModel:
    """What the company's calls have taught about delays, or what is believed before the first."""
    kept = session.get(models.DelayModel, company.id)
    return (DelayModel.from_json(kept.model) if kept else None) or PRIOR


def _check(target: float, hold_seconds: int | None) -> None:
    if not 0 < target < 1:
        raise Rejected(
            "pool.target",
            "%(target)s is no share to aim at",
            "Give a percentage such as 1%%",
            target=f"{target:.2%}",
        )
    if hold_seconds is not None and not 0 <= hold_seconds <= pools.DAY:
        raise Rejected(
            "pool.hold",
            "%(seconds)s seconds is no time to hold a number",
            "Give 0 to 86400 whole seconds",
            seconds=hold_seconds,
        )


def _stays(session: Session, pool: Pool, now: datetime) -> tuple[list[Stay], datetime]:
    """The pool's visits of four weeks, or of one if there are very many; and since when they are told."""
    came = Visit.started_at
    many = sa.select(came).where(_wanted(pool, now - SINCE, now)).order_by(came.desc()).offset(MOST_VISITS)
    since = now - (SINCE if session.scalar(many.limit(1)) is None else timedelta(weeks=1))
    wanted = sa.select(Visit.visitor_id, came, Visit.seen_at, Visit.left_at).order_by(came)
    rows = session.execute(wanted.where(_wanted(pool, since, now))).all()
    if not rows:
        raise Rejected(
            "pool.no_visits",
            "Pool %(name)r has had no visits in the last four weeks",
            "Say how many are expected: --visitors-per-hour N --minutes M",
            name=pool.name,
        )
    stays = [
        Stay(visitor, at.timestamp(), max(at, left or seen or at).timestamp(), left is not None)
        for visitor, at, seen, left in rows
    ]
    return stays, since if _had_visits(session, pool, since) else rows[0][1]


def _had_visits(session: Session, pool: Pool, before: datetime) -> bool:
    """Whether there were any earlier: else the time before the first visit says nothing."""
    earlier = _wanted(pool, datetime.min.replace(tzinfo=UTC), before)
    return session.scalar(sa.select(Visit.id).where(earlier).limit(1)) is not None


def _wanted(pool: Pool, since: datetime, until: datetime) -> sa.ColumnElement[bool]:
    """Visits that were meant to have a number of this pool."""
    had = sa.exists().where(Lease.visit_id == Visit.id, Lease.pool_id == pool.id)
    here = Visit.site_id.in_(sa.select(Swap.site_id).where(Swap.pool_id == pool.id))
    missed = sa.and_(here, Visit.missed.in_(HELPED))
    return sa.and_(Visit.started_at >= since, Visit.started_at < until, sa.or_(had, missed))


def _sizes(has: int | None, needed: int) -> Sequence[int]:
    around = {needed - 1, needed, needed + 1, needed + 4}
    if has is not None:
        around |= {has - 1, has, has + 1, has + 2}
    return sorted(size for size in around if size > 0)


@dataclass(frozen=True)
class _Log:
    """The visits of some time, and what to judge them with."""

    stays: Sequence[Stay]
    since: datetime
    until: datetime
    zone: ZoneInfo
    times: CallTimes

    def week(self, rules: Rules) -> list[Hour]:
        return hours_of_week(self.stays, rules, self.zone, self.since, self.until)

    def options(self, sizes: Sequence[int], rules: Rules) -> Iterator[Option]:
        busy = max(hour.load for hour in self.week(rules))
        for size in sizes:
            yield self._option(size, rules, busy)

    def _option(self, size: int, rules: Rules, busy: float) -> Option:
        done = replay(self.stays, size, rules, self.times)
        days = max((self.until - self.since) / timedelta(days=1), 1.0)
        return Option(
            numbers=size,
            hold_seconds=int(rules.hold),
            own=done.own,
            in_time=done.in_time,
            without_a_day=(done.visits - done.with_number) / days,
            own_when_busiest=1 - erlang.missed(busy, size),
        )
