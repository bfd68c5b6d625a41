"""What the rows of a report may be, and what stands in a row that no word names."""

from __future__ import annotations

import enum

from tracker.policy.week import DAYS


class By(enum.StrEnum):
    SOURCE = "source"
    MEDIUM = "medium"
    CHANNEL = "channel"  # the channel group of website visitors, and static channels by their names
    CAMPAIGN = "campaign"
    AD = "ad"
    KEYWORD = "keyword"
    LANDING = "landing"  # the first page, without what follows its path
    SITE = "site"
    NUMBER = "number"
    COUNTRY = "country"
    DEVICE = "device"
    HOUR = "hour"
    WEEKDAY = "weekday"
    EMPLOYEE = "employee"
    CATEGORY = "category"
    TAG = "tag"


class Blank(enum.Enum):
    """Why a row has no word."""

    UNKNOWN = "nothing known"  # nothing says where the call came from
    NONE = "none"  # it has no such word: no campaign, no employee who answered
    UNDIVIDED = "not divided"  # a cost that was told less finely than the rows are


# The word, an hour of the day (0 to 23), a day of the week (0: Monday), or why there is none.
Cell = str | int | Blank
CREDITED = frozenset({By.SOURCE, By.MEDIUM, By.CHANNEL, By.CAMPAIGN, By.AD, By.KEYWORD})
# What only a source can tell: a call without one has no such word.
FROM_SOURCE = CREDITED | {By.LANDING, By.SITE, By.COUNTRY, By.DEVICE}
OVERLAPPING = frozenset({By.TAG})  # a call may stand in several rows
CHANNEL = "channel/"  # before a static channel's name: no channel group begins so


class Weekday(int):
    """A day of the week, which is no hour."""


def label(cell: Cell) -> str:
    """The row's name, as a command line and a file write it."""
    if isinstance(cell, Blank):
        return f"({cell.value})"
    if isinstance(cell, Weekday):
        return DAYS[cell]
    return f"{cell:02}:00" if isinstance(cell, int) else cell
