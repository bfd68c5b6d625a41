"""What the CRMs have in common: one call after the other, whose it is over there, what is written of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.destinations.kind import BARRED, Field, Line, Parcel, Send, Stop, usual_answer
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.delivering import Event, Hold, Timing
from tracker.policy.facts import Direction
from tracker.policy.parcels import CallFacts, Sound
from tracker.policy.telling import Answer

SOUND_WAIT = timedelta(minutes=30)  # for the recording to be ready; it takes seconds
AFTER_RECORDING = {Event.COMPLETED: Timing(Hold.RECORDING, hold_for=SOUND_WAIT)}
_PERSON = r"[^,=]{1,60}= ?[A-Za-z0-9]{1,20}"


def one_by_one(tell: Callable[[Line, Parcel], Answer]) -> Send:
    """Parcels told one after the other, each with the answer that it came to."""

    def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
        for parcel in parcels:
            try:
                yield tell(line, parcel)
            except Stop as stop:
                yield stop.answer
            except Trouble as trouble:
                yield Answer(False, str(trouble))

    return send


def taken(reply: Reply, now: datetime, barred: Collection[int] = BARRED) -> Reply:
    """The reply, if it is a good one. Raises Stop with what it means."""
    if reply.ok:
        return reply
    raise Stop(usual_answer(reply, now, barred))


def ours(answer: Answer) -> Answer:
    """That answer as no parcel's fault: something here or over there is to be mended."""
    return replace(answer, ok=False, final=False)


def people_field(whose: str) -> Field:
    """Who over there the people here are: "Ann=12, Office=15"."""
    hint = say("Who takes calls here, and their ids in %(whose)s: Ann=12, Office=15", whose=whose)
    return Field("people", say("People"), hint, required=False, form=rf"{_PERSON}(, ?{_PERSON})*")


def person_of(options: Mapping[str, str], call: CallFacts, usual: str = "") -> str:
    """The id over there of whoever took the call; else the usual one."""
    pairs = (each.partition("=") for each in options.get("people", "").split(","))
    known = {name.strip().casefold(): number.strip() for name, _, number in pairs}
    return known.get((call.answered_by or "").casefold(), "") or usual


def title_field() -> Field:
    """What a call is called over there."""
    hint = say("What a call is called over there, before its number")
    return Field("title", say("Title"), hint, required=False, usual="Phone call", form=r".{1,100}")


def title_of(options: Mapping[str, str], call: CallFacts) -> str:
    """A line for lists: "Phone call +49 …"."""
    return " ".join(part for part in (options.get("title") or "Phone call", call.caller) if part)


def came_from(call: CallFacts) -> str:
    """The source in one line: "google / cpc / spring / euro pallets"; empty where nobody knows it."""
    parts = (call.source, call.medium, call.campaign, call.keyword, call.content)
    return call.channel or " / ".join(part for part in parts if part)


def story_of(call: CallFacts) -> list[str]:
    """What else a salesperson wants to see, a line each; the last leads to the call, behind a log-in."""
    page = call.visit and (call.visit.page_url or call.visit.landing_url)
    lines = (came_from(call), page, ", ".join(call.tags), call.link)
    return [line for line in lines if line]


def utm_of(call: CallFacts) -> dict[str, str]:
    """The source as its five marks."""
    told = {
        "source": call.source, "medium": call.medium, "campaign": call.campaign, "content": call.content,
        "term": call.keyword,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value}


def is_inbound(call: CallFacts) -> bool:
    """Whether the other side called; a callback is one that was asked for, and ours to make."""
    return call.direction is Direction.IN


def may_be_new(call: CallFacts) -> bool:
    """Whether the other side may be somebody new, of whom a lead is made; whom we call ourselves is not."""
    return call.direction is not Direction.OUT


def seconds_of(call: CallFacts) -> int:
    """For how long they talked."""
    return round(call.talk_seconds or 0)


def local(at: datetime, call: CallFacts) -> datetime:
    """By the company's clock."""
    return at.astimezone(ZoneInfo(call.timezone))


def in_base64(sound: Sound) -> str:
    """The file as text."""
    return base64.b64encode(sound.content).decode()


def last_digits(e164: str, most: int = 10) -> str:
    """What a number is looked for by, however it was typed over there."""
    return re.sub(r"\D", "", e164)[-most:]
