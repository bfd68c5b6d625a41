"""The filter of the list of calls as the page shows it: what may be chosen, what is, and how to undo it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from babel.dates import get_day_names
from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from tracker.models import Call, Channel, Site, Tag, Target, Visit
from tracker.policy.call_filter import ANY, NAMES, CallFilter, Period, WithSpam, read_filter
from tracker.policy.call_words import Delay, Kind
from tracker.policy.facts import Direction
from tracker.policy.origins import Origin, read_origin
from tracker.policy.recovery import Recovered
from tracker.policy.report_words import By
from tracker.policy.week import WeekHour, read_week_hour
from web.call_words import DELAYS, KINDS, WITHOUT
from web.facts import country
from web.house import house
from web.languages import language
from web.viewer import viewer
from web.words import CATEGORIES, DEVICES, OUTCOMES, plain

RECENT = 2000  # calls whose sources are offered
COMPANIES = 100  # of one person, whose names are offered: a choice is a help, any word may be typed

PERIODS = {
    Period.TODAY: _("Today"), Period.YESTERDAY: _("Yesterday"), Period.WEEK: _("7 days"),
    Period.MONTH: _("30 days"), Period.QUARTER: _("90 days"), Period.LAST_WEEK: _("Last week"),
    Period.THIS_MONTH: _("This month"), Period.LAST_MONTH: _("Last month"),
}  # fmt: skip
LABELS = {
    "q": _("Search"), "since": _("From"), "until": _("To"), "channel": _("Channel"), "site": _("Website"),
    "group": _("Channel group"), "medium": _("Medium"), "source": _("Source"), "campaign": _("Campaign"),
    "keyword": _("Keyword"), "ad": _("Ad"), "landing": _("Landing page"), "country": _("Visitor's country"),
    "device": _("Device"), "region": _("Caller's country"), "number": _("Number dialled"),
    "answered_by": _("Answered by"), "tag": _("Tag"),
    "missed_by": _("Did not answer"), "hour": _("Hour of the week"), "beside": _("Not from"),
    "talk_from": _("Talk from"), "talk_to": _("Talk to"),
    "value_from": _("Value from"), "value_to": _("Value to"),
}  # fmt: skip
# Words that only links ask for: the form has no field for them.
UNASKED = (
    "group", "ad", "landing", "country", "device", "region", "kind", "delay", "number", "missed_by",
    "attributed", "known", "hour", "beside", "without",
)  # fmt: skip
WAYS = {
    Direction.OUT.value: _("Outgoing calls"), Direction.CALLBACK.value: _("Callbacks"),
    Direction.IN.value: _("Incoming calls"), ANY: _("In and out"),
}  # fmt: skip
RECOVERED = {
    Recovered.NO: _("Missed, not called back"), Recovered.YES: _("Missed, spoken to since"),
    Recovered.US: _("Missed, called back"), Recovered.SELF: _("Missed, called again"),
}  # fmt: skip
SPAM_WISHES = {WithSpam.ONLY.value: _("Spam only"), WithSpam.ALSO.value: _("With spam")}
FLAGS = {
    ("repeat", "yes"): _("Repeat callers"), ("repeat", "no"): _("First calls"),
    ("uncertain", "yes"): _("Uncertain source"), ("uncertain", "no"): _("Certain source"),
    ("attributed", "yes"): _("Attributed"), ("attributed", "no"): _("Not attributed"),
    ("known", "yes"): _("Number known"), ("known", "no"): _("Number unknown"),
    ("recorded", "yes"): _("With a recording"), ("recorded", "no"): _("Without a recording"),
    ("message", "yes"): _("With a message"), ("message", "no"): _("Without a message"),
}  # fmt: skip
_ENUMS: Mapping[str, tuple[type[str], Mapping[Any, object]]] = {
    "direction": (str, WAYS), "spam": (str, SPAM_WISHES), "recovered": (Recovered, RECOVERED),
    "kind": (Kind, KINDS), "delay": (Delay, DELAYS), "without": (By, WITHOUT),
}  # fmt: skip


@dataclass(frozen=True)
class Chip:
    """One wish of the filter in words, and the address of the list without it."""

    words: str
    without: str


@dataclass(frozen=True)
class Choices:
    """What there is to choose from, by name."""

    channels: Sequence[str]
    sites: Sequence[str]
    targets: Sequence[str]
    tags: Sequence[str]
    sources: Sequence[str]


def asked() -> CallFilter:
    """The filter in this request's address. Raises Rejected `filter.malformed`."""
    zone = viewer().zone
    return read_filter(request.args.to_dict(flat=False), zone, house().clock().astimezone(zone).date())


