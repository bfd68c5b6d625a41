"""The page of callbacks in a real Chromium: who waits, what failed and why, how the minute is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session
from support.browser import SIZES, axe, browser, complaints, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import P, Told, furnish

from tracker.models import CallbackReason, CallbackRequest, CallbackSettings, CallbackState, CallbackVia, Site

S, R = CallbackState, CallbackReason


@dataclass(frozen=True)
class Wish:
    phone: str
    state: CallbackState
    reason: CallbackReason | None = None
    rang: float | None = None
    more: tuple[tuple[str, Any], ...] = ()


WISHES = (
    Wish("+79165550101", S.TALKED, None, 1.4, (("name", "Ann"), ("note", "20 pallets <b>"))),
    Wish("+79165550102", S.WAITING, R.NO_ANSWER, 2.0, (("tries", 1),)),
    Wish("+79165550103", S.RINGING_EMPLOYEE, None, 1.9),
    Wish("+79165550104", S.GIVEN_UP, R.NO_EMPLOYEE, 75.0, (("tries", 3),)),
    Wish("", S.REFUSED, R.SHORT, None, (("written", "112"),)),
    Wish("+4930123456", S.REFUSED, R.COUNTRY),
)


def ask_all(session: Session, site: Site, company_id: int) -> None:
    now = datetime.now(UTC)
    for place, wish in enumerate(WISHES):
        at = now - timedelta(minutes=place + 5)
        row = {"written": wish.phone} | dict(wish.more)
        session.add(
            CallbackRequest(
                key=f"wish{place}", company_id=company_id, site_id=site.id, via=CallbackVia.WIDGET,
                token=f"t{place}", phone=wish.phone, state=wish.state, reason=wish.reason, requested_at=at,
                promised_at=at if wish.state is not S.REFUSED else None,
                due_at=now + timedelta(hours=1) if wish.state is S.WAITING else None,
                employee_rang_at=at + timedelta(seconds=wish.rang) if wish.rang else None, **row,
            )
        )  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with books_in(tmp_path_factory.mktemp("callbacks")) as (settings, database):
        room = furnish(database, settings, datetime.now(UTC), (Told(5, P.billboard, "+79160000001", talk=3),))
        with database.write() as session:
            site = Site(
                company_id=room.pallets.company_id, name="callbacks", key="cb", domains=["cb.example"],
                created_at=datetime.now(UTC),
            )  # fmt: skip
            session.add(site)
            session.flush()
            session.add(CallbackSettings(site_id=site.id, is_on=True, hours={"mon": [["09:00", "09:30"]]}))
            ask_all(session, site, room.pallets.company_id)
        with serving(settings) as url:
            yield Served(url, database)


@pytest.mark.parametrize("size", SIZES)
def test_a_manager_sees_who_waits_what_failed_and_how_the_minute_is_kept(
    browser: Browser,  # noqa: F811
    served: Served,
    size: str,
) -> None:
    page = served.open(browser, size)
    page.goto(f"{served.url}/callbacks")
    rows = page.locator(".callbacks > li")
    expect(rows).to_have_count(len(WISHES))
    expect(page.locator(".promise")).to_contain_text("1.9 s")  # half were rung within, of 1.4, 1.9, 2 and 75
    expect(page.locator(".promise")).to_contain_text("kept for 75 %")
    expect(page.locator("#wish3")).to_contain_text("No employee took the phone")
    expect(page.locator("#wish4")).to_contain_text("112")
    expect(page.locator("#wish0")).to_contain_text("20 pallets <b>")
    assert axe(page) == []
    page.get_by_role("link", name="Refused").click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Emergency numbers")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    assert complaints(page) == []


def test_what_waits_is_called_off_and_what_failed_is_called_again(
    browser: Browser,  # noqa: F811
    served: Served,
) -> None:
    page = served.open(browser, "desktop")
    page.goto(f"{served.url}/callbacks")
    page.locator("#wish1").get_by_role("button", name="Call off").click()
    expect(page.locator("#wish1")).to_contain_text("Somebody called it off.")
    page.locator("#wish3").get_by_role("button", name="Call now").click()
    expect(page.locator("#wish3")).to_contain_text("Waits")
    told = page.request.get(f"{served.url}/api/v1/callbacks?state=refused").json()
    assert [each["reason"] for each in told["callbacks"]] == ["short", "country"]
    assert told["promise"]["employee"]["p95"] == 75.0
    one = page.request.get(f"{served.url}/api/v1/callbacks/wish1").json()["callback"]
    assert one["story"][-1]["what"] == "cancelled"


def test_the_form_page_can_be_used_by_everybody(browser: Browser, served: Served) -> None:  # noqa: F811
    page = browser.new_page(locale="en-GB", java_script_enabled=True)
    page.goto(f"{served.url}/cb/cb")
    expect(page.get_by_label("When")).to_be_visible()
    assert axe(page) == []
    page.get_by_label("Your phone number").fill("8 916 555 02 02")
    page.get_by_role("button", name="Call me").click()
    expect(page.get_by_role("status")).to_contain_text("We call you at the time you chose")
