"""Takes the pictures of the page that the README and docs/pages.md show: `make pictures`.

A real server over a real database with a day's calls and their sound, in Debian's Chromium.
"""

from __future__ import annotations

import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "docs" / "images")]

import gallery  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from ringing import ring  # noqa: E402
from sqlalchemy import select, update  # noqa: E402
from sqlalchemy.orm import joinedload  # noqa: E402
from support.addresses import shown  # noqa: E402
from support.browser import CHROMIUM, FLAGS, open_page, serving  # noqa: E402
from support.earnings import tell_earnings  # noqa: E402
from support.facts import answered, started  # noqa: E402
from support.journeys import CALLED, tell_journeys  # noqa: E402
from support.showroom import BERLIN, DAY, OWNER, P, Showroom, Told, furnish, place, record_sound  # noqa: E402
from support.visiting import CHROME  # noqa: E402

import migrations  # noqa: E402
from tracker import (  # noqa: E402
    api_keys,
    costs,
    deliveries,
    destination_list,
    logins,
    people,
    report_schedules,
    sales,
    saved_reports,
    share_links,
    worth,
)
from tracker.audit import By  # noqa: E402
from tracker.books import record  # noqa: E402
from tracker.database import Database  # noqa: E402
from tracker.destination_list import Filled  # noqa: E402
from tracker.models import (  # noqa: E402
    Call,
    Category,
    Channel,
    Company,
    Delivery,
    Destination,
    Node,
    NodeConfiguration,
    Number,
    NumberUse,
    Recording,
    RecordingState,
    Target,
)
from tracker.policy.delivering import Event, Why  # noqa: E402
from tracker.policy.facts import HungUpBy  # noqa: E402
from tracker.policy.schedules import Every, Schedule  # noqa: E402
from tracker.settings import Settings, read_settings  # noqa: E402
from tracker.vault import Vault  # noqa: E402
from web.app import create_app  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from sqlalchemy.orm import Session

# Numbers that belong to channels for good; the website's visitors are told in support.journeys.
NO_PICTURE = {
    "/",
    "/connected",
    "/settings/<company>/destinations/<destination>/connect",
    "/calls/now",
    "/now/parts",
    "/settings/<company>/live",
    "/settings/<company>/sounds/<prompt>.wav",
}  # redirections, pieces
DAY_SHOWN = (
    Told(4, P.billboard, "+74957654321", talk=96, wait=6, name="Romashka Ltd", by=HungUpBy.COMPANY),
    Told(11, P.leaflet, "+79161234567", "missed", wait=41),
    Told(22, BERLIN, "+4915112345678", talk=128, wait=5, name="Jonas Weber"),
    Told(31, P.leaflet, "+74951112233", "busy", wait=4),
    Told(38, P.billboard, "", "gave_up", wait=12),
    Told(75, P.leaflet, "+74957654321", talk=34, wait=4, name="Romashka Ltd"),
    *(told for told in DAY if told.minutes > 1400 and told.name.isascii() and told.did != P.leased),
)


def history(seed: int = 7) -> tuple[Told, ...]:
    """Two months of calls before that day: more on weekdays and in the forenoon, one in four not answered."""
    draw, told = random.Random(seed), []  # noqa: S311
    for day in range(2, 62):
        for _ in range(draw.randint(4, 11) if day % 7 < 5 else draw.randint(0, 3)):
            minutes = day * 1440 + draw.triangular(-420, 240, -60)
            how = draw.choices(("answered", "missed", "gave_up", "busy"), (75, 13, 7, 5))[0]
            caller = f"+7916{draw.randrange(1000, 1400)}0{draw.randrange(10)}1"
            did = draw.choices((P.billboard, P.leaflet, BERLIN), (5, 4, 2))[0]
            talk = draw.triangular(15, 600, 80) if how == "answered" else 0
            told.append(
                Told(minutes, did, caller, how, talk=talk, wait=draw.triangular(3, 45, 8), sound=False)
            )
    return tuple(told)


def leave_unrecorded(session: Session) -> None:
    """The calls of which nobody speaks a word here; else they would be recordings that were lost."""
    silent = select(Call.id).where(Call.key.not_in(CALLED), Call.ended_at.is_not(None))
    pending = Recording.state == RecordingState.PENDING, Recording.call_id.in_(silent)
    session.execute(update(Recording).where(*pending).values(state=RecordingState.NONE))


def judge_history(session: Session, now: datetime, seed: int = 7) -> None:
    """What was said of those calls."""
    draw = random.Random(seed)  # noqa: S311
    kinds = Category.TARGET, Category.SERVICE, Category.NON_TARGET
    old = session.scalars(
        select(Call).where(Call.started_at < now - timedelta(days=1), Call.answered_at.is_not(None))
    )
    for call in old.all():
        if draw.random() < 0.8:
            worth.categorise(session, By(now, OWNER), [call], draw.choices(kinds, (5, 3, 2))[0])


