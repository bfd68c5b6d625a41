"""Links with which somebody without an account sees one thing, until they expire or are taken back.

The token stands in the link only; the table holds its SHA-256, so that who reads the database opens nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Link, User
from tracker.people import token_sha256

LINK = "link:"  # whose hand it was, in the audit log: "link:12"

AnyLink = TypeVar("AnyLink", bound=Link)


def new_link(by: By, days: int) -> tuple[dict[str, Any], str]:
    """What a link that lives so many days is kept as, and its token."""
    token = secrets.token_urlsafe(32)
    kept = {
        "token_sha256": token_sha256(token), "actor": by.actor[:200], "created_at": by.at,
        "expires_at": by.at + timedelta(days=days),
    }  # fmt: skip
    return kept, token


def living_link(session: Session, model: type[AnyLink], token: str, now: datetime) -> AnyLink:
    """The link of a token. Raises Rejected `share.unknown`, `share.revoked` and `share.expired`."""
    link = session.scalar(sa.select(model).where(model.token_sha256 == token_sha256(token)))
    if link is None:
        raise unknown()
    if link.revoked_at is not None:
        raise Rejected("share.revoked", "This link was taken back", "Ask whoever sent it for a new one")
    if link.expires_at <= now:
        raise Rejected("share.expired", "This link has expired", "Ask whoever sent it for a new one")
    return link


def makers_of(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """The names of those who have an account, by their e-mails."""
    emails = set(actors)
    makers = sa.select(User.email, User.name).where(User.email.in_(emails))
    return {row.email: row.name for row in session.execute(makers)} if emails else {}


def count_one(session: Session, link: Link, column: InstrumentedAttribute[int]) -> None:
    """One statement, so that of two who open it at once both count."""
    session.execute(
        sa.update(column.class_).where(column.class_.id == link.id).values({column: column + 1}),
        execution_options={"synchronize_session": False},
    )


def unknown() -> Rejected:
    return Rejected("share.unknown", "There is no such link", "Look whether it was copied whole")
