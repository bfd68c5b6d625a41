"""A plan's document: mappings and lists as YAML and JSON have them.

plan = read_plan("office", {
    "start": "hours",
    "steps": {
        "hours": {"kind": "hours", "open": {"mon-fri": "09:00-18:00"}, "holidays": ["01-01", "2027-04-05"],
                  "then": "sales", "closed": "box"},
        "sales": {"kind": "ring", "targets": ["reception:20", "mobile:25"], "then": "box"},
        "box": {"kind": "voicemail", "say": "Please leave a message"},
    },
})
document_of(plan)        # the same document
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tracker.errors import Rejected, Said, say
from tracker.policy.plan import (
    FINISHED,
    Branch,
    By,
    Cause,
    Code,
    Consent,
    Hangup,
    Hours,
    Last,
    Member,
    Menu,
    Opening,
    Order,
    Other,
    Plan,
    Prompt,
    Responsible,
    Ring,
    Say,
    Span,
    SpecialDay,
    Step,
    Voicemail,
    keyed,
)
from tracker.policy.plan_days import MOST_DAYS, days_between
from tracker.policy.week import DAYS

USUAL_SECONDS = 25
NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})", re.ASCII)
_NUMBERS = re.compile(r"\+[1-9][0-9]{0,14}\*?|withheld", re.ASCII)
_DATE = re.compile(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})", re.ASCII)


def read_plan(name: str, told: object) -> Plan:
    """The plan of that document. Raises Rejected plan.malformed, naming the step and what is meant."""
    document = _Told("", told)
    steps = document.mapping("steps")
    for place in steps:
        if not NAME.fullmatch(place) or place == FINISHED:
            raise document.wrong(
                say("“%(place)s” is no name of a step", place=place[:40]),
                say("Use small letters, digits and hyphens"),
            )
    found = {place: _step(_Told(place, step)) for place, step in steps.items()}
    start = document.text("start", next(iter(found), ""))
    document.done()
    return Plan(name, start, found)


class _Told:
    """What is told of a step; what nobody has asked for in the end is a mistake."""

    def __init__(self, place: str, told: object) -> None:
        self._place = place
        if not isinstance(told, Mapping) or not all(isinstance(key, str) for key in told):
            raise self.wrong(say("It is no list of words and values"), say("See `leaseline plan example`"))
        self._told: dict[str, Any] = dict(told)

    def wrong(self, problem: Said, remedy: Said) -> Rejected:
        where = say("Step %(place)s: ", place=self._place) if self._place else ""
        return Rejected(
            "plan.malformed",
            "%(where)s%(problem)s",
            "%(remedy)s",
            where=where,
            problem=problem,
            remedy=remedy,
        )

    def take(self, name: str, usual: Any = None) -> Any:
        return self._told.pop(name, usual)

    def text(self, name: str, usual: str | None = None) -> str:
        told = self.take(name, usual)
        if not isinstance(told, str) or not told.strip():
            raise self.wrong(_is(name, told), say("Give a word for %(name)s", name=name))
        return told.strip()

    def some_text(self, name: str) -> str | None:
        return self.text(name) if name in self._told else None

    def number(self, name: str, usual: int) -> int:
        told = self.take(name, usual)
        if not isinstance(told, int) or isinstance(told, bool):
            raise self.wrong(_is(name, told), say("Give a whole number for %(name)s", name=name))
        return told

    def mapping(self, name: str) -> dict[str, Any]:
        told = self.take(name, {})
        if not isinstance(told, Mapping):
            raise self.wrong(_is(name, told), say("Give words and values for %(name)s", name=name))
        for key in told:
            if not isinstance(key, str | int) or isinstance(key, bool):  # YAML's own words: no, on, ~
                raise self.wrong(
                    say("%(name)s has the word %(told)s", name=name, told=repr(key)[:40]),
                    say("Put what stands there between quotes: “no” is no word to YAML"),
                )
        return {str(key): value for key, value in told.items()}

    def several(self, name: str) -> list[Any]:
        told = self.take(name, [])
        return list(told) if isinstance(told, Sequence) and not isinstance(told, str) else [told]

    def prompt(self, name: str = "say") -> Prompt:
        told = self.take(name)
        if isinstance(told, str) and told.strip():
            return Prompt(words=told.strip())
        if isinstance(told, Mapping) and told.keys() <= {"sound", "words", "language"}:
            found = Prompt(**{str(key): str(value) for key, value in told.items()})
            if (found.sound is None) != (found.words is None):
                return found
        raise self.wrong(_is(name, told), say("Give words to speak, or `{sound: name}`"))

    def done(self) -> None:
        if self._told:
            raise self.wrong(
                say("%(names)s says nothing here", names=sorted(self._told)), say("Take it away")
            )


def _is(name: str, told: object) -> Said:
    return say("%(name)s is %(told)s", name=name, told=repr(told)[:60])


def _one_of(words: Iterable[str]) -> Said:
    return say("Give one of %(words)s", words=list(words))


def _step(told: _Told) -> Step:
    kind = told.text("kind")
    if kind not in _KINDS:
        raise told.wrong(say("“%(kind)s” is no kind of step", kind=kind), _one_of(_KINDS))
    step = _KINDS[kind](told)
    told.done()
    return step


def _hours(told: _Told) -> Hours:
    openings = tuple(
        Opening(_days(told, days), _spans(told, spans)) for days, spans in told.mapping("open").items()
    )
    special = [day for days in told.several("holidays") for day in _special(told, str(days), "")]
    special += [day for days, spans in told.mapping("special").items() for day in _special(told, days, spans)]
    return Hours(openings, told.text("then"), told.text("closed", FINISHED), tuple(special))


def _days(told: _Told, text: str) -> tuple[int, ...]:
    """ "mon-fri", "sat", "mon, wed" """
    found: list[int] = []
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise told.wrong(say("“%(text)s” are no days", text=text), say("Give them as mon-fri, sat"))
        begun, ended = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(begun, ended + 1 + (7 if ended < begun else 0))]
    return tuple(dict.fromkeys(found))


def _spans(told: _Told, text: object) -> tuple[Span, ...]:
    """ "09:00-13:00, 14:00-18:00"; nothing: closed."""
    parts = [part for part in str(text or "").replace(" ", "").split(",") if part]
    return tuple(_span(told, part) for part in parts)


def _span(told: _Told, part: str) -> Span:
    begun, _, ended = part.partition("-")
    clocks = [_CLOCK.fullmatch(each) for each in (begun, ended)]
    minutes = [60 * int(each[1]) + int(each[2]) for each in clocks if each and int(each[2]) < 60]
    if len(minutes) != 2:
        raise told.wrong(
            say("“%(part)s” are no hours", part=part), say("Give them as 09:00-18:00; 24:00 is midnight")
        )
    return Span(*minutes)


def _special(told: _Told, days: str, spans: object) -> list[SpecialDay]:
    """ "2027-04-05", or "12-24..01-06" for all from then to then."""
    hours = _spans(told, spans)
    first, to, last = (part.strip() for part in days.partition(".."))
    begun = replace(_day(told, first), spans=hours)
    found = days_between(begun, _day(told, last)) if to else [begun]
    if not found:
        raise told.wrong(
            say("“%(days)s” are not 1 to %(most)s days", days=days, most=MOST_DAYS),
            say("Give the first day and the last, both with a year or neither: 12-24..01-06"),
        )
    return found


def _day(told: _Told, day: str) -> SpecialDay:
    found = _DATE.fullmatch(day)
    if found is None or not 1 <= int(found[2]) <= 12 or not 1 <= int(found[3]) <= 31:
        raise told.wrong(
            say("“%(day)s” is no day", day=day), say("Give it as 2027-04-05, or 01-01 for each year")
        )
    return SpecialDay(int(found[2]), int(found[3]), int(found[1]) if found[1] else None)


def _ring(told: _Told) -> Ring:
    members = tuple(_member(told, each) for each in told.several("targets"))
    order = told.text("order", Order.IN_TURN)
    if order not in list(Order):
        raise told.wrong(say("“%(order)s” is no order", order=order), _one_of(Order))
    then = told.text("then", FINISHED)
    return Ring(members, Order(order), then, told.some_text("busy"), told.some_text("unreachable"))


def _member(told: _Told, each: object) -> Member:
    """ "reception:20", or a mapping with target, seconds, weight, most."""
    if isinstance(each, str):
        name, _, seconds = each.rpartition(":") if re.search(r":[0-9]+$", each) else (each, "", "")
        return Member(name.strip(), int(seconds or USUAL_SECONDS))
    inner = _Told(told._place, each)
    found = Member(
        inner.text("target"),
        inner.number("seconds", USUAL_SECONDS),
        inner.number("weight", 1),
        inner.number("most", 0),
    )
    inner.done()
    return found


def _branch(told: _Told) -> Branch:
    by = told.text("by")
    if by not in list(By):
        raise told.wrong(say("“%(by)s” is nothing that is known of a call", by=by), _one_of(By))
    cases = {_word(told, By(by), word): str(place) for word, place in told.mapping("cases").items()}
    return Branch(By(by), cases, told.text("then"))


def _word(told: _Told, by: By, word: str) -> str:
    """As it is compared: a caller's number as it is dialled from everywhere, all else as one plain word."""
    if by is not By.NUMBER:
        return keyed(word)
    number = re.sub(r"[ ().-]", "", word)
    if not _NUMBERS.fullmatch(number):
        raise told.wrong(
            say("“%(word)s” are no callers", word=word[:40]),
            say("Give +4930123456, +4930* for all that begin so, or withheld"),
        )
    return number