def live(session: Session, room: Showroom, now: datetime) -> None:
    """One call in talk and one that rings, as the AMI listener would publish them."""
    talking, rings = now - timedelta(seconds=64), now - timedelta(seconds=9)
    record(session, started(P.billboard, talking, "talks", caller="+79165554433"))
    record(session, answered(room.pallets.office_id, talking + timedelta(seconds=7), "talks"))
    record(session, started(BERLIN, rings, "rings", caller="+493012345670"))
    rows = [("talks", "talking", talking, P.billboard), ("rings", "ringing", rings, BERLIN)]
    session.merge(
        Node(
            name="main", seen_at=now + timedelta(minutes=5), ami_up=True, asterisk_version="22.10.1",
            asterisk_started_at=now - timedelta(days=2),
            live=[
                {"call": key, "state": state, "since": at.isoformat(), "started": at.isoformat(), "did": did,
                 "target": room.pallets.office_id}
                for key, state, at, did in rows
            ],
        )
    )  # fmt: skip


def tell_destinations(session: Session, settings: Settings, room: Showroom, now: datetime) -> None:
    """Analytics and a CRM that took their calls; a shop's program that has not answered for a while."""
    company, vault = session.get_one(Company, room.pallets.company_id), Vault(settings.secret_key)
    by = By(now - timedelta(days=9), OWNER)

    def add(kind: str, name: str | None = None, **values: str) -> Destination:
        return destination_list.add(session, by, company, kind, Filled(values, name=name), vault=vault)

    ids = dict.fromkeys(("client_id", "client_secret", "refresh_token", "api_secret"), "of-the-pictures")
    analytics = add("ga4", measurement_id="G-ABC1234567", api_secret=ids.pop("api_secret"))
    crm = add("bitrix24", address="https://pallets.bitrix24.com", user_id="1", **ids)
    shop = add("webhook", "Shop", url="https://shop.pallets.example/calls")
    told = {
        analytics.id: "204 No Content",
        crm.id: "externalCall.47, with its recording",
        shop.id: "200 OK",
    }
    silent_at = now - timedelta(minutes=15)
    over = session.scalars(select(Call.id).where(Call.ended_at.is_not(None))).all()
    deliveries.tell(session, over, Event.COMPLETED)
    for it in session.scalars(select(Delivery).options(joinedload(Delivery.call))):
        at = it.created_at + timedelta(seconds=2)
        if it.destination_id == analytics.id and it.call.visit_id is None:
            it.given_up_at, it.why = at, Why.NOBODY
            continue
        it.tries, it.tried_at, it.answer = 1, at, told[it.destination_id]
        if it.destination_id == shop.id and it.created_at > silent_at:
            it.tries, it.answer = 6, "No answer within 10 s"
        else:
            it.sent_at = it.destination.sent_at = at
            it.destination.answer = it.answer
    shop.failures, shop.failing_since, shop.answer = 6, silent_at, "No answer within 10 s"
    shop.retry_at = now + timedelta(minutes=4)


def settle(session: Session, now: datetime) -> None:
    """Every change is live, as the worker would have found."""
    session.add(
        NodeConfiguration(
            node="main", looked_at=now + timedelta(minutes=5), audit_id=10**9, runs=True,
            live_at=now - timedelta(hours=2),
        )
    )  # fmt: skip


def dress(session: Session, room: Showroom, now: datetime) -> str:
    """Names a reader knows, two calls going on; the path of a one-time link."""
    company = session.get_one(Company, room.pallets.company_id)
    company.name = "Pallets Ltd"
    # Whenever the pictures are taken, it is afternoon in them: no day ends between two calls.
    company.timezone = f"Etc/GMT{(now.hour - 15 + 11) % 24 - 11:+d}"
    session.get_one(Target, room.pallets.office_id).name = "Main line"
    for number, name, medium, source, campaign in (
        (P.billboard, "Billboard M4", "outdoor", "billboard", "spring"),
        (P.leaflet, "Google Business Profile", "profile", "google", None),
    ):
        uses = select(Channel).join(NumberUse).join(Number).where(Number.e164 == number)
        channel = session.scalars(uses).one()
        channel.name, channel.medium, channel.source, channel.campaign = name, medium, source, campaign
    live(session, room, now)
    return "/link/" + people.make_login_link(session, people.find_user(session, OWNER), now)


def judge(session: Session, room: Showroom, now: datetime) -> str:
    """What Olga has said of the calls so far; the path of a link with which she shares one."""
    by, calls = By(now, OWNER), {call.key: call for call in session.scalars(select(Call))}
    first, second = room.keys[0], room.keys[2]
    worth.categorise(session, by, [calls["certain"], calls[second]], Category.TARGET)
    worth.categorise(session, by, [calls[first], calls[room.keys[5]]], Category.SERVICE)
    worth.categorise(session, by, [calls["repeat"]], Category.NON_TARGET)
    worth.add_tag(session, by, [calls["certain"], calls[second]], "delivery")
    worth.add_note(session, by, calls["certain"], "Wants 300 euro pallets on Tuesday: send a quote.", 12.4)
    worth.note_told(session, by, calls["certain"], heard_of="", promo_code="AUTUMN")
    worth.value_call(session, by, calls["certain"], Decimal("1200.50"))
    return "/shared/" + share_links.make_link(session, by, calls["certain"], days=7, shows_caller=False)


