"""Links with which somebody without an account sees one thing, until they expire or are taken back.

A link ends with its maker's right to make it as well, and is open again when he has it again.

The token stands in the link only; the table holds its SHA-256, so that who reads the database opens nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Link, Membership, User
from tracker.people import token_sha256
from tracker.policy.rights import Right, may

LINK = "link:"  # whose hand it was, in the audit log: "link:12"

AnyLink = TypeVar("AnyLink", bound=Link)


@dataclass(frozen=True)
class Made(Generic[AnyLink]):
    """A link, and the name of who made it."""

    link: AnyLink
    by: str
    is_void: bool = False  # its maker may no longer share


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
        raise _taken_back()
    if link.expires_at <= now:
        raise Rejected("share.expired", "This link has expired", "Ask whoever sent it for a new one")
    return link


def check_maker(session: Session, link: Link, company_id: int, right: Right = Right.JUDGE) -> None:
    """Nobody opens more to others than he may see himself. Raises Rejected `share.revoked`."""
    if without_right(session, [(link.actor, company_id)], right):
        raise _taken_back()


def without_right(
    session: Session, makers: Collection[tuple[str, int]], right: Right = Right.JUDGE
) -> set[tuple[str, int]]:
    """Of those who made links of a company, those who may no longer do so; the command line always may."""
    emails = {actor for actor, _ in makers}
    known = set(session.scalars(sa.select(User.email).where(User.email.in_(emails))))
    roles = sa.select(User.email, Membership.company_id, Membership.role).join(Membership.user)
    held = session.execute(roles.where(User.email.in_(known), User.disabled_at.is_(None)))
    able = {(email, company_id) for email, company_id, role in held if may(role, right)}
    return {maker for maker in makers if maker[0] in known} - able


def makers_of(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """The names of those who have an account, by their e-mails."""
    emails = set(actors)
    makers = sa.select(User.email, User.name).where(User.email.in_(emails))
    return {row.email: row.name for row in session.execute(makers)} if emails else {}


def told(session: Session, links: Sequence[tuple[AnyLink, int]]) -> list[Made[AnyLink]]:
    """These links of companies, each with the name of who made it."""
    names = makers_of(session, (link.actor for link, _ in links))
    void = without_right(session, {(link.actor, company_id) for link, company_id in links})
    return [
        Made(link, names.get(link.actor, link.actor), (link.actor, company_id) in void)
        for link, company_id in links
    ]


def revoke(session: Session, by: By, model: type[AnyLink], which: sa.ColumnElement[bool]) -> bool:
    """Let the link open nothing from now on; False where it already did. Raises Rejected `share.unknown`."""
    link = session.scalar(sa.select(model).where(which))
    if link is None:
        raise unknown()
    if link.revoked_at is not None:
        return False
    link.revoked_at = by.at
    return True


def count_one(session: Session, link: Link, column: InstrumentedAttribute[int]) -> None:
    """One statement, so that of two who open it at once both count."""
    session.execute(
        sa.update(column.class_).where(column.class_.id == link.id).values({column: column + 1}),
        execution_options={"synchronize_session": False},
    )


def _taken_back() -> Rejected:
    return Rejected("share.revoked", "This link was taken back", "Ask whoever sent it for a new one")


def unknown() -> Rejected:
    return Rejected("share.unknown", "There is no such link", "Look whether it was copied whole")
