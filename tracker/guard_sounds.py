"""What challenged and blocked callers hear, put where this machine's Asterisk finds it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import sounds
from tracker.errors import Rejected
from tracker.models import Company, Guard
from tracker.policy.guard_words import sounds as words_of
from tracker.settings import Settings

log = logging.getLogger(__name__)


def make_all(session: Session, settings: Settings) -> None:
    """Speak what any company's callers may hear, unless it is there.

    Where no synthesiser is, nobody is challenged and blocked callers hear no words: nothing is refused.
    """
    for language in languages(session):
        make(settings, language)


def languages(session: Session) -> Sequence[str]:
    """Of companies that have ever set something about unwanted callers."""
    wanted = sa.select(Company.language).join(Guard, Guard.company_id == Company.id).distinct()
    return session.scalars(wanted.order_by(Company.language)).all()


def make(settings: Settings, language: str) -> Rejected | None:
    """The same for one language; gives what went wrong."""
    try:
        for words in words_of(language).values():
            sounds.sound_for(settings, words)
    except Rejected as problem:
        log.warning("callers are not challenged in %s: %s", language, problem)
        return problem
    return None


def are_here(settings: Settings, language: str) -> bool:
    """Whether this machine's Asterisk can say all of it."""
    return all(sounds.is_here(settings, words) for words in words_of(language).values())