def shoot(page: Page, link: str, pictures: list[tuple[str, str, int]]) -> None:
    page.goto(link)
    page.fill("input[name=password]", "correct horse battery")
    page.click("button.strong")
    page.wait_for_url("**/overview")
    page.goto("/calls")
    page.wait_for_timeout(500)
    page.screenshot(path=ROOT / "docs" / "images" / "calls.png")
    for name, path, height in pictures:
        page.set_viewport_size({"width": 1360, "height": height})
        page.goto(path)
        page.wait_for_timeout(500)
        page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")


def earn(session: Session, room: Showroom, now: datetime) -> str:
    """A month's costs and sales; what is told of them each month; the path of a link to that report."""
    company = session.get_one(Company, room.pallets.company_id)
    tell_earnings(session, room.pallets, now)
    by = By(now, OWNER)
    pay_daily(session, by, company)
    sold = session.scalars(select(Call).where(Call.key == "certain")).one()
    first, second = ((now - timedelta(hours=hours)).isoformat(timespec="seconds") for hours in (1, 3))
    order = {"at": first, "revenue": "1200.50", "profit": "310", "reference": "A-1042"}
    sales.add_sale(session, by, company, order, sold)
    order = {"at": second, "revenue": "480", "phone": "+79161234567", "reference": "A-1043"}
    sales.add_sale(session, by, company, order)
    api_keys.add_key(session, By(now - timedelta(days=40), OWNER), company, "crm")[0].used_at = now
    api_keys.add_key(session, By(now - timedelta(days=2), OWNER), company, "warehouse")
    return report_monthly(session, by, company)


def pay_daily(session: Session, by: By, company: Company) -> None:
    """What the last days of a campaign cost."""
    wanted, today = costs.wanted_of(session, company), by.at.astimezone(ZoneInfo(company.timezone)).date()
    for days, source, campaign, amount in (
        (0, "google", "pallets-new", "138.20"), (0, "yandex", "pallets-moscow", "215.00"),
        (1, "google", "pallets-new", "141.75"), (1, "facebook", "autumn", "124.00"),
        (2, "google", "pallets-new", "136.10"), (2, "yandex", "pallets-moscow", "198.40"),
    ):  # fmt: skip
        day = (today - timedelta(days=days)).isoformat()
        medium = "social" if source == "facebook" else "cpc"
        row = {"day": day, "source": source, "medium": medium, "campaign": campaign, "amount": amount}
        costs.add_cost(session, by, company, wanted, row)


def report_monthly(session: Session, by: By, company: Company) -> str:
    """Two reports are saved, one is sent each month and shared; the path of the link."""
    spent = saved_reports.save(session, by, company, "What ads earn", {"by": "source", "sort": "net"})
    saved_reports.save(session, by, company, "Keywords, 7 days", {"by": "keyword", "period": "7d"})
    report_schedules.add(session, by, spent, Schedule(Every.MONTH, 1, 8), ["boss@pallets.example"])
    return "/shared/reports/" + saved_reports.make_link(session, by, spent, days=30)


def log_in(database: Database, now: datetime) -> str:
    """A session of Olga's; the password she has just set ended any before."""
    with database.write() as session:
        olga = people.find_user(session, OWNER)
        return logins.start_session(session, olga, logins.Client("192.0.2.7", CHROME), now)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="leaseline-pictures-") as home:
        settings = read_settings({"LEASELINE_HOME": home})
        migrations.upgrade(settings.database_url)
        database = Database(settings.database_url, secret_key=settings.secret_key)
        now = datetime.now(UTC)
        settings.recordings_folder.mkdir()
        room = furnish(database, settings, now, DAY_SHOWN)
        with database.write() as session:
            place(session, room.pallets, now, history())
            tell_journeys(session, room.pallets, now)
            visit = session.scalars(select(Call.visit_id).where(Call.key == "certain")).one()
            link = dress(session, room, now)
            shared = judge(session, room, now)
            judge_history(session, now)
            ring(session, settings, room, now)
            told = earn(session, room, now)
            tell_destinations(session, settings, room, now)
            settle(session, now)
            leave_unrecorded(session)
            app = create_app(settings, database)
            pages = shown(app, session, key="certain", visit=str(visit))
            pages |= {"/shared/<token>": shared, "/shared/reports/<token>": told}
        spoken = {key: Told(minutes, "", "", talk=84, wait=6) for key, minutes in CALLED.items()}
        record_sound(database, settings, now, spoken)
        pictures = [
            ("call", "/calls/certain", 1480), ("uncertain", "/calls/uncertain", 600),
            ("visit", f"/visits/{visit}", 860),
        ]  # fmt: skip
        with serving(settings) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
            shoot(open_page(browser, url), link, pictures)
            pages = {rule: path for rule, path in pages.items() if rule not in NO_PICTURE}
            gallery.take(browser, url, log_in(database, now), pages)
            browser.close()
        database.close()


if __name__ == "__main__":
    main()
