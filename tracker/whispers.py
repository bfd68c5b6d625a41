"""What is said to an employee before a call is his: found when it rings, spoken beforehand where possible.

The worker has spoken what calls to come may need: for each channel, and for each visitor who holds a number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import sounds
from tracker.errors import Rejected
from tracker.inbound import Inbound
from tracker.models import Channel, Company, Lease, Number, Visit
from tracker.policy.facts import Started
from tracker.policy.prompts import Words
from tracker.policy.whisper import Known, callback_whisper, lesser, whisper
from tracker.repeats import has_called
from tracker.settings import Settings
from tracker.unrecorded import is_listed

log = logging.getLogger(__name__)

_MOST_AHEAD = 500  # whispers looked at in one turn
_MOST_SECONDS = 5.0  # of speaking in one turn
KEPT_DAYS = 14  # since it was last used


@dataclass(frozen=True)
class Heard:
    """Whether a call may be recorded, and what may be whispered of it, the fullest first."""

    record: bool
    whispers: tuple[Words, ...] = ()


def heard_of(session: Session, found: Inbound, started: Started, caller: str | None) -> Heard:
    """What is to be known of a caller before it rings: two statements more, four where there is a whisper."""
    company = session.get_one(Company, found.company_id)
    record = found.record and not is_listed(session, company.id, caller, started.at)
    if company.whisper is None:
        return Heard(record)
    again = has_called(session, company.id, caller, started.at)
    known = _known(session, found.channel_id, found.lease_id)
    return Heard(record, words_of(company, replace(known, again=again)))


def words_of(company: Company, known: Known) -> tuple[Words, ...]:
    """The whispers for it, the fullest first, each once."""
    every = [whisper(company.whisper or "", company.language, each) for each in lesser(known)]
    return tuple(dict.fromkeys(words for words in every if words))


def before_callback(session: Session, company: Company, visit_id: int | None) -> tuple[Words, ...]:
    """What an employee is told before the visitor is rung, the fullest first; nothing without whispers."""
    if company.whisper is None:
        return ()
    visit = session.get(Visit, visit_id) if visit_id is not None else None
    known = _of(visit) if visit else Known()
    every = [callback_whisper(company.whisper, company.language, each) for each in (*lesser(known), Known())]
    return tuple(dict.fromkeys(every))


def speak_ahead(session: Session, settings: Settings) -> int:
    """Speak what calls to come may need and is not spoken yet, for a few seconds; gives how many."""
    made, until = 0, time.monotonic() + _MOST_SECONDS
    for words in _ahead(session):
        if time.monotonic() > until:
            break
        if sounds.is_here(settings, words):
            continue
        try:
            sounds.sound_for(settings, words)
        except Rejected as problem:
            log.warning("a whisper cannot be spoken: %s", problem)
            break
        made += 1
    return made


def forget_old(settings: Settings, now: datetime) -> None:
    """Whispers that nobody has heard for long are deleted."""
    for path in Path(settings.sounds / sounds.PASSING).glob("*.wav"):
        if now.timestamp() - path.stat().st_mtime > KEPT_DAYS * 86_400:
            path.unlink(missing_ok=True)


def _ahead(session: Session) -> Iterator[Words]:
    """Three statements a company, however many numbers it has."""
    companies = session.scalars(sa.select(Company).where(Company.whisper.is_not(None))).all()
    for company in companies:
        channels = sa.select(Channel).where(Channel.company_id == company.id).limit(_MOST_AHEAD)
        visits = (
            sa.select(Visit)
            .join(Lease, Lease.visit_id == Visit.id)
            .join(Number, Number.id == Lease.number_id)
            .where(Number.company_id == company.id, Lease.until_at.is_(None))
            .limit(_MOST_AHEAD)
        )
        of_channels = [_of(each, each.name) for each in session.scalars(channels)]
        of_visits = [_of(each) for each in session.scalars(visits)]
        for known in (*of_channels, *of_visits):
            for again in (False, True):
                yield from words_of(company, replace(known, again=again))[:1]


def _known(session: Session, channel_id: int | None, lease_id: int | None) -> Known:
    channel = session.get(Channel, channel_id) if channel_id else None
    if lease_id:
        wanted = sa.select(Visit).join(Lease, Lease.visit_id == Visit.id).where(Lease.id == lease_id)
        if visit := session.scalars(wanted).one_or_none():
            return _of(visit, channel.name if channel else "")
    return _of(channel, channel.name) if channel else Known()


def _of(origin: Visit | Channel, channel: str = "") -> Known:
    return Known(channel, origin.source or "", origin.campaign or "", origin.keyword or "")
