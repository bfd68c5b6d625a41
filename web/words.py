"""The words, colours and icons of the page: outcomes, sources and how sure, recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from tracker.calls import Source, source_of, source_of_channel, source_of_visit
from tracker.links import LINK
from tracker.messages import message_seconds
from tracker.models import Call, CallCandidate, Recording, RecordingState
from tracker.policy.attribution import Basis, Reason
from tracker.policy.facts import (
    Direction,
    HungUpBy,
    Outcome,
    Presentation,
)
from tracker.policy.rights import Role
from tracker.policy.touches import Touches
from tracker.policy.worth import Category, Ground, Suggestion
from tracker.worth import INLET, PHONE

QUIET, QUIET_SECONDS = 3, 2.0  # a peak of so many per cent is noise; shorter pauses belong to the talk
CERTAIN = 0.9995  # what rounds to 100.0 %


@dataclass(frozen=True)
class Badge:
    """An outcome as colour, word and icon together, so that none of them is needed alone."""

    word: str
    tone: str
    icon: str


OUTCOMES = {
    Outcome.ANSWERED: Badge(_("Answered"), "good", "answered"),
    Outcome.MISSED: Badge(_("Missed"), "bad", "missed"),
    Outcome.BUSY: Badge(_("Busy"), "warn", "busy"),
    Outcome.FAILED: Badge(_("Failed"), "bad", "failed"),
    Outcome.GAVE_UP: Badge(_("Gave up"), "warn", "gave-up"),
    Outcome.REFUSED: Badge(_("Declined"), "mute", "refused"),
}
# Of calls that we made.
OUTGOING = {
    Outcome.MISSED: Badge(_("No answer"), "warn", "missed"),
    Outcome.GAVE_UP: Badge(_("Given up"), "mute", "gave-up"),
}
GOING_ON = Badge(_("In progress"), "live", "ringing")
INTERRUPTED = Badge(_("Interrupted"), "warn", "failed")

ROLES = {
    Role.OWNER: _("Owner"),
    Role.ADMIN: _("Admin"),
    Role.MANAGER: _("Manager"),
    Role.LISTENER: _("Listener"),
}
CATEGORIES = {
    Category.TARGET: Badge(_("Target"), "good", "target"),
    Category.SERVICE: Badge(_("Service"), "live", "service"),
    Category.NON_TARGET: Badge(_("Non-target"), "mute", "non-target"),
}
NO_CATEGORY = Badge(_("Not judged"), "mute", "unsure")

# What is not said of most calls, which come in.
DIRECTIONS = {Direction.OUT: _("Outgoing"), Direction.CALLBACK: _("Callback")}

NO_NUMBER = {
    Presentation.WITHHELD: _("Withheld number"),
    Presentation.UNAVAILABLE: _("Unknown number"),
    Presentation.ALLOWED: _("Unknown number"),
}

RECORDINGS = {
    RecordingState.NONE: _("No recording"),
    RecordingState.PENDING: _("Being prepared"),
    RecordingState.DAMAGED: _("Damaged"),
    RecordingState.DELETED: _("Deleted"),
}

SIDES = {
    HungUpBy.CALLER: _("Caller"),
    HungUpBy.COMPANY: _("Company"),
    HungUpBy.SYSTEM: _("Phone system"),
}
ENDED_BY = {
    HungUpBy.CALLER: _("by the caller"),
    HungUpBy.COMPANY: _("by the company"),
    HungUpBy.SYSTEM: _("by the phone system"),
}

DECLINED_BY = _("%(name)s declined the call")
NOT_TAKEN = _("%(name)s did not take the call")
UNREACHED = _("%(name)s could not be reached")
LEGS = {
    "BUSY": _("%(name)s was busy"),
    "NOANSWER": _("%(name)s did not answer"),
    "CHANUNAVAIL": UNREACHED,
    "CONGESTION": UNREACHED,
    "DONTCALL": DECLINED_BY,
    "TORTURE": DECLINED_BY,
    "CANCEL": _("%(name)s was ringing when the caller hung up"),
}

BASES = {
    Basis.CHANNEL: _("The number belongs to this channel"),
    Basis.LEASE: _("This visitor was shown the number"),
    Basis.REPEAT: _("The caller is known from an earlier call"),
    Basis.CODE: _("The caller told this visitor's code"),
}
REASONS = {
    Reason.CODE: _("the caller told this visitor's code"),
    Reason.CALLBACK: _("asked on the website to be called back"),
    Reason.REPORTED: _("the call tracking that had the call says so"),
    Reason.PHONE_CLICK: _("clicked the phone link just before"),
    Reason.PRESENT: _("was on the website when the call came"),
    Reason.JUST_CAME: _("had come seconds before"),
    Reason.JUST_LEFT: _("had just left the website"),
    Reason.LEFT_MINUTES_AGO: _("had left minutes before"),
    Reason.LEFT_HOURS_AGO: _("had left hours before"),
    Reason.LEFT_DAYS_AGO: _("had left days before"),
    Reason.CAME_AGAIN: _("has been on the website again since"),
    Reason.KNOWN_CALLER: _("the caller is known from an earlier call"),
    Reason.OTHER_PHONE: _("has called before, from another phone"),
    Reason.DEVICE_PHONE: _("was browsing on a phone"),
    Reason.OTHER_COUNTRY: _("the caller's phone is of another country"),
    Reason.CHANNEL: _("the number belongs to this channel"),
    Reason.FORMER_CHANNEL: _("the number belonged to this channel before"),
}
MISSED = {
    "pool_empty": _("None of his own: all were held for others"),
    "reserved": _("None of his own: the last were kept for paid advertising"),
    "shared": _("None of his own: visitors from this source share one"),
    "no_pool": _("None: no number of the website is replaced"),
    "consent": _("None: the visitor did not agree to be remembered"),
    "bot": _("None: it looked like a robot"),
    "limited": _("None: too many requests came from there"),
    "untrusted": _("None: it looked automated while numbers were scarce"),
}
# The same, after a count of visitors.
WITHOUT = {
    "pool_empty": _("without: all numbers were taken"),
    "reserved": _("without: the last numbers were kept for paid advertising"),
    "shared": _("without: visitors from that source share one"),
    "no_pool": _("without: no number of the website is replaced"),
    "consent": _("without: they did not agree to be remembered"),
    "bot": _("robots, not counted as visitors"),
    "limited": _("refused: too many requests, not counted as visitors"),
    "untrusted": _("without: they looked automated while numbers were scarce"),
}
DEVICES = {"phone": _("Phone"), "tablet": _("Tablet"), "desktop": _("Computer")}


def badge(call: Call) -> Badge:
    if call.outcome is None:
        return GOING_ON
    return INTERRUPTED if call.interrupted else outcome_badge(call.outcome, call.direction)


def outcome_badge(outcome: Outcome, direction: Direction) -> Badge:
    """An outcome as it is called of a call that came in, or that we made."""
    ours = OUTGOING.get(outcome) if direction is Direction.OUT else None
    return ours or OUTCOMES[outcome]


def worth_of(category: Category | None) -> Badge:
    return CATEGORIES[category] if category else NO_CATEGORY


def hand_words(actor: str) -> str:
    """Whose hand a change came from, where it is nobody's account: “Office, on the phone”."""
    if actor.startswith(PHONE):
        return gettext("%(name)s, on the phone", name=actor.removeprefix(PHONE))
    if actor.startswith(INLET):
        return gettext("inlet %(name)s", name=actor.removeprefix(INLET))
    if actor.startswith(LINK):
        return gettext("Link %(number)s", number=actor.removeprefix(LINK))
    return actor


