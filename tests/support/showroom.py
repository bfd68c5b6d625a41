"""A company with a day of calls to show: every outcome, sources of every kind, recordings of people talking.

    room = furnish(database, settings, now)      # Pallets, by the real services
    room.keys                                    # of its calls, the newest first

The page's tests and the screenshots in docs/ look at this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.audio import Samples, silence, speech, tone, write_raw
from support.books import fill
from support.facts import Pallets, add_number, add_pallets, answered, ended, leg_ended, started
from support.recorded import age, spool_file

from recordings.finish import finish_pending
from recordings.workshop import Workshop
from tracker import people
from tracker.books import record_all
from tracker.database import Database
from tracker.models import Channel, Company, Number, Role, Visit
from tracker.policy.facts import Fact, HungUpBy, Interrupted, Presentation
from tracker.settings import Settings

OWNER = "olga@pallets.example"
BERLIN, GERMAN_LEAFLET = "+493012345678", "+4989123456789"

TALK = (
    ("en", "Good morning, I saw your pallets on the billboard.", "Good morning! How many do you need?"),
    ("en", "About three hundred, with delivery on Tuesday if that is possible.", "Two hundred on Tuesday."),
    ("de", "Guten Tag, was kosten fünfzig Europaletten?", "Guten Tag, da muss ich kurz nachsehen."),
    ("ru", "Здравствуйте, у вас есть поддоны на складе?", "Да, конечно, приезжайте сегодня."),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One call to place: how long ago, where to, by whom, and how it went."""

    minutes: float
    did: str
    caller: str
    how: str = "answered"  # answered, mobile, missed, busy, failed, gave_up, refused, interrupted
    talk: float = 0
    wait: float = 7
    name: str = ""
    sound: bool = True
    by: HungUpBy = HungUpBy.CALLER


@dataclass(frozen=True)
class Showroom:
    pallets: Pallets
    keys: list[str]  # of the calls, in the order they were told


P = Pallets
DAY = (
    Told(4, P.leased, "+74957654321", talk=96, wait=6, name="ООО «Ромашка»", by=HungUpBy.COMPANY),
    Told(11, P.billboard, "+79161234567", "missed", wait=41),
    Told(16, P.leased, "+79031112233", talk=41, wait=9),
    Told(22, BERLIN, "+4915112345678", talk=128, wait=5, name="Jonas Weber"),
    Told(31, P.leaflet, "+74951112233", "busy", wait=4),
    Told(38, P.billboard, "", "gave_up", wait=12),
    Told(52, GERMAN_LEAFLET, "+498912345670", "mobile", talk=72, wait=27, name="Bäckerei Huber"),
    Told(75, P.leased, "+74957654321", talk=34, wait=4, name="ООО «Ромашка»"),
    Told(96, P.billboard, "+79265550199", "failed", wait=2),
    Told(118, BERLIN, "+4930998877", "refused", wait=9),
    Told(1403, P.leaflet, "+79161234567", talk=58, wait=8),
    Told(1431, P.leased, "+79857778899", talk=203, wait=6, name="Анна Кузнецова"),
    Told(1460, P.billboard, "+74959876543", "missed", wait=50),
    Told(1502, BERLIN, "+4915112345678", "interrupted", talk=20, wait=6),
    Told(1544, GERMAN_LEAFLET, "", talk=19, wait=11),
    Told(2911, P.leased, "+79031112233", talk=65, wait=5),
    Told(2950, P.leaflet, "+79654443322", "gave_up", wait=23),
)


def furnish(
    database: Database,
    settings: Settings,
    now: datetime,
    calls: tuple[Told, ...] = DAY,
    slug: str = "pallets",
) -> Showroom:
    """The company, its owner, the calls and their finished recordings."""
    what = now, calls, slug, repr(replace(settings, home=Path(), database_url=""))
    return fill(database, what, lambda: _furnish(database, settings, now, calls, slug), settings.home)


def _furnish(
    database: Database, settings: Settings, now: datetime, calls: tuple[Told, ...], slug: str
) -> Showroom:
    with database.write() as session:
        pallets = add_company(session, now, slug)
        owner = people.add_user(session, OWNER, "Olga Orlova", now)
        people.give_role(session, owner, session.get_one(Company, pallets.company_id), Role.OWNER)
        keys = place(session, pallets, now, calls)
    record_sound(database, settings, now, dict(zip(keys, calls, strict=True)))
    return Showroom(pallets, keys)


def place(session: Session, pallets: Pallets, now: datetime, calls: tuple[Told, ...]) -> list[str]:
    """Writes the calls into the books as their witnesses would; their keys."""
    keys = [str(uuid5(NAMESPACE_URL, f"{told}")) for told in calls]
    # The oldest first, so that a repeat caller is one.
    for key, told in sorted(zip(keys, calls, strict=True), key=lambda pair: -pair[1].minutes):
        record_all(session, facts(key, told, pallets, now))
    return keys


