"""Who is nobody's carrier and nobody's phone gets no further than a challenge."""

from __future__ import annotations

import json

import pytest
from support.house import House

from demo.scenario import invite, refused

STRANGER = "127.0.3.3"


@pytest.mark.parametrize("name", ["trunk-{trunk}", "target-{target}"])
def test_a_stranger_who_takes_an_endpoints_name_is_challenged(house: House, name: str) -> None:
    line = house.line()
    said = name.format(trunk=house.trunk_id, target=line.phones[0].target_id)
    caller = house.caller(
        line, [invite(), refused(401)], address=STRANGER, who=f'"Eve" <sip:{said}@carrier.example>'
    )
    assert caller.party.wait() == 0, caller.party.errors


def test_doctor_names_a_stranger_and_what_to_do_if_it_is_the_carrier(house: House) -> None:
    caller = house.caller(house.line(), [invite(), refused(401)], address="127.0.3.4")
    assert caller.party.wait() == 0, caller.party.errors
    findings = json.loads(house.cli("doctor", "--json", accept=(0, 1)).stdout)
    (found,) = [each for each in findings if "127.0.3.4" in each["message"]]
    assert found["name"] == "strangers"
    assert "leaseline trunk change NAME --match 127.0.3.4" in found["fix"]
