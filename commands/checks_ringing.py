"""What doctor looks at in plans and prompts: who speaks them, what time they go by, who gets the messages."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from commands.context import Here
from commands.findings import Finding, bad, ok, some, warn

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Company
    from tracker.policy.plan import Plan
    from tracker.policy.prompts import Spoken

_CLOCK = re.compile(r"^\s*LL_CLOCK=(-?[1-9][0-9]*)\s*$", re.MULTILINE)


def voice(opened: Here) -> Iterator[Finding]:
    """What callers and employees hear is spoken, and whoever speaks it is still here for the next words."""
    from tracker import sounds
    from tracker.policy.prompts import Words, voice_of

    with opened.database.read() as session:
        heard, whispers = list(_heard(session, opened)), _whispering(session)
    speaks = {who: voice_of(words)[0] for who, words in heard if isinstance(words, Words)} | whispers
    silent = dict.fromkeys(who for who, spoken in heard if not sounds.is_here(opened.settings, spoken))
    missing = sorted({program for program in speaks.values() if not shutil.which(program)})
    for program in missing:
        users = [who for who, speaker in speaks.items() if speaker == program]
        told = f"{program} is not installed, which speaks {some(users)}"
        fix = f"apt install {program}, then `leaseline apply`"
        if unheard := [who for who in users if who in silent]:
            yield bad("voice", f"{told}; nothing is to be heard yet of {some(unheard)}", fix)
        else:
            yield warn("voice", f"{told}; only what is spoken already is heard", fix)
    if silent and not missing:
        yield warn("voice", f"not spoken yet: {some(list(silent))}", "Run `leaseline apply`")
    elif heard and not missing:
        yield ok("voice", f"everything is spoken: {some(list(dict.fromkeys(who for who, _ in heard)))}")


def plan_clock(opened: Here) -> Iterator[Finding]:
    """Whether plans go by another time than it is, since somebody tried them out."""
    from dialplan.apply import command, running
    from dialplan.program import find_program
    from dialplan.render import place_of

    place = place_of(opened.settings)
    if not running(place):
        return
    told = command(find_program(opened.settings), place, "dialplan show globals")
    if found := _CLOCK.search(told):
        message = f"plans go by a clock that is {found[1]} s off: real calls, too"
        yield warn("plan clock", message, "Set it right: `leaseline plan clock`")


def messages(opened: Here) -> Iterator[Finding]:
    """Plans that mail what callers leave have a mail server to do it by."""
    from tracker.policy.plan import Voicemail

    with opened.database.read() as session:
        mailing = [
            plan.name
            for plan, _ in _plans(session, opened)
            if any(isinstance(step, Voicemail) and step.mail for step in plan.steps.values())
        ]
    if mailing and not opened.settings.smtp_host:
        names = some(list(dict.fromkeys(mailing)))
        message = f"plan {names} would mail what callers leave, and there is no mail server"
        yield warn("messages", message, "Name one: LEASELINE_SMTP_HOST; messages stand in the list of calls")


def _heard(session: Session, opened: Here) -> Iterator[tuple[str, Spoken]]:
    """Everything that is heard, with the name of what lets it be heard."""
    import sqlalchemy as sa

    from tracker import plan_sounds, prompts
    from tracker.models import Prompt

    for prompt in session.scalars(sa.select(Prompt).order_by(Prompt.id)):
        yield f"prompt {prompt.name}", prompts.spoken(prompt)
    for plan, company in _plans(session, opened):
        for spoken in plan_sounds.heard_in(session, company, plan).values():
            yield f"plan {plan.name}", spoken


def _plans(session: Session, opened: Here) -> Iterator[tuple[Plan, Company]]:
    """Every version that a call may go by now, with whose it is."""
    from tracker.plan_list import LONGEST_CALL, rendered
    from tracker.policy.plan_text import read_plan

    for each in rendered(session, opened.now, LONGEST_CALL):
        yield read_plan(each.plan.name, each.document), each.plan.company


def _whispering(session: Session) -> dict[str, str]:
    """By the name of each whisper, the program that speaks it: its words are made call by call."""
    import sqlalchemy as sa

    from tracker.models import Company
    from tracker.policy.prompts import Words, voice_of

    wanted = sa.select(Company).where(Company.whisper.is_not(None))
    return {
        f"the whisper of {each.slug}": voice_of(Words(each.language, each.whisper or ""))[0]
        for each in session.scalars(wanted)
    }
