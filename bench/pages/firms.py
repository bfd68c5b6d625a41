"""The benchmark's companies as an admin has configured them: numbers, channels, a pool, a site, employees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from tracker import people
from tracker.models import (
    Base,
    Channel,
    Company,
    Forwarding,
    Number,
    NumberUse,
    Pool,
    Role,
    Site,
    Swap,
    Tag,
    Target,
    TargetKind,
)

CHANNELS, POOL, TARGETS, TAGS = 30, 200, 12, 8
OWNER = "olga@pallets.example"
Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True)
class Firm:
    """The ids of what a company has."""

    company_id: int
    site_id: int
    pool_id: int
    pool_numbers: list[int]
    channels: list[tuple[int, int]]  # channel, number
    targets: list[int]
    tags: list[int]


def add_firm(session: Session, slug: str, since: datetime, first: int) -> Firm:
    """The company `slug` with all it needs; its numbers begin at +7495200xxxx plus `first`."""
    company = _add(
        session,
        Company(
            slug=slug, name=slug.title(), default_region="RU", timezone="Europe/Moscow", currency="RUB",
            created_at=since,
        ),
    )  # fmt: skip
    targets = [
        _add(
            session,
            Target(
                company_id=company.id, name=f"employee{each}", kind=TargetKind.PEER, host="192.0.2.20",
                created_at=since,
            ),
        ).id
        for each in range(TARGETS)
    ]  # fmt: skip
    session.add(Forwarding(company_id=company.id, position=1, target_id=targets[0]))
    pool = _add(session, Pool(company_id=company.id, name="Website", created_at=since))
    site = _add(
        session,
        Site(
            company_id=company.id, name="Shop", key=f"key-{slug}", domains=["shop.example"], created_at=since
        ),
    )
    session.add(Swap(site_id=site.id, position=1, e164="+74957654321", pool_id=pool.id))
    numbers = [_number(session, company.id, first + each, since, pool_id=pool.id) for each in range(POOL)]
    channels = []
    for each in range(CHANNELS):
        channel = Channel(
            company_id=company.id, name=f"Billboard {each}", source="billboard", campaign=f"road {each}",
            created_at=since,
        )  # fmt: skip
        _add(session, channel)
        number = _number(session, company.id, first + POOL + each, since, channel_id=channel.id)
        channels.append((channel.id, number))
    tags = [
        _add(session, Tag(company_id=company.id, name=f"tag {each}", created_at=since)).id
        for each in range(TAGS)
    ]
    user = people.add_user(session, f"olga@{slug}.example", "Olga Owner", since)
    people.give_role(session, user, company, Role.OWNER)
    return Firm(company.id, site.id, pool.id, numbers, channels, targets, tags)


def _number(session: Session, company_id: int, index: int, since: datetime, **use: int) -> int:
    number = _add(session, Number(company_id=company_id, e164=f"+7495{2000000 + index}", created_at=since))
    session.add(NumberUse(number_id=number.id, from_at=since, **use))
    return number.id


def _add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
