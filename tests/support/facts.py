"""A company to test with, and facts about its calls.

    pallets = add_pallets(session, now)        # Pallets: billboard, leaflet, a website with a pool, one lease
    record(session, started(pallets.billboard, at=now))

Every value that a test does not care about has a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from tracker.models import (
    Channel,
    Company,
    Forwarding,
    Lease,
    Number,
    NumberUse,
    Pool,
    Site,
    Swap,
    Target,
    TargetKind,
    Trunk,
    TrunkKind,
    Visit,
    Visitor,
)
from tracker.policy.facts import Answered, Ended, HungUpBy, LegEnded, Presentation, Started

CALLER = "+4915112345678"
Row = TypeVar("Row")


@dataclass(frozen=True)
class Pallets:
    """The ids of what `add_pallets` made, and its numbers as E.164."""

    company_id: int
    trunk_id: int
    office_id: int  # target, rings first
    mobile_id: int  # target, rings second
    billboard_channel_id: int
    leaflet_channel_id: int
    pool_id: int
    site_id: int
    visit_id: int
    lease_id: int  # of `leased`, since an hour before `now`, still open
    billboard: str = "+74951234567"
    leaflet: str = "+74951234568"
    leased: str = "+74951234571"
    free: str = "+74951234572"  # in the pool, leased to nobody
    real: str = "+74957654321"  # the company's own, as it stands on the website


def add_pallets(session: Session, now: datetime, slug: str = "pallets") -> Pallets:
    """The company Pallets with a trunk, two targets, two channels, a pool and an open lease."""
    since = now - timedelta(days=30)
    company = _add(session, Company(slug=slug, name="Pallets", default_region="RU", created_at=since))
    trunk = _add(
        session, Trunk(name=f"{slug}-carrier", kind=TrunkKind.IP, host="192.0.2.10", created_at=since)
    )
    office = _add(session, _target(company, "office", "192.0.2.20", since))
    mobile = _add(session, _target(company, "mobile", "192.0.2.21", since))
    for position, target in enumerate((office, mobile), start=1):
        session.add(
            Forwarding(company_id=company.id, position=position, target_id=target.id, ring_seconds=25)
        )
    billboard = _add(session, _channel(company, "Billboard", since))
    leaflet = _add(session, _channel(company, "Leaflet", since))
    pool = _add(session, Pool(company_id=company.id, name="Website", created_at=since))
    site, visit = _add_visit(session, company, pool, now)
    names = Pallets.billboard, Pallets.leaflet, Pallets.leased, Pallets.free
    numbers = [
        add_number(session, company.id, e164, since, **use)
        for e164, use in zip(
            names,
            ({"channel_id": billboard.id}, {"channel_id": leaflet.id}, *({"pool_id": pool.id},) * 2),
            strict=True,
        )
    ]
    lease = _add(
        session,
        Lease(
            number_id=numbers[2].id,
            pool_id=pool.id,
            visit_id=visit.id,
            from_at=now - timedelta(hours=1),
            expires_at=now + timedelta(minutes=10),
        ),
    )
    numbers[2].free_at = None
    return Pallets(
        company_id=company.id,
        trunk_id=trunk.id,
        office_id=office.id,
        mobile_id=mobile.id,
        billboard_channel_id=billboard.id,
        leaflet_channel_id=leaflet.id,
        pool_id=pool.id,
        site_id=site.id,
        visit_id=visit.id,
        lease_id=lease.id,
    )


def add_number(session: Session, company_id: int, e164: str, since: datetime, **use: int) -> Number:
    """A number used for a `channel_id` or a `pool_id` since that instant."""
    number = _add(session, Number(company_id=company_id, e164=e164, created_at=since))
    _add(session, NumberUse(number_id=number.id, from_at=since, **use))
    return number


def _add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def _target(company: Company, name: str, host: str, since: datetime) -> Target:
    return Target(
        company_id=company.id, name=name, kind=TargetKind.PEER, host=host, port=5060, created_at=since
    )


def _channel(company: Company, name: str, since: datetime) -> Channel:
    return Channel(company_id=company.id, name=name, source=name.lower(), medium="offline", created_at=since)


def _add_visit(session: Session, company: Company, pool: Pool, now: datetime) -> tuple[Site, Visit]:
    site = _add(
        session,
        Site(
            company_id=company.id,
            name="pallets.example",
            key=f"site-{company.slug}",
            domains=["pallets.example"],
            created_at=now,
        ),
    )
    _add(session, Swap(site_id=site.id, position=1, e164=Pallets.real, pool_id=pool.id))
    visitor = _add(session, Visitor(company_id=company.id, key=f"visitor-{company.slug}", created_at=now))
    visit = _add(
        session,
        Visit(
            visitor_id=visitor.id,
            site_id=site.id,
            started_at=now - timedelta(hours=1),
            seen_at=now,
            medium="cpc",
            source="yandex",
            campaign="772040791973",
            keyword="купить поддоны деревянные",
        ),
    )
    return site, visit


def started(did: str, at: datetime, call: str = "call-1", **more: Any) -> Started:
    """A call of CALLER to `did`."""
    given: dict[str, Any] = {
        "node": "main",
        "uniqueid": f"main-{call}",
        "linkedid": f"main-{call}",
        "trunk_id": None,
        "dialled": did,
        "caller": CALLER,
        "presentation": Presentation.ALLOWED,
        "caller_name": "",
    }
    return Started(call=call, at=at, did=did, **(given | more))


def leg_ended(target_id: int, at: datetime, call: str = "call-1", **more: Any) -> LegEnded:
    """A target that was dialled 5 s before `at`, rang, and was not picked up."""
    given: dict[str, Any] = {
        "node": "main",
        "position": 1,
        "dialled_at": at - timedelta(seconds=5),
        "rang_at": at - timedelta(seconds=4),
        "status": "NOANSWER",
        "cause": 16,
    }
    return LegEnded(call=call, at=at, target_id=target_id, **(given | more))


def answered(target_id: int, at: datetime, call: str = "call-1", **more: Any) -> Answered:
    """A target that rang for 2 s and took the call."""
    given: dict[str, Any] = {"node": "main", "position": 1, "rang_at": at - timedelta(seconds=2)}
    return Answered(call=call, at=at, target_id=target_id, **(given | more))


def ended(at: datetime, call: str = "call-1", **more: Any) -> Ended:
    """The end of an answered call; the caller hung up."""
    given: dict[str, Any] = {
        "node": "main",
        "status": "ANSWER",
        "cause": 16,
        "hung_up_by": HungUpBy.CALLER,
        "rang_at": None,
        "seen_by_agi": True,
    }
    return Ended(call=call, at=at, **(given | more))
