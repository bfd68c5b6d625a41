"""Which calls somebody wants to see: words of an address or a command, read into one value.

    read_filter({"outcome": ["missed"], "since": ["2026-11-01"]}, zone, today)

The same words mean the same in the page's address, the API and the command line, so a view can be kept and
passed on as its address.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.addresses import clean
from tracker.policy.facts import Outcome
from tracker.policy.worth import Category

LONGEST = 200  # characters of a word


class Period(enum.StrEnum):
    """Days that need no dates; all end with today."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"


_DAYS = {Period.TODAY: (0, 0), Period.YESTERDAY: (1, 1), Period.WEEK: (6, 0), Period.MONTH: (29, 0),
         Period.QUARTER: (89, 0)}  # fmt: skip


@dataclass(frozen=True)
class CallFilter:
    """What a call must be; None and empty ask for nothing. Instants are a half-open interval."""

    since: datetime | None = None
    until: datetime | None = None
    outcomes: frozenset[Outcome] = frozenset()
    categories: frozenset[Category | None] = frozenset()  # None among them: not judged yet
    channel: str | None = None
    site: str | None = None
    group: str | None = None
    medium: str | None = None
    source: str | None = None
    campaign: str | None = None
    keyword: str | None = None
    number: str | None = None  # dialled, E.164
    answered_by: str | None = None
    tag: str | None = None
    repeat: bool | None = None
    uncertain: bool | None = None
    recorded: bool | None = None
    talk_from: float | None = None  # seconds
    talk_to: float | None = None
    value_from: Decimal | None = None  # in each company's own currency
    value_to: Decimal | None = None
    text: str | None = None  # part of a caller's number or name, or of a note


# By name in an address: the field, for those that are taken as they are.
TEXTS = {
    "channel": "channel", "site": "site", "group": "group", "medium": "medium", "source": "source",
    "campaign": "campaign", "keyword": "keyword", "number": "number", "answered_by": "answered_by",
    "tag": "tag", "q": "text",
}  # fmt: skip
BOOLS = ("repeat", "uncertain", "recorded")
SECONDS = ("talk_from", "talk_to")
AMOUNTS = ("value_from", "value_to")
NAMES = (*TEXTS, *BOOLS, *SECONDS, *AMOUNTS, "period", "since", "until", "outcome", "category")
_YES_NO = {"yes": True, "no": False}
Word = TypeVar("Word", bound=enum.StrEnum)


def read_filter(words: Mapping[str, Sequence[str]], zone: ZoneInfo, today: date) -> CallFilter:
    """The filter that these words ask for; names that are none are not looked at.

    Days are those of the zone, `until` included. Raises Rejected `filter.malformed`.
    """
    given = {name: [word for each in words.get(name, ()) if (word := clean(each, LONGEST))] for name in NAMES}
    one = {name: values[-1] for name, values in given.items() if values}
    since, until = _interval(one, zone, today)
    plain: dict[str, Any] = {field: one.get(name) for name, field in TEXTS.items()}
    plain |= {name: _bool(name, one.get(name)) for name in BOOLS}
    plain |= {name: _seconds(name, one.get(name)) for name in SECONDS}
    plain |= {name: _amount(name, one.get(name)) for name in AMOUNTS}
    return CallFilter(
        since=since,
        until=until,
        outcomes=frozenset(_word(Outcome, "outcome", word) for word in given["outcome"]),
        categories=frozenset(_category(word) for word in given["category"]),
        **plain,
    )


def _interval(one: Mapping[str, str], zone: ZoneInfo, today: date) -> tuple[datetime | None, datetime | None]:
    """From the first instant of the first day to that after the last: 23 or 25 hours when clocks change."""
    first, last = _date("since", one.get("since")), _date("until", one.get("until"))
    if "period" in one and first is None and last is None:
        begun, ended = _DAYS[_word(Period, "period", one["period"])]
        first, last = today - timedelta(days=begun), today - timedelta(days=ended)
    if first is not None and last is not None and last < first:
        raise Rejected("filter.malformed", f"{last} comes before {first}", "Exchange since and until")
    return _midnight(first, zone), _midnight(last and last + timedelta(days=1), zone)


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)


def _date(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise _malformed(name, text, "a day as 2026-11-20") from None
    if not 1990 <= found.year <= 2200:
        raise _malformed(name, text, "a day as 2026-11-20")
    return found


def _word(kind: type[Word], name: str, word: str) -> Word:
    try:
        return kind(word.replace("-", "_"))
    except ValueError:
        raise _malformed(name, word, ", ".join(kind)) from None


def _category(word: str) -> Category | None:
    return None if word == "none" else _word(Category, "category", word)


def _bool(name: str, word: str | None) -> bool | None:
    if word is None:
        return None
    if word not in _YES_NO:
        raise _malformed(name, word, "yes or no")
    return _YES_NO[word]


def _seconds(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text, re.ASCII):
        raise _malformed(name, text, "seconds as 40")
    return float(text)


def _amount(name: str, text: str | None) -> Decimal | None:
    """Money with a point or a comma, as people's keyboards have it; no calls are worth less than nothing."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,12}([.,][0-9]{1,4})?", text, re.ASCII):
        raise _malformed(name, text, "an amount as 1200 or 49.90")
    return Decimal(text.replace(",", "."))


def _malformed(name: str, word: str, wanted: str) -> Rejected:
    return Rejected("filter.malformed", f"{name} is {word[:20]!r}", f"Give {wanted}")
