"""Website visitors of the showroom, what they did, and the calls that came of it.

    tell_journeys(session, pallets, now)         # its calls have the keys in CALLED

Written as the visit API, the leases and the judge would leave it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import Pallets, answered, ended, started

from tracker.books import record_all
from tracker.models import (
    Call,
    CallCandidate,
    CodeLease,
    Lease,
    LeaseEnd,
    Number,
    PageView,
    Visit,
    VisitEvent,
    VisitEventKind,
    Visitor,
)
from tracker.policy.attribution import Basis
from tracker.policy.facts import Fact

HOME = "https://www.pallets.example/"
ADS = {
    "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "pallets-autumn",
    "utm_term": "euro pallets buy", "utm_content": "ad-14",
}  # fmt: skip
ANDROID = {"device": "phone", "system": "Android 14", "browser": "Chrome Mobile 129"}
WINDOWS = {"device": "desktop", "system": "Windows 11", "browser": "Firefox 131"}
IPHONE = {"device": "phone", "system": "iOS 18.1", "browser": "Mobile Safari 18"}


@dataclass(frozen=True)
class Came:
    """A visit: so many minutes before `now`, from where, and the pages seen as (path, title, seconds)."""

    minutes: float
    medium: str
    source: str
    group: str
    pages: tuple[tuple[str, str, float], ...]
    more: dict[str, Any] = field(default_factory=dict)


DAY = 1440.0  # minutes
CALLED = {"repeat": 2, "certain": 5, "code": 28, "uncertain": 31, "unknown": 20}  # minutes ago
BUYER = (
    Came(11 * DAY, "organic", "google", "Organic Search",
         (("blog/euro-pallet-sizes", "Euro pallet sizes", 95),),
         {"referrer": "https://www.google.com/", **WINDOWS}),
    Came(4 * DAY, "(none)", "(direct)", "Direct",
         (("", "Pallets Ltd", 20), ("prices", "Prices", 64)), WINDOWS),
    Came(9, "cpc", "google", "Paid Search",
         (("euro?" + "&".join(f"{name}={value}" for name, value in ADS.items()) + "&gclid=EAIaIQobChMI7Z",
           "Euro pallets, new and used", 48),
          ("prices", "Prices", 71), ("delivery", "Delivery to your yard", 33), ("contact", "Contact", 62)),
         {"campaign": "pallets-autumn", "keyword": "euro pallets buy", "content": "ad-14", "paid": True,
          "click_ids": {"gclid": "EAIaIQobChMI7Z"}, "parameters": ADS,
          "referrer": "https://www.google.com/", **ANDROID}),
)  # fmt: skip
LATER = Came(1, "(none)", "(direct)", "Direct", (("thanks", "Thank you", 22),), ANDROID)
RIVALS = (
    Came(52, "cpc", "yandex", "Paid Search", (("euro", "Euro pallets, new and used", 140),),
         {"campaign": "772040791973", "keyword": "купить поддоны", "paid": True, **ANDROID}),
    Came(49, "social", "vk.com", "Organic Social", (("", "Pallets Ltd", 15),),
         {"referrer": "https://vk.com/away.php", **IPHONE}),
    Came(46, "referral", "forum.example", "Referral", (("", "Pallets Ltd", 30), ("prices", "Prices", 20)),
         {"referrer": "https://forum.example/t/where-to-buy-pallets/4411", **WINDOWS}),
)  # fmt: skip
CODED = Came(30, "ai-assistant", "chatgpt.com", "AI Assistant",
             (("", "Pallets Ltd", 12), ("contact", "Contact", 80)),
             {"referrer": "https://chatgpt.com/", "missed": "pool_empty", **WINDOWS})  # fmt: skip


def tell_journeys(session: Session, pallets: Pallets, now: datetime) -> None:
    """Places visitors and calls, by key: certain, uncertain (three candidates), repeat, code, unknown."""
    buyer = add_visitor(session, pallets, "buyer", now)
    visits = [add_visit(session, pallets, buyer, came, now) for came in (*BUYER, LATER)]
    lease = add_lease(session, pallets, visits[2], now - timedelta(minutes=9))
    click(session, visits[2], now - timedelta(minutes=5, seconds=10))
    certain = add_call(session, pallets, pallets.leased, now, "certain", "+79161230001")
    name_visit(session, certain, visits[2], Basis.LEASE, 0.974, lease)
    candidate(session, certain, 1, visits[2], 0.974, ["present", "phone_click", "device_phone"], lease)
    repeat = add_call(session, pallets, pallets.billboard, now, "repeat", "+79161230001")
    name_visit(session, repeat, visits[2], Basis.REPEAT, 0.91)
    candidate(session, repeat, 1, visits[2], 0.91, ["known_caller"], basis=Basis.REPEAT)
    _uncertain(session, pallets, now)
    _coded(session, pallets, now)
    unknown = add_call(session, pallets, pallets.free, now, "unknown", "+79161230009")
    forget_source(unknown)


def add_visitor(session: Session, pallets: Pallets, key: str, now: datetime) -> Visitor:
    visitor = Visitor(company_id=pallets.company_id, key=key, created_at=now)
    session.add(visitor)
    session.flush()
    return visitor


def add_visit(session: Session, pallets: Pallets, visitor: Visitor, came: Came, now: datetime) -> Visit:
    """The visit with its pages, one after the other without a pause."""
    at = now - timedelta(minutes=came.minutes)
    visit = Visit(
        visitor_id=visitor.id, site_id=pallets.site_id, started_at=at, medium=came.medium,
        source=came.source, group=came.group, landing_url=HOME + came.pages[0][0], language="ru-RU",
        country="RU", **came.more,
    )  # fmt: skip
    session.add(visit)
    session.flush()
    for path, title, seconds in came.pages:
        over = at + timedelta(seconds=seconds)
        session.add(PageView(visit_id=visit.id, at=at, until_at=over, url=HOME + path, title=title))
        at = over
    visit.seen_at = visit.left_at = at
    return visit


def add_lease(session: Session, pallets: Pallets, visit: Visit, at: datetime) -> Lease:
    """The pool's first number, held for the visit and given back."""
    number = session.scalars(sa.select(Number).where(Number.e164 == pallets.leased)).one()
    over = at + timedelta(minutes=15)
    lease = Lease(
        number_id=number.id, pool_id=pallets.pool_id, visit_id=visit.id, from_at=at, expires_at=over,
        until_at=over, ended_by=LeaseEnd.LEFT,
    )  # fmt: skip
    session.add(lease)
    session.flush()
    return lease