def facts(key: str, told: Told, pallets: Pallets, now: datetime) -> list[Fact]:
    """What happened in one call, as the dialplan writes it down."""
    at = now - timedelta(minutes=told.minutes)
    presentation = Presentation.ALLOWED if told.caller else Presentation.WITHHELD
    begin = started(
        told.did, at, key, caller=told.caller, presentation=presentation, caller_name=told.name
    )  # fmt: skip
    took = at + timedelta(seconds=told.wait)
    over = took + timedelta(seconds=told.talk)
    first = pallets.office_id
    rest: list[Fact]
    match told.how:
        case "interrupted":
            rest = [answered(first, took, key), Interrupted(key, "main", over)]
        case "answered":
            rest = [answered(first, took, key), ended(over, key, hung_up_by=told.by)]
        case "mobile":
            left = leg_ended(first, took - timedelta(seconds=8), key)
            rest = [left, answered(pallets.mobile_id, took, key, position=2), ended(over, key)]
        case "missed":
            rest = [leg_ended(first, took, key), _unanswered(took, key, "NOANSWER", HungUpBy.SYSTEM)]
        case "busy":
            rest = [leg_ended(first, took, key, status="BUSY", cause=17, rang_at=None),
                    _unanswered(took, key, "BUSY", HungUpBy.COMPANY, 17)]  # fmt: skip
        case "failed":
            rest = [leg_ended(first, took, key, status="CHANUNAVAIL", cause=20, rang_at=None),
                    _unanswered(took, key, "CHANUNAVAIL", HungUpBy.SYSTEM, 20)]  # fmt: skip
        case "refused":
            rest = [leg_ended(first, took, key, status="CHANUNAVAIL", cause=21),
                    _unanswered(took, key, "CHANUNAVAIL", HungUpBy.COMPANY, 21)]  # fmt: skip
        case _:
            rang = at + timedelta(seconds=1)
            rest = [ended(took, key, status="CANCEL", cause=None, hung_up_by=HungUpBy.CALLER, rang_at=rang)]
    return [begin, *rest]


def _unanswered(at: datetime, key: str, status: str, by: HungUpBy, cause: int | None = 16) -> Fact:
    return ended(at, key, status=status, cause=cause, hung_up_by=by)


def record_sound(database: Database, settings: Settings, now: datetime, told: dict[str, Told]) -> None:
    """Puts what was said into the spool and has it finished as the worker would."""
    for key, it in told.items():
        if it.talk and it.sound:
            over = now - timedelta(minutes=it.minutes) + timedelta(seconds=it.wait + it.talk)
            age(write_raw(spool_file(settings, f"{key}.raw"), *_dialogue(key, it.talk)), over)
    if any(it.talk and it.sound for it in told.values()):
        finish_all(database, settings, now)


def finish_all(database: Database, settings: Settings, now: datetime) -> None:
    """Finishes every recording, as the worker would within a second or two."""
    workshop = Workshop()
    try:
        while finish_pending(database, settings, now, workshop=workshop, wait_seconds=1).waiting:
            pass
    finally:
        workshop.close()


def two_tones(settings: Settings, key: str, seconds: float = 8.0) -> None:
    """A recording whose sides can be told apart: 440 Hz on the left, 1000 Hz on the right."""
    write_raw(spool_file(settings, f"{key}.raw"), tone(440, seconds), tone(1000, seconds))


def _dialogue(key: str, seconds: float) -> tuple[Samples, Samples]:
    """Caller and company in turns until the time is over."""
    left, right, turn = [silence(0.4)], [silence(0.4)], sum(key.encode())
    while sum(map(len, left)) < seconds * 8000:
        language, question, reply = TALK[turn % len(TALK)]
        asks, says = speech(question, language), speech(reply, language)
        pause = silence(0.3 + (turn % 5) / 4)
        left += [asks, silence(len(says) / 8000), pause]
        right += [silence(len(asks) / 8000), says, pause]
        turn += 1
    length = round(seconds * 8000)
    return np.concatenate(left)[:length], np.concatenate(right)[:length] * 0.8


def add_company(session: Session, now: datetime, slug: str) -> Pallets:
    """Pallets with two channels more, labels, and a campaign in Cyrillic."""
    pallets = add_pallets(session, now - timedelta(days=3), slug)
    company = session.get_one(Company, pallets.company_id)
    company.timezone = "Europe/Moscow"
    for name, e164, source in (("Berlin bus", BERLIN, "bus"), ("Messe München", GERMAN_LEAFLET, "leaflet")):
        since = now - timedelta(days=30)
        channel = Channel(
            company_id=company.id, name=name, source=source, campaign="autumn", created_at=since
        )
        session.add(channel)
        session.flush()
        add_number(session, company.id, e164, since, channel_id=channel.id)
    visit = session.get_one(Visit, pallets.visit_id)
    visit.source, visit.campaign, visit.keyword = "google", "Поддоны Москва", "купить поддоны деревянные"
    labels = {P.billboard: "M4 km 23", P.leased: "pallets.example", BERLIN: "Line M29"}
    for number in session.scalars(sa.select(Number).where(Number.e164.in_(labels))):
        number.label = labels[number.e164]
    return pallets
