"""What is said to an employee before a call is his: found when it rings, spoken beforehand where possible.

The worker has spoken what calls to come may need: for each channel, and for each visitor who holds a number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import sounds
from tracker.errors import Rejected
from tracker.inbound import Inbound
from tracker.models import Call, Channel, Company, Lease, Number, Visit
from tracker.policy.facts import Started
from tracker.policy.phone import normalise_caller
from tracker.policy.prompts import Words
from tracker.policy.whisper import Known, callback_whisper, lesser, whisper
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


def heard_of(session: Session, found: Inbound, started: Started) -> Heard:
    """What is to be known of a caller before it rings: two statements more, four where there is a whisper."""
    company = session.get_one(Company, found.company_id)
    caller = normalise_caller(started.caller, started.presentation, company.default_region)
    record = found.record and not is_listed(session, company.id, caller, started.at)
    if company.whisper is None:
        return Heard(record)
    again = caller is not None and _has_called(session, company, caller, started.at)
    known = _known(session, found.channel_id, found.lease_id, again=again)
    return Heard(record, words_of(company, known))


def words_of(company: Company, known: Known) -> tuple[Words, ...]:
    """The whispers for it, the fullest first, each once."""
    every = [whisper(company.whisper or "", company.language, each) for each in lesser(known)]
    return tuple(dict.fromkeys(words for words in every if words))


def before_callback(session: Session, company: Company, visit_id: int | None) -> tuple[Words, ...]:
    """What an employee is told before the visitor is rung, the fullest first; nothing without whispers."""
    if company.whisper is None:
        return ()
    visit = session.get(Visit, visit_id) if visit_id is not None else None
    known = Known("", visit.source or "", visit.campaign or "", visit.keyword or "") if visit else Known()
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
    companies = session.scalars(sa.select(Company).where(Company.whisper.is_not(None))).all()
    for company in companies:
        channels = sa.select(Channel.id).where(Channel.company_id == company.id).limit(_MOST_AHEAD)
        leases = (
            sa.select(Lease.id)
            .join(Number, Number.id == Lease.number_id)
            .where(Number.company_id == company.id, Lease.until_at.is_(None))
            .limit(_MOST_AHEAD)
        )
        ours = [(channel_id, None) for channel_id in session.scalars(channels)]
        held = [(None, lease_id) for lease_id in session.scalars(leases)]
        for channel_id, lease_id in (*ours, *held):
            for again in (False, True):
                yield from words_of(company, _known(session, channel_id, lease_id, again=again))[:1]


def _known(session: Session, channel_id: int | None, lease_id: int | None, *, again: bool) -> Known:
    channel = session.get(Channel, channel_id) if channel_id else None
    if lease_id:
        wanted = sa.select(Visit).join(Lease, Lease.visit_id == Visit.id).where(Lease.id == lease_id)
        visit = session.scalars(wanted).one_or_none()
        if visit:
            told = visit.source or "", visit.campaign or "", visit.keyword or ""
            return Known(channel.name if channel else "", *told, again=again)
    if channel is None:
        return Known(again=again)
    return Known(channel.name, channel.source, channel.campaign or "", channel.keyword or "", again=again)


def _has_called(session: Session, company: Company, caller: str, at: datetime) -> bool:
    wanted = sa.select(Call.id).where(
        Call.company_id == company.id, Call.caller == caller, Call.started_at < at
    )
    return session.scalar(wanted.limit(1)) is not None
