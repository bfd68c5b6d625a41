"""What is wrong with plans, looked through as a whole: each a sentence, with what to do.

for fault in faults(plans, targets): print(fault.text, fault.fix)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tracker.errors import Said, say
from tracker.policy.plan import (
    FINISHED,
    Branch,
    Code,
    Consent,
    Hours,
    Last,
    Menu,
    Order,
    Other,
    Place,
    Plan,
    Prompt,
    Responsible,
    Ring,
    Span,
    SpecialDay,
    Step,
    Voicemail,
)

KEYS = "0123456789*#"
DAY = 1440
SECONDS = range(1, 301)
MOST_MEMBERS, MOST_STEPS, MOST_SPOKEN, MOST_SPECIAL = 20, 60, 800, 366
_MAIL = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]{1,190}")
Told = tuple[Said, Said]  # what is wrong, what to do


@dataclass(frozen=True)
class Fault:
    """`place`: the step where it is; None: the plan as a whole."""

    plan: str
    place: Place | None
    text: Said
    fix: Said


def faults(plans: Mapping[str, Plan], targets: Collection[str]) -> Iterator[Fault]:
    """All that is wrong with these plans, which may go over to each other."""
    for plan in plans.values():
        yield from _whole(plan)
        for place, step in plan.steps.items():
            for text, fix in (*_ways(plan, step), *_heard(step), *_own(step, plans, targets)):
                yield Fault(plan.name, place, text, fix)
    yield from _circles(plans)


def _whole(plan: Plan) -> Iterator[Fault]:
    if plan.start not in plan.steps:
        missing = say("It begins with “%(start)s”, which is no step", start=plan.start)
        yield Fault(plan.name, None, missing, say("Name the first step"))
        return
    if len(plan.steps) > MOST_STEPS:
        many = say("%(count)s steps are too many", count=len(plan.steps))
        yield Fault(plan.name, None, many, say("Give %(most)s at most", most=MOST_STEPS))
    for place in sorted(plan.steps.keys() - set(plan.reached())):
        yield Fault(
            plan.name, place, say("No call comes here"), say("Lead to it from a step, or take it away")
        )
    kinds = {type(plan.steps[place]) for place in plan.reached()}
    if kinds.isdisjoint({Ring, Last, Responsible, Voicemail, Other}):
        silent = say("Nobody ever rings and no message is taken")
        yield Fault(plan.name, None, silent, say("Add a step that rings"))


def _ways(plan: Plan, step: Step) -> Iterator[Told]:
    for word, place in step.ways.items():
        if place != FINISHED and place not in plan.steps:
            yield (
                say("“%(word)s” leads to “%(place)s”, which is no step", word=word, place=place),
                say("Name one of the steps, or “end”"),
            )


def _heard(step: Step) -> Iterator[Told]:
    prompt = getattr(step, "prompt", None)
    if isinstance(prompt, Prompt) and len(prompt.words or "") > MOST_SPOKEN:
        yield (
            say("%(count)s characters are too much to listen to", count=len(prompt.words or "")),
            say("Say it in %(most)s characters", most=MOST_SPOKEN),
        )


def _own(step: Step, plans: Mapping[str, Plan], targets: Collection[str]) -> Iterator[Told]:
    match step:
        case Ring():
            yield from _ring(step, targets)
        case Last() | Responsible():
            yield from _seconds(step.seconds)
        case Menu():
            yield from _menu(step)
        case Consent() if step.refuse is not None and (len(step.refuse) != 1 or step.refuse not in KEYS):
            yield _no_key(step.refuse)
        case Code() if not 3 <= step.digits <= 8:
            yield say("Visitor codes have no %(digits)s digits", digits=step.digits), say("Give 3 to 8")
        case Branch() if not step.cases:
            yield say("There is no case"), say("Give at least one")
        case Hours():
            yield from _hours(step)
        case Other(plan=name) if name not in plans:
            yield say("“%(name)s” is no plan of the company’s", name=name), say("Name one of its plans")
        case Voicemail():
            yield from _voicemail(step)


def _menu(step: Menu) -> Iterator[Told]:
    for key in sorted(step.keys):
        if len(key) != 1 or key not in KEYS:
            yield _no_key(key)
    if not step.keys:
        yield say("No key leads anywhere"), say("Give at least one")
    if not (1 <= step.seconds <= 30 and 1 <= step.tries <= 5):
        yield say("The caller waits too long, or not at all"), say("Give 1 to 30 seconds and 1 to 5 tries")


def _no_key(key: str) -> Told:
    return say("“%(key)s” is no key", key=key), say("Use one of 0 to 9, * and #")


def _hours(step: Hours) -> Iterator[Told]:
    told = (*(it.spans for it in step.openings), *(it.spans for it in step.special))
    spans = [span for each in told for span in each]
    if not all(_is_span(span) for span in spans):
        yield say("Hours end before they begin"), say("Give them as 09:00-18:00; 24:00 is midnight")
    if len(step.special) > MOST_SPECIAL:
        yield (
            say("%(count)s days have hours of their own", count=len(step.special)),
            say("Give %(most)s at most", most=MOST_SPECIAL),
        )
    for day in step.special:
        if not _exists(day):
            yield (
                say("There is no day %(month)s-%(day)s", month=f"{day.month:02}", day=f"{day.day:02}"),
                say("Give it as 2027-04-05, or 01-01 for each year"),
            )


def _voicemail(step: Voicemail) -> Iterator[Told]:
    if not 5 <= step.most_seconds <= 600:
        yield say("%(seconds)s s is no length of a message", seconds=step.most_seconds), say("Give 5 to 600")
    for address in step.mail:
        if not _MAIL.fullmatch(address):
            yield (
                say("“%(address)s” is no e-mail address", address=address),
                say("Give it as name@example.com"),
            )


def _ring(step: Ring, targets: Collection[str]) -> Iterator[Told]:
    if not 1 <= len(step.members) <= MOST_MEMBERS:
        yield (
            say("%(count)s targets ring", count=len(step.members)),
            say("Name 1 to %(most)s", most=MOST_MEMBERS),
        )
    for member in step.members:
        if member.target not in targets:
            yield (
                say("“%(target)s” is no target of the company’s", target=member.target),
                say("Add it, or name another"),
            )
        if step.order is Order.AT_ONCE and member.seconds != step.members[0].seconds:
            yield (
                say(
                    "“%(target)s” rings %(seconds)s s, others at once %(others)s s",
                    target=member.target,
                    seconds=member.seconds,
                    others=step.members[0].seconds,
                ),
                say("Let all that ring at once ring equally long"),
            )
        yield from _seconds(member.seconds)
        if not (0 <= member.weight <= 1000 and 0 <= member.most <= 1000):
            yield (
                say("“%(target)s” has no sound weight or limit", target=member.target),
                say("Give 0 to 1000"),
            )
    if step.order is Order.WEIGHT and not any(member.weight for member in step.members):
        yield say("Nobody has any weight"), say("Give at least one a weight above 0")


def _seconds(seconds: int) -> Iterator[Told]:
    if seconds not in SECONDS:
        yield (
            say("%(seconds)s s is no time to ring", seconds=seconds),
            say("Give %(least)s to %(most)s s", least=SECONDS[0], most=SECONDS[-1]),
        )


def _is_span(span: Span) -> bool:
    return 0 <= span.begin < span.end <= DAY


def _exists(day: SpecialDay) -> bool:
    leap = day.year is None or (day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0))
    longest = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= day.day <= longest[day.month - 1]


def _circles(plans: Mapping[str, Plan]) -> Iterator[Fault]:
    """Ways that lead back to where they come from, in a plan or over several: such a call would never end."""
    done, way = set[tuple[str, Place]](), list[tuple[str, Place]]()

    def walk(name: str, place: Place) -> Iterator[Fault]:
        here = name, place
        if here in way:
            told = " → ".join(step for _, step in [*way[way.index(here) :], here])
            yield Fault(
                name,
                place,
                say("It goes in a circle: %(way)s", way=told),
                say("Let one of them lead elsewhere"),
            )
            return
        if here in done or place not in plans[name].steps:
            return
        way.append(here)
        step = plans[name].steps[place]
        if isinstance(step, Other) and step.plan in plans:
            yield from walk(step.plan, plans[step.plan].start)
        for there in step.ways.values():
            yield from walk(name, there)
        way.pop()
        done.add(here)

    for plan in plans.values():
        yield from walk(plan.name, plan.start)
