"""Settings in a real Chromium: an admin sets up a channel, a number and who rings, on desktop and phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, open_page, serving  # noqa: F401  (browser)
from support.facts import Pallets, started
from support.served import Served, books_in
from support.showroom import furnish

from tracker import applying, arriving, inlets, responsibles, site_checks, targets
from tracker.audit import By
from tracker.books import record
from tracker.database import Database
from tracker.inlets import Filled
from tracker.models import Company, NodeConfiguration
from tracker.vault import Vault

HERE = "/settings/pallets"
PAGES = (
    "", "/company", "/numbers", "/numbers/add", "/numbers/1", "/numbers/1/check", "/channels",
    "/channels/add", "/channels/1", "/pools", "/pools/add", "/pools/1", "/pools/1/advice", "/sites",
    "/sites/add", "/sites/1", "/sites/1/check", "/sources?url=https://shop.example/", "/targets",
    "/targets/add?kind=peer", "/targets/add?kind=phone", "/targets/add?kind=outside", "/targets/1",
    "/forwarding", "/forwarding/company", "/forwarding/number-1", "/trunks", "/keys", "/inlets", "/inlets/1",
    "/responsible",
)  # fmt: skip


class Worked(Served):
    """A running page, its database, and a worker whose part the test plays."""

    def work(self, **more: Any) -> None:
        """What the worker writes down: it has seen every change, and answered every request."""
        now = datetime.now(UTC)
        with self.database.write() as session:
            request = applying.newest_request(session)
            plain: dict[str, Any] = {
                "audit_id": applying.newest_change(session),
                "request_id": request.id if request else 0,
            }
            plain |= {"waiting": [], "live_at": now, "runs": True, "restart": [], "endpoints": {}}
            # A minute ahead, as the worker of these tests does not come back every minute.
            seen = now + timedelta(minutes=5)
            session.merge(NodeConfiguration(node="main", looked_at=seen, **plain | more))


def _hear_of_a_crm(database: Database, secret_key: str) -> None:
    """An inlet, what came in there, and a caller for whom somebody is responsible."""
    by = By(datetime.now(UTC), "cli:ann")
    with database.write() as session:
        company = session.get_one(Company, 1)
        made, _ = inlets.add(session, by, company, "own", Filled(name="CRM"), vault=Vault(secret_key))
        told = {
            "reference": "17",
            "phone": "+4915112345678",
            "status": "won",
            "revenue": "5",
            "responsible": "x",
        }
        arriving.take(session, made, told, By(by.at, arriving.actor_of(made)))
        arriving.refuse(session, made, by.at, "There is no signature", None)
        office = targets.of_company(session, company)[0]
        responsibles.tell(session, by, company, {"+4915112345678": office})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worked]:
    folder = tmp_path_factory.mktemp("settings")
    with books_in(folder) as (settings, database):
        furnish(database, settings, datetime.now(UTC), ())
        _hear_of_a_crm(database, settings.secret_key)
        with serving(settings) as url:
            yield Worked(url, database)


@pytest.mark.parametrize("size", SIZES)
def test_an_admin_sets_up_a_channel_with_a_number_and_who_rings(
    browser: Browser,  # noqa: F811
    served: Worked,
    size: str,
) -> None:
    served.work()
    page = served.open(browser, size)
    digits = {"desktop": "111-22-33", "phone": "111-22-44"}[size]
    page.goto("/settings")
    page.locator("main").get_by_role("link", name="Channels").last.click()
    page.get_by_role("link", name="Add a channel").click()
    page.get_by_label("Name").fill("Leaflet")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".error")).to_contain_text("There is a channel 'Leaflet' already")
    expect(page.get_by_label("Name")).to_have_value("Leaflet")
    page.get_by_label("Name").fill(f"Bus {size}")
    page.get_by_label("Campaign").fill("autumn")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    page.get_by_role("link", name="Add numbers").click()
    page.get_by_label("Numbers", exact=True).fill(f"8 495 {digits}")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(digits)
    expect(page.get_by_text(f"Bus {size}").first).to_be_visible()
    page.get_by_role("link", name="Who rings").last.click()
    page.get_by_label("Then ring").select_option(label="mobile")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Then ring").select_option(label="office")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    page.get_by_role("button", name="office earlier").click()
    expect(page.locator(".steps li b")).to_have_text(["1. office", "2. mobile"])
    page.get_by_label("office rings, seconds").fill("12")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_label("office rings, seconds")).to_have_value("12")
    expect(page.locator("#live-state")).to_contain_text("Not live yet.")
    page.get_by_role("button", name="Make it live").click()
    expect(page.locator("#live-state")).to_contain_text("being made live")
    served.work()
    expect(page.locator("#live-state")).to_contain_text("Live since", timeout=15_000)
    # Of the form that was refused the browser's console tells by itself.
    assert [each for each in complaints(page) if "400 (Bad Request)" not in each] == []
    page.context.close()


def test_a_call_and_a_check_appear_by_themselves(browser: Browser, served: Worked) -> None:  # noqa: F811
    served.work()
    page = served.open(browser, "desktop")
    page.goto(f"{HERE}/numbers")
    page.get_by_role("link", name="123-45-67").click()
    page.get_by_role("link", name="Call my number").click()
    expect(page.get_by_text("Waiting for the call")).to_be_visible()
    with served.database.write() as session:
        record(session, started(Pallets.billboard, datetime.now(UTC), "test-call"))
    expect(page.get_by_role("heading", name="It reaches us")).to_be_visible(timeout=15_000)
    page.goto(f"{HERE}/sites/1/check")
    page.get_by_role("button", name="Check my site").click()
    expect(page.get_by_text("The page is being looked at")).to_be_visible()
    expect(page.get_by_role("button", name="Check my site")).to_be_disabled()
    with served.database.write() as session:
        check = site_checks.claim(session, datetime.now(UTC))
        assert check is not None
        site_checks.finish(session, check.id, datetime.now(UTC), report=None, problem="It does not open")
    expect(page.get_by_text("It does not open")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name="Check my site")).to_be_enabled()
    assert complaints(page) == []
    page.context.close()


def test_a_snippet_is_copied_by_one_click(browser: Browser, served: Worked) -> None:  # noqa: F811
    served.work()
    page = served.open(browser, "desktop")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{HERE}/sites/1")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "/s/site-pallets.js" in page.evaluate("navigator.clipboard.readText()")
    page.context.close()


def test_it_all_works_without_a_script(browser: Browser, served: Worked) -> None:  # noqa: F811
    served.work()
    signed = served.open(browser, "desktop")
    context = browser.new_context(base_url=served.url, java_script_enabled=False)
    context.add_cookies(signed.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{HERE}/forwarding/company")
    page.get_by_role("button", name="mobile earlier").click()
    expect(page.locator(".steps li b")).to_have_text(["1. mobile", "2. office"])
    page.get_by_role("button", name="Save").last.click()
    page.get_by_role("button", name="Make it live").click()
    expect(page.get_by_role("link", name="Look again")).to_be_visible()
    served.work()
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("#live-state")).to_contain_text("Live since")
    context.close()
    signed.context.close()


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_every_page_of_the_settings_is_accessible_and_fits(
    browser: Browser,  # noqa: F811
    served: Worked,
    size: str,
    dark: bool,
) -> None:
    served.work(problem="target 1 is wrong", fix="Correct it", runs=False)
    page = served.open(browser, size, dark=dark)
    for path in PAGES:
        page.goto(HERE + path)
        assert axe(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], path
    assert complaints(page) == []
    page.context.close()
