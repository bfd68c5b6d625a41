"""The trial of a plan in words: each event a line, and the same of a way that was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from tracker.policy.plan import Cause, Place, Plan
from tracker.policy.plan_trial import Answer, Event, What
from web.settings.plan_words import KINDS

ANSWERS = {
    Answer.ANSWERS: _("answers"),
    Answer.SILENT: _("does not answer"),
    Answer.BUSY: _("is busy"),
    Answer.DECLINES: _("declines"),
    Answer.UNREACHABLE: _("cannot be reached"),
}
EVENTS = {
    What.CAME: _("The call comes here"),
    What.RINGS: _("%(about)s rings"),
    What.ANSWERED: _("%(about)s answers"),
    What.NO_ANSWER: _("%(about)s does not answer"),
    What.BUSY: _("%(about)s is busy or declines"),
    What.UNREACHABLE: _("%(about)s cannot be reached"),
    What.FULL: _("%(about)s has as many calls as it may"),
    What.PRESSED: _("The caller presses %(about)s"),
    What.CODE: _("The caller types the code %(about)s"),
    What.MESSAGE: _("The caller leaves a message"),
    What.RECORDING: _("The caller is told of the recording"),
    What.GAVE_UP: _("The caller hangs up"),
    What.ENDED: _("The call ends"),
}
REFUSED = _("The caller refuses to be recorded")
ENDED = {
    Cause.BUSY: _("The call ends: busy"),
    Cause.REFUSED: _("The call ends: turned away"),
    Cause.NO_ANSWER: _("The call ends: nobody answered"),
}
TONES = {
    What.ANSWERED: "good",
    What.MESSAGE: "warn",
    What.GAVE_UP: "warn",
    What.ENDED: "bad",
    What.CAME: "mute",
}


@dataclass(frozen=True)
class Line:
    """A line of a trial."""

    place: Place
    words: str
    tone: str
    plan: str
    seconds: float | None = None


def line(event: Event, kinds: Mapping[tuple[str, Place], str]) -> Line:
    """An event in words; `kinds` of the steps by plan and place."""
    words = EVENTS[event.what]
    if event.what is What.RECORDING and event.about == "refused":
        words = REFUSED
    if event.what is What.ENDED and event.about in list(Cause):
        words = ENDED[Cause(event.about)]
    said = str(words) % {"about": event.about}
    if event.what is What.CAME:
        said = kinds.get((event.plan, event.place), said)
    return Line(event.place, said, TONES.get(event.what, ""), event.plan, event.seconds)


def kinds_of(plans: Mapping[str, Plan]) -> dict[tuple[str, Place], str]:
    """The kind of each step in words, by plan and place."""
    return {
        (name, place): str(KINDS[type(step)])
        for name, plan in plans.items()
        for place, step in plan.steps.items()
    }


def kept_line(text: str, kinds: Mapping[tuple[str, Place], str]) -> str:
    """A line of a way that was kept, "office/sales: rings reception", as it is told here."""
    where, _colon, rest = text.partition(": ")
    plan, _slash, place = where.rpartition("/")
    for what in sorted(What, key=len, reverse=True):
        if rest == what or rest.startswith(f"{what} "):
            event = Event(0.0, plan, place, what, rest[len(what) :].strip())
            return f"{place}: {line(event, kinds).words}"
    return text
