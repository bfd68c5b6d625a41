"""Setting up a phone: a link that serves the account of one target once, until it expires."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.links import LINK, check_maker, living_link, new_link
from tracker.models import ProvisionLink, Srtp, Target, TargetKind
from tracker.policy.phone_account import PhoneAccount
from tracker.policy.rights import Right
from tracker.settings import Settings

HOURS, MOST_HOURS = 24, 168


def make_link(session: Session, by: By, target: Target, hours: int = HOURS) -> str:
    """The token of a new link; those made before for the same phone open nothing any more.

    Raises Rejected `provision.kind` and `provision.hours`.
    """
    if target.kind is not TargetKind.PHONE:
        raise Rejected(
            "provision.kind",
            "Target %(name)r is no phone that registers with us",
            "Only phones (`leaseline target add NAME --phone`) are set up so",
            name=target.name,
        )
    if not 1 <= hours <= MOST_HOURS:
        raise Rejected(
            "provision.hours",
            "A link cannot live %(hours)s hours",
            "Give 1 to %(most)s",
            hours=hours,
            most=MOST_HOURS,
        )
    earlier = sa.update(ProvisionLink).where(
        ProvisionLink.target_id == target.id, ProvisionLink.revoked_at.is_(None)
    )
    session.execute(earlier.values(revoked_at=by.at))
    kept, token = new_link(by, 1)
    kept["expires_at"] = by.at + timedelta(hours=hours)
    session.add(ProvisionLink(**kept, target_id=target.id))
    by.note(session, "target.provision", target.company_id, subject=target.name, detail={"hours": hours})
    return token


def find_link(session: Session, token: str, now: datetime) -> tuple[ProvisionLink, Target]:
    """The living link of a token that has served nobody yet, and its phone.

    Raises Rejected `share.unknown`, `share.revoked`, `share.expired` and `provision.served`.
    """
    link = living_link(session, ProvisionLink, token, now)
    target = session.get_one(Target, link.target_id)
    check_maker(session, link, target.company_id, Right.ADMINISTER)
    if link.served_at is not None:
        raise _served()
    return link, target


def serve(
    session: Session, now: datetime, client: str | None, settings: Settings, token: str
) -> PhoneAccount:
    """The account, once: of two who ask at the same time one gets it. Raises Rejected as `find_link`."""
    link, target = find_link(session, token, now)
    claim = sa.update(ProvisionLink).where(ProvisionLink.id == link.id, ProvisionLink.served_at.is_(None))
    done = session.execute(claim.values(served_at=now), execution_options={"synchronize_session": False})
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise _served()
    hand = By(now, f"{LINK}{link.id}", client)
    hand.note(session, "target.provisioned", target.company_id, subject=target.name)
    return account_of(target, settings)


def account_of(target: Target, settings: Settings) -> PhoneAccount:
    """What the phone needs to know."""
    return PhoneAccount(
        name=target.name,
        host=phone_host(settings),
        port=settings.sip_port,
        tls_port=settings.sip_tls_port,
        username=target.username or "",
        password=target.password or "",
        encrypts=target.srtp is not Srtp.OFF,
        is_known=bool(settings.sip_tls_certificate),
    )


def describe(target: Target, settings: Settings, token: str, hours: int) -> dict[str, Any]:
    """A link as JSON, with the account but for its password."""
    account = account_of(target, settings)
    return {
        "name": account.name,
        "link": address_of(settings, token),
        "hours": hours,
        "username": account.username,
        "server": account.host,
        "tls_port": account.tls_port,
        "udp_port": account.port,
        "srtp": account.encrypts,
        "certificate": "known" if account.is_known else "signed by itself",
    }


def phone_host(settings: Settings) -> str:
    """What phones call this machine: the page's host where it has a name, else the public address."""
    host = urlsplit(settings.web_url).hostname or ""
    if settings.sip_external_address and host in {"", "localhost", "127.0.0.1", "::1"}:
        return settings.sip_external_address
    return host or settings.sip_host


def address_of(settings: Settings, token: str) -> str:
    """The page of a link."""
    return f"{settings.web_url.rstrip('/')}/phone/{token}"


def _served() -> Rejected:
    return Rejected(
        "provision.served",
        "This link has set up its phone already",
        "Ask whoever sent it for a new one",
    )
