"""A visit told in order: pages with the time spent on each, clicks, what was shown, the calls. For people.

Everything a visitor's browser sent is a stranger's text; here it is only shortened, each edge escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from flask_babel import gettext

from tracker.calls import answered_by
from tracker.journey import Journey
from tracker.models import Call, VisitEvent, VisitEventKind
from tracker.policy.phone import display

LONGEST = 64  # characters of an address or a told word that are shown


@dataclass(frozen=True)
class Moment:
    """A line of the timeline. `seconds` is the time spent on a page or in talk, `full` what a hover tells."""

    at: datetime
    kind: str  # page, shown, click, form, event, call, answered, ended
    title: str
    detail: str = ""
    full: str = ""
    seconds: float | None = None
    call: str | None = None  # key of the call it is about


def timeline(journey: Journey | None, calls: Iterable[Call], region: str) -> list[Moment]:
    """What happened in and around a visit, the oldest first; `region` is how numbers are written."""
    if journey is None:
        return []
    moments = [
        Moment(
            page.at, "page", title=readable(page.title or "") or short_url(page.url),
            detail=short_url(page.url), full=page.url, seconds=(page.until_at - page.at).total_seconds(),
        )
        for page in journey.pages
    ]  # fmt: skip
    moments += [
        _shown(lease.from_at, gettext("Was shown %(number)s", number=display(lease.number.e164, region)))
        for lease in journey.leases
    ]
    moments += [
        _shown(lease.from_at, gettext("Was shown the code %(code)s", code=lease.code))
        for lease in journey.codes
    ]
    moments += [_event(event) for event in journey.events]
    for call in calls:
        moments += _call(call, region)
    return sorted(moments, key=lambda it: it.at)


def by_day(moments: Sequence[Moment], zone: ZoneInfo) -> list[list[Moment]]:
    """Neighbours of one day of that zone together."""
    return [list(group) for _, group in groupby(moments, key=lambda it: it.at.astimezone(zone).date())]


def short_url(url: str | None) -> str:
    """Host and path of an address, as a person would say it; an address that is none, as it stands."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return readable(url)
    if parts.scheme not in {"http", "https"} or not host:
        return readable(url)
    path = unquote(parts.path)
    return readable(host.removeprefix("www.") + (path if path != "/" else ""))


def readable(text: str) -> str:
    """One line of it, without what is invisible or turns the writing direction, cut with an ellipsis."""
    line = "".join(each if each.isprintable() else " " for each in text).strip()
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def _shown(at: datetime, what: str) -> Moment:
    return Moment(at, "shown", what)


def _event(event: VisitEvent) -> Moment:
    detail = event.detail if isinstance(event.detail, Mapping) else {}
    match event.kind:
        case VisitEventKind.PHONE_CLICK:
            return _told(event, "click", gettext("Clicked the phone link"), detail, ("text", "number"))
        case VisitEventKind.FORM:
            return _told(event, "form", gettext("Sent a form"), detail, ("name", "id"))
        case VisitEventKind.CUSTOM:
            return _told(event, "event", gettext("Did something the website tells of"), detail, ("name",))


def _told(
    event: VisitEvent, kind: str, title: str, detail: Mapping[str, Any], names: Iterable[str]
) -> Moment:
    words = [str(detail[name]) for name in names if detail.get(name)]
    full = ", ".join(f"{name}: {value}" for name, value in detail.items())
    return Moment(event.at, kind, title, readable(words[0]) if words else "", full)


def _call(call: Call, region: str) -> list[Moment]:
    called = gettext("Called %(number)s", number=display(call.number.e164, region))
    moments = [Moment(call.started_at, "call", called, call=call.key)]
    if call.answered_at is not None:
        name = answered_by(call)
        by = gettext("%(name)s answered", name=name) if name else gettext("The call was answered")
        moments.append(Moment(call.answered_at, "answered", by, call=call.key))
    if call.ended_at is not None:
        said, talk = gettext("The call ended"), call.talk_seconds
        moments.append(Moment(call.ended_at, "ended", said, seconds=talk, call=call.key))
    return moments
