"""Plans as the dialplan needs them: facts from the database, and the small texts of their rendering."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy.orm import Session

from tracker.models import PlanVersion
from tracker.plan_list import LONGEST_CALL, rendered
from tracker.plan_sounds import still_heard
from tracker.policy.plan import (
    FINISHED,
    FIRST_KEY_SECONDS,
    Branch,
    By,
    Cause,
    Consent,
    Menu,
    Other,
    Place,
    Plan,
    Prompt,
    Ring,
    SpecialDay,
    Step,
)
from tracker.policy.plan_check import KEYS
from tracker.policy.plan_document import kind_of
from tracker.policy.plan_text import NAME, read_plan
from tracker.policy.taping import ConsentMode
from tracker.settings import Settings

CAUSES: Mapping[str, int] = {Cause.BUSY: 17, Cause.REFUSED: 21, Cause.NO_ANSWER: 19}
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_WORD = re.compile(r"[a-z0-9.-]{1,60}|\+[1-9][0-9]{0,14}\*?")
_GONE = "gone"  # no sound is called so: Asterisk goes on without
_ID = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(frozen=True)
class PlanFacts:
    """One version of a plan; `steps` speaks of targets and plans by their ids."""

    id: int
    version: int
    about: str
    zone: str
    judges: bool
    codes: bool
    whispers: bool
    steps: Plan
    sounds: Mapping[Prompt, str]  # the digests that name them


def load_plans(session: Session, at: datetime) -> tuple[PlanFacts, ...]:
    """Every version that a call may be in at that instant."""
    return tuple(_facts(session, each) for each in rendered(session, at, LONGEST_CALL))


def _facts(session: Session, version: PlanVersion) -> PlanFacts:
    company = version.plan.company
    steps = read_plan(version.plan.name, version.document)
    return PlanFacts(
        id=version.plan_id,
        version=version.version,
        about=f"“{version.plan.name}” of {company.name}",
        zone=company.timezone,
        judges=company.judge_by_phone,
        codes=company.recording_codes,
        whispers=company.whisper is not None,
        steps=steps,
        sounds={prompt: spoken.digest for prompt, spoken in still_heard(session, version).items()},
    )


def plan_problems(plans: Iterable[PlanFacts]) -> Iterator[str]:
    """What cannot be rendered: all of it ends up in Asterisk's configuration."""
    known = {str(plan.id) for plan in plans}
    for plan in plans:
        about = f"plan {plan.about}"
        if not _ZONE.fullmatch(plan.zone):
            yield f"{about}: {plan.zone!r} is no time zone"
        for place, step in plan.steps.steps.items():
            if not NAME.fullmatch(place) or not _is_plain(step, known):
                yield f"{about}: step {place!r} cannot be rendered"


def _is_plain(step: Step, known: set[str]) -> bool:
    match step:
        case Ring():
            return all(_ID.fullmatch(member.target) for member in step.members)
        case Menu():
            return all(len(key) == 1 and key in KEYS for key in step.keys)
        case Branch():
            return all(_WORD.fullmatch(word) for word in step.cases)
        case Consent():
            return step.refuse is None or (len(step.refuse) == 1 and step.refuse in KEYS)
        case Other():
            return step.plan in known
    return True


# ---- the small texts of plans.conf ----


def plan_words(settings: Settings, plans: Sequence[PlanFacts]) -> dict[str, Any]:
    """What the template calls by name."""
    # Of a deleted plan, to which a version that is superseded may lead, the last one that rang.
    newest = {str(plan.id): f"{plan.id}-{plan.version}" for plan in sorted(plans, key=lambda it: it.version)}
    return {
        "plans": plans,
        "sound": lambda plan, prompt: str(settings.sounds / plan.sounds.get(prompt, _GONE)),
        "newest": newest,
        "causes": CAUSES,
        "kind_of": kind_of,
        "to": to,
        "step_name": step_name,
        "day_text": day_text,
        "weekdays": weekdays,
        "members": members,
        "totals": totals,
        "is_case": is_case,
        "asks_no_more": asks_no_more,
        "FIRST_KEY_SECONDS": FIRST_KEY_SECONDS,
    }


def step_name(place: Place) -> str:
    """A step's extension. To Asterisk a hyphen in an extension is none, so there is none."""
    return "step_" + place.replace("-", "_")


def to(place: Place) -> str:
    """Where a jump to that step goes."""
    return "leaseline-plan-end,s,1" if place == FINISHED else f"{step_name(place)},1"


def day_text(day: SpecialDay) -> str:
    """ "2027-04-05"; "-04-05", as it stands behind any year."""
    return f"{day.year or ''}-{day.month:02}-{day.day:02}"


def weekdays(days: Iterable[int]) -> str:
    """A condition on the day of the week; Asterisk's Monday is 1."""
    each = (f'"${{LL_WEEKDAY}}" = "{day + 1}"' for day in days)
    return f"({' | '.join(each)})"


def is_case(by: By, word: str) -> str:
    """A condition: what is known is that word, or begins with what stands before its star."""
    known = f"LL_BY_{by.upper()}"
    if word.endswith("*"):
        return f'"${{{known}:0:{len(word) - 1}}}" = "{word[:-1]}"'
    return f'"${{{known}}}" = "{word}"'


def asks_no_more(step: Consent) -> str:
    """A condition: what the company has said before a call is recorded is no stricter than the step."""
    modes = [ConsentMode.REQUIRED] if step.refuse else [ConsentMode.REQUIRED, ConsentMode.REFUSABLE]
    return " & ".join(f'"${{CUT(LL_CONSENT,:,1)}}" != "{mode}"' for mode in modes)


def members(step: Ring) -> str:
    """ "3:20:0-5:25:2": target, seconds, calls at once that it takes at most."""
    return "-".join(f"{each.target}:{each.seconds}:{each.most}" for each in step.members)


def totals(step: Ring) -> list[int]:
    """The weights summed up, but for the last: a number drawn above k of these means k further."""
    return list(accumulate(each.weight for each in step.members))[:-1]
