"""Visits and leases over the API: as the books have them, page by page, and beside what websites speak."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.recorded import settings_in
from support.rest import Program, program
from support.shop import Shop, numbered
from support.site import Site, log_in

from tracker import history, visit_list
from tracker.database import Database
from tracker.models import Company, Lease, Number, Role, Visit
from tracker.models import Site as Website
from tracker.newest import Place, Sought, _part, newest
from tracker.policy.leasing import LeaseEnd
from tracker.policy.rights import Scope

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(database: Database, now: datetime) -> Shop:
    """A shop whose ten visitors came a minute after the other to two sites and three numbers; and a rival."""
    with database.write() as session:
        shop = Shop(session, now - timedelta(days=1))
        session.add(Website(company_id=shop.company_id, name="outlet.example", key="outlet", created_at=now))
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
        session.flush()
        for number in range(10):
            come(session, shop, number, now - (10 - number) * MINUTE)
    return shop


def come(session: Session, shop: Shop, number: int, at: datetime) -> None:
    """A visitor comes to one of the sites, and has one of the numbers for ten seconds; from 7 on, still."""
    visit = shop.visit(session, f"v{number}-{at:%H%M%S}", at)
    visit.site_id = session.scalars(sa.select(Website.id).order_by(Website.id)).all()[number % 2]
    number_id = session.scalars(sa.select(Number.id).where(Number.e164 == numbered(number % 3))).one()
    over = at + timedelta(seconds=10) if number < 7 else None
    session.add(
        Lease(
            number_id=number_id, pool_id=shop.pool_id, visit_id=visit.id, from_at=at, expires_at=at + MINUTE,
            until_at=over, ended_by=LeaseEnd.IDLE,
        )
    )  # fmt: skip
    session.flush()


@pytest.fixture
def site(database: Database, shop: Shop, tmp_path: Path, now: datetime) -> Site:
    return Site(database, settings_in(tmp_path, secret_key="k" * 40), now)


@pytest.fixture
def crm(site: Site) -> Program:
    return program(site, *Scope)


def pages(crm: Program, what: str, between: Callable[[], None] = lambda: None, **words: Any) -> list[int]:
    """The ids of all pages of two; `between` happens after the first."""
    found: list[int] = []
    more: dict[str, Any] = {}
    while True:
        page = crm.get(f"/{what}", limit=2, **words, **more).json
        found += [it["id"] for it in page[what]]
        if page["next"] is None:
            return found
        if not more:
            between()
        more = {"cursor": page["next"]}


def test_visits_are_read_page_by_page_while_others_come(site: Site, shop: Shop, crm: Program) -> None:
    with site.database.read() as session:
        whole = visit_list.list_visits(session, [shop.company_id])
        ids = session.scalars(sa.select(Visit.id).order_by(Visit.started_at.desc())).all()
    assert crm.get("/visits").json == {
        "visits": [visit_list.describe(it) for it in whole.visits],
        "next": None,
    }

    def one_more() -> None:
        with site.database.write() as session:
            visit = shop.visit(session, "late", site.now)
            shop.visit(session, visit.visitor, site.now - timedelta(days=2))

    seen = pages(crm, "visits", one_more)
    assert seen[:-1] == ids
    assert len(seen) == 11  # the older of those that were added stands at the end


def test_visits_are_of_a_site_and_of_some_days(site: Site, crm: Program) -> None:
    whole = crm.get("/visits").json["visits"]
    outlet = [it["id"] for it in whole if it["site"] == "outlet.example"]
    assert pages(crm, "visits", site="outlet.example") == outlet
    assert len(outlet) == 5
    minute = (site.now - 3 * MINUTE).strftime("%Y-%m-%dT%H:%M")
    began = [it["id"] for it in whole if it["started_at"] >= minute]
    assert pages(crm, "visits", since=minute) == began
    assert pages(crm, "visits", until=minute) == [it["id"] for it in whole if it["id"] not in began]
    assert crm.get("/visits", site="other").json["error"]["id"] == "site.unknown"
    assert crm.get("/visits", cursor="x").json["error"]["id"] == "page.malformed"


def test_one_visit_is_told_as_the_command_line_has_it(site: Site, shop: Shop, crm: Program) -> None:
    visit = crm.get("/visits").json["visits"][0]["id"]
    with site.database.read() as session:
        told = history.describe(history.get_history(session, [shop.company_id], visit, site.now))
    assert crm.get(f"/visits/{visit}").json == told
    assert [it["shown"] for it in told["leases"]] == [numbered(0)]
    assert program(site, *Scope, company_id=2).get(f"/visits/{visit}").status_code == 404
    assert crm.get("/visits/x").json["error"]["id"] == "visit.unknown"
    both = log_in(site, "both@agency.example", shop=Role.LISTENER, rival=Role.LISTENER)
    assert both.get(f"/api/v1/visits/{visit}").json == told


def test_leases_are_read_page_by_page(site: Site, shop: Shop, crm: Program) -> None:
    with site.database.read() as session:
        ids = session.scalars(sa.select(Lease.id).order_by(Lease.from_at.desc())).all()

    def one_more() -> None:
        with site.database.write() as session:
            come(session, shop, 2, site.now)

    assert pages(crm, "leases", one_more) == ids
    first = crm.get("/leases", limit=2).json["leases"]
    assert [(it["number"], it["ended_by"]) for it in first] == [(numbered(2), "idle"), (numbered(0), None)]


def test_leases_are_of_a_number_a_pool_a_site_and_open(site: Site, shop: Shop, crm: Program) -> None:
    whole = crm.get("/leases").json["leases"]

    def those(**wanted: Any) -> list[int]:
        return [it["id"] for it in whole if all(it[name] == value for name, value in wanted.items())]

    assert pages(crm, "leases", number=numbered(1)) == those(number=numbered(1))
    assert pages(crm, "leases", pool="Website") == those()
    assert pages(crm, "leases", site="outlet.example") == those(site="outlet.example")
    assert pages(crm, "leases", open="yes") == those(until_at=None)
    assert len(those(until_at=None)) == 3
    assert pages(crm, "leases", number=numbered(1), site="outlet.example", open="yes") == those(
        number=numbered(1), site="outlet.example", until_at=None
    )
    minute = (site.now - 3 * MINUTE).strftime("%Y-%m-%dT%H:%M")
    assert pages(crm, "leases", since=minute) == [it["id"] for it in whole if it["from_at"] >= minute]
    assert crm.get("/leases", pool="other").json["error"]["id"] == "pool.unknown"
    assert crm.get("/leases", number="+4930999").status_code == 404
    rival = program(site, *Scope, company_id=2)
    assert rival.get("/leases").json == {"leases": [], "next": None}


def test_many_owners_are_merged(site: Site, shop: Shop) -> None:
    """More than one statement carries."""
    with site.database.write() as session:
        for number in range(120):
            shop.add_number(session, f"+7499{number:07}", site.now)
        sought = Sought(Lease.number_id, Lease.from_at, Lease.id)
        numbers = session.scalars(sa.select(Number.id).order_by(Number.id.desc())).all()
        wanted = sa.select(Lease.id).order_by(Lease.from_at.desc(), Lease.id.desc()).limit(4)
        assert [it.id for it in newest(session, sought, numbers, 4)] == session.scalars(wanted).all()


def test_the_index_of_each_site_is_read_and_nothing_else(sqlite: Database, now: datetime) -> None:
    with sqlite.read() as session:
        part = _part(Sought(Visit.site_id, Visit.started_at, Visit.id), 1, 50, Place(now, 7), None)
        told = str(part.compile(sqlite.engine, compile_kwargs={"literal_binds": True}))
        plan = " ".join(row[-1] for row in session.execute(sa.text("EXPLAIN QUERY PLAN " + told)))
    assert "ix_visits_site_id_started_at (site_id=? AND started_at<?)" in plan
    assert "TEMP B-TREE" not in plan


def test_what_websites_speak_stays_as_it_is(site: Site) -> None:
    stranger = site.app.test_client()
    assert stranger.get("/api/v1/visits").status_code == 401
    told = stranger.options("/api/v1/visits", headers={"Origin": "https://shop.example"})
    assert (told.status_code, told.headers["Access-Control-Allow-Origin"]) == (200, "*")
    told = stranger.post("/api/v1/visits", json={"site": "none"})
    assert told.json is not None
    assert told.json["error"]["id"] == "site.unknown"
