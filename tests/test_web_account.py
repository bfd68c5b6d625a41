"""One's own account in a real Chromium: second factor, recovery codes, password, name and language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from support.browser import axe, browser, complaints, open_page, serving  # noqa: F401  (browser is a fixture)
from support.facts import add_pallets
from support.served import books_in

from tracker import people
from tracker.database import Database
from tracker.models import Company, LoginAttempts, Role, User

PASSWORD = "correct horse battery"
HASHED = people.hash_password(PASSWORD)
expect.set_options(timeout=20_000)  # a busy machine hashes a password slowly


@dataclass
class Served:
    """A running page over an installation with two companies."""

    url: str
    database: Database

    def add(self, email: str, **roles: Role) -> str:
        with self.database.write() as session:
            session.execute(sa.delete(LoginAttempts))  # all tests come from one address
            user = people.add_user(session, email, email.split("@", maxsplit=1)[0].title(), datetime.now(UTC))
            user.password_hash = HASHED
            for slug, role in roles.items():
                people.give_role(session, user, session.query(Company).filter_by(slug=slug).one(), role)
        return email

    def user(self, email: str) -> User:
        with self.database.read() as session:
            return people.find_user(session, email)

    def code(self, email: str, steps: int = 0) -> str:
        """What her phone shows now, or will in so many steps."""
        secret = self.user(email).totp_secret
        assert secret
        return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30 * steps))

    def forget_codes(self, email: str) -> None:
        """As if the last code had been shown a minute ago: nobody waits for the next in a test."""
        with self.database.write() as session:
            people.find_user(session, email).totp_step = 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("account")
    with books_in(folder) as (settings, database):
        with database.write() as session:
            add_pallets(session, datetime.now(UTC))
            session.add(
                Company(slug="rival", name="Rival", default_region="DE", timezone="Europe/Berlin",
                        created_at=datetime.now(UTC))
            )  # fmt: skip
        with serving(settings) as url:
            yield Served(url, database)


def give_password(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Log out", exact=True).first.click()
    page.wait_for_url("**/login")


def set_up(page: Page, served: Served, email: str) -> list[str]:
    """Switches the second factor on as a person would; the recovery codes."""
    page.goto("/account")
    section = page.locator("section", has=page.locator("#second-factor"))
    section.get_by_label("Your password").fill(PASSWORD)
    section.get_by_role("button", name="Set up").click()
    page.wait_for_url("**/account/second-factor")
    secret = page.locator(".secret").inner_text().replace(" ", "")
    assert secret == served.user(email).totp_secret
    assert page.locator(".qr svg").bounding_box()["width"] > 200  # type: ignore[index]
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return page.locator(".codes code").all_inner_texts()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_second_factor_is_set_up_and_asked_for(browser: Browser, served: Served, size: str) -> None:  # noqa: F811
    email = served.add(f"ann-{size}@pallets.example", pallets=Role.MANAGER)
    page = open_page(browser, served.url, size=size)
    give_password(page, email)
    page.wait_for_url("**/overview")
    page.goto("/account")
    assert axe(page) == []
    codes = set_up(page, served, email)
    assert len(set(codes)) == 10
    assert axe(page) == []
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    log_out(page)
    give_password(page, email)
    page.wait_for_url("**/login/code")
    assert axe(page) == []
    page.goto("/calls")
    page.wait_for_url("**/login?*")  # the password alone opens nothing
    page.goto("/login/code")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    served.forget_codes(email)
    page.get_by_label("Code").fill(served.code(email))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/overview")

    log_out(page)
    give_password(page, email)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/overview")
    page.goto("/account")
    expect(page.get_by_text("9 recovery codes are left")).to_be_visible()
    log_out(page)
    give_password(page, email)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("used already")
    # A wrong code answers 401, which Chromium's console calls an error.
    assert [it for it in complaints(page) if "401" not in it] == []


def test_in_the_dark_a_wrong_first_code_is_refused(browser: Browser, served: Served) -> None:  # noqa: F811
    email = served.add("bob@pallets.example", pallets=Role.MANAGER)
    page = open_page(browser, served.url, dark=True)
    give_password(page, email)
    page.goto("/account")
    section = page.locator("section", has=page.locator("#second-factor"))
    section.get_by_label("Your password").fill("a wrong password")
    section.get_by_role("button", name="Set up").click()
    expect(section.get_by_role("alert")).to_contain_text("This is not your password")
    section.get_by_label("Your password").fill(PASSWORD)
    section.get_by_role("button", name="Set up").click()
    expect(page.locator(".qr svg")).to_be_visible()
    assert axe(page) == []
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    assert served.user(email).totp_at is None
    assert [it for it in complaints(page) if "401" not in it] == []


def test_it_is_switched_off_with_password_and_code_only(browser: Browser, served: Served) -> None:  # noqa: F811
    email = served.add("cleo@pallets.example", pallets=Role.MANAGER)
    page = open_page(browser, served.url)
    give_password(page, email)
    codes = set_up(page, served, email)
    page.goto("/account")
    section = page.locator("section", has=page.locator("#second-factor"))
    section.get_by_label("Your password").fill(PASSWORD)
    section.get_by_label("Code").fill("123")
    section.get_by_role("button", name="Switch off").click()
    expect(section.get_by_role("alert")).to_contain_text("This code is not right")
    section.get_by_label("Your password").fill(PASSWORD)
    section.get_by_label("Code").fill(codes[9])
    section.get_by_role("button", name="New recovery codes").click()
    fresh = page.locator(".codes code").all_inner_texts()
    assert not set(fresh) & set(codes)
    page.goto("/account")
    section.get_by_label("Your password").fill(PASSWORD)
    section.get_by_label("Code").fill(fresh[0])
    section.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("The second factor is off")).to_be_visible()
    log_out(page)
    give_password(page, email)
    page.wait_for_url("**/overview")


def test_a_new_password_ends_the_other_browsers_and_not_this(browser: Browser, served: Served) -> None:  # noqa: F811
    email = served.add("dan@pallets.example", pallets=Role.MANAGER)
    here, there = open_page(browser, served.url), open_page(browser, served.url, size="phone")
    for page in (here, there):
        give_password(page, email)
        page.wait_for_url("**/overview")
    here.goto("/account")
    for old, new, said in (
        ("wrong", "another good one", "This is not your password"),
        (PASSWORD, "Pallets-2026", "is among the first that are guessed"),
        (PASSWORD, "another good one", "The new password counts from now on"),
    ):
        here.get_by_label("Present password").fill(old)
        here.get_by_label("New password").fill(new)
        here.get_by_role("button", name="Change", exact=True).click()
        expect(here.get_by_text(said)).to_be_visible()
    there.goto("/calls")
    there.wait_for_url("**/login?*")
    give_password(there, email, "another good one")
    there.wait_for_url("**/overview")
    here.goto("/account")
    here.get_by_role("button", name="Log out everywhere else").click()
    expect(here.get_by_role("button", name="Log out everywhere else")).to_have_count(0)
    there.goto("/calls")
    there.wait_for_url("**/login?*")


def test_name_and_language_are_ones_own(browser: Browser, served: Served) -> None:  # noqa: F811
    email = served.add("eva@pallets.example", pallets=Role.MANAGER)
    page = open_page(browser, served.url)
    give_password(page, email)
    page.goto("/account")
    page.get_by_label("Name").fill("<b>Eva</b>")
    page.locator("select[name=language]").select_option("pl")
    page.locator("#you ~ form button").click()
    page.wait_for_load_state()
    assert (served.user(email).name, served.user(email).language) == ("<b>Eva</b>", "pl")
    page.goto("/account")
    expect(page.locator("select[name=language]")).to_have_value("pl")
    page.locator("select[name=language]").select_option("")
    page.locator("#you ~ form button").click()
    page.wait_for_load_state()
    assert served.user(email).language is None
    assert complaints(page) == []


def test_a_one_time_link_leaves_the_second_factor_on(browser: Browser, served: Served) -> None:  # noqa: F811
    email = served.add("fay@pallets.example", pallets=Role.MANAGER)
    page = open_page(browser, served.url)
    give_password(page, email)
    codes = set_up(page, served, email)
    with served.database.write() as session:
        token = people.make_login_link(session, people.find_user(session, email), datetime.now(UTC))
    thief = open_page(browser, served.url, size="phone")
    thief.goto(f"/link/{token}")
    assert axe(thief) == []
    thief.get_by_label("Password").fill("another good one")
    thief.get_by_label("Code from your phone").fill("000000")
    thief.get_by_role("button", name="Save and log in").click()
    expect(thief.get_by_role("alert")).to_contain_text("This code is not right")
    thief.get_by_label("Password").fill("another good one")
    thief.get_by_label("Code from your phone").fill(codes[1])
    thief.get_by_role("button", name="Save and log in").click()
    thief.wait_for_url(re.compile("/overview$"))
    assert served.user(email).totp_at is not None


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_one_of_several_companies_is_chosen(browser: Browser, served: Served, size: str) -> None:  # noqa: F811
    email = served.add(f"gil-{size}@agency.example", pallets=Role.OWNER, rival=Role.OWNER)
    page = open_page(browser, served.url, size=size)
    give_password(page, email)
    page.wait_for_url("**/overview")
    menu = page.locator(".menu.company")
    expect(menu.locator("summary")).to_contain_text("All companies")
    page.goto("/people")
    expect(page.get_by_role("heading", name="Pallets")).to_be_visible()
    menu.locator("summary").click()
    assert axe(page) == []
    box = menu.get_by_role("link", name="Rival").bounding_box()
    assert box
    assert box["x"] >= 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    menu.get_by_role("link", name="Rival").click()
    page.wait_for_url("**/people?company=rival")
    expect(page.get_by_role("heading", name="Pallets")).to_have_count(0)
    page.goto("/calls")
    expect(menu.locator("summary")).to_contain_text("Rival")
    expect(menu).to_have_attribute("title", "Times are in Europe/Berlin")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="All companies")).to_be_hidden()
    menu.locator("summary").click()
    menu.get_by_role("link", name="All companies").click()
    page.goto("/people")
    expect(page.get_by_role("heading", name="Pallets")).to_be_visible()
    assert complaints(page) == []


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_audit_log_is_narrowed_and_taken_along(browser: Browser, served: Served, size: str) -> None:  # noqa: F811
    email = served.add(f"ivy-{size}@pallets.example", pallets=Role.OWNER)
    page = open_page(browser, served.url, size=size)
    give_password(page, email, "wrong password")
    expect(page.get_by_role("alert")).to_be_visible()
    give_password(page, email)
    page.wait_for_url("**/overview")
    page.goto("/audit")
    page.get_by_label("Who").fill(email)
    page.get_by_label("What").select_option("login")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/audit?*")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("wrong password")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as got:
        page.get_by_role("link", name="CSV").click()
    text = got.value.path().read_text()
    assert text.count(email) == 2
    assert [it for it in complaints(page) if "401" not in it] == []
