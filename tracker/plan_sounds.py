"""What plans let callers hear: words, in the company's language or another, and prompts by their names."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from tracker import prompts, sounds
from tracker.models import Company, PlanVersion
from tracker.plan_list import LONGEST_CALL, rendered
from tracker.policy.plan import Plan, Prompt
from tracker.policy.plan_text import read_plan
from tracker.policy.prompts import Spoken, read_words
from tracker.settings import Settings

Heard = dict[Prompt, Spoken]


def heard_in(session: Session, company: Company, plan: Plan) -> Heard:
    """The sound of each of the plan's prompts. Raises Rejected prompt.unknown, .language, .words."""
    return {prompt: _spoken(session, company, prompt) for prompt in plan.prompts}


def still_heard(session: Session, version: PlanVersion) -> Heard:
    """The sounds of a version as far as there are any: a prompt may have gone since it was superseded."""
    company, plan = version.plan.company, read_plan(version.plan.name, version.document)
    if version.until_at is None:
        return heard_in(session, company, plan)
    ours = {each.name for each in prompts.of_company(session, company)}
    here = {prompt for prompt in plan.prompts if prompt.sound is None or prompt.sound in ours}
    return {prompt: _spoken(session, company, prompt) for prompt in plan.prompts if prompt in here}


def _spoken(session: Session, company: Company, prompt: Prompt) -> Spoken:
    if prompt.sound is not None:
        return prompts.spoken(prompts.get(session, company, prompt.sound))
    return read_words(prompt.language or company.language, prompt.words or "")


def speak(settings: Settings, heard: Heard) -> None:
    """Makes the sounds that are not there yet; it takes a while. Raises Rejected sound.*."""
    for spoken in heard.values():
        sounds.sound_for(settings, spoken)


def make_all(session: Session, settings: Settings, at: datetime) -> None:
    """Every sound that a call may hear in a plan at that instant, where this machine's Asterisk finds it."""
    for each in rendered(session, at, LONGEST_CALL):
        speak(settings, still_heard(session, each))
