"""From the advertisement to the call's page: a real browser, a real call to the number it shows, one story.

Once as usual, once with the AGI server frozen during the whole call: the books are filled afterwards from
what Asterisk wrote down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import uuid4

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser
from support.agi_faults import frozen
from support.house import House, Line, until
from support.page import Page

from demo import visitors
from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, wait
from demo.shop import shop
from demo.visitors import Seen
from tracker.models import Call, Lease, NumberUse, Visit
from tracker.policy.phone import display

OWN = "+74957654321"


@dataclass(frozen=True)
class Website:
    """A shop with the script, and the line whose number is the only one in its pool."""

    address: str
    line: Line


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with visitors.browser() as started:
        yield started


@pytest.fixture
def website(house: House) -> Iterator[Website]:
    line, name = house.line(), f"shop-{uuid4().hex[:8]}"
    house.cli("pool", "add", name)
    house.cli("number", "move", line.e164, "--pool", name)
    with house.database.write() as session:  # as if it had never been on a billboard
        session.execute(
            sa.delete(NumberUse).where(
                NumberUse.number_id == line.number_id, NumberUse.channel_id.is_not(None)
            )
        )
    house.cli("site", "add", name, "--domain", "127.0.0.1", "--number", OWN, "--pool", name)
    house.apply()
    snippet = json.loads(house.cli("site", "show", name, "--json").stdout)["snippet"]
    with shop(0, snippet=snippet, e164=OWN, phone=display(OWN, "RU")) as address:
        yield Website(address, line)


@pytest.mark.parametrize("agi", ["answers", "frozen"])
def test_a_visitors_call_tells_its_campaign_keyword_and_pages(
    house: House, website: Website, browser: Browser, agi: str
) -> None:
    page, seen = visitors.visit(browser, website.address, visitors.BEN)
    assert seen == Seen(website.line.e164, display(website.line.e164, "RU"))
    with frozen(house.pid("agi")) if agi == "frozen" else nullcontext():
        call = call_the_number_on_the_page(house, website, seen)
    page.context.close()
    assert call.seen_by_agi is (agi == "answers")
    check_story(house, website, call)
    check_page(house, call)


def test_a_tap_on_the_number_is_the_strongest_sign(house: House, website: Website, browser: Browser) -> None:
    page, seen = visitors.visit(browser, website.address, visitors.GINA)
    visitors.tap_number(page)
    call = judged(house, call_the_number_on_the_page(house, website, seen))
    page.context.close()
    told = Page(house).json(f"/api/v1/calls/{call.key}")
    assert told["call"]["source"]["keyword"] == "sell used pallets"
    assert "phone_click" in told["call"]["attribution"]["candidates"][0]["reasons"]
    assert call.probability is not None
    assert call.probability > 0.95


def call_the_number_on_the_page(house: House, website: Website, seen: Seen) -> Call:
    phone = house.phone(website.line.phones[0], [invited(), ringing(), wait(0.3), pick_up(), hung_up(200)])
    caller = house.caller(seen.e164, [invite(), answered(), wait(0.5), hang_up()])
    assert caller.party.wait(30) == 0, caller.party.errors
    assert phone.wait(30) == 0, phone.errors
    return house.call_of(caller)


def judged(house: House, call: Call) -> Call:
    """The call as it stands when the worker has weighed everything."""
    return until(
        lambda: next(iter(house.calls(Call.id == call.id, Call.attributed_at.is_not(None))), None),
        why="the call is judged",
    )


def check_story(house: House, website: Website, call: Call) -> None:
    call = judged(house, call)
    with house.database.read() as session:
        lease = session.scalars(sa.select(Lease).where(Lease.number_id == website.line.number_id)).one()
        visit = session.get_one(Visit, call.visit_id)
    assert (call.lease_id, call.visit_id, call.uncertain) == (lease.id, lease.visit_id, False)
    assert (visit.source, visit.campaign, visit.keyword) == ("google", "spring", "euro pallets")
    assert lease.from_at < call.started_at


def check_page(house: House, call: Call) -> None:
    """What a manager reads, and what an integrator gets."""
    page = Page(house)
    text = page.get(f"/calls/{call.key}")
    for part in ("spring", "euro pallets", "/euro-pallets", "/delivery", "Euro pallets", "Windows", "Chrome"):
        assert part in text, part
    visit = page.json(f"/api/v1/calls/{call.key}")["call"]["visit"]
    assert visit["device"] == "desktop"
    assert visit["landing_url"] in text.replace("&amp;", "&")
    titles = [each["title"] for each in visit["pages"]]
    assert titles == ["Euro pallets · Pallets", "Delivery · Pallets"]
    assert [each["at"] for each in visit["pages"]] == sorted(each["at"] for each in visit["pages"])
