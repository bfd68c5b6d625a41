"""What a call's page says of where the caller is, which way the call took, and what can be heard of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from flask_babel import get_locale, gettext, lazy_gettext

from recordings.decide import is_lost, shortness
from tracker.calls import shown_caller
from tracker.models import Call, CallEvent, RecordingState, Withheld
from tracker.policy.facts import Outcome
from tracker.policy.money import write_amount
from tracker.policy.phone import Line, place_of
from tracker.policy.route import Leg, Result, route
from web.call_story import fact_of
from web.house import house
from web.languages import language

SOON = timedelta(minutes=5)  # after a call's end its recording is usually ready within seconds

LINES = {
    Line.FIXED: lazy_gettext("landline"),
    Line.MOBILE: lazy_gettext("mobile phone"),
    Line.INTERNET: lazy_gettext("internet telephone"),
    Line.TOLL_FREE: lazy_gettext("toll-free number"),
}
RESULTS = {
    Result.ANSWERED: (lazy_gettext("answered"), "good"),
    Result.NO_ANSWER: (lazy_gettext("no answer"), "warn"),
    Result.BUSY: (lazy_gettext("busy"), "warn"),
    Result.DECLINED: (lazy_gettext("declined"), "warn"),
    Result.UNREACHABLE: (lazy_gettext("not reachable"), "warn"),
    Result.GAVE_UP: (lazy_gettext("the caller hung up"), "warn"),
}
GOING_ON = lazy_gettext("The call is going on. Its recording will be here when it is over.")
IN_A_MOMENT = lazy_gettext("The call is over; its recording will be here in a moment.")
TRIED_AGAIN = lazy_gettext(
    "The recording could not be prepared so far and is tried again; nothing of it is lost."
    " Whoever runs Leaseline sees the reason with “leaseline doctor”."
)
LATE = lazy_gettext(
    "The recording takes longer than usual. If it is not here in some minutes, tell whoever runs Leaseline."
)
FILE_MISSING = lazy_gettext(
    "The recording’s file is missing from the place where recordings are kept."
    " Tell whoever runs Leaseline; as soon as it is back, it can be heard here."
)
LOST = lazy_gettext("People talked, but nothing was recorded. Tell whoever runs Leaseline.")
UNPLAYABLE = lazy_gettext("Something was recorded that cannot be played. The original file is kept aside.")
WITHHELD = {
    Withheld.REFUSED: lazy_gettext("Not recorded: the caller refused it by a key."),
    Withheld.NOT_AGREED: lazy_gettext("Not recorded: the caller did not agree."),
    Withheld.NOT_ASKED: lazy_gettext(
        "Not recorded: the announcement could not be played, so the caller could not be asked."
    ),
    Withheld.LISTED: lazy_gettext("Not recorded: this caller is never recorded."),
    Withheld.FORBIDDEN: lazy_gettext("Not recorded: whoever took the call forbade it by a code."),
}
DELETED = lazy_gettext("The recording was deleted. What is known of the call stays.")
NOBODY_ANSWERED = lazy_gettext("Nobody answered, so nothing was recorded.")
NOT_RECORDED = lazy_gettext("Calls to this number are not recorded.")
NOT_HEARD = lazy_gettext("No sound came through here: another phone system had this call and reported it.")
NOTHING = lazy_gettext("Nothing was recorded.")
STRANGERS = {
    None: lazy_gettext("The call is going on. Open this page again when it is over."),
    RecordingState.PENDING: lazy_gettext(
        "The recording is being prepared. Open this page again in a minute."
    ),
    RecordingState.DAMAGED: lazy_gettext("The recording of this call cannot be played."),
    RecordingState.DELETED: lazy_gettext("The recording of this call was deleted."),
}


@dataclass(frozen=True)
class Rung:
    """A target that was rung: its name, for how long, what came of it, as a word and a colour."""

    name: str
    seconds: float | None
    word: str
    tone: str


def install(app: Flask) -> None:
    """Gives the templates their vocabulary."""
    app.jinja_env.globals.update(
        place_words=place_words, country=country, missing_words=missing_words, short_words=short_words,
        amount_text=amount_text, unheard_words=unheard_words, unfolds=unfolds,
    )  # fmt: skip


def way(events: Sequence[CallEvent], targets: Mapping[int, str]) -> list[Rung]:
    """Which targets were rung, in which order."""
    legs = route(fact for event in events if (fact := fact_of(event)) is not None)
    return [
        Rung(_name(leg, targets), leg.seconds, str(RESULTS[leg.result][0]), RESULTS[leg.result][1])
        for leg in legs
    ]


def _name(leg: Leg, targets: Mapping[int, str]) -> str:
    """The target's name; of one that no witness told, or that is there no more, what is known."""
    if name := targets.get(leg.target_id or 0):
        return name
    if leg.result is Result.GAVE_UP:
        return str(gettext("It rang"))
    return str(gettext("Somebody") if leg.result is Result.ANSWERED else gettext("A target"))


