"""Who is nobody's carrier and nobody's phone gets no further than a challenge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.house import House

from demo.scenario import invite, refused

STRANGER = "127.0.0.3"


@pytest.fixture(autouse=True)
def _hush(house: House) -> Iterator[None]:
    yield
    house.hush()


@pytest.mark.parametrize("name", ["trunk-{trunk}", "target-{target}"])
def test_a_stranger_who_takes_an_endpoints_name_is_challenged(house: House, name: str) -> None:
    line = house.line()
    said = name.format(trunk=house.trunk_id, target=line.phones[0].target_id)
    caller = house.caller(
        line, [invite(), refused(401)], address=STRANGER, who=f'"Eve" <sip:{said}@carrier.example>'
    )
    assert caller.party.wait() == 0, caller.party.errors
