"""Carriers that write the number dialled in a way of their own, and what phone systems are told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from support.agi_faults import frozen
from support.house import OFFICE, House, Line, until
from support.sip import Telephone
from support.talks import leased_place

from demo.scenario import invited, turn_down
from tracker.models import Call, CallerIdPolicy, CallEvent, Lease, Number, Refusal, Target, Visit

WHO = "<sip:+4915155900@carrier.example>"


def busy_line(house: House, calls: int) -> Line:
    line = house.line()
    house.phone(line.phones[0], [invited(), turn_down(486, "Busy Here")], calls=calls)
    return line


def ended(house: House, line: Line, count: int) -> list[Call]:
    def calls() -> list[Call] | None:
        found = house.calls(Call.number_id == line.number_id, Call.ended_at.is_not(None))
        return found if len(found) >= count else None

    return until(calls, why=f"{count} calls have ended")


def test_the_number_dialled_is_found_in_the_header_that_the_carrier_uses(house: House) -> None:
    trunk = house.trunk(did_in="header:P-Called-Party-ID")
    line, carrier = busy_line(house, calls=5), house.telephone(trunk.host)
    digits = line.e164.removeprefix("+7")
    written = [
        f'"Pallets: 12" <sip:{line.e164}@carrier.example:5060;user=phone>;reason=x',
        f"<sip:8{digits};npdi@carrier.example>",
        f"tel:{line.e164};phone-context=+1",
        f"8 ({digits[:3]}) {digits[3:]}",
    ]
    for header in written:
        assert carrier.dial("account", f"P-Called-Party-ID: {header}", who=WHO).refused() == 486, header
    assert carrier.dial(f"8{digits}", who=WHO).refused() == 486  # a call without the header
    calls = ended(house, line, len(written) + 1)
    assert {call.trunk_id for call in calls} == {trunk.id}
    hostile = 'P-Called-Party-ID: "${SHELL(id)}","1"]?evil,1) <sip:4711,1@x>'
    assert carrier.dial("account", hostile, who="<sip:+4915155901@x>").refused() == 404
    assert refused(house, "+4915155901").isdigit()


def refused(house: House, caller: str) -> str:
    def did() -> str | None:
        with house.database.read() as session:
            return session.scalar(sa.select(Refusal.did).where(Refusal.caller == caller))

    return until(did, why=f"a refusal of {caller}")


def test_the_number_dialled_is_found_in_to(house: House) -> None:
    trunk = house.trunk(did_in="to")
    line, carrier = busy_line(house, calls=1), house.telephone(trunk.host)
    assert to(carrier, "account", line.e164) == 486
    (call,) = ended(house, line, 1)
    assert call.trunk_id == trunk.id


def to(carrier: Telephone, asked: str, number: str) -> int:
    """Calls `asked` with `number` in To, as carriers do that call the account."""
    talk = carrier.dial(asked, who=WHO, to=f"<sip:{number}@carrier.example>")
    return talk.refused()


def test_a_form_that_two_countries_share_is_told_apart_by_the_carriers_country(house: House) -> None:
    """4951234567 is a number of Moscow and, without its +, one of Lower Saxony."""
    moscow, saxony = "+74951234567", "+4951234567"
    german, russian = house.trunk(country="DE"), house.trunk(country="RU")
    lines = {e164: busy_line(house, calls=1) for e164 in (moscow, saxony)}
    for e164, line in lines.items():
        rename(house, line, e164)
    try:
        assert house.telephone(russian.host).dial("4951234567", who=WHO).refused() == 486
        assert house.telephone(german.host).dial("051234567", who=WHO).refused() == 486
        for e164, trunk in ((moscow, russian), (saxony, german)):
            (call,) = ended(house, lines[e164], 1)
            assert call.trunk_id == trunk.id
            with house.database.read() as session:
                started = sa.select(CallEvent.detail).where(
                    CallEvent.call_id == call.id, CallEvent.kind == "started"
                )
                assert session.scalars(started).one()["did"] == e164
    finally:
        for line in lines.values():
            rename(house, line, line.e164)


def rename(house: House, line: Line, e164: str) -> None:
    with house.database.write() as session:
        session.execute(sa.update(Number).where(Number.id == line.number_id).values(e164=e164))
    house.apply()


@pytest.mark.parametrize(
    ("policy", "header"),
    [
        (CallerIdPolicy.RPID, "Remote-Party-ID: <sip:+4915155902@"),
        (CallerIdPolicy.DIVERSION, "Diversion: <sip:{did}@"),
    ],
)
def test_a_phone_system_is_shown_the_caller_where_it_looks(
    house: House, policy: CallerIdPolicy, header: str
) -> None:
    line = house.line(caller_id=policy, tells_source=True)
    office = house.telephone(OFFICE, port=line.phones[0].port)
    trunk = house.trunk()
    caller = house.telephone(trunk.host).dial(line.e164, who="<sip:+4915155902@carrier.example>")
    talk = office.take_call()
    caller.answered()
    assert talk.invite
    shown = line.e164 if policy is CallerIdPolicy.RPID else "+4915155902"
    assert f"sip:{shown}@" in talk.invite.header("From")
    assert header.format(did=line.e164) in talk.invite.text
    assert talk.invite.header("X-Leaseline-Number") == line.e164
    assert talk.invite.header("X-Leaseline-Source").startswith("billboard ")
    assert caller.hang_up().status == 200
    with house.database.read() as session:
        assert session.get_one(Target, line.phones[0].target_id).tells_source


def test_a_phone_system_is_told_where_a_visitor_came_from(house: House) -> None:
    """What an address called a campaign cannot end the header, and nobody waits for it."""
    place = leased_place(house)
    with house.database.write() as session:
        target = session.get_one(Target, place.line.phones[0].target_id)
        target.tells_source = True
        visit = session.scalars(sa.select(Visit).join(Lease).where(Lease.id == place.lease_id)).one()
        visit.campaign = 'Осень"\r\nX-Evil: 1,${SHELL(id)}'
    house.apply()
    office = house.telephone(OFFICE, port=place.line.phones[0].port)
    trunk = house.trunk()

    def told() -> str:
        caller = house.telephone(trunk.host).dial(place.line.e164, who="<sip:+4915155903@carrier.example>")
        talk = office.take_call()
        caller.answered()
        assert caller.hang_up().status == 200
        assert talk.invite
        assert "X-Evil:" not in talk.invite.text
        return talk.invite.text

    words = "%D0%9E%D1%81%D0%B5%D0%BD%D1%8C%22%0D%0AX-Evil%3A 1%2C%24%7BSHELL%28id%29%7D"
    assert f"X-Leaseline-Source: yandex/cpc/{words}\r\n" in told()
    with frozen(house.pid("agi")):
        assert "X-Leaseline-Source" not in told()
