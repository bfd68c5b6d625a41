"""A company's prompts: named sounds, of words that are spoken or of an uploaded file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import sounds
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, Consent, Prompt
from tracker.plan_list import hearing
from tracker.policy.entries import read_title
from tracker.policy.prompts import File, Spoken, Words, read_words
from tracker.policy.uses import uses_of
from tracker.settings import Settings


@dataclass(frozen=True)
class Ready:
    """A sound that is there to be named. `data` are the bytes of an uploaded file."""

    spoken: Spoken
    seconds: float
    data: bytes | None = None


def ready_words(settings: Settings, language: str, text: str) -> Ready:
    """Words, spoken now, so that what cannot be spoken is refused here and not in a call.

    Outside a transaction: it takes a while. Raises Rejected: prompt.language, prompt.words, sound.*.
    """
    words = read_words(language, text)
    return Ready(words, sounds.seconds_of(settings, words))


def ready_file(settings: Settings, data: bytes) -> Ready:
    """An uploaded file, converted. Outside a transaction: it takes a while. Raises Rejected sound.*."""
    sound = sounds.convert(settings, data)
    file = sounds.keep(settings, sound)
    return Ready(file, sounds.seconds_of(settings, file), sound)


def add(session: Session, by: By, company: Company, name: str, ready: Ready) -> Prompt:
    """Give a sound its name. Raises Rejected: prompt.text, prompt.duplicate."""
    words = ready.spoken if isinstance(ready.spoken, Words) else None
    prompt = Prompt(
        company_id=company.id,
        name=_free_name(session, company, name),
        language=words.language if words else None,
        words=words.text if words else None,
        digest=ready.spoken.digest,
        sound=ready.data,
        seconds=ready.seconds,
        created_at=by.at,
    )
    session.add(prompt)
    session.flush()
    detail = {"language": prompt.language, "words": prompt.words, "seconds": round(prompt.seconds, 1)}
    by.note(session, "prompt.add", company.id, subject=prompt.name, detail=detail)
    return prompt


def of_company(session: Session, company: Company) -> Sequence[Prompt]:
    """The company's prompts by name."""
    wanted = sa.select(Prompt).where(Prompt.company_id == company.id).order_by(Prompt.name)
    return session.scalars(wanted).all()


def get(session: Session, company: Company, name: str) -> Prompt:
    """The company's prompt of that name. Raises Rejected prompt.unknown, naming those there are."""
    if prompt := _find(session, company, name):
        return prompt
    names = [each.name for each in of_company(session, company)]
    raise Rejected(
        "prompt.unknown",
        "There is no prompt %(name)r",
        "There are: %(names)s" if names else "Add it: `leaseline prompt add`",
        name=name,
        names=names,
    )


def remove(session: Session, by: By, prompt: Prompt) -> None:
    """Delete a prompt that nothing plays. Raises Rejected prompt.in_use."""
    consents = session.scalar(
        sa.select(sa.func.count()).select_from(Consent).where(Consent.prompt_id == prompt.id)
    )
    plans = len(hearing(session, prompt.company_id, prompt.name))
    if uses := uses_of((consents or 0, "announcement"), (plans, "plan")):
        raise Rejected(
            "prompt.in_use",
            "prompt %(name)r is used by %(uses)s",
            "Choose another prompt there first",
            name=prompt.name,
            uses=uses,
        )
    session.delete(prompt)
    by.note(session, "prompt.remove", prompt.company_id, subject=prompt.name)


def spoken(prompt: Prompt) -> Spoken:
    """What the prompt is to the folder of sounds."""
    if prompt.words is None or prompt.language is None:
        return File(prompt.digest)
    return Words(prompt.language, prompt.words)


def make_all(session: Session, settings: Settings) -> None:
    """Put every prompt's sound where this machine's Asterisk finds it. Raises Rejected sound.*."""
    for prompt in session.scalars(sa.select(Prompt).order_by(Prompt.id)):
        make(settings, prompt)


def make(settings: Settings, prompt: Prompt) -> None:
    """Put the prompt's sound where this machine's Asterisk finds it, unless it is there."""
    heard = spoken(prompt)
    if isinstance(heard, File) and not sounds.is_here(settings, heard) and prompt.sound is not None:
        sounds.keep(settings, prompt.sound)
    sounds.sound_for(settings, heard)


def describe(prompt: Prompt) -> dict[str, Any]:
    """A prompt as JSON; `sound` names its file in the folder of sounds."""
    return {
        "id": prompt.id,
        "name": prompt.name,
        "language": prompt.language,
        "words": prompt.words,
        "seconds": round(prompt.seconds, 1),
        "sound": spoken(prompt).digest,
    }


def _free_name(session: Session, company: Company, text: str) -> str:
    name = read_title(text, "prompt")
    if _find(session, company, name):
        raise Rejected(
            "prompt.duplicate", "There is a prompt %(name)r already", "Choose another name", name=name
        )
    return name


def _find(session: Session, company: Company, name: str) -> Prompt | None:
    wanted = sa.select(Prompt).where(Prompt.company_id == company.id, Prompt.name == name)
    return session.scalars(wanted).one_or_none()
