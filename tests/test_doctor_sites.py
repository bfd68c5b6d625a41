"""What doctor says of websites: their pools, visits, visitors who look alike, numbers that are dead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.command import Installation, furnish
from support.facts import add_number, started

from dialplan.program import find_program
from tracker import misses
from tracker.books import record
from tracker.database import Database
from tracker.models import Lease, Number, NumberUse, Pool, Site, Visit, Visitor
from tracker.policy.facts import Presentation
from tracker.policy.oddities import Heard, Silence, silence, unheard
from tracker.settings import Settings

NUMBERS = ("+74951230001", "+74951230002", "+74951230003", "+74951230004")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """A company with a site, whose pool has no numbers yet."""
    made = Installation(tmp_path, {"LEASELINE_ASTERISK": find_program(Settings()).path})
    furnish(made)
    return made


@pytest.fixture
def shop(here: Installation) -> Iterator[Shop]:
    opened = Database(f"sqlite:///{here.home / 'leaseline.db'}", wait_seconds=5)
    with opened.write() as session:
        pool_id = session.scalars(sa.select(Pool.id)).one()
        company_id, site_id = session.execute(sa.select(Site.company_id, Site.id)).one()
        for e164 in NUMBERS:
            add_number(session, company_id, e164, datetime.now(UTC) - 60 * DAY, pool_id=pool_id)
    yield Shop(opened, company_id, site_id, pool_id)
    opened.close()


class Shop:
    """The site of that home with its pool of four numbers, and rows as the visit API would leave them."""

    def __init__(self, database: Database, company_id: int, site_id: int, pool_id: int) -> None:
        self.database, self.now = database, datetime.now(UTC)
        self.company_id, self.site_id, self.pool_id = company_id, site_id, pool_id
        self._keys = count()

    def visits(self, *ago: timedelta, country: str | None = "RU", number: str | None = None) -> None:
        """Visits so long ago, each of a visitor of his own; with a number for ten minutes if one is given."""
        with self.database.write() as session:
            for each in ago:
                visit = self._visit(session, self.now - each, country)
                if number:
                    self._lease(session, visit, number)

    def _visit(self, session: Session, at: datetime, country: str | None) -> Visit:
        visitor = Visitor(company_id=self.company_id, key=f"v{next(self._keys)}", created_at=at)
        session.add(visitor)
        session.flush()
        visit = Visit(
            visitor_id=visitor.id, site_id=self.site_id, started_at=at, seen_at=at, medium="cpc",
            source="google", country=country,
        )  # fmt: skip
        session.add(visit)
        session.flush()
        return visit

    def _lease(self, session: Session, visit: Visit, e164: str) -> None:
        number_id = session.scalars(sa.select(Number.id).where(Number.e164 == e164)).one()
        until_at = visit.started_at + timedelta(minutes=10)
        session.add(
            Lease(
                number_id=number_id, pool_id=self.pool_id, visit_id=visit.id, from_at=visit.started_at,
                expires_at=until_at, until_at=until_at,
            )
        )  # fmt: skip

    def missed(self, reason: str, times: int, ago: timedelta = HOUR) -> None:
        with self.database.write() as session:
            misses.count(session, self.site_id, self.pool_id, reason, self.now - ago, times)

    def calls(self, e164: str, *callers: str | None, ago: timedelta = HOUR) -> None:
        with self.database.write() as session:
            for caller in callers:
                shown = Presentation.ALLOWED if caller else Presentation.WITHHELD
                call = started(e164, self.now - ago, f"c{next(self._keys)}")
                record(session, replace(call, caller=caller or "", presentation=shown))


def said(here: Installation, name: str) -> list[tuple[str, str, str]]:
    """State, message and fix of every line of that name."""
    found = here.json_anyway("doctor")
    return [(each["state"], each["message"], each["fix"]) for each in found if each["name"] == name]


# ---- pools ----


def test_a_house_without_a_website_is_asked_nothing_about_one(tmp_path: Path) -> None:
    alone = Installation(tmp_path)
    alone.done("company", "add", "pallets", "--region", "RU")
    assert said(alone, "sites") == [("ok", "none", "")]
    names = {each["name"] for each in alone.json_anyway("doctor")}
    assert not names & {"web_url", "script", "visit API", "trusted_proxies"}


def test_a_site_without_a_pool_is_told_how_to_get_one(here: Installation) -> None:
    here.done("site", "add", "The blog", "--domain", "blog.example")
    ((state, message, fix),) = said(here, "site The blog")
    assert (state, message) == ("warn", "has no pool: visitors see the company's own number")
    assert "`leaseline site number add 'The blog' NUMBER --pool POOL`" in fix
    assert said(here, "site Shop") == [("ok", "shows numbers of Website", "")]


def test_a_pool_without_a_number_in_use_is_told(here: Installation) -> None:
    ((state, message, fix),) = said(here, "pool Website")
    assert (state, message) == ("warn", "has no number in use: visitors see the company's own number")
    assert "`leaseline number import FILE --pool Website`, then `leaseline apply`" in fix
    here.done("number", "add", NUMBERS[0], "--pool", "Website")
    here.done("number", "retire", NUMBERS[0])
    assert said(here, "pool Website")[0][1].startswith("has no number in use")


def test_numbers_that_asterisk_was_not_told_of_are_bad_until_they_are_applied(here: Installation) -> None:
    here.done("number", "add", NUMBERS[0], "--pool", "Website")
    here.done("apply")
    here.done("number", "add", NUMBERS[1], "--pool", "Website")
    told = ("bad", f"Asterisk turns callers of {NUMBERS[1]} away", "Run `leaseline apply`")
    assert said(here, "pool Website") == [told]
    here.done("apply")
    assert said(here, "pool Website") == [("ok", "2 numbers in use, known to Asterisk, ringing", "")]


def test_a_pool_nobody_rings_for_is_bad(here: Installation) -> None:
    here.done("number", "add", NUMBERS[0], "--pool", "Website")
    here.done("forward", "clear")
    here.done("apply")
    ((state, message, fix),) = said(here, "pool Website")
    assert (state, message) == ("bad", f"nobody rings for {NUMBERS[0]}")
    assert fix == "Say who does: `leaseline forward set TARGET --pool Website`"


def test_with_two_companies_each_command_names_its_own(here: Installation) -> None:
    here.done("company", "add", "acme", "--region", "DE")
    ((_, _, fix),) = said(here, "pool Website of pallets")
    assert "`leaseline number import FILE --pool Website --company pallets`" in fix


# ---- visits ----


def test_a_site_that_was_never_visited_is_told_after_a_day(here: Installation, shop: Shop) -> None:
    assert said(here, "visits of site Shop") == []
    with shop.database.write() as session:
        session.get_one(Site, shop.site_id).created_at = shop.now - 25 * HOUR
    ((state, message, fix),) = said(here, "visits of site Shop")
    assert (state, message) == ("warn", "there was none yet")
    assert fix == "Is the script on its pages? `leaseline site check https://shop.example/`"


def test_a_site_that_fell_silent_is_told_with_what_was_usual(here: Installation, shop: Shop) -> None:
    shop.visits(*(2 * DAY + hours * 6 * HOUR for hours in range(40)))
    ((state, message, fix),) = said(here, "visits of site Shop")
    assert (state, message) == ("warn", "none for 2 days, never longer than 6 hours in the four weeks before")
    assert fix.endswith("`leaseline site check https://shop.example/`")


def test_robots_and_visitors_without_consent_show_that_the_script_is_there(
    here: Installation, shop: Shop
) -> None:
    shop.visits(*(2 * DAY + hours * 6 * HOUR for hours in range(40)))
    shop.missed("consent", 1, HOUR)
    ((state, message, _),) = said(here, "visits of site Shop")
    assert state == "ok"
    assert message.startswith("its script was heard")
    shop.missed("consent", 1, timedelta())  # in this hour, which is not over
    assert said(here, "visits of site Shop")[0][1] == "its script was heard less than a minute ago"


MONDAY = datetime(2026, 11, 2, 8, tzinfo=UTC)


def working_hours(days: int) -> list[datetime]:
    """A visit each of ten hours on working days; `days` from a Monday on."""
    mornings = [MONDAY + day * DAY for day in range(days) if day % 7 < 5]
    return [morning + hour * HOUR for morning in mornings for hour in range(10)]


@pytest.mark.parametrize(
    ("visits", "later", "found"),
    [
        (working_hours(12), 15 * HOUR, None),  # a night
        (working_hours(12), 100 * HOUR, None),  # a long weekend: the usual one has 63 hours
        (working_hours(12), 130 * HOUR, Silence(130 * HOUR, 63 * HOUR)),
        (working_hours(2), 27 * HOUR, None),  # no weekend is known yet, a night has 15 hours
        (working_hours(2), 31 * HOUR, Silence(31 * HOUR, 15 * HOUR)),
        ([MONDAY + minute * timedelta(minutes=1) for minute in range(30)], 23 * HOUR, None),
        ([MONDAY + minute * timedelta(minutes=1) for minute in range(14_000)], 1 * HOUR, None),
        (
            [MONDAY + minute * timedelta(minutes=1) for minute in range(14_000)],
            3 * HOUR,
            Silence(3 * HOUR, timedelta(minutes=1)),
        ),
        (working_hours(1), 30 * DAY, None),  # ten visits are no custom
        ([], DAY, None),
    ],
)
def test_a_silence_is_odd_when_it_is_twice_as_long_as_any_before(
    visits: list[datetime], later: timedelta, found: Silence | None
) -> None:
    last = visits[-1] if visits else MONDAY
    assert silence(visits, last, last + later) == found


# ---- coverage ----


def test_a_pool_that_was_too_small_is_told_with_share_visits_and_command(
    here: Installation, shop: Shop
) -> None:
    shop.visits(*[2 * HOUR] * 36, number=NUMBERS[0])
    shop.missed("pool_empty", 4)
    (*_, (state, message, fix)) = said(here, "pool Website")
    assert state == "warn"
    assert message.startswith("was empty for 4 of the 40 visits of the last day (10%)")
    assert fix == "See how many numbers it needs: `leaseline pool advise Website`"


@pytest.mark.parametrize(("with_number", "empty", "ago"), [(96, 4, HOUR), (1, 2, HOUR), (1, 50, 26 * HOUR)])
def test_few_misses_and_old_ones_are_no_news(
    here: Installation, shop: Shop, with_number: int, empty: int, ago: timedelta
) -> None:
    shop.visits(*[2 * HOUR] * with_number, number=NUMBERS[0])
    shop.missed("pool_empty", empty, ago)
    assert not [message for _, message, _ in said(here, "pool Website") if "was empty" in message]


# ---- addresses ----


def test_https_without_a_trusted_proxy_is_told(here: Installation, shop: Shop) -> None:
    behind = Installation(here.home, {**here.more, "LEASELINE_WEB_URL": "https://leaseline.invalid"})
    ((state, message, fix),) = said(behind, "trusted_proxies")
    assert state == "warn"
    assert "all visitors look like one" in message
    assert "127.0.0.1/32" in fix
    trusting = Installation(here.home, {**behind.more, "LEASELINE_TRUSTED_PROXIES": "127.0.0.1/32"})
    assert said(trusting, "trusted_proxies") == []


def test_visitors_none_of_whom_has_an_address_of_his_own_are_told(here: Installation, shop: Shop) -> None:
    shop.visits(*[2 * HOUR] * 19, country=None)
    shop.visits(*[26 * HOUR] * 19, country=None)
    assert said(here, "addresses of site Shop") == []
    shop.visits(HOUR, country=None)
    ((state, message, fix),) = said(here, "addresses of site Shop")
    assert (state, message) == ("warn", "no visitor of the last day's 20 visits has an address of his own")
    assert "trusted_proxies" in fix
    shop.visits(HOUR, country="RU")
    assert said(here, "addresses of site Shop") == []


def test_visitors_who_seem_to_come_from_one_place_are_told(here: Installation, shop: Shop) -> None:
    shop.visits(*[2 * HOUR] * 30)
    shop.missed("limited", 10)
    shop.missed("untrusted", 5)
    assert said(here, "addresses of site Shop") == []
    shop.missed("limited", 10)
    ((state, message, fix),) = said(here, "addresses of site Shop")
    assert (state, message) == (
        "warn",
        "25 requests of the last day came as if from one place, beside 30 visits",
    )
    assert "trusted_proxies" in fix


# ---- numbers nobody calls ----


def people(first: int, many: int) -> list[str]:
    return [f"+7916000{each:04}" for each in range(first, first + many)]


def shown(shop: Shop, ago: timedelta = 10 * DAY) -> None:
    for e164 in NUMBERS:
        shop.visits(*[ago] * 50, number=e164)


def dead(here: Installation) -> list[str]:
    return [message for _, message, _ in said(here, "pool Website") if message.startswith("nobody called")]


def test_a_number_that_nobody_calls_while_its_neighbours_ring_is_told(here: Installation, shop: Shop) -> None:
    shown(shop)
    for index, e164 in enumerate(NUMBERS[:3]):
        shop.calls(e164, *people(100 * index, 8))
    (message,) = dead(here)
    assert message.startswith(f"nobody called {NUMBERS[3]}, though 50 visitors saw it since")
    fixes = [fix for _, said_, fix in said(here, "pool Website") if said_ == message]
    assert fixes[0].endswith(f"`leaseline number retire {NUMBERS[3]}`")
    shop.calls(NUMBERS[3], "+79169999999")
    assert dead(here) == []


def test_callers_are_counted_not_calls_and_only_those_who_are_known(here: Installation, shop: Shop) -> None:
    shown(shop)
    shop.calls(NUMBERS[0], *people(0, 1) * 40, *[None] * 40)
    assert dead(here) == []


def test_a_number_is_judged_from_its_first_day_in_the_pool_on(here: Installation, shop: Shop) -> None:
    shown(shop)
    with shop.database.write() as session:
        number_id = session.scalars(sa.select(Number.id).where(Number.e164 == NUMBERS[3])).one()
        use = session.scalars(sa.select(NumberUse).where(NumberUse.number_id == number_id)).one()
        use.from_at = shop.now - 10 * DAY - HOUR
    for index, e164 in enumerate(NUMBERS[:3]):
        shop.calls(e164, *people(100 * index, 8), ago=12 * DAY)  # it was not there yet
    assert dead(here) == []
    for index, e164 in enumerate(NUMBERS[:3]):
        shop.calls(e164, *people(100 * index, 8), ago=9 * DAY)
    assert len(dead(here)) == 1


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([(50, 8), (50, 8), (50, 8), (50, 0)], [3]),  # 4 · (3/4)²⁴ = 0.4 %
        ([(50, 7), (50, 7), (50, 6), (50, 0)], []),  # 4 · (3/4)²⁰ = 1.3 %
        ([(300, 24), (10, 0)], []),  # seldom shown
        ([(100, 20), (50, 0), (50, 0)], [1, 2]),
        ([(50, 0), (50, 0)], []),  # nobody calls anything
        ([(50, 60), (0, 0)], []),
        ([], []),
    ],
)
def test_no_call_is_odd_where_chance_would_hardly_do_it(
    numbers: list[tuple[int, int]], found: list[int]
) -> None:
    heard = [Heard(f"+{index}", *each) for index, each in enumerate(numbers)]
    assert [int(each.e164) for each in unheard(heard)] == found
