"""Reading the books: the list of calls, one call with all that is known of it, and the calls going on.

Every question names the companies whose calls may be seen; `_of` is the one place where that is enforced.
A call comes with everything a list shows, in a fixed number of statements; what was not loaded cannot be
reached by accident (`raiseload`), so no page runs one statement a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from tracker.call_search import narrow, of_companies
from tracker.errors import Rejected
from tracker.journey import Journey, describe_candidate, iso, read_candidates, read_journey
from tracker.journey import describe as describe_journey
from tracker.messages import is_message, message_seconds
from tracker.models import Call, CallCandidate, CallEvent, Channel, RecordingState, Visit
from tracker.newest import Place, beyond, read_place
from tracker.policy.call_filter import CallFilter
from tracker.policy.facts import Presentation

MOST = 500  # calls a page
EVERY_CALL = CallFilter()

_LISTED = (
    joinedload(Call.company),
    joinedload(Call.number),
    joinedload(Call.channel),
    joinedload(Call.target),
    joinedload(Call.recording),
    joinedload(Call.reported),
    selectinload(Call.tags),
    # Of the visit only what names it: addresses and click ids would make a list of calls heavy.
    joinedload(Call.visit).load_only(
        Visit.medium, Visit.source, Visit.campaign, Visit.keyword, Visit.content, Visit.group, raiseload=True
    ),
    raiseload("*"),
)


@dataclass(frozen=True)
class Source:
    """Where a caller came from. `channel` is the static channel's name; None for a website's visitor.

    `content` is the ad, `group` the visit's channel group ("Paid Search").
    """

    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    channel: str | None
    content: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class CallPage:
    """Calls newest first; `next` asks for the page after this one, None at the end."""

    calls: Sequence[Call]
    next: str | None


@dataclass(frozen=True)
class CallStory:
    """A call, the facts its witnesses wrote down, the same caller's latest earlier calls and next later ones.

    `candidates` are its possible sources, the likeliest first; `journey` is that of the visit named.
    """

    call: Call
    events: Sequence[CallEvent]
    earlier: Sequence[Call]
    earlier_count: int
    later: Sequence[Call]  # the oldest first
    candidates: Sequence[CallCandidate]
    journey: Journey | None


def list_calls(
    session: Session,
    company_ids: Iterable[int],
    before: str | None = None,
    limit: int = 50,
    by: CallFilter = EVERY_CALL,
) -> CallPage:
    """A page of these companies' calls that `by` asks for, newest first. Two statements, however far back.

    `before` is the `next` of the page before. Raises Rejected `page.malformed` for anything else.
    """
    wanted = narrow(_of(company_ids), by)
    if before:
        wanted = wanted.where(beyond(Call.started_at, Call.id, read_place(before)))
    limit = min(max(limit, 1), MOST)
    newest = Call.started_at.desc(), Call.id.desc()
    wanted = wanted.order_by(*newest).limit(limit + 1)
    if by != EVERY_CALL:  # whole rows, with their waveforms, are read for this page's calls only
        wanted = sa.select(Call).where(Call.id.in_(wanted.with_only_columns(Call.id))).order_by(*newest)
    found = session.scalars(wanted.options(*_LISTED)).all()
    more = len(found) > limit
    return CallPage(found[:limit], cursor_of(found[limit - 1]) if more else None)


def count_calls(session: Session, company_ids: Iterable[int], by: CallFilter = EVERY_CALL) -> int:
    """How many of these companies' calls `by` asks for."""
    found = narrow(_of(company_ids), by).with_only_columns(Call.id).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(found)) or 0


def get_call(session: Session, company_ids: Iterable[int], key: str) -> CallStory:
    """One call by its key. Raises Rejected `call.unknown`, also for a call of another company."""
    company_ids = list(company_ids)
    call = find_call(session, company_ids, key)
    events = session.scalars(
        sa.select(CallEvent).where(CallEvent.call_id == call.id).order_by(CallEvent.at, CallEvent.id)
    ).all()
    earlier, count, later = _others(session, company_ids, call)
    journey = read_journey(session, call.visit_id, call.started_at) if call.visit_id else None
    return CallStory(call, events, earlier, count, later, read_candidates(session, call.id), journey)


