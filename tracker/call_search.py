"""A filter of calls as SQL: one condition a wish, each of them on the call's own row or found from its keys.

A condition about the source looks at the visit that is named, else at the channel, as `source_of` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from tracker.call_words import (
    HAS_CALLED,
    IS_COUNTED,
    KNOWN,
    call_delay,
    call_kind,
    caller_digits,
    landing_page,
)
from tracker.missed import recovered
from tracker.models import (
    Call,
    CallEvent,
    CallNote,
    CallTag,
    Channel,
    Number,
    Recording,
    RecordingState,
    Site,
    Tag,
    Target,
    Visit,
)
from tracker.policy.call_filter import CallFilter, WithSpam
from tracker.policy.caller_regions import UNKNOWN, prefixes_of, regions
from tracker.policy.facts import COUNTED, Direction
from tracker.policy.origins import NOT_SET, NOWHERE, Origin
from tracker.policy.report_words import By
from tracker.policy.sought import caller_parts

Condition = sa.ColumnElement[bool]
LEG_TARGET = CallEvent.detail["target_id"].as_integer()
_SOURCE = ("medium", "source", "campaign", "keyword")
__all__ = [
    "HAS_CALLED", "IS_COUNTED", "KNOWN", "LEG_TARGET", "Condition", "narrow", "of_companies", "rang_in_vain",
]  # fmt: skip


def of_companies(company_ids: Iterable[int]) -> Condition:
    """Calls of these companies only: every statement about calls that a person sees begins with it."""
    ids = list(company_ids)  # one is found in the order of the index, of several each has to be sorted in
    return Call.company_id == ids[0] if len(ids) == 1 else Call.company_id.in_(ids)


def narrow(wanted: sa.Select[Call], by: CallFilter) -> sa.Select[Call]:
    """Those of the calls that the filter asks for."""
    return wanted.where(*_conditions(by))


def _conditions(by: CallFilter) -> Iterator[Condition]:
    yield from _time(by)
    if by.directions == COUNTED:
        yield HAS_CALLED
    elif by.directions != frozenset(Direction):
        yield Call.direction.in_(sorted(by.directions))
    if by.outcomes:
        yield Call.outcome.in_(sorted(by.outcomes))
    if by.categories:
        yield _categories(by)
    yield from _sources(by)
    yield from _visits(by)
    yield from _without(by)
    yield from _people(by)
    yield from _flags(by)
    if by.talk_from is not None:
        yield Call.talk_seconds >= by.talk_from
    if by.talk_to is not None:
        yield Call.talk_seconds <= by.talk_to
    if by.value_from is not None:
        yield Call.value >= by.value_from
    if by.value_to is not None:
        yield Call.value <= by.value_to
    if by.text is not None:
        yield _text(by.text)


def _time(by: CallFilter) -> Iterator[Condition]:
    if by.since is not None:
        yield Call.started_at >= by.since
    if by.until is not None:
        yield Call.started_at < by.until
    if by.hours is not None:
        yield sa.or_(
            sa.false(),
            *(sa.and_(Call.started_at >= begun, Call.started_at < ended) for begun, ended in by.hours),
        )


def _categories(by: CallFilter) -> Condition:
    named = Call.category.in_(sorted(each for each in by.categories if each is not None))
    return sa.or_(named, Call.category.is_(None)) if None in by.categories else named


def _sources(by: CallFilter) -> Iterator[Condition]:
    for name in _SOURCE:
        value = getattr(by, name)
        if value is not None:
            theirs = sa.select(Channel.id).where(getattr(Channel, name) == value)
            yield sa.or_(
                _visit_has(name, value), sa.and_(Call.visit_id.is_(None), Call.channel_id.in_(theirs))
            )
    if by.group is not None:
        yield Call.visit.has(_is(Visit.group, by.group))
    if by.site is not None:
        yield Call.visit.has(Visit.site.has(Site.name == by.site))
    if by.channel is not None:
        # A call has a visit or a channel, never both.
        yield Call.channel_id.in_(sa.select(Channel.id).where(Channel.name == by.channel))
    if by.attributed is not None:
        yield ~_from(NOWHERE) if by.attributed else _from(NOWHERE)
    for origin in sorted(by.beside, key=lambda it: it.word):
        yield ~_from(origin)


def _visit_has(name: str, value: str) -> Condition:
    """Keywords are so many that most are rare: their visits are found first, by an index of their own."""
    if name == "keyword" and value != NOT_SET:
        return Call.visit_id.in_(sa.select(Visit.id).where(Visit.keyword == value))
    return Call.visit.has(_is(getattr(Visit, name), value))


def _from(origin: Origin) -> Condition:
    """The calls of one line of a report about sources."""
    if origin.name is None:
        return sa.and_(Call.visit_id.is_(None), Call.channel_id.is_(None))
    if origin.group is None:
        return sa.and_(Call.visit_id.is_(None), Call.channel.has(Channel.name == origin.name))
    return Call.visit.has(sa.and_(_is(Visit.group, origin.group), _is(Visit.source, origin.name)))


def _is(column: InstrumentedAttribute[Any] | sa.ColumnElement[Any], value: str) -> Condition:
    """The value; where it says that there is none, none."""
    return column.in_(["", NOT_SET]) if value == NOT_SET else column == value


def _visits(by: CallFilter) -> Iterator[Condition]:
    for column, value in ((Visit.content, by.ad), (Visit.country, by.country), (Visit.device, by.device)):
        if value is not None:
            yield Call.visit.has(_is(column, value))
    if by.landing is not None:
        yield Call.visit.has(_is(landing_page, by.landing))
    if by.delay is not None:
        yield Call.visit.has(call_delay == by.delay.value)


def _without(by: CallFilter) -> Iterator[Condition]:
    """What a report has in a row that no word names, of that which could have one."""
    of_visits = {By.AD: Visit.content, By.LANDING: Visit.landing_url, By.COUNTRY: Visit.country,
                 By.DEVICE: Visit.device}  # fmt: skip
    for each in sorted(by.without):
        if each in {By.CAMPAIGN, By.KEYWORD}:
            visits, channels = (getattr(table, each.value).is_(None) for table in (Visit, Channel))
            static = sa.and_(Call.visit_id.is_(None), Call.channel.has(channels))
            yield sa.or_(Call.visit.has(visits), static)
        elif each is By.EMPLOYEE:
            yield Call.target_id.is_(None)
        elif each is By.TAG:
            yield Call.id.not_in(sa.select(CallTag.call_id))
        elif each is By.REGION:
            yield caller_digits.is_(None)
        else:
            static = sa.and_(Call.visit_id.is_(None), Call.channel_id.is_not(None))
            yield sa.or_(static, Call.visit.has(of_visits[each].is_(None))) if each in of_visits else static


def _region(region: str) -> Condition:
    known = list(regions()) if region == UNKNOWN else prefixes_of(region)
    return caller_digits.not_in(known) if region == UNKNOWN else caller_digits.in_(known)


def _people(by: CallFilter) -> Iterator[Condition]:
    if by.number is not None:
        yield Call.number.has(Number.e164 == by.number)
    if by.answered_by is not None:
        yield Call.target.has(Target.name == by.answered_by)
    if by.missed_by is not None:
        yield _rang_at(by.missed_by)
    if by.tag is not None:
        # Another company's tag of this name is on none of this company's calls.
        tagged = sa.select(CallTag.call_id).join(Tag, Tag.id == CallTag.tag_id)
        yield Call.id.in_(tagged.where(Tag.name == by.tag))


def _rang_at(target: str) -> Condition:
    """The calls with which a target rang that did not take them."""
    ids = (
        sa.select(Target.id)
        .where(Target.name == target, Target.company_id == Call.company_id)
        .correlate(Call)
    )
    return sa.exists().where(CallEvent.call_id == Call.id, *rang_in_vain(), LEG_TARGET.in_(ids))


def rang_in_vain() -> tuple[Condition, Condition]:
    """That an event says so of a target: LEG_TARGET."""
    return CallEvent.kind == "leg_ended", CallEvent.detail["rang_at"].as_string().is_not(None)


def _flags(by: CallFilter) -> Iterator[Condition]:
    if by.spam is not WithSpam.ALSO:
        yield Call.spam.is_(None) if by.spam is None else Call.spam.is_not(None)
    if by.repeat is not None:
        yield Call.repeat.is_(by.repeat)
    if by.uncertain is not None:
        yield Call.uncertain.is_(by.uncertain)
    if by.known is not None:
        yield KNOWN if by.known else ~KNOWN
    if by.kind is not None:
        yield call_kind == by.kind.value
    if by.recovered is not None:
        yield recovered(by.recovered)
    if by.region is not None:
        yield _region(by.region)
    if by.recorded is not None:
        ready = Call.recording.has(Recording.state == RecordingState.READY)
        yield ready if by.recorded else ~ready
    if by.message is not None:
        left = sa.and_(Call.message_at.is_not(None), Call.answered_at.is_(None))
        yield left if by.message else ~left


def _text(text: str) -> Condition:
    """Part of the caller's number or name, where he shows them, or of a note."""
    noted = sa.select(CallNote.call_id).where(CallNote.text.icontains(text, autoescape=True))
    parts = caller_parts(text)
    return sa.or_(Call.id.in_(noted), *(Call.sought.contains(part, autoescape=True) for part in parts))