def place_words(call: Call) -> str:
    """ "Germany, mobile phone"; "" for a caller who hides, or whose number says nothing."""
    place = place_of(shown_caller(call) or "")
    if place is None:
        return ""
    line = str(LINES[place.line]) if place.line else ""
    return ", ".join(part for part in (country(place.country), line) if part)


def country(code: str | None) -> str:
    """A country's name in the page's language; "" for a code that is none."""
    return str(get_locale().territories.get(code, "")) if code and len(code) == 2 else ""


def amount_text(call: Call) -> str:
    """The call's value as its field has it, without a sign."""
    return "" if call.value is None else write_amount(call.value, call.company.currency, language())


def missing_words(call: Call, state: RecordingState | None) -> str:
    """Why there is nothing to hear of a call, and what comes next."""
    words = {None: GOING_ON, RecordingState.PENDING: _pending(call), RecordingState.DAMAGED: _damaged(call)}
    return str(words.get(state) or _gone(call, state))


def unheard_words(call: Call, state: RecordingState | None) -> str:
    """The same for a stranger, whom the company's machinery does not concern."""
    return str(STRANGERS.get(state) or _gone(call, state))


def short_words(call: Call) -> str:
    """What is missing of a recording that can be played; "" when nothing is."""
    it = call.recording
    if it is None or it.seconds is None:
        return ""
    left_out = sum(seconds for _, seconds in it.pauses)
    if shortness(it.seconds, (call.talk_seconds or 0) - left_out) is None:
        return ""
    return str(gettext(
        "Only a part was recorded: %(seconds)s of %(talk)s seconds.",
        seconds=round(it.seconds), talk=round(call.talk_seconds or 0),
    ))  # fmt: skip


def unfolds(call: Call) -> bool:
    """Whether the page of the call has more to say in a moment: its end, or its recording."""
    if call.ended_at is None:
        return True
    is_pending = call.recording is not None and call.recording.state is RecordingState.PENDING
    return is_pending and house().clock() - call.ended_at <= SOON


def _gone(call: Call, state: RecordingState | None) -> object:
    if state is RecordingState.DELETED and not (call.recording and call.recording.withheld):
        return DELETED
    if call.outcome is Outcome.ANSWERED and call.reported is not None:
        return NOT_HEARD
    if call.answered_at is None:
        return NOBODY_ANSWERED
    if call.recording is not None and call.recording.withheld:
        return WITHHELD[call.recording.withheld]
    return NOTHING if call.number.record else NOT_RECORDED


def _pending(call: Call) -> object:
    if call.ended_at is None or house().clock() - call.ended_at <= SOON:
        return IN_A_MOMENT
    return TRIED_AGAIN if call.recording and call.recording.problem else LATE


def _damaged(call: Call) -> object:
    it = call.recording
    if it is not None and it.path:
        return FILE_MISSING
    return LOST if it is not None and is_lost(it.problem) else UNPLAYABLE
