"""What is told of a call in one word each: how its number was given, how long after the click it came."""

from __future__ import annotations

import enum
from collections.abc import Sequence


class Kind(enum.StrEnum):
    """How the caller came to the number he dialled."""

    DYNAMIC = "dynamic"  # it was shown to the visitor alone, or his code beside the company's own
    STATIC = "static"  # it is a channel's
    KNOWN_CALLER = "known_caller"  # whatever he dialled: he is known from an earlier call


class Heard(enum.StrEnum):
    """Whether the company has heard of the caller before."""

    FIRST = "first"
    REPEAT = "repeat"
    WITHHELD = "withheld"  # nobody can know: he shows no number


class Delay(enum.StrEnum):
    """From the beginning of the visit to the call."""

    MINUTE = "under-1m"
    FIVE_MINUTES = "1m-5m"
    HALF_HOUR = "5m-30m"
    HOUR = "30m-1h"
    DAY = "1h-24h"
    LATER = "over-24h"


_ENDS = (60, 300, 1800, 3600, 86400)  # seconds, not included


def delays() -> Sequence[tuple[Delay, int | None, int | None]]:
    """Each with its first second, and the first that is not its own; None: there is no such bound."""
    return list(zip(Delay, (None, *_ENDS), (*_ENDS, None), strict=True))