def click(session: Session, visit: Visit, at: datetime) -> None:
    detail = {"number": Pallets.leased, "text": "8 (495) 123-45-71"}
    session.add(VisitEvent(visit_id=visit.id, at=at, kind=VisitEventKind.PHONE_CLICK, detail=detail))
    form = {"name": "price-request"}
    session.add(
        VisitEvent(visit_id=visit.id, at=at - timedelta(minutes=1), kind=VisitEventKind.FORM, detail=form)
    )


def add_call(session: Session, pallets: Pallets, did: str, now: datetime, key: str, caller: str) -> Call:
    """An answered call of 84 seconds, as its witnesses wrote it down."""
    at = now - timedelta(minutes=CALLED[key])
    took = at + timedelta(seconds=6)
    facts: list[Fact] = [
        started(did, at, key, caller=caller), answered(pallets.office_id, took, key),
        ended(took + timedelta(seconds=84), key),
    ]  # fmt: skip
    record_all(session, facts)
    call = session.scalars(sa.select(Call).where(Call.key == key)).one()
    call.attributed_at = at
    return call


def name_visit(
    session: Session, call: Call, visit: Visit, basis: Basis, probability: float, lease: Lease | None = None
) -> None:
    """Attributes the call to a visit, as the judge does."""
    forget_source(call)
    call.visit_id, call.lease_id = visit.id, lease.id if lease else None
    call.basis, call.probability = basis, probability
    session.flush()


def candidate(
    session: Session,
    call: Call,
    position: int,
    visit: Visit,
    probability: float,
    reasons: list[str],
    lease: Lease | None = None,
    basis: Basis = Basis.LEASE,
) -> None:
    session.add(
        CallCandidate(
            call_id=call.id, position=position, basis=basis, visit_id=visit.id, probability=probability,
            lease_id=lease.id if lease else None, reasons=reasons,
        )
    )  # fmt: skip
    session.flush()


def forget_source(call: Call) -> None:
    call.channel_id = call.visit_id = call.lease_id = call.basis = call.probability = None
    call.uncertain = False


def _uncertain(session: Session, pallets: Pallets, now: datetime) -> None:
    call = add_call(session, pallets, pallets.leased, now, "uncertain", "+4930998877")
    reasons = (
        ["left_minutes_ago", "device_phone"],
        ["left_minutes_ago", "other_country"],
        ["left_minutes_ago", "came_again"],
    )
    for position, (came, share) in enumerate(zip(RIVALS, (0.56, 0.27, 0.12), strict=True)):
        visitor = add_visitor(session, pallets, f"rival-{position}", now)
        visit = add_visit(session, pallets, visitor, came, now)
        if position == 0:
            name_visit(session, call, visit, Basis.LEASE, share)
        candidate(session, call, position + 1, visit, share, list(reasons[position]))
    call.uncertain = True
    session.flush()


def _coded(session: Session, pallets: Pallets, now: datetime) -> None:
    visitor = add_visitor(session, pallets, "coded", now)
    visit = add_visit(session, pallets, visitor, CODED, now)
    since = visit.started_at
    session.add(
        CodeLease(
            company_id=pallets.company_id, pool_id=pallets.pool_id, code="482", visit_id=visit.id,
            from_at=since, expires_at=since + timedelta(minutes=15), until_at=since + timedelta(minutes=15),
        )
    )  # fmt: skip
    call = add_call(session, pallets, pallets.billboard, now, "code", "+79161230005")
    name_visit(session, call, visit, Basis.CODE, 0.99)
    candidate(session, call, 1, visit, 0.99, ["code"], basis=Basis.CODE)
    call.visitor_code = "482"
    session.flush()
