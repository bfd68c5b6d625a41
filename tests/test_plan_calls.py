"""Plans on a real Asterisk do what their trials say."""

from __future__ import annotations

import io
import random
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session
from support.exchange import Exchange
from support.house import CARRIER, OFFICE, House
from support.plan_calls import Rung, agree, follow, way_of, way_on_asterisk
from support.plan_draw import Drawn, draw

from tracker import plan_uses, plans, prompts
from tracker.audit import By as Hand
from tracker.models import Channel, Company, Number, NumberUse, Responsible, Target, TargetKind
from tracker.policy.plan import By, Plan
from tracker.policy.plan_document import document_of
from tracker.policy.plan_trial import tried

MANY, AT_ONCE = 200, 40
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
KNOWN = {By.REGION: "de", By.CALLER: "first", By.SOURCE: "billboard-9", By.NUMBER: "+4915155"}


@dataclass(frozen=True)
class Ready:
    """A drawn plan in the house: its number, its versions as the dialplan knows them, its targets by ids."""

    drawn: Drawn
    zone: ZoneInfo
    e164: str
    versions: Mapping[str, Plan]
    targets: Mapping[str, str]


@pytest.fixture(scope="module")
def exchange(house: House) -> Iterator[Exchange]:
    made = Exchange((OFFICE, house.settings.sip_port), callers=CARRIER, phones=OFFICE)
    yield made
    made.close()


def furnish(house: House, exchange: Exchange, seed: int) -> list[Ready]:
    """Four companies in four zones; each has slots of three targets, and plans that share them in turns."""
    chance, now = random.Random(seed), datetime.now(UTC)
    hand = Hand(now, "test")
    ready = []
    for place, zone in enumerate(ZONES):
        company_id = house.company(f"plans-{place}", timezone=zone)
        slots = [tuple(f"x{place}-{slot}{letter}" for letter in "abc") for slot in range(AT_ONCE // 4)]
        with house.database.write() as session:
            company = session.get_one(Company, company_id)
            tone = prompts.ready_file(house.settings, _tone())
            prompts.add(session, hand, company, "tone", tone)
            ids = _targets(session, company, [name for slot in slots for name in slot], exchange, now)
            channel = Channel(company_id=company.id, name="board", source="Billboard 9", created_at=now)
            session.add(channel)
            session.flush()
            for count in range(place, MANY, 4):
                slot = slots[(count // 4) % len(slots)]
                drawn = draw(chance, count, slot, now.astimezone(ZoneInfo(zone)), KNOWN)
                ready.append(_keep(session, hand, channel, drawn, f"+7812000{count:04}", ids))
    house.apply()
    ready.sort(key=lambda each: each.e164)
    _be_responsible(house, ready, now)
    return ready


def _be_responsible(house: House, ready: Sequence[Ready], now: datetime) -> None:
    """Whoever the script says is responsible for the caller, who comes in the order of the plans."""
    with house.database.write() as session:
        for at, each in enumerate(ready):
            ids = {name: number for number, name in each.targets.items()}
            if each.drawn.script.responsible is not None:
                target = session.get_one(Target, int(ids[each.drawn.script.responsible]))
                told = {"company_id": target.company_id, "target_id": target.id, "actor": "test", "at": now}
                session.add(Responsible(phone=caller_of(at), **told))


def caller_of(at: int) -> str:
    """Who calls by the plan of that place."""
    return f"+4915155{at:05}"


def _tone() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x10\x00\xf0\xff" * 800)
    return made.getvalue()


def _targets(
    session: Session, company: Company, names: Sequence[str], exchange: Exchange, now: datetime
) -> dict[str, str]:
    rows = [
        Target(
            company_id=company.id, name=name, kind=TargetKind.PEER, host=OFFICE, port=exchange.phones_port,
            dial=name, created_at=now,
        )
        for name in names
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    return {str(row.id): row.name for row in rows}


def _keep(
    session: Session, hand: Hand, channel: Channel, drawn: Drawn, e164: str, ids: dict[str, str]
) -> Ready:
    company, kept = session.get_one(Company, channel.company_id), {}
    for name in sorted(drawn.plans):  # “other”, which the plan may go over to, first
        row = plans.add(session, hand, company, name, document_of(drawn.plans[name]))
        kept[f"{row.id}-1"] = drawn.plans[name]
    number = Number(company_id=company.id, e164=e164, record=False, created_at=hand.at)
    session.add(number)
    session.flush()
    session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=hand.at))
    plan_uses.use(session, hand, number, row)
    return Ready(drawn, ZoneInfo(company.timezone), e164, kept, ids)


def test_two_hundred_random_plans_ring_as_they_were_tried_out(house: House, exchange: Exchange) -> None:
    every = furnish(house, exchange, seed=2026)
    wrong = []
    for begin in range(0, len(every), AT_ONCE):
        some = every[begin : begin + AT_ONCE]
        for each in some:
            for name, reactions in each.drawn.script.targets.items():
                exchange.answers(name, reactions)
        rung = [
            Rung(
                exchange.call(caller_of(begin + at), each.e164), each.versions, each.targets,
                iter(each.drawn.script.keys),
            )
            for at, each in enumerate(some)
        ]  # fmt: skip
        follow(house.place.calls, rung, exchange)
        wrong += [told for each, call in zip(some, rung, strict=True) if (told := differs(each, call))]
    assert not wrong, f"{len(wrong)} of {MANY}:\n" + "\n\n".join(wrong[:5])


def differs(ready: Ready, rung: Rung) -> str:
    """What happened and what was said would, where they differ; "" where they agree."""
    drawn, happened = ready.drawn, way_on_asterisk(rung)
    known = drawn.script.known if rung.is_known else None
    expected = []
    for chance in (0.0, 0.34, 0.67, 0.99):  # whatever a weight may come to
        script = replace(drawn.script, chance=chance, known=known)
        trial = tried(drawn.plans, drawn.name, datetime.now(UTC), ready.zone, script)
        expected.append(way_of(trial, drawn.plans))
    fits = any(agree(each, happened) for each in expected)
    return "" if fits else f"{drawn}\nsaid: {expected}\ndid:  {happened}"
