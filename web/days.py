"""Calls under the days they came, in the viewer's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from tracker.models import Call
from web.viewer import viewer


@dataclass(frozen=True)
class Day:
    """The calls of one day of the company's zone; `id` names it in the page."""

    id: str
    calls: Sequence[Call]


def by_day(found: Sequence[Call]) -> list[Day]:
    """Neighbours of one day together, in the order they came."""
    zone = viewer().zone
    days = groupby(found, key=lambda call: call.started_at.astimezone(zone).date())
    return [Day(f"day-{date.isoformat()}", list(group)) for date, group in days]
