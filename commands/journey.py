"""A call and its visitor's journey as lines of text, for `leaseline calls show`.

What a stranger's browser sent passes through `shown`, so that no control character reaches the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from commands.printing import clock, shown

if TYPE_CHECKING:
    from tracker.calls import CallStory
    from tracker.journey import Journey
    from tracker.models import Call, Visit
    from tracker.worth import Worth

WIDE = 16


def call_lines(story: CallStory, said: Worth, zone: ZoneInfo, region: str) -> Iterator[str]:
    """Everything known of a call: facts a line each, what people said, candidates, journey, raw facts."""
    yield from _fields(_call(story.call, zone) | {"earlier_calls": story.earlier_count})
    yield from _said(said, zone)
    yield from _source(story, zone)
    if story.journey is not None:
        yield from _visit(story.journey, zone)
        yield from _timeline(story, story.journey, zone, region)
    yield from _section("facts written down")
    for event in story.events:
        yield f"  {event.at.astimezone(zone):%H:%M:%S.%f}  {event.kind}"


def _call(call: Call, zone: ZoneInfo) -> dict[str, Any]:
    from tracker import calls

    state = calls.recording_state(call)
    caller = calls.shown_caller(call)
    return {
        "key": call.key,
        "company": call.company.slug,
        "number": call.number.e164,
        "caller": caller or call.presentation.value,
        "caller_name": call.caller_name if caller else None,
        "repeat": call.repeat,
        "started": _at(call.started_at, zone),
        "outcome": call.outcome.value if call.outcome else "going on",
        "answered_by": calls.answered_by(call),
        "hung_up_by": call.hung_up_by.value if call.hung_up_by else None,
        "wait": clock(call.wait_seconds),
        "talk": clock(call.talk_seconds),
        "recording": state.value if state else None,
        "category": call.category.value if call.category else None,
        "value": None if call.value is None else f"{call.value:f} {call.company.currency}",
        "tags": ", ".join(tag.name for tag in call.tags) or None,
        "heard_of": call.heard_of,
        "promo_code": call.promo_code,
    }


def _said(said: Worth, zone: ZoneInfo) -> Iterator[str]:
    if said.notes:
        yield from _section("notes")
    for note in said.notes:
        pinned = "" if note.second is None else f" at {clock(note.second)}"
        yield f"  {_at(note.at, zone)}  {note.actor}{pinned}: {shown(' '.join(note.text.split()))}"


def _source(story: CallStory, zone: ZoneInfo) -> Iterator[str]:
    from tracker import calls
    from web import words

    call = story.call
    source, how = calls.source_of(call), words.certainty(call, story.candidates)
    named = next((it for it in story.candidates if words.is_named(it, call)), None)
    yield from _section("source")
    if source is not None:
        yield from _fields(
            {
                "channel": source.channel, "channel_group": source.group, "source": source.source,
                "medium": source.medium, "campaign": source.campaign, "keyword": source.keyword,
                "ad": source.content,
            },
            empty=False,
        )  # fmt: skip
    yield from _fields({"how_sure": _spaced(f"{how.word} {how.percent}")})
    if call.basis is not None:
        yield from _fields({"named_by": words.why(call.basis, named)})
    others = [it for it in story.candidates if it is not named]
    if others:
        yield from _section("other candidates")
    for it in others:
        visit = f"visit {it.visit.id}, {_at(it.visit.started_at, zone)}" if it.visit else "no visit"
        what = words.candidate_source(it)
        told = f"{words.source_title(what)} {words.source_detail(what)}".strip()
        sure, why = _spaced(words.percent(it.probability)), words.reasons(it)
        yield f"  {sure:>7}  {shown(told)} ({visit}): {shown(why)}"


def _visit(journey: Journey, zone: ZoneInfo) -> Iterator[str]:
    visit = journey.visit
    yield from _section(f"visit {visit.id}")
    yield from _fields(
        {
            "website": visit.site.name, "landing_page": visit.landing_url, "referrer": visit.referrer,
            **visit.click_ids, "device": visit.device, "system": visit.system, "browser": visit.browser,
            "language": visit.language, "country": visit.country, "no_number": visit.missed,
            "may_be_forged": visit.suspicion,
        },
        empty=False,
    )  # fmt: skip
    if len(journey.visits) > 1:
        yield from _section("all visits")
    for it in journey.visits if len(journey.visits) > 1 else ():
        yield f"  {_at(it.started_at, zone)}  {shown(_told(it))}{_marks(journey, it)}"


def _told(visit: Visit) -> str:
    parts = (visit.source, visit.medium, visit.campaign, visit.keyword)
    return " / ".join(part for part in parts if part)


def _marks(journey: Journey, visit: Visit) -> str:
    from web.words import touch_words

    said = touch_words(journey.touches, visit.id)
    return f"  [{', '.join(said).capitalize()}]" if said else ""


def _timeline(story: CallStory, journey: Journey, zone: ZoneInfo, region: str) -> Iterator[str]:
    from web.timeline import timeline

    yield from _section("journey")
    for it in timeline(journey, [story.call], region):
        spent = f"  ({clock(it.seconds)})" if it.seconds is not None else ""
        detail = f"  {shown(it.detail)}" if it.detail and it.detail != it.title else ""
        yield f"  {_at(it.at, zone)}  {shown(it.title)}{detail}{spent}"


def _section(title: str) -> Iterator[str]:
    yield ""
    yield title.capitalize()


def _fields(thing: Mapping[str, Any], *, empty: bool = True) -> Iterator[str]:
    for name, value in thing.items():
        if empty or value:
            yield f"{shown(name.replace('_', ' ')):{WIDE}}  {shown(value)}"


def _spaced(text: str) -> str:
    """A page keeps "97 %" on one line; a terminal has no need of it."""
    return text.replace("\N{NO-BREAK SPACE}", " ").strip()


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
