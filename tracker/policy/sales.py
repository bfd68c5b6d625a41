"""Sales: what became of them, and which call or visitor they belong to."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.policy.worth import Category


class SaleStatus(enum.StrEnum):
    WON = "won"
    CANCELLED = "cancelled"  # counts for nothing, and stays in the books


class Match(enum.StrEnum):
    """The rule by which a sale found its call or visitor."""

    CALL = "call"  # it names the call
    PHONE = "phone"  # the caller's number
    VISITOR = "visitor"  # the website's visitor


@dataclass(frozen=True)
class PossibleCall:
    """A call that a sale may have come from."""

    id: int
    started_at: datetime
    category: Category | None


def latest_instant(sold_at: datetime, zone: ZoneInfo) -> datetime:
    """Until when a call may have begun that a sale came from: the end of the sale's day by local clocks.

    Lists give days without a time of day, and a cash desk's clock is not ours.
    """
    tomorrow = sold_at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def choose_call(calls: Iterable[PossibleCall], before: datetime) -> PossibleCall | None:
    """Which of a person's calls a sale is put down to: the latest target call, else the latest call.

    A client's later calls about delivery did not bring the sale.
    """
    possible = [call for call in calls if call.started_at < before]
    target = [call for call in possible if call.category is Category.TARGET]
    return max(target or possible, key=lambda call: (call.started_at, call.id), default=None)
