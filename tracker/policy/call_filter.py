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

from tracker.errors import Rejected, Said, say
from tracker.policy.addresses import LONGEST_ADDRESS, clean
from tracker.policy.call_words import Delay, Kind
from tracker.policy.facts import COUNTED, Direction, Outcome
from tracker.policy.origins import Origin, read_origin
from tracker.policy.recovery import Recovered
from tracker.policy.report_words import By
from tracker.policy.week import Interval, intervals, joined, read_week_hour
from tracker.policy.worth import Category

LONGEST = 200  # characters of a word
ANY = "any"  # of a call's directions
MOST_INTERVALS = 800  # a database takes only so many alternatives in one condition
_MOST_HOURS = 20_000  # two years of them


class Period(enum.StrEnum):
    """Days that need no dates; weeks begin with Monday."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    LAST_WEEK = "last_week"  # the whole one before the present
    THIS_MONTH = "this_month"  # from its first day until today
    LAST_MONTH = "last_month"


class WithSpam(enum.StrEnum):
    """Whether calls are wanted that are spam; usually none is."""

    ONLY = "only"
    ALSO = "also"


_DAYS = {Period.TODAY: (0, 0), Period.YESTERDAY: (1, 1), Period.WEEK: (6, 0), Period.MONTH: (29, 0),
         Period.QUARTER: (89, 0)}  # fmt: skip


@dataclass(frozen=True)
class CallFilter:
    """What a call must be; None and empty ask for nothing. Instants are a half-open interval.

    Unless asked otherwise, the calls are those that reports count: `directions`.
    """

    since: datetime | None = None
    until: datetime | None = None
    directions: frozenset[Direction] = COUNTED
    spam: WithSpam | None = None  # None: without it
    outcomes: frozenset[Outcome] = frozenset()
    categories: frozenset[Category | None] = frozenset()  # None among them: not judged yet
    channel: str | None = None
    site: str | None = None
    group: str | None = None
    medium: str | None = None
    source: str | None = None
    campaign: str | None = None
    keyword: str | None = None
    ad: str | None = None
    landing: str | None = None  # the first page, without scheme and query
    country: str | None = None  # the visitor's, ISO 3166
    device: str | None = None
    region: str | None = None  # the country of the caller's number
    kind: Kind | None = None
    delay: Delay | None = None
    without: frozenset[By] = frozenset()  # has none of these, though it could
    number: str | None = None  # dialled, E.164
    answered_by: str | None = None
    tag: str | None = None
    repeat: bool | None = None
    uncertain: bool | None = None
    recorded: bool | None = None
    message: bool | None = None  # the caller left one
    attributed: bool | None = None  # something says where it came from
    known: bool | None = None  # the caller's number was sent and may be shown
    missed_by: str | None = None  # a target that rang and did not take it
    hours: tuple[Interval, ...] | None = None  # between since and until
    beside: frozenset[Origin] = frozenset()  # came from none of these
    talk_from: float | None = None  # seconds
    talk_to: float | None = None
    value_from: Decimal | None = None  # in each company's own currency
    value_to: Decimal | None = None
    recovered: Recovered | None = None  # nobody took it, and what became of the caller
    text: str | None = None  # part of a caller's number or name, or of a note


# By name in an address: the field, for those that are taken as they are.
TEXTS = {
    "channel": "channel", "site": "site", "group": "group", "medium": "medium", "source": "source",
    "campaign": "campaign", "keyword": "keyword", "ad": "ad", "landing": "landing", "country": "country",
    "device": "device", "region": "region", "number": "number", "answered_by": "answered_by",
    "tag": "tag", "missed_by": "missed_by", "q": "text",
}  # fmt: skip
BOOLS = ("repeat", "uncertain", "recorded", "message", "attributed", "known")
SECONDS = ("talk_from", "talk_to")
AMOUNTS = ("value_from", "value_to")
MANY = ("direction", "outcome", "category", "hour", "beside", "without")  # that may be repeated
NAMES = (
    *TEXTS, "spam", "kind", "delay", "recovered", *BOOLS, *SECONDS, *AMOUNTS,
    "period", "since", "until", *MANY,
)  # fmt: skip
# What a call may lack that a report can group by.
WITHOUT = (
    By.CAMPAIGN, By.KEYWORD, By.AD, By.LANDING, By.SITE, By.COUNTRY, By.DEVICE, By.DELAY, By.EMPLOYEE, By.TAG,
    By.REGION,
)  # fmt: skip
_YES_NO = {"yes": True, "no": False}
Word = TypeVar("Word", bound=enum.StrEnum)


def read_filter(words: Mapping[str, Sequence[str]], zone: ZoneInfo, today: date) -> CallFilter:
    """The filter that these words ask for; names that are none are not looked at.

    Days are those of the zone, `until` included; a time of day ends them then. Raises Rejected
    `filter.malformed`.
    """
    given = {
        name: [word for each in words.get(name, ()) if (word := clean(each, longest(name)))] for name in NAMES
    }
    one = {name: values[-1] for name, values in given.items() if values}
    since, until = read_interval(one, zone, today)
    plain: dict[str, Any] = {field: one.get(name) for name, field in TEXTS.items()}
    plain |= {name: _bool(name, one.get(name)) for name in BOOLS}
    plain |= {name: _seconds(name, one.get(name)) for name in SECONDS}
    plain |= {name: _amount(name, one.get(name)) for name in AMOUNTS}
    return CallFilter(
        since=since,
        until=until,
        spam=_word(WithSpam, "spam", one["spam"]) if "spam" in one else None,
        directions=_directions(given["direction"]),
        outcomes=frozenset(_word(Outcome, "outcome", word) for word in given["outcome"]),
        categories=frozenset(_category(word) for word in given["category"]),
        hours=_hours(given["hour"], since, until, zone),
        beside=frozenset(_origin(word) for word in given["beside"]),
        kind=_word(Kind, "kind", one["kind"]) if "kind" in one else None,
        delay=_delay(one.get("delay")),
        recovered=_word(Recovered, "recovered", one["recovered"]) if "recovered" in one else None,
        without=frozenset(_lacking(word) for word in given["without"]),
        **plain,
    )


def longest(name: str) -> int:
    """How many characters the word of that name may have."""
    return LONGEST_ADDRESS if name == "landing" else LONGEST


def read_interval(
    one: Mapping[str, str], zone: ZoneInfo, today: date
) -> tuple[datetime | None, datetime | None]:
    """From the first instant of the first day to that after the last: 23 or 25 hours when clocks change."""
    if "period" in one and "since" not in one and "until" not in one:
        first, last = days_of(_word(Period, "period", one["period"]), today)
        return _instant(first, zone), _instant(last + timedelta(days=1), zone)
    first_at, last_at = _when("since", one.get("since")), _when("until", one.get("until"))
    since = None if first_at is None else _instant(first_at, zone)
    # A day is included whole, a time of day ends what is wanted.
    ended = last_at if isinstance(last_at, datetime) else last_at and last_at + timedelta(days=1)
    until = None if ended is None else _instant(ended, zone)
    ends_with_day = last_at is not None and not isinstance(last_at, datetime)
    if since is not None and until is not None and (until < since or (until == since and ends_with_day)):
        raise Rejected(
            "filter.malformed",
            "%(last_at)s comes before %(first_at)s",
            "Exchange since and until",
            last_at=last_at,
            first_at=first_at,
        )
    return since, until


def days_of(period: Period, today: date) -> tuple[date, date]:
    """The first and the last day of a period."""
    if period is Period.LAST_WEEK:
        monday = today - timedelta(days=today.weekday() + 7)
        return monday, monday + timedelta(days=6)
    if period is Period.THIS_MONTH:
        return today.replace(day=1), today
    if period is Period.LAST_MONTH:
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    begun, ended = _DAYS[period]
    return today - timedelta(days=begun), today - timedelta(days=ended)


def _instant(local: date | datetime, zone: ZoneInfo) -> datetime:
    at = local if isinstance(local, datetime) else datetime.combine(local, time())
    return at.replace(tzinfo=zone).astimezone(UTC)


def _when(name: str, text: str | None) -> date | datetime | None:
    """A day, or a minute of it, of the zone's clocks."""
    if text is None:
        return None
    minute = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", text, re.ASCII)
    try:
        found = datetime.fromisoformat(text) if minute else date.fromisoformat(text)
    except ValueError:
        raise _malformed(name, text, say("a day as 2026-11-20, or 2026-11-20T14:30")) from None
    if not 1990 <= found.year <= 2200:
        raise _malformed(name, text, say("a day as 2026-11-20, or 2026-11-20T14:30"))
    return found


