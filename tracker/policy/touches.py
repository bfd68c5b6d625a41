"""First, last and last non-direct touch of a visitor: the visits that attribution models credit.

Google Analytics' convention: a direct visit never takes the credit from a source known in the 90 days before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LOOK_BACK = timedelta(days=90)
DIRECT = "(direct)"


@dataclass(frozen=True)
class Touch:
    """A visit, as far as models ask for it."""

    visit_id: int
    at: datetime
    medium: str
    source: str
    campaign: str | None = None
    keyword: str | None = None
    group: str = ""

    @property
    def is_direct(self) -> bool:
        return self.source == DIRECT


@dataclass(frozen=True)
class Touches:
    """Of one visitor, at one instant; None where he had not been here yet.

    `last_non_direct` is the last touch itself when nothing but direct visits lie in the 90 days.
    """

    first: Touch | None
    last: Touch | None
    last_non_direct: Touch | None


def touches(visits: Sequence[Touch], at: datetime) -> Touches:
    """The touches that count at that instant, out of a visitor's visits in any order."""
    past = sorted((each for each in visits if each.at <= at), key=lambda each: (each.at, each.visit_id))
    if not past:
        return Touches(None, None, None)
    telling = (each for each in reversed(past) if not each.is_direct and at - each.at <= LOOK_BACK)
    return Touches(past[0], past[-1], next(telling, past[-1]))
