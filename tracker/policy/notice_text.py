"""A call in a few lines for people who read them on a phone, in the words of a language.

English stands here; `Tongue.translate` puts it into the company's language (`N_` marks what it translates).
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tracker.policy.alert_words import N_
from tracker.policy.delivering import Event
from tracker.policy.facts import Outcome
from tracker.policy.parcels import CallFacts
from tracker.policy.phone import display
from tracker.policy.tongue import Tongue
from tracker.policy.worth import Category

OPEN = N_("Open the call")
LONGEST = 300  # of a line; a name or a campaign can be anything
_JUDGED = {
    Category.TARGET: N_("Target call from %(caller)s"),
    Category.SERVICE: N_("Service call from %(caller)s"),
    Category.NON_TARGET: N_("Non-target call from %(caller)s"),
    None: N_("Call from %(caller)s without a category again"),
}


@dataclass(frozen=True)
class Notice:
    """What is told: a head, some lines, and the address of the call's page."""

    head: str
    lines: tuple[str, ...]
    link: str
    open: str  # what stands for the address


def write_notice(event: Event, call: CallFacts, tongue: Tongue) -> Notice:
    """The notice of an event of a call."""
    head = tongue.tell(_head(event, call), caller=_caller(call, tongue))
    lines = tuple(_short(line) for line in _lines(call, tongue))
    return Notice(f"[{call.company_name}] {_short(head)}", lines, call.link, tongue.tell(OPEN))


def is_missed(call: CallFacts) -> bool:
    """Whether the caller reached nobody, be it that he left a message; who was declined is not missed."""
    return call.ended_at is not None and not call.answered and call.outcome is not Outcome.REFUSED


def _head(event: Event, call: CallFacts) -> str:
    if event is Event.STARTED:
        return N_("%(caller)s is calling")
    if event is Event.CATEGORISED:
        return _JUDGED[call.category]
    if call.left_message:
        return N_("Message from %(caller)s")
    if event is Event.RECORDED:
        return N_("The recording of the call from %(caller)s is there")
    if call.answered:
        return N_("Answered call from %(caller)s")
    return N_("Missed call from %(caller)s") if is_missed(call) else N_("Declined call from %(caller)s")


def _lines(call: CallFacts, tongue: Tongue) -> list[str]:
    at = call.started_at.astimezone(ZoneInfo(call.timezone))
    source = " · ".join(part for part in (call.channel or call.source, call.campaign, call.keyword) if part)
    told = [
        tongue.tell(N_("When: %(at)s"), at=f"{at:%Y-%m-%d %H:%M %Z}"),
        tongue.tell(N_("Number: %(number)s"), number=display(call.number, call.region)),
        tongue.tell(N_("Source: %(source)s"), source=source or "–"),
    ]
    if call.answered and call.answered_by:
        told.append(tongue.tell(N_("Answered by: %(name)s"), name=call.answered_by))
    if call.talk_seconds:
        told.append(tongue.tell(N_("Length: %(length)s"), length=_length(call.talk_seconds)))
    elif call.wait_seconds and call.ended_at:
        told.append(tongue.tell(N_("Waited: %(length)s"), length=_length(call.wait_seconds)))
    if call.caller:
        told.append(tongue.tell(N_("Has called before") if call.repeat else N_("First call")))
    return told


def _caller(call: CallFacts, tongue: Tongue) -> str:
    if call.caller is None:
        return tongue.tell(N_("a withheld number"))
    shown = display(call.caller, call.region)
    return f"{shown} ({call.caller_name})" if call.caller_name else shown


def _length(seconds: float) -> str:
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def _short(line: str) -> str:
    return " ".join(line.split())[:LONGEST]