def suggestion_words(it: Suggestion, since: str) -> str:
    """What is suggested and why, a sentence; `since` tells the day of the call it rests on."""
    said = {
        Ground.SHORT_TALK: gettext("they talked for a few seconds only"),
        Ground.CLIENT: gettext("this number called %(since)s and was a client", since=since),
        Ground.NOBODYS_CLIENT: gettext("this number called %(since)s and was non-target", since=since),
    }[it.ground]
    return gettext(
        "Perhaps %(category)s: %(ground)s.", category=str(CATEGORIES[it.category].word).lower(), ground=said
    )


def source_title(source: Source | None) -> str:
    """The first line: the channel's own name, or who sent the visitor."""
    if source is None:
        return gettext("Not attributed")
    return source.channel or plain(source.source)


def source_detail(source: Source | None) -> str:
    """The second line: what is left to say, in the order of a campaign report."""
    if source is None:
        return ""
    parts = [plain(source.medium), source.campaign, source.keyword]
    if source.channel and source.source.casefold() != source.channel.casefold():
        parts.insert(0, source.source)
    return " · ".join(part for part in parts if part)


def plain(word: str) -> str:
    """A source or medium without the brackets of analytics: who came by himself came "Direct"."""
    if word == "(direct)":
        return gettext("Direct")
    return "" if word == "(none)" else word


@dataclass(frozen=True)
class Certainty:
    """How sure a call's source is, in words, per cent where that says more, and as a colour."""

    word: str
    percent: str
    tone: str


def certainty(call: Call, candidates: Sequence[CallCandidate] = ()) -> Certainty:
    """ "97 % sure", "Two candidates 62 %", "Uncertain 62 %", "Certain", "Not known"."""
    named = source_of(call) is not None
    if call.uncertain:
        return Certainty(_doubt(len(candidates)), percent(call.probability), "warn")
    if not named:
        return Certainty(gettext("Not known"), "", "mute")
    if call.probability is None or call.probability >= CERTAIN:
        return Certainty(gettext("Certain"), "", "good")
    return Certainty(gettext("%(percent)s sure", percent=percent(call.probability)), "", "good")


