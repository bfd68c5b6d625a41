"""The board as a person meets it: it keeps itself fresh, and says what to do where there is nothing yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from support.browser import axe, browser, complaints, open_page, serving  # noqa: F401  (browser is a fixture)
from support.facts import Pallets, add_number, started
from support.recorded import settings_in
from support.served import books_in, log_in
from support.showroom import OWNER, Showroom, Told, furnish
from support.site import Site, csrf_token
from werkzeug.test import TestResponse

from tracker import alerts, people
from tracker.books import record
from tracker.database import Database
from tracker.models import Alert, AlertKind, Company, Lease, Node, Number, Role, Visit, Visitor
from tracker.policy.alerts import Reading, State

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=8, sound=False),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
)


@dataclass
class Served:
    """A running page, and the house behind it."""

    url: str
    database: Database
    room: Showroom

    def open(self, browser: Browser, size: str = "desktop", *, dark: bool = False) -> Page:  # noqa: F811
        page = open_page(browser, self.url, size=size, dark=dark)
        return log_in(page, self.url, self.database, OWNER)

    def see(self, *keys: str) -> None:
        """What the AMI listener publishes: these calls ring, a minute ahead for it does not come back."""
        now = datetime.now(UTC)
        live = [
            {"call": key, "state": "ringing", "since": now.isoformat(), "started": now.isoformat(),
             "did": Pallets.billboard, "target": self.room.pallets.office_id}
            for key in keys
        ]  # fmt: skip
        with self.database.write() as session:
            seen = now + timedelta(minutes=1)
            session.merge(Node(name="main", seen_at=seen, ami_up=True, asterisk_started_at=now, live=live))

    def visit(self, key: str, e164: str, source: str) -> None:
        """A visitor comes from there and is leased a number new in the pool."""
        now, pallets = datetime.now(UTC), self.room.pallets
        with self.database.write() as session:
            number = add_number(session, pallets.company_id, e164, now, pool_id=pallets.pool_id)
            visitor = Visitor(company_id=pallets.company_id, key=key, created_at=now)
            session.add(visitor)
            session.flush()
            visit = Visit(
                visitor_id=visitor.id, site_id=pallets.site_id, started_at=now, seen_at=now,
                medium="organic", source=source,
            )  # fmt: skip
            session.add(visit)
            session.flush()
            until = now + timedelta(minutes=10)
            lease = Lease(
                number_id=number.id, pool_id=pallets.pool_id, visit_id=visit.id, from_at=now, expires_at=until
            )
            session.add(lease)
            number.free_at = None


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("now")
    with books_in(folder) as (settings, database):
        room = furnish(database, settings, datetime.now(UTC), CALLS)
        with serving(settings) as url:
            yield Served(url, database, room)


def test_the_board_follows_calls_and_visitors_without_reload(browser: Browser, served: Served) -> None:  # noqa: F811
    served.see()
    page = served.open(browser)
    page.goto("/calls")
    page.get_by_role("link", name="Now", exact=True).click()
    page.evaluate("window.stayed = true")
    expect(page.get_by_text("No call at the moment")).to_be_visible()
    expect(page.locator("#board-pools")).to_contain_text("1 of 2 free")
    expect(page.locator("#board-hour")).to_contain_text(re.compile(r"Calls\s*2\s*Answered\s*1\s*Missed\s*1"))
    with served.database.write() as session:
        record(session, started(Pallets.billboard, datetime.now(UTC), "live-1", caller="+79165554433"))
    served.see("live-1")
    served.visit("new", "+74951110001", "duckduckgo")
    expect(page.locator("#live-live-1")).to_contain_text("8 (916) 555-44-33")
    expect(page.locator("#board-pools")).to_contain_text("1 of 3 free")
    expect(page.locator("#board-pools")).to_contain_text(re.compile(r"fewest left in the last hour:\s*1"))
    expect(page.locator("#board-sites")).to_contain_text(re.compile(r"duckduckgo\s*organic\s*1"))
    expect(page).to_have_title(re.compile(r"^\(1\) Now"))
    assert page.evaluate("window.stayed")
    served.see()
    expect(page.locator("#live-live-1")).to_have_count(0)
    assert complaints(page) == []
    page.context.close()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_board_is_accessible_and_fits(browser: Browser, served: Served, size: str, dark: bool) -> None:  # noqa: F811
    page = served.open(browser, size, dark=dark)
    page.goto("/now")
    expect(page.get_by_role("heading", name="Numbers of the website")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints(page) == []
    page.context.close()


def test_an_unchanged_board_is_an_empty_answer(sqlite: Database, tmp_path: Path, now: datetime) -> None:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    furnish(sqlite, settings, now, CALLS)
    site = Site(sqlite, settings, now)
    ann = site.log_in("ann@pallets.example", 1)
    first = ann.get("/now/parts")
    again = ann.get("/now/parts", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    assert b"1 of 2 free" in first.data
    with sqlite.write() as session:
        session.scalars(sa.select(Number).where(Number.e164 == Pallets.free)).one().free_at = None
    changed = ann.get("/now/parts", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert b"0 of 2 free" in changed.data


def test_a_company_with_nothing_yet_is_told_what_to_do(
    sqlite: Database, tmp_path: Path, now: datetime
) -> None:
    with sqlite.write() as session:
        session.add(Company(slug="new", name="New", default_region="DE", created_at=now))
    site = Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)
    html = site.log_in("ann@new.example", 1).get("/now").text
    for words in ("No pool yet", "leaseline pool add Website", "No website yet", "leaseline site add"):
        assert words in html
    nobody = site.log_in("eve@nowhere.example").get("/now").text
    assert "You see no company yet" in nobody


# ---- alerts ----


def begin(database: Database, company_id: int | None, kind: AlertKind, now: datetime) -> int:
    detail = {"free": 0, "size": 2, "misses": 7} if kind is AlertKind.POOL_LOW else {"free_mb": 99}
    reading = Reading(kind, "1", "Website", State.BAD, company_id, detail)
    with database.write() as session:
        alerts.take_turn(session, [reading], (), {reading.key: 5}, now)
        return session.scalars(sa.select(Alert.id).where(Alert.key == reading.key)).one()


def test_an_alert_appears_on_the_board_and_is_seen(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.open(browser)
    page.goto("/now")
    page.evaluate("window.stayed = true")
    expect(page.locator("#board-alerts")).to_be_hidden()
    alert = begin(served.database, served.room.pallets.company_id, AlertKind.POOL_LOW, datetime.now(UTC))
    expect(page.locator("#board-alerts")).to_contain_text("Pool Website is running out: 0 of 2 free")
    expect(page.locator("#alarm")).to_have_text(re.compile("1 alert"))
    assert page.evaluate("window.stayed")
    page.locator("#alarm a").click()
    expect(page).to_have_url(re.compile("/alerts$"))
    expect(page.locator(f"#alert-{alert}")).to_contain_text('leaseline pool advise "Website"')
    page.get_by_role("button", name="Seen").click()
    expect(page.locator(f"#alert-{alert}")).to_contain_text("Seen by Olga Orlova: Today")
    expect(page.get_by_role("button", name="Seen")).to_have_count(0)
    assert axe(page) == []
    assert complaints(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.context.close()


def test_alerts_are_for_those_they_concern(sqlite: Database, tmp_path: Path, now: datetime) -> None:
    furnish(sqlite, settings_in(tmp_path), now, CALLS)
    with sqlite.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    pool = begin(sqlite, 1, AlertKind.POOL_LOW, now)
    disk = begin(sqlite, None, AlertKind.DISK_FULL, now)
    site = Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)
    ann, eve = site.log_in("ann@pallets.example", 1), site.log_in("eve@rival.example", 2)
    assert "Pool Website" in ann.get("/alerts").text
    assert "nearly full" not in ann.get("/alerts").text  # a manager runs no disks
    assert "All is well" in eve.get("/alerts").text
    for who, alert, status in ((eve, pool, 404), (ann, disk, 404), (ann, pool, 303)):
        form = {"csrf": csrf_token(who)}
        assert who.post(f"/alerts/{alert}/seen", data=form).status_code == status
    with sqlite.write() as session:
        user, company = people.find_user(session, "ann@pallets.example"), session.get_one(Company, 1)
        people.give_role(session, user, company, Role.ADMIN)
    assert "nearly full" in ann.get("/alerts").text
    with sqlite.write() as session:
        user, company = people.find_user(session, "ann@pallets.example"), session.get_one(Company, 1)
        people.give_role(session, user, company, Role.LISTENER)
    form = {"csrf": csrf_token(ann)}
    assert ann.post(f"/alerts/{pool}/seen", data=form).status_code == 403


def test_an_admin_says_who_is_told(sqlite: Database, tmp_path: Path, now: datetime) -> None:
    furnish(sqlite, settings_in(tmp_path), now, CALLS)
    with sqlite.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    site = Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)
    ann, eve = site.log_in("ann@pallets.example", 1), site.log_in("eve@rival.example", 2)

    def post(who: FlaskClient, path: str, **form: str) -> TestResponse:
        return who.post(path, data={"csrf": csrf_token(who), **form})

    assert "Who is told" not in ann.get("/alerts").text  # a manager
    assert post(ann, "/alerts/addresses", company="pallets", address="a@x.example").status_code == 403
    for email, company_id in (("ann@pallets.example", 1), ("eve@rival.example", 2)):
        with sqlite.write() as session:
            company = session.get_one(Company, company_id)
            people.give_role(session, people.find_user(session, email), company, Role.ADMIN)
    url = "https://hooks.example.com/services/T00/secret"
    made = post(ann, "/alerts/addresses", company="pallets", address=url)
    assert "whsec_" in made.text
    for html in (ann.get("/alerts").text, eve.get("/alerts").text):
        assert "whsec_" not in html
        assert "T00/secret" not in html
    assert "hooks.example.com" not in eve.get("/alerts").text
    assert post(ann, "/alerts/addresses", company="rival", address="a@x.example").status_code == 403
    assert post(ann, "/alerts/addresses", company="pallets", address="nonsense").status_code == 400
    for path in ("/alerts/addresses/1/test", "/alerts/addresses/1/delete"):
        assert post(eve, path).status_code == 404
    assert post(ann, "/alerts/addresses/1/test").status_code == 303
    assert "A message is on its way." in ann.get("/alerts").text
    assert post(ann, "/alerts/addresses/1/delete").status_code == 303
    assert "hooks.example.com" not in ann.get("/alerts").text
