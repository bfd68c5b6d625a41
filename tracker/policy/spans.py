"""Which days a report is about, which it is compared with, and the filter's words for each.

    now, before = read_spans({"period": ["7d"]}, zone, instant)

A span that is not over yet is compared with as much of the one before: today until three with yesterday until
three, this month with the one before until the same day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.addresses import clean
from tracker.policy.call_filter import Period, days_of, read_filter

Asks = tuple[tuple[str, str], ...]  # words of the filter of calls

USUAL = Period.MONTH
LONGEST_DAYS = 731
MOST_DAYS = 100  # that are shown one by one; more are shown by the week
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days of a zone, both included, and the half-open interval in UTC; `asks` finds exactly its calls."""

    first: date
    last: date
    since: datetime
    until: datetime
    asks: Asks

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def read_spans(words: Mapping[str, Sequence[str]], zone: ZoneInfo, now: datetime) -> tuple[Span, Span]:
    """The days these words ask for (the last 30 if none), and as many before them.

    Raises Rejected `filter.malformed`, `filter.too_long`, `filter.future`.
    """
    today = now.astimezone(zone).date()
    chosen = {name: words[name][-1:] for name in ("period", "since", "until") if any(words.get(name, ()))}
    period = Period(clean(chosen["period"][0]).replace("-", "_")) if _named(chosen, zone, today) else None
    first, last = days_of(period or USUAL, today) if period or not chosen else _days(chosen, zone, today)
    if first > today:
        raise Rejected("filter.future", "%(first)s has not come yet", "Choose a day before it", first=first)
    last = min(last, today)
    if (last - first).days >= LONGEST_DAYS:
        raise Rejected("filter.too_long", "So many days are too many", "Choose two years at most")
    span = _span(first, last, zone, (("period", (period or USUAL).value),) if period or not chosen else None)
    return span, _before(span, _days_before(span, period), zone, now)


def _named(chosen: Mapping[str, Sequence[str]], zone: ZoneInfo, today: date) -> bool:
    """Whether the days are those of a period; words that cannot be read are refused here."""
    read_filter(chosen, zone, today)
    return chosen.keys() == {"period"}


def _days(chosen: Mapping[str, Sequence[str]], zone: ZoneInfo, today: date) -> tuple[date, date]:
    asked = read_filter(chosen, zone, today)
    usual = days_of(USUAL, today)[0] - today
    last = (asked.until - timedelta(microseconds=1)).astimezone(zone).date() if asked.until else today
    first = asked.since.astimezone(zone).date() if asked.since else last + usual
    return first, last


def _span(first: date, last: date, zone: ZoneInfo, asks: Asks | None) -> Span:
    asks = asks or (("since", first.isoformat()), ("until", last.isoformat()))
    return Span(first, last, midnight(first, zone), midnight(last + DAY, zone), asks)


def _days_before(span: Span, period: Period | None) -> tuple[date, date]:
    """As many days; of a month the one before it, of one that is not over no more of it than has passed."""
    if period not in {Period.THIS_MONTH, Period.LAST_MONTH}:
        return span.first - span.days * DAY, span.first - DAY
    last = span.first - DAY
    first = last.replace(day=1)
    return first, last if period is Period.LAST_MONTH else min(last, first + (span.days - 1) * DAY)


def _before(span: Span, days: tuple[date, date], zone: ZoneInfo, now: datetime) -> Span:
    """These days; when the span's last is today, their last until the same minute."""
    whole = _span(*days, zone, None)
    local = now.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None)
    if span.last != local.date():
        return whole
    cut = datetime.combine(whole.last, local.time())
    asks = (("since", whole.first.isoformat()), ("until", cut.isoformat(timespec="minutes")))
    return Span(whole.first, whole.last, whole.since, cut.replace(tzinfo=zone).astimezone(UTC), asks)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which that day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


@dataclass(frozen=True)
class Bucket:
    """A bar of a chart: an hour of a single day (`hour`), a day, or a week; `asks` filters its calls."""

    first: date
    last: date
    hour: int | None
    asks: Asks


def buckets(span: Span) -> Iterator[Bucket]:
    """The span by hours if it is one day, by days, or by weeks if it is long."""
    if span.days == 1:
        yield from (_hour(span.first, hour) for hour in range(24))
        return
    step = 1 if span.days <= MOST_DAYS else 7
    for start in range(0, span.days, step):
        first = span.first + start * DAY
        last = min(first + (step - 1) * DAY, span.last)
        yield Bucket(first, last, None, (("since", first.isoformat()), ("until", last.isoformat())))


def _hour(day: date, hour: int) -> Bucket:
    begun = datetime.combine(day, time(hour))
    told = [each.isoformat(timespec="minutes") for each in (begun, begun + timedelta(hours=1))]
    return Bucket(day, day, hour, (("since", told[0]), ("until", told[1])))


def place_of(at: datetime, span: Span, zone: ZoneInfo) -> int:
    """Which of the span's buckets an instant is in."""
    local = at.astimezone(zone)
    if span.days == 1:
        return local.hour
    return (local.date() - span.first).days // (1 if span.days <= MOST_DAYS else 7)


def step_seconds(span: Span, zone: ZoneInfo) -> int:
    """Steps of UTC that make up the hours of the zone's clocks: hours, or quarters where they differ so."""
    noons = (datetime.combine(span.first + day * DAY, time(12), zone) for day in range(-1, span.days + 1))
    whole = all((noon.utcoffset() or timedelta()) % timedelta(hours=1) == timedelta() for noon in noons)
    return 3600 if whole else 900