def _hours(
    words: Sequence[str], since: datetime | None, until: datetime | None, zone: ZoneInfo
) -> tuple[Interval, ...] | None:
    if not words:
        return None
    if since is None or until is None:
        raise Rejected("filter.malformed", "An hour of the week needs a period", "Give since and until too")
    found: list[Interval] = []
    for word in dict.fromkeys(words):
        hour = read_week_hour(word)
        if hour is None:
            raise _malformed("hour", word, say("an hour of the week as mon-14"))
        for each in intervals(hour, since, until, zone):
            found.append(each)
            if len(found) > _MOST_HOURS:
                raise _too_many()
    whole = joined(found)
    if len(whole) > MOST_INTERVALS:
        raise _too_many()
    return whole


def _too_many() -> Rejected:
    return Rejected("filter.malformed", "So many hours are too many", "Give a shorter period")


def _origin(word: str) -> Origin:
    found = read_origin(word)
    if found is None:
        raise _malformed("beside", word, say("channel/Billboard, Paid Search/google, or none"))
    return found


def _word(kind: type[Word], name: str, word: str) -> Word:
    try:
        return kind(word.replace("-", "_"))
    except ValueError:
        raise _malformed(name, word, list(kind)) from None


def _directions(words: Sequence[str]) -> frozenset[Direction]:
    """Those named; any of them; without a word those that count."""
    if ANY in words:
        return frozenset(Direction)
    for word in words:
        if word not in set(Direction):
            raise _malformed("direction", word, [*Direction, ANY])
    return frozenset(Direction(word) for word in words) or COUNTED


