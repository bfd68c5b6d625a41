"""What plans promise, heard and seen on a real Asterisk: messages, keys, codes, consent, limits, hours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from support.agi_faults import frozen
from support.audio import correlation, loudness, read_sides, speech, tone, which_tone
from support.exchange import Exchange, OutCall
from support.house import CARRIER, OFFICE, House, until
from support.plan_house import (
    MESSAGE_TONE,
    PROMPT,
    PROMPT_TONE,
    Office,
    call_of,
    caller_number,
    hear,
    recording_of,
    sound_of,
    tones_between,
)
from support.sip import Talk

from tracker import responsibles, unrecorded
from tracker.models import (
    Call,
    CallEvent,
    CodeLease,
    Company,
    Pool,
    RecordingState,
    Site,
    Target,
    TargetKind,
    Visit,
    Visitor,
)
from tracker.policy.attribution import Basis
from tracker.policy.facts import Outcome
from tracker.policy.plan_text import read_plan
from tracker.policy.plan_trial import Answer, Reaction, is_open

WORDS = speech("Hello, this is Ann. Please call me back about the pallets, any time after nine.")
BEFORE_TONE = 350
RINGING = 420  # near the 425 Hz of the company's country
SOON = 0.3


@pytest.fixture(scope="module")
def office(house: House) -> Office:
    return Office(house, "features")


@pytest.fixture
def exchange(house: House) -> Iterator[Exchange]:
    """Its phones talk until the caller hangs up."""
    made = Exchange((OFFICE, house.settings.sip_port), callers=CARRIER, phones=OFFICE, talk_seconds=60)
    yield made
    made.close()


def together(*each: Callable[[], None]) -> None:
    """All of it at the same time; the first failure is told."""
    with ThreadPoolExecutor(len(each)) as pool:
        for done in [pool.submit(one) for one in each]:
            done.result()


def ring(*targets: str, **more: Any) -> dict[str, Any]:
    return {"kind": "ring", "targets": [f"{target}:10" for target in targets], **more}


def steps_of(house: House, call: Call) -> list[tuple[str, str]]:
    """What the call did in its plan: (doing, about)."""
    wanted = sa.select(CallEvent).where(CallEvent.call_id == call.id, CallEvent.kind == "passed")
    with house.database.read() as session:
        events = session.scalars(wanted.order_by(CallEvent.at, CallEvent.id)).all()
        return [(event.detail["doing"], event.detail["about"]) for event in events]


# ---- messages ----

BOX = {"start": "box", "steps": {"box": {"kind": "voicemail", "say": PROMPT}}}


def test_a_caller_leaves_a_message_after_the_tone(house: House, office: Office) -> None:
    e164 = office.number("box", BOX)
    house.apply()

    def leave() -> tuple[str, Talk]:
        caller, talk = office.dial(e164)
        talk.answered()
        hear(talk, PROMPT_TONE)
        talk.media.say(tone(BEFORE_TONE, 0.3))  # before his turn
        talk.media.said()
        hear(talk, MESSAGE_TONE)
        time.sleep(SOON)
        return caller, talk

    def hangs_up() -> None:
        caller, talk = leave()
        talk.media.say(WORDS)
        talk.media.said()
        talk.hang_up()
        check_message(house, caller, len(WORDS) / 8000)

    def presses_hash() -> None:
        caller, talk = leave()
        talk.media.press("5")  # by a cheek
        talk.media.say(WORDS)
        talk.media.press("#")
        talk.over(30)
        check_message(house, caller, len(WORDS) / 8000)

    def says_nothing() -> None:
        caller, talk = leave()
        talk.hang_up()
        call = call_of(house, caller)
        assert (call.outcome, call.message_at) == (Outcome.MISSED, None)
        assert ("message", "") in steps_of(house, call)
        assert recording_of(house, caller).state is RecordingState.NONE
        assert not list((house.settings.spool / "recordings").glob(f"{call.key}*"))

    def is_silent() -> None:
        caller, talk = leave()
        time.sleep(2)
        talk.hang_up()
        assert recording_of(house, caller).state is RecordingState.NONE
        call = call_of(house, caller)
        assert (call.outcome, call.message_at) == (Outcome.MISSED, None)
        until(lambda: not list(house.settings.home.rglob(f"{call.key}*")), why="nothing of it is kept")

    together(hangs_up, presses_hash, says_nothing, is_silent)


def check_message(house: House, caller: str, seconds: float) -> None:
    call, recording = call_of(house, caller), recording_of(house, caller)
    assert (call.outcome, call.answered_at, call.talk_seconds) == (Outcome.MISSED, None, None)
    assert call.message_at
    assert recording.problem is None
    assert recording.seconds == pytest.approx(seconds + SOON, abs=1.2)
    left, right = read_sides(sound_of(house, recording))
    assert correlation(left, WORDS) > 0.7
    assert loudness(right) < 0.01
    assert tones_between(left[:1600], BEFORE_TONE - 20, BEFORE_TONE + 20) < 0.02


# ---- keys, codes, consent, announcements ----

MENU = {
    "start": "menu",
    "steps": {
        "menu": {"kind": "menu", "say": PROMPT, "keys": {"1": "sales", "#": "service"}, "then": "sales"},
        "sales": ring("Sales"),
        "service": ring("Service"),
    },
}
CONSENT = {
    "start": "ask",
    "steps": {
        "ask": {"kind": "consent", "say": PROMPT, "refuse": "9", "then": "ring"},
        "ring": ring("Agreed"),
    },
}
CODED = {
    "start": "ask",
    "steps": {"ask": {"kind": "code", "say": PROMPT, "digits": 4, "then": "ring"}, "ring": ring("Coded")},
}
WELCOME = {
    "start": "hello",
    "steps": {"hello": {"kind": "say", "say": PROMPT, "then": "ring"}, "ring": ring("Welcomed")},
}


def test_what_callers_press_and_hear(house: House, office: Office) -> None:
    phones = {name: office.phone(name) for name in ("Sales", "Service", "Agreed", "Coded", "Welcomed")}
    menu, coded, welcome = (
        office.number(name, plan) for name, plan in (("menu", MENU), ("coded", CODED), ("welcome", WELCOME))
    )
    consent = office.number("consent", CONSENT, record=True)
    with house.database.write() as session:
        session.get_one(Company, office.id).remember_refusals = True
    visit_id = hold_code(house, office, "4826")
    house.apply()

    def chooses() -> None:
        caller, talk = office.dial(menu)
        talk.answered()
        heard = hear(talk, PROMPT_TONE)
        talk.media.press("5")  # which is none of the keys: it is said once more
        hear(talk, PROMPT_TONE, since=heard + 4000)
        talk.media.press("#")
        taken = phones["Service"].take_call()
        check_talk(talk, taken)
        call = call_of(house, caller)
        pressed = [about for doing, about in steps_of(house, call) if doing == "pressed"]
        assert pressed == ["5", "#"]

    def types_a_code() -> None:
        caller, talk = office.dial(coded)
        talk.answered()
        hear(talk, PROMPT_TONE)
        talk.media.press("4826")
        check_talk(talk, phones["Coded"].take_call())
        assert call_of(house, caller).visitor_code == "4826"
        call = until(
            lambda: next(iter(house.calls(Call.caller == caller, Call.visit_id.is_not(None))), None),
            why="the call is attributed",
        )
        assert (call.visit_id, call.basis) == (visit_id, Basis.CODE)

    def consents() -> None:
        """One after the other, for they share a telephone."""
        for key, state in (("9", RecordingState.NONE), ("", RecordingState.READY)):
            caller, talk = office.dial(consent)
            talk.answered()
            hear(talk, PROMPT_TONE)
            talk.media.press(key)
            check_talk(talk, phones["Agreed"].take_call())
            told = "refused" if key else "yes"
            call = call_of(house, caller)
            assert ("recording", told) in steps_of(house, call)
            with house.database.read() as session:
                is_kept = unrecorded.is_listed(session, office.id, caller, datetime.now(UTC))
                assert is_kept is (key == "9")  # his refusal, for his next call
            recording = recording_of(house, caller)
            assert recording.state is state, recording.problem
            if state is RecordingState.READY:
                left, right = read_sides(sound_of(house, recording))
                assert (which_tone(left[1600:6400]), which_tone(right[1600:6400])) == (440, 880)

    def is_welcomed() -> None:
        caller, talk = office.dial(welcome)
        talk.answered()
        said = hear(talk, PROMPT_TONE)
        ringing = phones["Welcomed"].invited()
        hear(talk, RINGING, since=said)
        ringing.pick_up()
        picked_up_at = time.time()
        check_talk(talk, ringing)
        call = call_of(house, caller)
        assert call.answered_at
        assert call.answered_at.timestamp() == pytest.approx(picked_up_at, abs=0.5)
        assert call.wait_seconds is not None
        assert call.wait_seconds > 0.6  # the announcement is waiting too

    together(chooses, types_a_code, consents, is_welcomed)


def check_talk(caller: Talk, company: Talk) -> None:
    """The two hear each other; then the caller hangs up."""
    before = len(caller.media.heard()), len(company.media.heard())
    caller.media.say(tone(440, 1.2))
    company.media.say(tone(880, 1.2))
    hear(company, 440, since=before[1])
    hear(caller, 880, since=before[0])
    caller.media.said()
    caller.hang_up()
    company.over()


def hold_code(house: House, office: Office, code: str) -> int:
    """A visit that was shown this code and still is."""
    now, key = datetime.now(UTC), uuid4().hex
    with house.database.write() as session:
        pool = Pool(company_id=office.id, name=f"pool {code}", created_at=now)
        visitor = Visitor(company_id=office.id, key=key, created_at=now)
        site = Site(company_id=office.id, name=key, key=key, created_at=now)
        session.add_all([pool, visitor, site])
        session.flush()
        visit = Visit(
            visitor_id=visitor.id, site_id=site.id, started_at=now, seen_at=now, medium="cpc", source="google"
        )
        session.add(visit)
        session.flush()
        session.add(
            CodeLease(
                company_id=office.id, pool_id=pool.id, code=code, visit_id=visit.id, from_at=now,
                expires_at=now + timedelta(hours=1),
            )
        )  # fmt: skip
        return visit.id


# ---- limits, orders, who rings ----


def test_who_rings_goes_by_limits_turns_and_what_was_before(
    house: House, office: Office, exchange: Exchange
) -> None:
    port = exchange.phones_port
    names = ("one", "r1", "r2", "r3", "l1", "l2", "own", "g1")
    ids = {name: office.target(name, port=port, dial=name) for name in names}
    limited = office.number("limited", {"start": "ring", "steps": {
        "ring": {"kind": "ring", "targets": [{"target": "one", "seconds": 10, "most": 1}], "busy": "full"},
        "full": {"kind": "hangup", "cause": "busy"}}})  # fmt: skip
    turns = office.number(
        "turns", {"start": "ring", "steps": {"ring": ring("r1", "r2", "r3", order="round")}}
    )
    again = office.number("again", {"start": "known", "steps": {
        "known": {"kind": "branch", "by": "caller", "cases": {"repeat": "last"}, "then": "ring"},
        "last": {"kind": "last", "seconds": 10, "then": "ring"},
        "ring": ring("l1", "l2")}})  # fmt: skip
    hers = office.number("hers", {"start": "own", "steps": {
        "own": {"kind": "responsible", "seconds": 10, "then": "ring"}, "ring": ring("g1")}})  # fmt: skip
    house.apply()
    takes = [Reaction(Answer.ANSWERS, 0.1)]
    for name in ("one", "r1", "r2", "r3", "l2", "g1"):
        exchange.answers(name, takes)
    for name in ("l1", "own"):
        exchange.answers(name, [Reaction(Answer.BUSY, 0.1), *takes])

    def answered(call: OutCall) -> OutCall:
        until(lambda: call.code, why="it is taken or turned away")
        return call

    def limit() -> None:
        first = answered(exchange.call(caller_number(), limited))
        second = answered(exchange.call(caller_number(), limited))
        assert (first.code, second.code) == (200, 486)
        assert ("full", str(ids["one"])) in steps_of(house, call_of(house, second.caller))
        exchange.give_up(first)
        call_of(house, first.caller)
        third = answered(exchange.call(caller_number(), limited))
        assert third.code == 200
        exchange.give_up(third)

    def rounds() -> None:
        found = [call_through(turns).target_id for _ in range(4)]
        assert found == [ids["r1"], ids["r2"], ids["r3"], ids["r1"]]

    def call_through(e164: str, caller: str | None = None) -> Call:
        call = answered(exchange.call(caller or caller_number(), e164))
        exchange.give_up(call)
        return max(
            until(lambda: house.calls(Call.caller == call.caller, Call.ended_at.is_not(None)), why="ended"),
            key=lambda it: it.id,
        )

    def knows_callers() -> None:
        caller = caller_number()
        assert call_through(again, caller).target_id == ids["l2"]  # l1 is busy this once
        until(lambda: house.count(Call.caller == caller, Call.target_id == ids["l2"]), why="booked")
        exchange.give_up(answered(exchange.call(caller, again)))
        until(lambda: house.count(Call.caller == caller, Call.ended_at.is_not(None)) == 2, why="both ended")
        assert [call.target_id for call in house.calls(Call.caller == caller)] == [ids["l2"], ids["l2"]]
        assert call_through(again).target_id == ids["l1"]  # and whoever is new rings in turn

    def has_somebody_of_his_own() -> None:
        caller = caller_number()
        with house.database.write() as session:
            owner, own = session.get_one(Company, office.id), session.get_one(Target, ids["own"])
            responsibles.tell(session, office.hand, owner, {caller: own})
        assert call_through(hers, caller).target_id == ids["g1"]  # hers is busy this once: the group has it
        rung = sa.select(CallEvent.detail).join(Call, Call.id == CallEvent.call_id)
        with house.database.read() as session:
            legs = session.scalars(rung.where(Call.caller == caller, CallEvent.kind == "leg_ended"))
            assert [leg["target_id"] for leg in legs] == [ids["own"]]  # and rang before it
        exchange.give_up(answered(exchange.call(caller, hers)))
        until(lambda: house.count(Call.caller == caller, Call.ended_at.is_not(None)) == 2, why="both ended")
        assert [call.target_id for call in house.calls(Call.caller == caller)] == [ids["g1"], ids["own"]]
        assert call_through(hers).target_id == ids["g1"]  # nobody is for a stranger: the group at once

    together(limit, rounds, knows_callers, has_somebody_of_his_own)


def test_a_phone_is_free_again_when_it_has_put_its_call_through(house: House, office: Office) -> None:
    names = ("ann", "bob")
    for name in names:
        office.target(
            name.title(),
            kind=TargetKind.PHONE,
            host=None,
            dial=None,
            username=f"f-{name}",
            password="secret-9",
        )
    e164 = office.number("one each", {"start": "ring", "steps": {
        "ring": {"kind": "ring", "targets": [{"target": "Ann", "seconds": 10, "most": 1}], "busy": "second"},
        "second": {"kind": "ring", "targets": [{"target": "Bob", "seconds": 10, "most": 1}], "busy": "full"},
        "full": {"kind": "hangup", "cause": "busy"}}})  # fmt: skip
    house.apply()
    ann, bob = (house.telephone(OFFICE, user=f"f-{name}", password="secret-9") for name in names)
    for each in (ann, bob):
        assert each.register().status == 200
    _, first = office.dial(e164)
    taken = ann.take_call()
    first.answered()
    until(lambda: len(first.media.heard()), why="the two are connected")
    assert taken.transfer("f-bob").status == 202
    second = bob.take_call()
    until(lambda: len(second.media.heard()), why="the two are connected")
    _, next_caller = office.dial(e164)
    freed = ann.take_call()  # not full: she has put hers through
    next_caller.answered()
    _, third = office.dial(e164)
    assert third.refused() == 486  # Bob has the first one, Ann the second
    for talk in (first, next_caller):
        talk.hang_up()
    second.over()
    freed.over()


def test_of_two_that_ring_over_one_trunk_the_one_that_answers_is_in_the_books(
    house: House, office: Office
) -> None:
    trunk = house.trunk()
    carrier = house.telephone(trunk.host, port=trunk.port)
    outside = {"kind": TargetKind.OUTSIDE, "host": None, "dial": None, "trunk_id": trunk.id}
    office.target("Mobile", e164="+4915111111111", **outside)
    other = office.target("Home", e164="+4930222222222", **outside)
    e164 = office.number(
        "both", {"start": "ring", "steps": {"ring": ring("Mobile", "Home", order="at once")}}
    )
    house.apply()
    caller, talk = office.dial(e164)
    legs = [carrier.invited(), carrier.invited()]
    (home,) = [leg for leg in legs if leg.invite and "4930222222222" in leg.invite.first_line]
    (mobile,) = [leg for leg in legs if leg is not home]
    home.pick_up()
    talk.answered()
    cancelled = carrier.wait(lambda it: mobile.is_of(it) and it.method == "CANCEL" and it.status is None)
    mobile.reply("487 Request Terminated")
    check_talk(talk, home)
    call = call_of(house, caller)
    assert cancelled
    assert (call.outcome, call.target_id) == (Outcome.ANSWERED, other)


# ---- versions, and what is away ----


def test_a_call_goes_on_by_the_plan_it_began_with(house: House, office: Office) -> None:
    old, new, slow = (office.phone(name) for name in ("Old", "New", "Slow"))
    last = office.phone("Last")

    def menu(target: str) -> dict[str, Any]:
        chosen = {"kind": "menu", "say": PROMPT, "keys": {"1": "ring"}, "seconds": 10, "then": "ring"}
        return {"start": "menu", "steps": {"menu": chosen, "ring": ring(target)}}

    in_menu, gone = office.number("edited", menu("Old")), office.number("gone", menu("Last"))
    ringing = office.number("edited too", {"start": "ring", "steps": {"ring": ring("Slow")}})
    house.apply()
    _, chooser = office.dial(in_menu)
    _, waiting = office.dial(ringing)
    _, forgotten = office.dial(gone)
    for talk in (chooser, forgotten):
        talk.answered()
        hear(talk, PROMPT_TONE)
    rings = slow.invited()
    office.change("edited", menu("New"))
    office.change("edited too", {"start": "ring", "steps": {"ring": ring("New")}})
    office.delete("gone", gone)
    for talk in (chooser, forgotten):
        talk.media.press("1")
    rings.pick_up()
    waiting.answered()
    check_talk(waiting, rings)
    check_talk(chooser, old.take_call())
    check_talk(forgotten, last.take_call())
    _, later = office.dial(ringing)
    check_talk(later.answered() if (taken := new.take_call()) else later, taken)


def test_plans_ring_while_the_tracker_is_away_or_its_books_are_locked(
    house: House, office: Office, exchange: Exchange
) -> None:
    for name in ("stranger", "friend"):
        office.target(name, port=exchange.phones_port, dial=name)
        exchange.answers(name, [Reaction(Answer.ANSWERS, 0.1)])
    e164 = office.number("away", {"start": "known", "steps": {
        "known": {"kind": "branch", "by": "caller", "cases": {"first": "friend"}, "then": "stranger"},
        "friend": ring("friend"), "stranger": ring("stranger")}})  # fmt: skip
    house.apply()

    def rung(seconds: float = 10) -> str:
        call = exchange.call(caller_number(), e164)
        until(lambda: call.code, seconds, why="it is taken")
        assert call.code == 200
        exchange.give_up(call)
        return call.caller

    def target_of(caller: str) -> str | None:
        found = call_of(house, caller)
        with house.database.read() as session:
            call = session.get_one(Call, found.id)
            return call.target.name if call.target else None

    with frozen(house.pid("agi")):
        away = rung()
    with house.database.write():  # nobody else may write
        locked = rung()
    known = rung()
    assert (target_of(away), target_of(locked), target_of(known)) == ("stranger", "friend", "friend")


# ---- hours ----

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
CHANGES = (
    datetime(2027, 3, 28, 1, 0, tzinfo=UTC),  # Berlin goes forward at 2:00; half past six in Kolkata
    datetime(2027, 10, 31, 1, 0, tzinfo=UTC),  # and back at 3:00
    datetime(2027, 3, 14, 7, 0, tzinfo=UTC),  # New York forward
    datetime(2027, 11, 7, 6, 0, tzinfo=UTC),
    datetime(2027, 4, 3, 15, 0, tzinfo=UTC),  # Lord Howe back by half an hour at 2:00
    datetime(2027, 10, 2, 15, 30, tzinfo=UTC),
    datetime(2027, 12, 31, 18, 30, tzinfo=UTC),  # midnight in Kolkata, New Year's Day begins
    datetime(2027, 12, 31, 23, 0, tzinfo=UTC),  # and in Berlin
)
SPANS: tuple[dict[str, Any], ...] = (
    {"open": {"mon-sun": "02:00-03:00"}},
    {"open": {"mon-sun": "01:30-02:00, 03:00-24:00"}},
    {"open": {"sat": "00:00-24:00", "sun": "02:30-03:30"}},
    {"open": {"mon-sun": "06:30-18:00"}, "holidays": ["01-01", "2027-03-14"]},
    {"open": {"mon-fri": "00:00-24:00"}, "special": {"2027-10-31": "02:00-02:30", "04-04": "01:30-02:00"}},
)


def test_hours_open_and_close_by_the_companys_clocks(house: House, exchange: Exchange) -> None:
    lines = list(hours_lines(house))
    house.apply()
    wrong, seen = [], set[tuple[str, int]]()
    try:
        for change in CHANGES:
            for moment in (change - timedelta(seconds=40), change + timedelta(seconds=1)):
                shift = round((moment - datetime.now(UTC)).total_seconds())
                house.console(f"dialplan set global LL_CLOCK {shift}")
                calls = [(exchange.call(caller_number(), e164), zone, step) for e164, zone, step in lines]
                for call, zone, step in calls:
                    until(lambda call=call: call.code, why="the call ends")  # type: ignore[misc]
                    expected = 486 if is_open(step, moment.astimezone(ZoneInfo(zone))) else 403
                    seen.add((zone, call.code))
                    if call.code != expected:
                        wrong.append(f"{zone} {moment}: {call.code} rather than {expected}, {step}")
    finally:
        house.console("dialplan set global LL_CLOCK 0")
    assert not wrong, "\n".join(wrong[:5])
    assert seen == {(zone, code) for zone in ZONES for code in (486, 403)}


def hours_lines(house: House) -> Iterator[tuple[str, str, Any]]:
    """Numbers that say by how they turn a call away whether somebody is there: 486 open, 403 closed."""
    for zone in ZONES:
        office = Office(house, f"hours-{zone.rpartition('/')[2].lower().replace('_', '-')}", zone)
        for count, spans in enumerate(SPANS):
            document = {"start": "known", "steps": {
                "known": {"kind": "branch", "by": "source", "cases": {"nowhere": "box"}, "then": "hours"},
                "box": {"kind": "voicemail", "say": PROMPT},
                "hours": {"kind": "hours", **spans, "then": "open", "closed": "closed"},
                "open": {"kind": "hangup", "cause": "busy"},
                "closed": {"kind": "hangup", "cause": "refused"}}}  # fmt: skip
            step = read_plan("hours", document).steps["hours"]
            yield office.number(f"hours {count}", document), zone, step
