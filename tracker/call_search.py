"""A filter of calls as SQL: one condition a wish, each of them on the call's own row or found from its keys.

A condition about the source looks at the visit that is named, else at the channel, as `source_of` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlalchemy as sa

from tracker.models import (
    Call,
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
from tracker.policy.call_filter import CallFilter
from tracker.policy.facts import Presentation

Condition = sa.ColumnElement[bool]
_SOURCE = ("medium", "source", "campaign", "keyword")


def narrow(wanted: sa.Select[Call], by: CallFilter) -> sa.Select[Call]:
    """Those of the calls that the filter asks for."""
    return wanted.where(*_conditions(by))


def _conditions(by: CallFilter) -> Iterator[Condition]:
    if by.since is not None:
        yield Call.started_at >= by.since
    if by.until is not None:
        yield Call.started_at < by.until
    if by.outcomes:
        yield Call.outcome.in_(sorted(by.outcomes))
    if by.categories:
        yield _categories(by)
    yield from _sources(by)
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


def _categories(by: CallFilter) -> Condition:
    named = Call.category.in_(sorted(each for each in by.categories if each is not None))
    return sa.or_(named, Call.category.is_(None)) if None in by.categories else named


def _sources(by: CallFilter) -> Iterator[Condition]:
    for name in _SOURCE:
        value = getattr(by, name)
        if value is not None:
            yield sa.or_(
                Call.visit.has(getattr(Visit, name) == value),
                sa.and_(Call.visit_id.is_(None), Call.channel.has(getattr(Channel, name) == value)),
            )
    if by.group is not None:
        yield Call.visit.has(Visit.group == by.group)
    if by.site is not None:
        yield Call.visit.has(Visit.site.has(Site.name == by.site))
    if by.channel is not None:
        yield Call.channel.has(Channel.name == by.channel)  # a call has a visit or a channel, never both


def _people(by: CallFilter) -> Iterator[Condition]:
    if by.number is not None:
        yield Call.number.has(Number.e164 == by.number)
    if by.answered_by is not None:
        yield Call.target.has(Target.name == by.answered_by)
    if by.tag is not None:
        tagged = sa.select(CallTag.call_id).join(Tag, Tag.id == CallTag.tag_id)
        yield Call.id.in_(tagged.where(Tag.name == by.tag, Tag.company_id == Call.company_id).correlate(Call))


def _flags(by: CallFilter) -> Iterator[Condition]:
    if by.repeat is not None:
        yield Call.repeat.is_(by.repeat)
    if by.uncertain is not None:
        yield Call.uncertain.is_(by.uncertain)
    if by.recorded is not None:
        ready = Call.recording.has(Recording.state == RecordingState.READY)
        yield ready if by.recorded else ~ready


def _text(text: str) -> Condition:
    """Part of the caller's number or name, where he shows them, or of a note."""
    shows = Call.presentation == Presentation.ALLOWED
    noted = sa.exists().where(CallNote.call_id == Call.id, CallNote.text.icontains(text, autoescape=True))
    said = [sa.and_(shows, Call.caller_name.icontains(text, autoescape=True)), noted]
    digits = re.sub(r"[\s().+/-]", "", text)
    if re.fullmatch(r"[0-9]{3,15}", digits, re.ASCII):
        said.append(sa.and_(shows, _number_has(digits)))
    return sa.or_(*said)


def _number_has(digits: str) -> Condition:
    """A number written nationally has a trunk prefix (0, 8) in front that E.164 has not."""
    found = Call.caller.contains(digits)
    if digits[0] in "08" and len(digits) > 6:
        found = sa.or_(found, Call.caller.contains(digits[1:]))
    return found
