"""A company with something configured, for tests of the configuration services."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from tracker import channels, companies, pools, targets, trunks
from tracker.audit import By
from tracker.models import Channel, Company, Pool, Target, Trunk


def by(now: datetime) -> By:
    """An admin's hand."""
    return By(now, "cli:ann")


def pallets(session: Session, now: datetime) -> Company:
    """The company Pallets of Russia."""
    return companies.add(session, by(now), "pallets", "Pallets", "RU", timezone="Europe/Moscow")


def carrier(session: Session, now: datetime, name: str = "carrier", match: str = "203.0.113.7") -> Trunk:
    """A carrier known by its address."""
    wish = trunks.TrunkWish(host="sip.example.net", match=[match])
    return trunks.add(session, by(now), name, "ip", wish)


def main_line(session: Session, now: datetime, company: Company, name: str = "Main line") -> Target:
    """An existing PBX."""
    return targets.add(session, by(now), company, name, targets.Peer("192.0.2.10", dial="100"))


def billboard(session: Session, now: datetime, company: Company) -> Channel:
    return channels.add_channel(session, by(now), company, "Billboard")


def website(session: Session, now: datetime, company: Company) -> Pool:
    return pools.add_pool(session, by(now), company, "Website")
