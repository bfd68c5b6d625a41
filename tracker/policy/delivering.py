"""When a fact is told to a destination, how long it waits for a better one, and when it is too late.

Every destination has clocks of its own: Google Ads takes no click younger than six hours, Meta nothing older
than seven days, Google Analytics joins nothing to a session a day later. A delivery is held until what it
waits for is there (a person's category, the recording) or the last safe minute has come, and then sent.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
MARGIN = timedelta(minutes=30)  # before a destination's window closes: the last safe minute
POISON_TRIES = 8  # of one delivery in a row, after which it lets the others pass
SET_ASIDE = timedelta(hours=6)
SETTLED_WITHIN = timedelta(seconds=30)  # a call is attributed sooner; later than that nobody waits for it


class Event(enum.StrEnum):
    """What of a call is told."""

    STARTED = "call.started"
    COMPLETED = "call.completed"
    CATEGORISED = "call.categorised"
    RECORDED = "call.recorded"  # there is something to hear now
    UPDATED = "call.updated"  # tags, notes, value


class Why(enum.StrEnum):
    """Why a delivery was not sent, or why it was given up."""

    CONSENT = "consent"  # the visitor did not allow it
    NOBODY = "nobody"  # there is nothing to know the person by: withheld, no click, no cookie
    UNWANTED = "unwanted"  # the destination does not want such calls
    TOO_LATE = "too_late"
    REFUSED = "refused"  # what was sent was not taken, and would not be the next time
    DISABLED = "disabled"


NOT_SENT = frozenset({Why.CONSENT, Why.NOBODY, Why.UNWANTED, Why.TOO_LATE})  # by ourselves: no fault


class Hold(enum.StrEnum):
    """What a delivery waits for."""

    NOTHING = "nothing"
    CATEGORY = "category"
    RECORDING = "recording"


@dataclass(frozen=True)
class Timing:
    """A destination's clock. `hold_for` counts from the call's end, `until` from there or from the visit."""

    hold: Hold = Hold.NOTHING
    hold_for: timedelta = timedelta(0)
    after_click: timedelta = timedelta(0)
    until: timedelta = timedelta(days=30)
    of_visit: bool = False  # `until` counts from the visit's beginning


@dataclass(frozen=True)
class Standing:
    """What a clock has to know of a call when somebody wants to tell of it."""

    visit_at: datetime | None = None
    attributed: bool = True
    has_category: bool = False
    has_recording: bool = False  # or there will be none
    spam: bool = False  # marked so since it was to be told


def due_at(timing: Timing, at: datetime, it: Standing) -> datetime:
    """The first moment at which what happened `at` may be told, as things stand."""
    due = at if it.attributed else at + SETTLED_WITHIN
    if it.visit_at and timing.after_click:
        due = max(due, it.visit_at + timing.after_click)
    waits = (timing.hold is Hold.CATEGORY and not it.has_category) or (
        timing.hold is Hold.RECORDING and not it.has_recording
    )
    if waits:
        due = max(due, min(at + timing.hold_for, last_safe(timing, at, it)))
    return due


def closes_at(timing: Timing, at: datetime, it: Standing) -> datetime:
    """When the destination takes it no more."""
    return (it.visit_at if timing.of_visit and it.visit_at else at) + timing.until


def last_safe(timing: Timing, at: datetime, it: Standing) -> datetime:
    """The last safe minute: a window's end, less what a try or two may take."""
    return closes_at(timing, at, it) - min(MARGIN, timing.until / 10)


def pause(failures: int, dice: float, wanted: timedelta | None = None) -> timedelta:
    """How long a destination is left alone after so many failures in a row; `dice` from 0 to 1 spreads it.

    Five seconds, twice that, and so on up to an hour, each shortened by up to a half; never less than the
    destination itself asked for.
    """
    doubled: timedelta = FIRST_PAUSE * 2 ** min(failures - 1, 20)
    usual = min(LONGEST_PAUSE, doubled) * (1 - dice / 2)
    return max(usual, min(wanted, timedelta(days=1)) if wanted else usual)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for: seconds, or an HTTP date. None: it says nothing usable."""
    said = headers.get("retry-after", "").strip()
    if said.isdecimal():
        return timedelta(seconds=min(int(said), 86400))
    try:
        return max(timedelta(0), parsedate_to_datetime(said) - now) if said else None
    except (ValueError, TypeError):
        return None


def is_transient(status: int) -> bool:
    """Whether an HTTP status means that the same request may be taken later."""
    return status in {408, 425, 429} or status >= 500
