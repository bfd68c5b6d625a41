"""Which calls get in, in whatever form a carrier writes the numbers, and what becomes of the others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.house import CARRIER, House, Line, until
from support.sip import Registrar, Telephone

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, turn_down, wait
from tracker import numbers
from tracker.audit import By
from tracker.models import Call, CallEvent, Number, NumberState, Refusal, Trunk, TrunkKind
from tracker.policy.facts import Outcome, Presentation

STRANGER = "127.0.0.9"  # an address no trunk is known by


@pytest.fixture
def carrier(house: House) -> Telephone:
    return house.telephone(CARRIER)


def busy_line(house: House, calls: int = 1) -> Line:
    line = house.line()
    house.phone(line.phones[0], [invited(), turn_down(486, "Busy Here")], calls=calls)
    return line


def calls_on(house: House, line: Line, count: int = 1) -> list[Call]:
    """The calls on this line once that many have ended."""

    def ended() -> list[Call] | None:
        found = house.calls(Call.number_id == line.number_id, Call.ended_at.is_not(None))
        return found if len(found) >= count else None

    return until(ended, why=f"{count} calls have ended")


def refusal_of(house: House, caller: str) -> Refusal:
    def found() -> Refusal | None:
        with house.database.read() as session:
            return session.scalars(sa.select(Refusal).where(Refusal.caller == caller)).one_or_none()

    return until(found, why=f"a refusal of {caller}")


def from_number(number: str) -> str:
    return f"<sip:{number}@carrier.example>"


# ---- the number dialled ----


def test_a_number_is_found_in_every_form_a_carrier_writes_it(house: House, carrier: Telephone) -> None:
    digits = (line := busy_line(house, calls=6)).e164.removeprefix("+7")
    forms = [f"+7{digits}", f"7{digits}", f"8{digits}", f"007{digits}", f"8107{digits}", digits]
    for form in forms:
        assert carrier.dial(form, who=from_number("+4915155601")).refused() == 486, form
    calls = calls_on(house, line, len(forms))
    assert len(calls) == len(forms)
    with house.database.read() as session:
        details = session.scalars(sa.select(CallEvent.detail).where(CallEvent.kind == "started")).all()
    dialled = [detail["dialled"] for detail in details if detail["did"] == line.e164]
    assert set(dialled) == set(forms)


# ---- the caller's number ----


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("89161234567", "+79161234567"),
        ("9161234567", "+79161234567"),
        ("79161234567", "+79161234567"),
        ("+4915112345678", "+4915112345678"),
        ("004915112345678", "+4915112345678"),
        ("112", "112"),
    ],
)
def test_a_caller_is_stored_in_international_form(
    house: House, carrier: Telephone, sent: str, stored: str
) -> None:
    line = busy_line(house)
    assert carrier.dial(line.e164, who=from_number(sent)).refused() == 486
    (call,) = calls_on(house, line)
    assert (call.caller, call.presentation) == (stored, Presentation.ALLOWED)


def test_a_caller_without_a_number_is_a_call_all_the_same(house: House, carrier: Telephone) -> None:
    line = busy_line(house)
    assert carrier.dial(line.e164, who="<sip:carrier.example>").refused() == 486
    (call,) = calls_on(house, line)
    assert call.caller is None


def test_an_asserted_number_counts_more_than_from_where_the_carrier_is_trusted(
    house: House, carrier: Telephone
) -> None:
    line = busy_line(house)
    asserted = "P-Asserted-Identity: <sip:+4915155602@carrier.example>"
    assert carrier.dial(line.e164, asserted, who=from_number("+4915155603")).refused() == 486
    assert calls_on(house, line)[0].caller == "+4915155602"


def test_an_asserted_number_counts_nothing_where_the_carrier_is_not_trusted(house: House) -> None:
    trunk, line = house.trunk(trust_asserted=False), busy_line(house)
    asserted = "P-Asserted-Identity: <sip:+4915155604@carrier.example>"
    ann = house.telephone(trunk.host)
    assert ann.dial(line.e164, asserted, who=from_number("+4915155605")).refused() == 486
    assert calls_on(house, line)[0].caller == "+4915155605"


# ---- numbers that are not ours ----


@pytest.mark.parametrize(
    ("dialled", "caller"),
    [
        ("+74950000001", "+4915155701"),
        ("0", "+4915155702"),
        ("+", "+4915155703"),
        ("00987654321098765432109876543210987654321", "+4915155704"),
    ],
)
def test_a_call_to_a_number_we_do_not_have_is_refused_and_kept(
    house: House, carrier: Telephone, dialled: str, caller: str
) -> None:
    before = len(house.calls())
    assert carrier.dial(dialled, who=from_number(caller)).refused() == 404
    refusal = refusal_of(house, caller)
    assert (refusal.did, refusal.reason) == (dialled, "unknown_number")
    assert (refusal.trunk_id, refusal.node) == (house.trunk_id, "house")
    assert len(house.calls()) == before


@pytest.mark.parametrize("dialled", ["sales", "*97", "#31#", "s", "h", "i", "t", "T"])
def test_what_is_no_number_is_refused_without_making_a_channel(
    house: House, carrier: Telephone, dialled: str
) -> None:
    before = processed(house)
    assert carrier.dial(dialled, who=from_number("+4915155606")).refused() in {404, 484}
    assert processed(house) == before


def processed(house: House) -> int:
    said = re.search(r"(\d+) calls? processed", house.console("core show channels count"))
    assert said
    return int(said[1])


def test_a_stranger_is_refused_and_written_to_the_security_log(house: House) -> None:
    line, before = busy_line(house), processed(house)
    stranger = house.telephone(STRANGER)
    assert stranger.dial(line.e164, who=from_number("+4915155607")).refused() == 401
    assert processed(house) == before
    log = house.place.logs / "security"
    said = until(lambda: [each for each in log.read_text().splitlines() if STRANGER in each])
    assert "ChallengeSent" in said[0] or "InvalidAccountID" in said[0]
    assert not house.calls(Call.number_id == line.number_id)


def test_a_number_is_not_answered_before_it_is_applied(house: House, carrier: Telephone) -> None:
    with house.database.write() as session:
        fresh = Number(company_id=house.company_id, e164="+74990000002", created_at=datetime.now(UTC))
        session.add(fresh)
    assert carrier.dial("+74990000002", who=from_number("+4915155608")).refused() == 404
    assert refusal_of(house, "+4915155608").did == "+74990000002"


# ---- numbers given up ----


def test_a_retired_number_is_answered_until_its_quarantine_is_over(house: House, carrier: Telephone) -> None:
    line, now = busy_line(house, calls=2), datetime.now(UTC)
    with house.database.write() as session:
        number = session.get_one(Number, line.number_id)
        numbers.retire(session, By(now, "test"), number, 30)
    house.apply()
    assert carrier.dial(line.e164, who=from_number("+4915155609")).refused() == 486
    (call,) = calls_on(house, line)
    assert call.channel is not None
    with house.database.write() as session:
        number = session.get_one(Number, line.number_id)
        numbers.end_quarantine(session, By(now + timedelta(days=31), "test"), number)
        assert number.state is NumberState.RETIRED
    house.apply()
    assert carrier.dial(line.e164, who=from_number("+4915155610")).refused() == 404


# ---- a carrier at which we log in ----


def test_a_carrier_that_wants_a_login_gets_it_and_may_call_us(house: House) -> None:
    place = house.trunk()  # an address and a port of its own
    exchange = house.telephone(place.host, port=place.port, user="442071838750", password="pal-Lets7")
    registrar = Registrar(exchange)
    login_at(house, place.id, exchange)
    message = registrar.serve_one()
    assert len(registrar.turned_away) == 1  # the first REGISTER, without credentials
    assert f"sip:442071838750@{house.settings.sip_host}:{house.settings.sip_port}" in message.header(
        "Contact"
    )
    until(lambda: "Registered" in house.console("pjsip show registrations"), why="Asterisk is logged in")
    line = house.line()
    house.phone(line.phones[0], [invited(), ringing(), pick_up(), hung_up()], calls=2)
    steps = [invite(), answered(), wait(0.2), hang_up()]
    call = house.call_of(house.caller(line, steps, address=place.host))
    assert (call.outcome, call.trunk_id) == (Outcome.ANSWERED, place.id)
    to_account = [invite_account("442071838750", line.e164), answered(), wait(0.2), hang_up()]
    call = house.call_of(house.caller(line, to_account, address=place.host))
    assert (call.outcome, call.number_id) == (Outcome.ANSWERED, line.number_id)
    login_at(house, place.id, None)


def login_at(house: House, trunk_id: int, exchange: Telephone | None) -> None:
    """Make the trunk one that registers at this exchange; with None it does so no more."""
    with house.database.write() as session:
        trunk = session.get_one(Trunk, trunk_id)
        trunk.kind = TrunkKind.REGISTRATION if exchange else TrunkKind.IP
        trunk.username = exchange.user if exchange else None
        trunk.password = exchange.password if exchange else None
    house.apply()


def invite_account(user: str, number: str) -> str:
    """An INVITE to the account's user name; the number dialled stands in To."""
    return invite().replace("INVITE sip:[service]@", f"INVITE sip:{user}@").replace("[service]", number)
