"""What looks wrong in a website's books, asked of both databases; doctor's own words are tested elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import started
from support.visiting import Shop, add_shop

from tracker import misses, oddities
from tracker.books import record
from tracker.database import Database
from tracker.models import Lease, Number, Visit, Visitor
from tracker.oddities import Crowd
from tracker.policy.oddities import Heard, Silence

HOUR = timedelta(hours=1)


def visit(session: Session, shop: Shop, at: datetime, country: str | None = "RU") -> Visit:
    visitor = Visitor(company_id=shop.company_id, key=f"{at}{country}", created_at=at)
    session.add(visitor)
    session.flush()
    found = Visit(
        visitor_id=visitor.id, site_id=shop.site_id, started_at=at, medium="cpc", source="google",
        country=country,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def lease(session: Session, shop: Shop, number: str, to: Visit) -> None:
    number_id = session.scalars(sa.select(Number.id).where(Number.e164 == number)).one()
    ends = to.started_at + timedelta(minutes=1)
    row = {"pool_id": shop.pool_id, "visit_id": to.id, "from_at": to.started_at, "expires_at": ends}
    session.add(Lease(number_id=number_id, until_at=ends, **row))
    session.flush()


def test_a_number_nobody_calls_is_found_by_visitors_and_callers(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = add_shop(session, now, numbers=2)
        for turn in range(40):
            at = now - 9 * 24 * HOUR + turn * HOUR
            lease(session, shop, shop.numbers[turn % 2], visit(session, shop, at))
        for caller in range(9):
            call = started(shop.numbers[0], now - HOUR, f"c{caller}", caller=f"+791600000{caller:02}")
            record(session, call)
        since = now - oddities.LATELY
        assert oddities.unheard(session, shop.pool_id, now) == [(Heard(shop.numbers[1], 20, 0), since)]
        record(session, started(shop.numbers[1], now, "late"))
        assert oddities.unheard(session, shop.pool_id, now) == []


def test_a_silence_ends_with_the_next_sign_of_the_script(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = add_shop(session, now)
        assert oddities.sign_at(session, shop.site_id) is None
        assert oddities.silence(session, shop.site_id, now) is None
        for turn in range(30):
            visit(session, shop, now - 60 * HOUR - turn * HOUR)
        assert oddities.silence(session, shop.site_id, now) == Silence(60 * HOUR, HOUR)
        misses.count(session, shop.site_id, shop.pool_id, "bot", now - 3 * HOUR)
        assert oddities.sign_at(session, shop.site_id) == now - 2 * HOUR
        assert oddities.silence(session, shop.site_id, now) is None


@pytest.mark.parametrize("country", ["RU", None])
def test_a_days_crowd_is_counted(database: Database, now: datetime, country: str | None) -> None:
    with database.write() as session:
        shop = add_shop(session, now)
        for ago in (1, 23, 25):
            visit(session, shop, now - ago * HOUR, country)
        for reason, times in (("limited", 3), ("untrusted", 2), ("bot", 40)):
            misses.count(session, shop.site_id, shop.pool_id, reason, now - HOUR, times)
        assert oddities.crowd(session, shop.site_id, now) == Crowd(2, 2 if country else 0, 5)