def _hangup(told: _Told) -> Hangup:
    cause = told.text("cause", Cause.REFUSED)
    if cause not in list(Cause):
        raise told.wrong(say("“%(cause)s” is no cause", cause=cause), _one_of(Cause))
    return Hangup(Cause(cause))


_KINDS: dict[str, Callable[[_Told], Step]] = {
    "hours": _hours,
    "ring": _ring,
    "say": lambda told: Say(told.prompt(), told.text("then")),
    "menu": lambda told: Menu(
        told.prompt(),
        {key: str(place) for key, place in told.mapping("keys").items()},
        told.text("then"),
        told.number("seconds", 5),
        told.number("tries", 2),
    ),
    "last": lambda told: Last(told.text("then"), told.number("seconds", 20)),
    "responsible": lambda told: Responsible(told.text("then"), told.number("seconds", 20)),
    "code": lambda told: Code(
        told.prompt(), told.text("then"), told.number("digits", 4), told.number("seconds", 4)
    ),
    "branch": _branch,
    "voicemail": lambda told: Voicemail(
        told.prompt(), told.number("most_seconds", 120), tuple(str(each) for each in told.several("mail"))
    ),
    "consent": lambda told: Consent(told.prompt(), told.text("then"), told.some_text("refuse")),
    "plan": lambda told: Other(told.text("plan")),
    "hangup": _hangup,
}