def _others(
    session: Session, company_ids: Iterable[int], call: Call
) -> tuple[Sequence[Call], int, Sequence[Call]]:
    """Of the same caller the latest calls before this one, how many there were, and the next ones after it.

    None if he is hidden. The next ones say whether a missed call was made good.
    """
    if shown_caller(call) is None:
        return (), 0, ()
    place, order = sa.tuple_(Call.started_at, Call.id), (Call.started_at, Call.id)
    here = sa.tuple_(sa.literal(call.started_at, Call.started_at.type), sa.literal(call.id))
    same = _same_caller(company_ids, call)
    before, after = same.where(place < here), same.where(place > here)
    count = session.scalar(sa.select(sa.func.count()).select_from(before.subquery())) or 0
    latest = before.with_only_columns(Call.id).order_by(*(each.desc() for each in order)).limit(20)
    following = after.with_only_columns(Call.id).order_by(*order).limit(20)
    # One list of ids: PostgreSQL would answer an OR of two by reading every call.
    ids = sa.union_all(*(sa.select(each.subquery().c.id) for each in (latest, following)))
    wanted = sa.select(Call).where(Call.id.in_(ids)).options(*_LISTED).order_by(*order)
    found = session.scalars(wanted).all()
    at = (call.started_at, call.id)
    earlier = [it for it in reversed(found) if (it.started_at, it.id) < at]
    return earlier, count, [it for it in found if (it.started_at, it.id) > at]


def _same_caller(company_ids: Iterable[int], call: Call) -> sa.Select[Call]:
    return _of(company_ids).where(
        Call.company_id == call.company_id,
        Call.caller == call.caller,
        Call.presentation == Presentation.ALLOWED,
    )


def find_call(session: Session, company_ids: Iterable[int], key: str) -> Call:
    """One call by its key, as `list_calls` gives it. Raises Rejected `call.unknown`."""
    call = session.scalar(_of(company_ids).where(Call.key == key).options(*_LISTED))
    if call is None:
        raise Rejected("call.unknown", "There is no such call", "See the calls with `leaseline calls list`")
    return call


def open_calls(session: Session, company_ids: Iterable[int], now: datetime) -> Sequence[Call]:
    """These companies' calls that the books hold open, newest first; none older than a day."""
    wanted = _of(company_ids).where(Call.ended_at.is_(None), Call.started_at > now - timedelta(days=1))
    return session.scalars(wanted.options(*_LISTED).order_by(Call.started_at.desc()).limit(200)).all()


def visitor_calls(session: Session, company_ids: Iterable[int], visitor_id: int) -> Sequence[Call]:
    """The calls whose source is a visit of this visitor, newest first, as `list_calls` gives them."""
    theirs = sa.select(Visit.id).where(Visit.visitor_id == visitor_id)
    wanted = _of(company_ids).where(Call.visit_id.in_(theirs)).options(*_LISTED)
    return session.scalars(wanted.order_by(Call.started_at.desc(), Call.id.desc()).limit(200)).all()


def calls_by_key(session: Session, company_ids: Iterable[int], keys: Iterable[str]) -> dict[str, Call]:
    """Those of the calls named that these companies may see."""
    keys = list(keys)
    if not keys:  # SQLite would read every call of the company to find none
        return {}
    wanted = _of(company_ids).where(Call.key.in_(keys)).options(*_LISTED)
    return {call.key: call for call in session.scalars(wanted)}


def _of(company_ids: Iterable[int]) -> sa.Select[Call]:
    return sa.select(Call).where(of_companies(company_ids))


def cursor_of(call: Call) -> str:
    """Where a page ends."""
    return str(Place(call.started_at, call.id))


def listed(wanted: sa.Select[Call]) -> sa.Select[Call]:
    """These calls with everything that a list shows of them."""
    return wanted.options(*_LISTED)


def source_of(call: Call) -> Source | None:
    """Where the caller came from: the visit that held the number, else the number's channel."""
    if call.visit is not None:
        return source_of_visit(call.visit)
    return source_of_channel(call.channel) if call.channel is not None else None


