"""Carriers we register with: some call us by the account's user name and put the number dialled into To."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from support.house import House, until

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, refused, ringing, wait
from tracker.models import Refusal, Trunk, TrunkKind
from tracker.policy.facts import Outcome

REGISTRAR = "127.0.0.4"  # nobody answers our registration there; its calls come in all the same
ACCOUNT = "4711"


@pytest.fixture(autouse=True)
def _account(house: House) -> Iterator[None]:
    with house.database.write() as session:
        trunk = Trunk(
            name="account", kind=TrunkKind.REGISTRATION, host=REGISTRAR, username=ACCOUNT, password="secret",
            match=[], created_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(trunk)
        session.flush()
        trunk_id = trunk.id
    yield
    house.hush()
    with house.database.write() as session:
        trunk = session.get_one(Trunk, trunk_id)
        trunk.name, trunk.kind, trunk.username = f"was account {trunk_id}", TrunkKind.IP, None
        trunk.host = f"127.0.8.{trunk_id % 250}"
    house.apply()


def invite_account(to: str) -> str:
    """INVITE sip:4711@us with the number dialled, as `to`, in To alone."""
    return invite().replace("To: <sip:[service]@", f"To: <sip:{to}@")


def test_a_call_to_the_account_is_a_call_to_the_number_in_to(house: House) -> None:
    line = house.line()
    house.phone(line.phones[0], [invited(), ringing(), wait(0.2), pick_up(), hung_up()])
    steps = [invite_account(line.e164), answered(), wait(0.5), hang_up()]
    call = house.call_of(house.caller(ACCOUNT, steps, address=REGISTRAR))
    assert (call.number_id, call.outcome) == (line.number_id, Outcome.ANSWERED)


def test_a_call_to_the_account_for_a_number_that_is_not_ours_is_refused(house: House) -> None:
    house.line()
    caller = house.caller(ACCOUNT, [invite_account("+74950000000"), refused(404)], address=REGISTRAR)
    assert caller.party.wait() == 0, caller.party.errors

    def refusal() -> Refusal | None:
        with house.database.read() as session:
            return session.scalar(sa.select(Refusal).where(Refusal.caller == caller.number))

    assert until(refusal).did == "+74950000000"
