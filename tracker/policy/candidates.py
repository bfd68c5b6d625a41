"""The words of attribution: what is known of a call, what it may come from, and what is said of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tracker.policy.sights import Holder


class Basis(enum.StrEnum):
    """What names a call's source."""

    CHANNEL = "channel"  # the number stands for it
    LEASE = "lease"  # the visit that was shown the number
    REPEAT = "repeat"  # the caller is known from an earlier call
    CODE = "code"  # the visitor's code, or that he asked to be called


class Reason(enum.StrEnum):
    """What speaks for a candidate, or against it."""

    CODE = "code"  # the caller told the visitor's code
    CALLBACK = "callback"  # he asked on the site to be called back
    REPORTED = "reported"  # the call tracking that had the call says so
    PHONE_CLICK = "phone_click"  # he pressed the phone link moments before
    PRESENT = "present"  # he was on the site at that moment
    JUST_CAME = "just_came"  # … for a few seconds only
    JUST_LEFT = "just_left"  # within five minutes before
    LEFT_MINUTES_AGO = "left_minutes_ago"
    LEFT_HOURS_AGO = "left_hours_ago"
    LEFT_DAYS_AGO = "left_days_ago"
    CAME_AGAIN = "came_again"  # he has been on the site again since, with another number perhaps
    KNOWN_CALLER = "known_caller"  # the caller is known from earlier calls
    OTHER_PHONE = "other_phone"  # this visitor has called before, from another phone
    DEVICE_PHONE = "device_phone"  # he read the page on a telephone
    OTHER_COUNTRY = "other_country"  # his phone is from another country than he was in
    CHANNEL = "channel"  # the number stands for the channel
    FORMER_CHANNEL = "former_channel"  # it did before


@dataclass(frozen=True)
class Used:
    """The number was used for a channel or a pool from / until (None: still)."""

    channel_id: int | None
    pool_id: int | None
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True)
class CallFacts:
    """A call to a number at its first second. `caller`: None if withheld; `country`: of his phone."""

    number_id: int
    at: datetime
    caller: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class Belief:
    """What an earlier call was taken to come from: a visit and its visitor, or a channel."""

    probability: float
    visitor_id: int | None = None
    visit_id: int | None = None
    channel_id: int | None = None


@dataclass(frozen=True)
class Earlier:
    """An earlier call, and what it was attributed to, the likeliest first.

    `was_named`: the likeliest was named; else it was likelier nobody. The rest of the probability belongs to
    nobody, and to many who were too unlikely to be kept.
    """

    at: datetime
    number_id: int
    beliefs: tuple[Belief, ...] = ()
    was_named: bool = True


@dataclass(frozen=True)
class History:
    """What was known before the call besides the number's leases.

    `earlier`: calls of the same caller; of a caller who withheld his number: the withheld calls to the same
    number. `phones`: by visitor, the phones he is believed to have called from. `callers`: how many different
    callers the company knows. `uses`: what the number was used for. `code`: who held the code that was told.
    """

    earlier: tuple[Earlier, ...] = ()
    phones: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    callers: int = 100
    uses: tuple[Used, ...] = ()
    code: Holder | None = None


@dataclass(frozen=True)
class Candidate:
    """A possible source of a call: a visit (with the lease by which it was shown the number) or a channel."""

    basis: Basis
    probability: float
    reasons: tuple[Reason, ...] = ()
    visit_id: int | None = None
    visitor_id: int | None = None
    lease_id: int | None = None
    channel_id: int | None = None


@dataclass(frozen=True)
class Attribution:
    """The source named (None: nobody can say), whether that is uncertain, and all that was possible.

    `unknown` is the probability that it is none of those that can be named. `candidates`: the likeliest
    first, at most CANDIDATES of them; the one named is the first.
    """

    named: Candidate | None
    uncertain: bool
    unknown: float
    candidates: tuple[Candidate, ...] = ()
