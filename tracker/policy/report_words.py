"""What the rows of a report may be, and what stands in a row that no word names."""

from __future__ import annotations

import enum
from datetime import date

from tracker.policy.call_words import Delay
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
    KIND = "kind"  # how the caller came to the number he dialled
    DELAY = "delay"  # from the beginning of the visit to the call
    CALLER = "caller"  # whether the company has heard of him before
    REGION = "region"  # the country of the caller's number
    COUNTRY = "country"  # the visitor's
    DEVICE = "device"
    MONTH = "month"
    DAY = "day"
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
FROM_SOURCE = CREDITED | {By.LANDING, By.SITE, By.COUNTRY, By.DEVICE, By.KIND, By.DELAY}
CALENDAR = frozenset({By.DAY, By.MONTH})  # a sale and a cost stand in their own, whenever the call was
OVERLAPPING = frozenset({By.TAG})  # a call may stand in several rows
CHANNEL = "channel/"  # before a static channel's name: no channel group begins so


class Weekday(int):
    """A day of the week, which is no hour."""


class Calendar(str):
    """A day or a month, as ISO 8601 writes it."""

    __slots__ = ()


def calendar_cell(by: By, day: date) -> Calendar:
    """The row of that day, where rows are days or months."""
    return Calendar(day.isoformat()[: 10 if by is By.DAY else 7])


def place_in_time(cell: Cell) -> int:
    """The order of rows that are times; -1: it is none."""
    if isinstance(cell, Calendar):
        return int(cell.replace("-", ""))
    return list(Delay).index(cell) if isinstance(cell, Delay) else cell if isinstance(cell, int) else -1


def label(cell: Cell) -> str:
    """The row's name, as a command line and a file write it."""
    if isinstance(cell, Blank):
        return f"({cell.value})"
    if isinstance(cell, Weekday):
        return DAYS[cell]
    return f"{cell:02}:00" if isinstance(cell, int) else str(cell)
