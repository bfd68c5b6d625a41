"""The people of a company, as its owners and admins see and change them: invitations, roles, links, log-outs.

Nobody gives more than he has, a company always keeps an owner, and a one-time link, which opens an account
whole, is made only by who administers every company that the account sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import people
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, LoginSession, Membership, Role, User
from tracker.policy.rights import may_grant


@dataclass(frozen=True)
class Administrator:
    """Who acts, with his own role by company."""

    by: By
    roles: Mapping[int, Role]

    def check(self, company_id: int, before: Role | None, after: Role | None) -> None:
        """Raises Rejected `role.too_high` when it is not his to make that role of the one before."""
        if not self._may(company_id, before, after):
            raise Rejected(
                "role.too_high",
                "That is more than your own role",
                "Ask an owner; nobody gives or takes a role above his own",
            )

    def covers(self, membership: Membership) -> bool:
        """Whether that role in that company is his to take."""
        return self._may(membership.company_id, membership.role, None)

    def _may(self, company_id: int, before: Role | None, after: Role | None) -> bool:
        return may_grant(self.roles.get(company_id, Role.LISTENER), before, after)


@dataclass(frozen=True)
class Member:
    """Somebody's role in a company, and when he was last seen on the page (None: he is not logged in)."""

    user: User
    role: Role
    seen_at: datetime | None

    def describe(self) -> dict[str, Any]:
        """As JSON: what concerns this company, and nothing of others that the person sees."""
        it = self.user
        return {
            "id": it.id,
            "email": it.email,
            "name": it.name,
            "role": self.role.value,
            "password_set": it.password_hash is not None,
            "totp_at": it.totp_at,
            "disabled_at": it.disabled_at,
            "created_at": it.created_at,
            "seen_at": self.seen_at,
        }


def list_members(session: Session, company_id: int) -> list[Member]:
    """Who sees the company, by name; disabled users last."""
    seen = sa.func.max(LoginSession.seen_at)
    rows = session.execute(
        sa.select(User, Membership.role, seen)
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(LoginSession, LoginSession.user_id == User.id)
        .where(Membership.company_id == company_id)
        .group_by(User.id, Membership.role)
        .order_by(User.disabled_at.is_not(None), User.name, User.id)
    )
    return [Member(*row) for row in rows]


def invite(
    session: Session, who: Administrator, company: Company, *, email: str, name: str, role: Role
) -> str | None:
    """Give somebody a role in the company; gives the token of a one-time link, None to who has a password.

    Raises Rejected `role.too_high`, `user.duplicate`, `user.malformed`, `link.foreign`.
    """
    who.check(company.id, None, role)
    user = session.scalar(sa.select(User).where(User.email == people.read_email(email)))
    if user is None:
        user = people.add_user(session, email, name, who.by.at)
    elif session.get(Membership, (user.id, company.id)) is not None:
        raise Rejected(
            "user.duplicate", "%(email)s sees this company already", "Change the role below", email=user.email
        )
    people.give_role(session, user, company, role)
    who.by.note(session, "user.invite", company.id, subject=user.email, detail={"role": role})
    return None if user.password_hash else make_link(session, who, company, user)


def change_role(
    session: Session, who: Administrator, company: Company, user: User, role: Role | None
) -> None:
    """Make it that role, or take the company from the user (None).

    Raises Rejected `role.too_high`, `role.last_owner`, `user.no_role`.
    """
    membership = _membership(session, user, company)
    before = membership.role
    who.check(company.id, before, role)
    if before is Role.OWNER and role is not Role.OWNER and _owners(session, company) == 1:
        raise Rejected(
            "role.last_owner", "A company keeps at least one owner", "Make somebody else an owner first"
        )
    if role is None:
        people.take_role(session, user, company)
    else:
        people.give_role(session, user, company, role)
    who.by.note(session, "user.role", company.id, subject=user.email, detail={"role": role, "before": before})


def make_link(session: Session, who: Administrator, company: Company, user: User) -> str:
    """The token of a new one-time link for a first or a forgotten password.

    Raises Rejected `link.foreign` when the user sees a company that this person does not administer: the link
    would open that as well.
    """
    _membership(session, user, company)
    for each in session.scalars(sa.select(Membership).where(Membership.user_id == user.id)):
        if not who.covers(each):
            raise Rejected(
                "link.foreign",
                "%(email)s sees more than you administer",
                "Ask who runs this installation: `leaseline user link EMAIL`",
                email=user.email,
            )
    who.by.note(session, "user.link", company.id, subject=user.email)
    return people.make_login_link(session, user, who.by.at)


def get_member(session: Session, company_id: int, user_id: int) -> Member:
    """The company's member of that id. Raises Rejected `user.unknown`."""
    user = find_member(session, company_id, user_id)
    role = session.get_one(Membership, (user.id, company_id)).role
    seen = sa.select(sa.func.max(LoginSession.seen_at)).where(LoginSession.user_id == user.id)
    return Member(user, role, session.scalar(seen))


def find_member(session: Session, company_id: int, user_id: int) -> User:
    """A user who sees the company. Raises Rejected `user.unknown`."""
    wanted = sa.select(User).join(Membership).where(Membership.company_id == company_id, User.id == user_id)
    user = session.scalar(wanted)
    if user is None:
        raise Rejected("user.unknown", "There is no such user here", "Open the page of people again")
    return user


def _membership(session: Session, user: User, company: Company) -> Membership:
    found = session.get(Membership, (user.id, company.id))
    if found is None:
        raise Rejected(
            "user.no_role", "%(email)s has no role here", "Open the page of people again", email=user.email
        )
    return found


def _owners(session: Session, company: Company) -> int:
    wanted = (
        sa.select(sa.func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(Membership.company_id == company.id, Membership.role == Role.OWNER, User.disabled_at.is_(None))
    )
    return session.scalar(wanted) or 0