def source_of_visit(it: Visit) -> Source:
    return Source(it.medium, it.source, it.campaign, it.keyword, None, it.content, it.group or None)


def source_of_channel(it: Channel) -> Source:
    return Source(it.medium, it.source, it.campaign, it.keyword, it.name)


def shown_caller(call: Call) -> str | None:
    """The caller's number if the caller allows it to be seen, in any page, export or delivery."""
    return call.caller if call.presentation is Presentation.ALLOWED else None


def answered_by(call: Call) -> str | None:
    """Who took the call: a target of ours, or whom the phone system that reported it names."""
    if call.target is not None:
        return call.target.name
    return call.reported.employee if call.reported else None


def recording_state(call: Call) -> RecordingState | None:
    """What there is to hear; None while the call is going on."""
    if call.recording is not None:
        return call.recording.state
    return None if call.ended_at is None else RecordingState.NONE


def amount(value: Decimal | None) -> str | None:
    """Money as every program reads it: "1200.5", exact, without an exponent."""
    return None if value is None else f"{value:f}"


def describe(call: Call) -> dict[str, Any]:
    """A call as JSON, the same on the command line and in the API. Instants are ISO 8601 in UTC."""
    source = source_of(call)
    return {
        "key": call.key,
        "company": call.company.slug,
        "direction": call.direction.value,
        "number": call.number.e164,
        "caller": shown_caller(call),
        "caller_name": call.caller_name if call.presentation is Presentation.ALLOWED else None,
        "presentation": call.presentation.value,
        "repeat": call.repeat,
        "guard": call.guard and call.guard.value,
        "spam": call.spam and call.spam.value,
        "source": source
        and {
            "channel": source.channel,
            "medium": source.medium,
            "source": source.source,
            "campaign": source.campaign,
            "keyword": source.keyword,
            "content": source.content,
            "channel_group": source.group,
        },
        "attribution": {
            "basis": call.basis and call.basis.value,
            "probability": call.probability,
            "uncertain": call.uncertain,
        },
        "started_at": iso(call.started_at),
        "rang_at": iso(call.rang_at),
        "answered_at": iso(call.answered_at),
        "ended_at": iso(call.ended_at),
        "wait_seconds": call.wait_seconds,
        "talk_seconds": call.talk_seconds,
        "outcome": call.outcome and call.outcome.value,
        "interrupted": call.interrupted,
        "answered_by": answered_by(call),
        "hung_up_by": call.hung_up_by and call.hung_up_by.value,
        "category": call.category and call.category.value,
        "tags": [tag.name for tag in call.tags],
        "heard_of": call.heard_of,
        "promo_code": call.promo_code,
        "value": amount(call.value),
        "currency": call.company.currency,
        "recording": _recording(call),
        "message": _message(call),
        "reported": call.reported
        and {
            "system": call.reported.system,
            "reference": call.reported.reference,
            "recording_url": call.reported.recording_url,
        },
    }


def describe_story(story: CallStory) -> dict[str, Any]:
    """All that is known of a call as JSON: `call` with its candidates and its visit, `events`, `earlier`."""
    call = describe(story.call)
    call["attribution"]["candidates"] = [describe_candidate(it) for it in story.candidates]
    return {
        "call": call | {"visit": story.journey and describe_journey(story.journey)},
        "events": [{"kind": event.kind, **event.detail} for event in story.events],
        "earlier": [describe(it) for it in story.earlier],
        "earlier_count": story.earlier_count,
        "later": [describe(it) for it in story.later],
    }


def _message(call: Call) -> dict[str, Any] | None:
    return {"at": iso(call.message_at), "seconds": message_seconds(call)} if is_message(call) else None


def _recording(call: Call) -> dict[str, Any] | None:
    state = recording_state(call)
    if state is None:
        return None
    it = call.recording
    told: dict[str, Any] = {"seconds": it.seconds if it else None, "sha256": it.sha256 if it else None}
    if it and it.withheld:
        told |= {"withheld": it.withheld.value}
    if it and it.pauses:
        told |= {"pauses": [{"at": at, "seconds": seconds} for at, seconds in it.pauses]}
    return {"state": state.value, **told}
