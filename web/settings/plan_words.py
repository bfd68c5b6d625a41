"""A plan in words: each step a card, with what happens there and where its ways lead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date, get_day_names
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

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
    Place,
    Plan,
    Prompt,
    Responsible,
    Ring,
    Say,
    Span,
    SpecialDay,
    Step,
    Voicemail,
)
from tracker.policy.plan_check import Fault
from tracker.policy.plan_days import stretches
from tracker.policy.plan_document import word_of
from web.languages import language

KINDS = {
    Hours: _("Opening hours"),
    Ring: _("Who rings"),
    Last: _("Whoever spoke last"),
    Responsible: _("Whoever is responsible"),
    Say: _("Announcement"),
    Menu: _("Menu"),
    Code: _("Visitor code"),
    Branch: _("By source or caller"),
    Voicemail: _("Voicemail"),
    Consent: _("Recording notice"),
    Other: _("Another plan"),
    Hangup: _("Hangs up"),
}
ORDERS = {
    Order.IN_TURN: _("One after the other"),
    Order.AT_ONCE: _("All at once"),
    Order.ROUND: _("One after the other; each call begins with the next one"),
    Order.WEIGHT: _("By weight: the heavier, the more often first"),
}
WAYS = {
    "open": _("When open"),
    "closed": _("When closed"),
    "nobody": _("Nobody takes it"),
    "busy": _("All are busy"),
    "unreachable": _("None can be reached"),
    "said": _("Then"),
    "on": _("Then"),
    "told": _("Then"),
    "nothing": _("No such key"),
    "else": _("Otherwise"),
}
KNOWN = {
    By.SOURCE: _("Source"),
    By.MEDIUM: _("Medium"),
    By.CAMPAIGN: _("Campaign"),
    By.REGION: _("Country of the caller"),
    By.CALLER: _("Caller"),
    By.NUMBER: _("Number of the caller"),
}
BRANCHES = {str(by): words for by, words in KNOWN.items()}
CALLERS = {"first": _("calls for the first time"), "repeat": _("has called before")}
CAUSES = {
    Cause.BUSY: _("The caller hears that it is busy."),
    Cause.REFUSED: _("The caller is turned away."),
    Cause.NO_ANSWER: _("The call ends as one that nobody answers."),
}


@dataclass(frozen=True)
class Way:
    """Where the call goes then; `place` None: it ends."""

    words: str
    place: Place | None
    is_step: bool = True  # False: there is no step of that name


@dataclass(frozen=True)
class Card:
    """One step: `texts` are sentences, `rows` pairs of a word and what stands for it."""

    place: Place
    kind: str
    texts: Sequence[str]
    rows: Sequence[tuple[str, str]]
    ways: Sequence[Way]
    faults: Sequence[Fault] = ()
    plan: str | None = None  # over to which the call goes


def kinds_by_word(*, has_others: bool, ends: bool = True) -> dict[str, object]:
    """The kinds of steps by the words of documents; without other plans there is none to go over to.

    `ends`: those too after which nothing more comes.
    """
    final = {Voicemail, Other, Hangup}
    left_out = (set() if has_others else {Other}) | (set() if ends else final)
    return {word_of(kind): words for kind, words in KINDS.items() if kind not in left_out}


def cards(plan: Plan, faults: Collection[Fault] = ()) -> list[Card]:
    """The steps in the order in which a call comes to them, then those that none comes to."""
    reached = list(plan.reached())
    places = [*reached, *(place for place in plan.steps if place not in reached)]
    return [_card(plan, place, [it for it in faults if it.place == place]) for place in places]


def _card(plan: Plan, place: Place, faults: Sequence[Fault]) -> Card:
    step = plan.steps[place]
    return Card(
        place,
        str(KINDS[type(step)]),
        [str(text) for text in _texts(step)],
        list(_rows(step)),
        [_way(plan, step, word, there) for word, there in step.ways.items()],
        faults,
        plan=step.plan if isinstance(step, Other) else None,
    )


def _way(plan: Plan, step: Step, word: str, there: Place) -> Way:
    words = str(WAYS.get(word, word))
    if isinstance(step, Menu) and word in step.keys:
        words = gettext("Key %(key)s", key=word)
    if isinstance(step, Branch) and word in step.cases:
        words = str(CALLERS.get(word, word)) if step.by is By.CALLER else word
    return Way(words, None if there == FINISHED else there, there in plan.steps)


def _texts(step: Step) -> Iterator[object]:
    """What happens, in sentences."""
    prompt = getattr(step, "prompt", None)
    if isinstance(prompt, Prompt):
        yield heard(prompt)
    if type(step) in _SENTENCES:
        yield from _SENTENCES[type(step)](step)


def _last(step: Last) -> Iterator[object]:
    yield ngettext(
        "Whoever spoke with this caller last rings, for %(num)s second.",
        "Whoever spoke with this caller last rings, for %(num)s seconds.",
        step.seconds,
    )
    yield gettext("Who calls for the first time goes on at once.")


def _responsible(step: Responsible) -> Iterator[object]:
    yield ngettext(
        "Whoever is responsible for this caller rings, for %(num)s second.",
        "Whoever is responsible for this caller rings, for %(num)s seconds.",
        step.seconds,
    )
    yield gettext("Callers for whom nobody is responsible go on at once.")


def _menu(step: Menu) -> Iterator[object]:
    yield ngettext("Waits %(num)s second for a key.", "Waits %(num)s seconds for a key.", step.seconds)
    yield ngettext("Asks %(num)s time.", "Asks up to %(num)s times.", step.tries)


def _voicemail(step: Voicemail) -> Iterator[object]:
    yield ngettext(
        "A message of up to %(num)s second is taken.",
        "A message of up to %(num)s seconds is taken.",
        step.most_seconds,
    )
    if step.mail:
        yield gettext("It is mailed to %(addresses)s.", addresses=", ".join(step.mail))
    else:
        yield gettext("It is heard on the call’s page; nobody is mailed.")


_SENTENCES: Mapping[type[Step], Callable[[Any], Iterable[object]]] = {
    Hours: lambda _it: [gettext("By the company’s clocks.")],
    Ring: lambda it: [ORDERS[it.order]] if len(it.members) > 1 else [],
    Last: _last,
    Responsible: _responsible,
    Menu: _menu,
    Code: lambda _it: [gettext("Who is known by the number that he dialled goes on at once.")],
    Branch: lambda it: [gettext("The way goes by: %(known)s.", known=KNOWN[it.by])],
    Consent: lambda it: [gettext("Key %(key)s: no recording is made.", key=it.refuse)] if it.refuse else [],
    Voicemail: _voicemail,
    Other: lambda _it: [gettext("The call goes on by that plan, from its beginning.")],
    Hangup: lambda it: [CAUSES[it.cause]],
}


def heard(prompt: Prompt) -> str:
    """What the caller hears."""
    if prompt.sound is not None:
        return gettext("The caller hears the prompt “%(name)s”.", name=prompt.sound)
    return gettext("The caller hears: “%(words)s”", words=prompt.words)


def _rows(step: Step) -> Iterator[tuple[str, str]]:
    match step:
        case Hours():
            for opening in step.openings:
                yield days_of(opening), spans_of(opening.spans)
            for days in stretches(step.special):
                named = day_of(days[0]) if len(days) == 1 else f"{day_of(days[0])} – {day_of(days[-1])}"
                yield named, spans_of(days[0].spans)
        case Ring():
            for member in step.members:
                yield member.target, _ringing(step.order, member)


def _ringing(order: Order, member: Member) -> str:
    said = [ngettext("%(num)s second", "%(num)s seconds", member.seconds)]
    if order is Order.WEIGHT:
        said.append(gettext("weight %(weight)s", weight=member.weight))
    if member.most:
        said.append(ngettext("%(num)s call at a time", "%(num)s calls at a time", member.most))
    return ", ".join(said)


def days_of(opening: Opening) -> str:
    """ "Mon–Fri", "Sat, Sun"."""
    days = opening.days
    if len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1)):
        return f"{weekday(days[0])}–{weekday(days[-1])}"
    return ", ".join(weekday(day) for day in days)


def weekday(day: int) -> str:
    """Monday is 0."""
    return str(get_day_names("abbreviated", context="stand-alone", locale=language())[day])


def day_of(day: SpecialDay) -> str:
    """ "1 January", "5 April 2027"; a day that no calendar has as it was written."""
    try:
        found = date(day.year or 2024, day.month, day.day)
    except ValueError:
        return f"{day.month:02}-{day.day:02}"
    pattern = "d MMMM y" if day.year else "d MMMM"
    return str(format_date(found, pattern, locale=language()))


def spans_of(spans: Sequence[Span]) -> str:
    """ "09:00–13:00, 14:00–18:00"."""
    if not spans:
        return gettext("closed")
    return ", ".join(f"{_clock(span.begin)}–{_clock(span.end)}" for span in spans)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