def _doubt(candidates: int) -> str:
    several = {2: gettext("Two candidates"), 3: gettext("Three candidates")}
    return several.get(candidates, gettext("Several candidates")) if candidates > 1 else gettext("Uncertain")


def percent(probability: float | None) -> str:
    """ "97 %"; never rounded to a certainty or an impossibility that it is not."""
    if probability is None:
        return ""
    if probability < CERTAIN and round(100 * probability) == 100:
        return gettext("over %(percent)s", percent="99\N{NO-BREAK SPACE}%")
    if probability > 0 and round(100 * probability) == 0:
        return gettext("under %(percent)s", percent="1\N{NO-BREAK SPACE}%")
    return f"{round(100 * probability)}\N{NO-BREAK SPACE}%"


def reasons(candidate: CallCandidate) -> str:
    """What speaks for or against a candidate; a word that is new here stands for itself."""
    known = [_reason(word) for word in candidate.reasons]
    base = str(BASES[candidate.basis])
    return "; ".join(known) or base[0].lower() + base[1:]


def why(basis: Basis, named: CallCandidate | None) -> str:
    """What names a call's source, and what else speaks for it."""
    if named and Reason.CALLBACK in named.reasons:
        return gettext("The visitor asked on the website to be called back.")
    if named and Reason.REPORTED in named.reasons:
        return gettext("The call tracking that had the call says so.")
    said = {
        Basis.CODE: Reason.CODE, Basis.REPEAT: Reason.KNOWN_CALLER, Basis.CHANNEL: Reason.CHANNEL,
    }.get(basis)  # fmt: skip
    more = [_reason(word) for word in named.reasons if word != said] if named else []
    return "; ".join([str(BASES[basis]), *more]) + "."


def _reason(word: str) -> str:
    try:
        return str(REASONS[Reason(word)])
    except ValueError:
        return word.replace("_", " ")


def touch_words(touches: Touches, visit_id: int) -> list[str]:
    """Which of the visitor's touches a visit is."""
    it = touches
    non_direct = None if it.last_non_direct and it.last_non_direct.is_direct else it.last_non_direct
    named = (
        (gettext("First touch"), it.first),
        (gettext("Last touch"), it.last),
        (gettext("Last non-direct touch"), non_direct),
    )
    return [word for word, touch in named if touch and touch.visit_id == visit_id]


def candidate_source(candidate: CallCandidate) -> Source | None:
    if candidate.visit is not None:
        return source_of_visit(candidate.visit)
    return source_of_channel(candidate.channel) if candidate.channel is not None else None


def is_named(candidate: CallCandidate, call: Call) -> bool:
    """Whether this candidate is the one the call is attributed to."""
    return (candidate.visit_id, candidate.channel_id) == (call.visit_id, call.channel_id)


def message_words(call: Call) -> str:
    """What marks a call with which somebody left a message."""
    seconds = message_seconds(call)
    if seconds is None:
        return str(gettext("Message"))
    minutes, rest = divmod(round(seconds), 60)
    length = f"{minutes}:{rest:02}"
    return str(gettext("Message, %(length)s", length=length))


def best_kind(recording: Recording) -> str:
    """What a browser plays: the MP3, which every browser knows, else the WAV."""
    return "mp3" if any(name.endswith(".mp3") for name in recording.copies) else "wav"


def peaks_of(recording: Recording, bars: int) -> list[tuple[int, int]]:
    """The waveform as so many pairs (caller, company), 0 to 100, the loudest in each stretch."""
    stored = recording.peaks or {}
    sides = [_fitted(list(stored.get(name) or []), bars) for name in ("caller", "company")]
    loudest = max((*sides[0], *sides[1], 25))  # a quiet line fills the height too, silence does not
    return [(100 * left // loudest, 100 * right // loudest) for left, right in zip(*sides, strict=True)]


def quiet_of(recording: Recording) -> list[tuple[float, float]]:
    """The stretches of two seconds and more in which neither side says anything, as (from, to) in seconds."""
    stored, seconds = recording.peaks or {}, recording.seconds or 0.0
    loudest = [
        max(pair) for pair in zip(stored.get("caller") or (), stored.get("company") or (), strict=False)
    ]
    found, at, step = [], 0, seconds / max(1, len(loudest))
    for is_quiet, points in groupby(loudest, key=lambda peak: peak <= QUIET):
        begun, at = at, at + len(list(points))
        if is_quiet and (at - begun) * step >= QUIET_SECONDS:
            found.append((round(begun * step, 1), round(at * step, 1)))
    return found


def _fitted(points: list[int], bars: int) -> list[int]:
    if not points:
        return [0] * bars
    edges = [round(index * len(points) / bars) for index in range(bars + 1)]
    return [max(points[start : max(end, start + 1)] or points[-1:]) for start, end in pairwise(edges)]
