"""What is asked in the words of CallRail's API v3: which calls, in which order, with which fields.

A word that there is not is refused: a filter that does nothing would give wrong figures in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy.orm import Session

from tracker import numbers
from tracker.destinations.callrail import numbered
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy.call_filter import CallFilter, WithSpam
from tracker.policy.facts import Direction, Outcome
from tracker.policy.worth import Category
from web.house import house

USUAL, MOST = 100, 250  # calls a page
SHOWN = (
    "answered", "business_phone_number", "customer_city", "customer_country", "customer_name",
    "customer_phone_number", "customer_state", "direction", "duration", "id", "recording",
    "recording_duration", "recording_player", "start_time", "tracking_phone_number", "voicemail",
)  # fmt: skip
SPANS = (
    "recent",
    "today",
    "yesterday",
    "last_7_days",
    "last_30_days",
    "this_month",
    "last_month",
    "all_time",
)
WORDS = {
    "page", "per_page", "fields", "sort", "sorting", "order", "date_range", "start_date", "end_date",
    "direction", "answer_status", "answered", "company_id", "tracker_id", "tags", "search", "lead_status",
    "company", "relative_pagination", "offset",
}  # fmt: skip
# What else ISO 8601 takes for a day, as 20261130, is refused: a day is whole, an instant is not.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ].+")
_LEADS: Mapping[str, frozenset[Category | None]] = {
    "good_lead": frozenset((Category.TARGET,)),
    "not_a_lead": frozenset((Category.SERVICE, Category.NON_TARGET)),
    "not_scored": frozenset((None,)),
}


@dataclass(frozen=True)
class Wanted:
    """What was asked for: which calls, in which order, which fields."""

    by: CallFilter
    newest_first: bool
    fields: tuple[str, ...]


def fields_asked() -> tuple[str, ...]:
    """The usual fields, and those that `fields=` adds."""
    more = (each.strip() for each in request.args.get("fields", "").split(",")[:100])
    return tuple(dict.fromkeys((*SHOWN, *(each[:60] for each in more if each))))


def wanted(session: Session, company: Company) -> Wanted:
    """What the address asks for. Raises Rejected filter.malformed, company.unknown, number.unknown."""
    if strange := sorted(set(request.args) - WORDS):
        raise _wrong(strange[0], f"is not known here: there are {', '.join(sorted(WORDS))}")
    sort = request.args.get("sorting") or request.args.get("sort") or "start_time"
    order = _one_of("order", ("desc", "asc"), "desc")
    if sort != "start_time":
        raise _wrong("sort", "can be start_time")
    if order == "asc" and request.args.get("relative_pagination") == "true":
        raise _wrong("order", "can be desc where pages are relative: for asc, ask for them by number")
    since, until = _span(company)
    by = CallFilter(
        since=since, until=until, directions=_directions(), spam=WithSpam.ALSO if _asks_spam() else None
    )
    by = _narrowed(session, company, by)
    return Wanted(by, order == "desc", fields_asked())


def _asks_spam() -> bool:
    return request.args.get("lead_status") == "not_a_lead"


def _narrowed(session: Session, company: Company, by: CallFilter) -> CallFilter:
    answered = request.args.get("answered") or request.args.get("answer_status")
    outcomes = {"true": {Outcome.ANSWERED}, "answered": {Outcome.ANSWERED}}
    missed = set(Outcome) - {Outcome.ANSWERED}
    outcomes |= dict.fromkeys(("false", "missed", "voicemail"), missed)
    if answered:
        if answered not in outcomes:
            raise _wrong("answer_status", f"can be {', '.join(outcomes)}")
        by = replace(by, outcomes=frozenset(outcomes[answered]))
        by = replace(by, message=True) if answered == "voicemail" else by
    if lead := request.args.get("lead_status"):
        if lead not in _LEADS:
            raise _wrong("lead_status", f"can be {', '.join(_LEADS)}")
        by = replace(by, categories=_LEADS[lead])
    if (asked := request.args.get("company_id")) and asked.removeprefix("COM") != str(numbered(company.slug)):
        raise Rejected("company.unknown", "There is no such company", "See companies.json")
    if tracker := request.args.get("tracker_id"):
        by = replace(by, number=_dialled(session, company, tracker))
    return replace(by, tag=request.args.get("tags") or None, text=request.args.get("search") or None)


def _dialled(session: Session, company: Company, tracker: str) -> str:
    wanted = tracker.removeprefix("TRK")
    for it in numbers.listed(session, company):
        if str(numbered(it.number.e164)) == wanted:
            return it.number.e164
    raise Rejected("number.unknown", "There is no such tracker", "See trackers.json")


def _directions() -> frozenset[Direction]:
    asked = _one_of("direction", ("", "inbound", "outbound"), "")
    out = frozenset((Direction.OUT,))
    return {"inbound": frozenset(Direction) - out, "outbound": out}.get(asked, frozenset(Direction))


def _span(company: Company) -> tuple[datetime | None, datetime | None]:
    """From and until, half open: `start_date` and `end_date` count before `date_range`."""
    zone = ZoneInfo(company.timezone)
    begun, ended = (request.args.get(name) for name in ("start_date", "end_date"))
    if begun or ended:
        return (
            _instant("start_date", begun, zone) if begun else None,
            _instant("end_date", ended, zone, after_days=1) if ended else None,
        )
    today = house().clock().astimezone(zone).date()
    first, last = _days(_one_of("date_range", SPANS, "recent"), today)
    return (
        None if first is None else datetime.combine(first, time(), zone).astimezone(UTC),
        None if last is None else datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC),
    )


def _days(span: str, today: date) -> tuple[date | None, date | None]:
    yesterday, first = today - timedelta(days=1), today.replace(day=1)
    known: dict[str, tuple[date | None, date | None]] = {
        "today": (today, None),
        "yesterday": (yesterday, yesterday),
        "last_7_days": (today - timedelta(days=6), None),
        "last_30_days": (today - timedelta(days=29), None),
        "this_month": (first, None),
        "last_month": ((first - timedelta(days=1)).replace(day=1), first - timedelta(days=1)),
    }
    return known.get(span, (None, None))  # CallRail's "recent" is its default; here all


def _instant(name: str, text: str, zone: ZoneInfo, *, after_days: int = 0) -> datetime:
    """An instant; of a day its start, `after_days` later by the company's clock."""
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=after_days)
            return datetime.combine(day, time(), zone).astimezone(UTC)
        if _INSTANT.fullmatch(text):
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # there is no such day, or it is beyond all calendars
    raise _wrong(name, "is a day as 2026-11-30, or an instant in ISO 8601")


def whole(name: str, usual: int, most: int) -> int:
    """A whole number of the address, at most `most`."""
    text = request.args.get(name, str(usual))
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise _wrong(name, f"is a whole number from 1 to {most}")
    return min(int(text), most)


def _one_of(name: str, known: tuple[str, ...], usual: str) -> str:
    text = request.args.get(name, usual)
    if text not in known:
        raise _wrong(name, f"can be {', '.join(it for it in known if it)}")
    return text


def _wrong(name: str, what: str) -> Rejected:
    return Rejected(
        "filter.malformed",
        "%(place)s: %(problem)s",
        "https://apidocs.callrail.com lists the words",
        place=name[:40],
        problem=what,
    )
