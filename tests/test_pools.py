"""Pools: their rules, what their numbers do, the history of leases, coverage."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.command import Installation, ready
from support.config import billboard, by, pallets, website

from tracker import companies, numbers, pools, sites
from tracker.coverage import coverage
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import (
    AuditEntry,
    Company,
    Lease,
    LeaseEnd,
    MissCount,
    Number,
    Pool,
    Site,
    Visit,
    Visitor,
    WhenEmpty,
)


def test_a_pool_without_wishes_has_the_usual_rules(database: Database, now: datetime) -> None:
    with database.write() as session:
        pool_id = website(session, now, pallets(session, now)).id
    with database.read() as session:
        pool = session.get_one(Pool, pool_id)
        assert (pool.hold_seconds, pool.idle_seconds, pool.longest_seconds) == (300, 600, 14400)
        assert (pool.cooldown_seconds, pool.paid_percent, pool.release_after_call) == (0, 0, False)
        assert (pool.dynamic_for, pool.when_empty, pool.overflow_number_id) == ([], WhenEmpty.REAL, None)


def test_a_pool_keeps_what_is_not_given_in_a_change(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        pool = pools.add_pool(
            session, by(now), company, "Website",
            hold_seconds=600, dynamic_for=["paid search"], when_empty="code", paid_percent=20,
        )  # fmt: skip
        assert pool.dynamic_for == ["Paid Search"]
        pools.change_pool(session, by(now), company, pool, name="Shop", cooldown_seconds=60, dynamic_for=[])
        pool_id = pool.id
    with database.read() as session:
        pool = session.get_one(Pool, pool_id)
        assert (pool.name, pool.hold_seconds, pool.cooldown_seconds) == ("Shop", 600, 60)
        assert (pool.dynamic_for, pool.when_empty, pool.paid_percent) == ([], WhenEmpty.CODE, 20)
        change = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "pool.change")).one()
        assert change.detail == {"name": "Shop", "cooldown_seconds": 60, "dynamic_for": []}


@pytest.mark.parametrize(
    ("wish", "problem", "message"),
    [
        ({"hold_seconds": -1}, "pool.hold", "-1 seconds is no time to hold a number"),
        ({"hold_seconds": 86401}, "pool.hold", "0 to 86400"),
        ({"idle_seconds": 59}, "pool.idle", "which comes once a minute"),
        ({"idle_seconds": 900, "longest_seconds": 899}, "pool.longest", "could not wait 900 s"),
        ({"longest_seconds": 700_000}, "pool.longest", "60 to 604800"),
        ({"cooldown_seconds": -5}, "pool.cooldown", "rest a number"),
        ({"paid_percent": 101}, "pool.paid", "101 % is no share"),
        ({"when_empty": "music"}, "pool.when_empty", "real, source, overflow, code"),
        ({"when_empty": "overflow"}, "pool.overflow", "--overflow-number"),
        ({"overflow_number": "8 495 999-99-99"}, "pool.overflow", "no number of pallets"),
        ({"overflow_number": "lots"}, "number.malformed", "not a telephone number"),
        ({"dynamic_for": ["Adverts"]}, "pool.group", "Paid Search, Paid Social"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(
    sqlite: Database, now: datetime, wish: dict[str, Any], problem: str, message: str
) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        with pytest.raises(Rejected) as refused:
            pools.add_pool(session, by(now), company, "Website", **wish)
        assert refused.value.id == problem
        assert message in str(refused.value)


def test_an_overflow_number_is_an_active_one_that_is_not_leased(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        pool = website(session, now, company)
        leased = numbers.add(session, by(now), company, "8 495 123-00-01", place=pool)
        static = numbers.add(
            session, by(now), company, "8 495 123-00-02", place=billboard(session, now, company)
        )
        with pytest.raises(Rejected, match="itself leased"):
            pools.change_pool(session, by(now), company, pool, overflow_number=leased.e164)
        pools.change_pool(
            session, by(now), company, pool, when_empty="overflow", overflow_number="8 495 123-00-02"
        )
        assert pool.overflow_number_id == static.id
        with pytest.raises(Rejected, match="no overflow number to show"):
            pools.change_pool(session, by(now), company, pool, overflow_number="")


def test_a_number_that_everybody_sees_is_not_put_into_a_pool(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        pool = website(session, now, company)
        overflow = numbers.add(session, by(now), company, "8 495 123-00-01")
        pools.change_pool(session, by(now), company, pool, overflow_number=overflow.e164)
        site = sites.add(session, by(now), company, "Shop")
        sites.add_swap(session, by(now), site, "8 495 765-43-21", pool)
        with pytest.raises(Rejected, match="is the overflow number of a pool"):
            numbers.move(session, by(now), overflow, pool)
        with pytest.raises(Rejected, match="stands on the pages of a site"):
            numbers.add(session, by(now), company, "8 495 765-43-21", place=pool)
        with pytest.raises(Rejected, match="1 pool as its overflow number"):
            numbers.delete(session, by(now), overflow)


def test_a_pool_on_a_site_is_not_deleted(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        pool = website(session, now, company)
        site = sites.add(session, by(now), company, "Shop")
        swap = sites.add_swap(session, by(now), site, "8 495 765-43-21", pool)
        with pytest.raises(Rejected, match="1 number on a site"):
            pools.delete_pool(session, by(now), pool)
        sites.delete_swap(session, by(now), swap)
        pools.delete_pool(session, by(now), pool)
        assert pools.pools_of(session, company) == []


class Scene:
    """A site with a pool of four numbers and as many visits as a test wants."""

    def __init__(self, session: Session, now: datetime, company: Company | None = None) -> None:
        self.session, self.now = session, now
        self.company = company or pallets(session, now)
        self.pool = website(session, now, self.company)
        self.site: Site = sites.add(session, by(now), self.company, "Shop")
        self.numbers: list[Number] = [
            numbers.add(session, by(now), self.company, f"8 495 123-00-0{count}", place=self.pool)
            for count in range(1, 5)
        ]

    def visit(self, at: datetime, source: str = "google") -> Visit:
        visitor = Visitor(company_id=self.company.id, key=f"v{at}{source}", created_at=at)
        self.session.add(visitor)
        self.session.flush()
        visit = Visit(
            visitor_id=visitor.id,
            site_id=self.site.id,
            started_at=at,
            medium="cpc",
            source=source,
            campaign="=1",
        )
        self.session.add(visit)
        self.session.flush()
        return visit

    def lease(self, number: int, visit: Visit, minutes: int | None = None) -> Lease:
        lease = Lease(
            number_id=self.numbers[number].id,
            pool_id=self.pool.id,
            visit_id=visit.id,
            from_at=visit.started_at,
            expires_at=visit.started_at + timedelta(minutes=10),
            until_at=None if minutes is None else visit.started_at + timedelta(minutes=minutes),
            ended_by=None if minutes is None else LeaseEnd.LEFT,
        )
        self.session.add(lease)
        self.session.flush()
        return lease

    def one_of_each(self) -> None:
        self.lease(0, self.visit(self.now), minutes=10)
        self.misses("pool_empty", 1, self.now)

    def misses(self, reason: str, count: int, at: datetime) -> None:
        hour = at.replace(minute=0, second=0, microsecond=0)
        self.session.add(
            MissCount(site_id=self.site.id, pool_id=self.pool.id, hour_at=hour, reason=reason, count=count)
        )
        self.session.flush()


def test_a_pool_tells_what_its_numbers_do_now(database: Database, now: datetime) -> None:
    with database.write() as session:
        scene = Scene(session, now)
        scene.lease(0, scene.visit(now))
        scene.numbers[0].free_at = None
        scene.numbers[1].free_at = now + timedelta(seconds=30)
        numbers.retire(session, by(now), scene.numbers[3], quarantine_days=60)
        session.flush()
        assert pools.standing(session, scene.pool, now) == pools.Standing(3, leased=1, resting=1, free=1)


def test_history_tells_every_lease_and_those_running_at_its_beginning(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        scene = Scene(session, now)
        early, late = now - timedelta(days=2), now - timedelta(minutes=5)
        scene.lease(0, scene.visit(early), minutes=20)
        scene.lease(1, scene.visit(late, "yandex"))
        whole = list(pools.history(session, scene.pool))
        assert [(each.number, each.source, each.ended_by) for each in whole] == [
            ("+74951230001", "google", "left"),
            ("+74951230002", "yandex", None),
        ]
        assert whole[0].until_at == early + timedelta(minutes=20)
        assert list(pools.history(session, scene.pool, now - timedelta(days=1))) == whole[1:]
        assert list(pools.history(session, scene.pool, early + timedelta(minutes=10))) == whole
        scene.lease(2, scene.visit(now, "bing")).ended_by = LeaseEnd.LEFT  # gone, and held in case he calls
        assert [each.ended_by for each in pools.history(session, scene.pool, now)] == [None, None]


def test_coverage_counts_own_numbers_and_misses_by_reason(database: Database, now: datetime) -> None:
    with database.write() as session:
        scene = Scene(session, now)
        day = timedelta(days=1)
        visit = scene.visit(now - timedelta(hours=3))
        scene.lease(0, visit, minutes=10)
        scene.lease(0, visit)  # the same visit again: one visit with a number
        scene.lease(1, scene.visit(now - timedelta(days=3)), minutes=10)
        scene.misses("pool_empty", 2, now - timedelta(hours=2))
        scene.misses("pool_empty", 1, now - timedelta(hours=1))
        scene.misses("bot", 40, now - timedelta(hours=1))
        scene.misses("consent", 5, now - timedelta(days=3))
        of_pool = coverage(session, pool_id=scene.pool.id, since=now - day, until=now)
        assert (of_pool.visits, of_pool.own_number) == (4, 1)
        assert of_pool.missed == {"bot": 40, "pool_empty": 3}
        assert of_pool.share == 0.25
        assert coverage(session, site_id=scene.site.id, since=now - day, until=now) == of_pool
        assert coverage(session, site_id=scene.site.id + 1, since=now - day, until=now).share is None
        assert coverage(session, since=now - 4 * day, until=now).visits == 10


# ---- the commands ----


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    installation = ready(tmp_path)
    installation.done("company", "add", "pallets", "--region", "RU")
    return installation


def test_a_pools_rules_are_set_changed_and_shown_by_command(here: Installation) -> None:
    here.done("channel", "add", "Billboard")
    here.done("number", "add", "8 495 123-45-67", "--channel", "Billboard")
    here.done(
        "pool", "add", "Website", "--hold-seconds", "150", "--dynamic-for", "paid search", "--dynamic-for",
        "Email", "--release-after-call", "--when-empty", "overflow", "--overflow-number", "84951234567",
    )  # fmt: skip
    here.done("pool", "change", "Website", "--paid-percent", "20", "--keep-after-call")
    shown = here.json("pool", "show", "Website")
    assert (shown["hold_seconds"], shown["paid_percent"], shown["release_after_call"]) == (150, 20, False)
    assert (shown["dynamic_for"], shown["overflow_number"]) == (["Paid Search", "Email"], "+74951234567")
    assert shown["now"] == {"numbers": 0, "leased": 0, "resting": 0, "free": 0}
    assert shown["last_day"] == {"visits": 0, "own_number": 0, "missed": {}, "share": None}
    assert here.json("pool", "change", "Website", "--dynamic-for-all")["dynamic_for"] == []
    assert "Give some of: Direct" in here.refused("pool", "change", "Website", "--dynamic-for", "Ads")


def test_a_pools_history_leaves_as_a_table_json_or_csv(here: Installation, now: datetime) -> None:
    with (
        closing(Database(f"sqlite:///{here.home / 'leaseline.db'}")) as database,
        database.write() as session,
    ):
        company = companies.get(session, "pallets")
        Scene(session, now, company).one_of_each()
    (row,) = here.json("pool", "history", "Website")
    assert (row["number"], row["source"], row["campaign"], row["ended_by"]) == (
        "+74951230001", "google", "=1", "left",
    )  # fmt: skip
    here.done("company", "change", "pallets", "--timezone", "Europe/Moscow")
    assert here.done("pool", "history", "Website").splitlines()[1].startswith("2026-11-20 15:00:00 MSK")
    assert here.done("pool", "history", "Website", "--since", "2026-11-21").startswith("No lease")
    lines = here.done("pool", "history", "Website", "--csv").splitlines()
    assert lines[0] == "number,visit,medium,source,campaign,keyword,from_at,until_at,ended_by"
    # No spreadsheet takes the visitor's words for a formula; a number keeps its plus.
    assert lines[1].startswith("+74951230001,1,cpc,google,'=1,,2026-11-20T12:00:00.000Z,")
    assert "1 leased" not in here.done("pool", "show", "Website")