def query(**more: str) -> str:
    """This request's filter as the end of an address, with `more` added; "" when it asks for nothing."""
    pairs = [*_pairs(), *more.items()]
    return "?" + urlencode(pairs) if pairs else ""


def chips() -> list[Chip]:
    """What is chosen, each to be taken away alone."""
    pairs = _pairs()
    return [
        Chip(_words(name, value), "/calls" + ("?" + urlencode(rest) if rest else ""))
        for place, (name, value) in enumerate(pairs)
        for rest in [pairs[:place] + pairs[place + 1 :]]
    ]


def choices(session: Session, company_ids: Iterable[int]) -> Choices:
    """Of these companies, in one statement; the sources are those of the newest calls only."""
    kinds: dict[str, list[str]] = {field.name: [] for field in fields(Choices)}
    ids = list(company_ids)[:COMPANIES]
    if ids:
        for kind, name in session.execute(_names(ids)):
            kinds[kind].append(name)
    return Choices(**{kind: sorted(names, key=str.casefold) for kind, names in kinds.items()})


def _names(ids: Sequence[int]) -> sa.CompoundSelect[str, str]:
    named: dict[str, type[Channel | Site | Target | Tag]] = {
        "channels": Channel,
        "sites": Site,
        "targets": Target,
        "tags": Tag,
    }
    parts = [sa.select(sa.literal(kind), of.name).where(of.company_id.in_(ids)) for kind, of in named.items()]
    # The newest of each company by its own index: however many calls there are, so few are looked at.
    share = max(RECENT // len(ids), 20)
    newest = sa.union_all(*(sa.select(_newest(each, share).c.visit_id) for each in ids)).subquery()
    seen = sa.select(sa.literal("sources"), Visit.source).join(newest, newest.c.visit_id == Visit.id)
    return sa.union(*parts, seen)


def _newest(company_id: int, count: int) -> sa.Subquery:
    wanted = sa.select(Call.visit_id).where(Call.company_id == company_id)
    return wanted.order_by(Call.started_at.desc(), Call.id.desc()).limit(count).subquery()


def back() -> str:
    """The list as it was when the form was sent: its filter in `back`, never an address elsewhere."""
    given = request.form.get("back", "")
    return "/calls" + (given if given.startswith("?") else "")


def _pairs() -> list[tuple[str, str]]:
    given: Mapping[str, Sequence[str]] = request.args.to_dict(flat=False)
    return [(name, value) for name in NAMES for value in given.get(name, ()) if value.strip()]


def _words(name: str, value: str) -> str:
    if name == "period":
        return str(PERIODS[Period(value)])
    if name == "outcome":
        return next(str(it.word) for key, it in OUTCOMES.items() if key == value.replace("-", "_"))
    if name == "category":
        known = {key.value: str(it.word) for key, it in CATEGORIES.items()}
        return known.get(value.replace("-", "_"), gettext("Not judged"))
    if name in _ENUMS:
        kind, words = _ENUMS[name]
        return str(words[kind(value.replace("-", "_") if name == "kind" else value)])
    if (name, value) in FLAGS:
        return str(FLAGS[name, value])
    return f"{LABELS[name]}: {_value(name, value)}"


def _value(name: str, value: str) -> str:
    """A word's value as a person reads it; one that could not be read is shown by nobody."""
    if name.startswith("talk"):
        return gettext("%(seconds)s s", seconds=value)
    if name in {"since", "until"}:
        return value.replace("T", " ")
    if name in {"country", "region", "device"}:
        return str(DEVICES.get(value, value) if name == "device" else country(value) or value)
    if name == "hour" and (hour := read_week_hour(value)):
        return hour_words(hour)
    origin = read_origin(value) if name == "beside" else None
    return value if origin is None else origin_words(origin)


def hour_words(hour: WeekHour) -> str:
    """ "Mon, 14:00 to 15:00" in the page's language."""
    day = get_day_names("abbreviated", locale=language())[hour.day]
    begun, ended = f"{hour.hour:02}:00", f"{hour.hour + 1:02}:00"
    return gettext("%(day)s, %(begun)s to %(ended)s", day=day, begun=begun, ended=ended)


def origin_words(origin: Origin) -> str:
    """A line of a report: the channel, the source with its group, or that nobody knows."""
    if origin.name is None:
        return gettext("Not attributed")
    return plain(origin.name) if origin.group is None else f"{plain(origin.name)} ({origin.group})"
