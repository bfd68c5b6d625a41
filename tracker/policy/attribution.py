"""Where a call came from: the visit that held the number, else the channel the number stands for.

A pure function of the intervals as they stood at the call's first second, so a call found a month later, or
looked at again, is attributed alike.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class Basis(enum.StrEnum):
    """What names a call's source."""

    CHANNEL = "channel"  # the number stands for it
    LEASE = "lease"  # the visit that was shown the number
    REPEAT = "repeat"  # the caller is known from an earlier call
    CODE = "code"  # the visitor's code


@dataclass(frozen=True)
class Held:
    """The number was leased to a visit from / until (None: still)."""

    lease_id: int
    visit_id: int
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True)
class Used:
    """The number was used for a channel or a pool from / until (None: still)."""

    channel_id: int | None
    pool_id: int | None
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True)
class Visited:
    """A website visit that was shown this number."""

    lease_id: int
    visit_id: int
    probability: float
    candidates: tuple[int, ...]  # lease ids


@dataclass(frozen=True)
class Seen:
    """A static channel: whoever dials its number saw it there."""

    channel_id: int
    probability: float
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True)
class Unknown:
    """Nothing says where the call came from, or too much does."""

    probability: float = 0.0
    candidates: tuple[int, ...] = ()


Attribution = Visited | Seen | Unknown


def attribute(started_at: datetime, held: Sequence[Held], used: Sequence[Used]) -> Attribution:
    """The source of a call that began at this instant, given what its number was held and used for."""
    holders = [each for each in held if _covers(each, started_at)]
    if len(holders) == 1:
        only = holders[0]
        return Visited(only.lease_id, only.visit_id, 1.0, (only.lease_id,))
    candidates = tuple(sorted(each.lease_id for each in holders))
    channels = {each.channel_id for each in used if _covers(each, started_at)} - {None}
    if not candidates and len(channels) == 1:
        channel_id = channels.pop()
        assert channel_id is not None  # noqa: S101  (for mypy: None was taken out above)
        return Seen(channel_id, 1.0)
    return Unknown(candidates=candidates)


def _covers(interval: Held | Used, at: datetime) -> bool:
    return interval.from_at <= at and (interval.until_at is None or at < interval.until_at)
