"""What a target is shown of the caller, by its policy; a withheld number stays withheld."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from support.house import House

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, wait
from tracker.models import CallerIdPolicy

CALLER = "+4915199999999"
SHOWN = f'"Ann" <sip:{CALLER}@carrier.example>'
WITHHELD = '"Anonymous" <sip:anonymous@anonymous.invalid>'
ASSERTED = (f"P-Asserted-Identity: <sip:{CALLER}@carrier.example>", "Privacy: id")


@pytest.fixture(autouse=True)
def _hush(house: House) -> Iterator[None]:
    yield
    house.hush()


def shown(house: House, policy: CallerIdPolicy, who: str, *headers: str) -> tuple[str, list[str], str]:
    """The users of From and of every P-Asserted-Identity that the phone saw, and the number dialled."""
    line = house.line(caller_id=policy)
    phone = house.phone(line.phones[0], [invited(), pick_up(), hung_up()], options=("-trace_msg",))
    house.caller(line, [invite(*headers), answered(), wait(0.3), hang_up()], who=who).party.wait()
    phone.wait()
    log = next(phone.folder.glob("*_messages.log")).read_text(errors="replace")
    head = re.split(r"\r?\n\r?\n", log[log.index("INVITE sip:") :], maxsplit=1)[0]
    from_ = re.search(r"(?m)^From:.*<sip:([^@>]*)@", head)
    assert from_ is not None
    return from_[1], re.findall(r"(?m)^P-Asserted-Identity:.*<sip:([^@>]*)@", head), line.e164


def test_a_target_sees_the_callers_own_number(house: House) -> None:
    assert shown(house, CallerIdPolicy.CALLER, SHOWN)[:2] == (CALLER, [CALLER])


def test_a_target_that_takes_only_our_number_sees_it_and_the_caller_asserted_once(house: House) -> None:
    sender, asserted, ours = shown(house, CallerIdPolicy.OWN, SHOWN)
    assert (sender, asserted) == (ours, [CALLER])


@pytest.mark.parametrize("policy", list(CallerIdPolicy))
def test_a_withheld_number_is_shown_to_no_target(house: House, policy: CallerIdPolicy) -> None:
    sender, asserted, ours = shown(house, policy, WITHHELD, *ASSERTED)
    assert sender in {"anonymous", ours}
    assert asserted == []