def _category(word: str) -> Category | None:
    return None if word == "none" else _word(Category, "category", word)


def _delay(word: str | None) -> Delay | None:
    if word is None:
        return None
    try:
        return Delay(word)
    except ValueError:
        raise _malformed("delay", word, list(Delay)) from None


def _lacking(word: str) -> By:
    if word not in WITHOUT:
        raise _malformed("without", word, list(WITHOUT))
    return By(word)


def _bool(name: str, word: str | None) -> bool | None:
    if word is None:
        return None
    if word not in _YES_NO:
        raise _malformed(name, word, say("yes or no"))
    return _YES_NO[word]


def _seconds(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text, re.ASCII):
        raise _malformed(name, text, say("seconds as 40"))
    return float(text)


def _amount(name: str, text: str | None) -> Decimal | None:
    """Money with a point or a comma, as people's keyboards have it; no calls are worth less than nothing."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,12}([.,][0-9]{1,4})?", text, re.ASCII):
        raise _malformed(name, text, say("an amount as 1200 or 49.90"))
    return Decimal(text.replace(",", "."))


def _malformed(name: str, word: str, wanted: Said | list[str]) -> Rejected:
    return Rejected(
        "filter.malformed",
        "%(name)s is %(word)r",
        "Give %(wanted)s",
        name=name,
        word=word[:20],
        wanted=wanted,
    )
