"""Users: who they are, which companies they see, their passwords, the one-time links that open an account.

There is no default account and no default password: a user's first password is chosen behind a one-time link.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import argon2
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from tracker.audit import note
from tracker.errors import Rejected
from tracker.models import Company, LoginLink, LoginSession, Membership, Role, User
from tracker.policy.access import password_problem

LINK_LIVES = timedelta(hours=24)
FIRST_EMAIL = "owner@localhost"  # a placeholder: the first user says who they are when they choose a password

# OWASP's second choice for Argon2id: 19 MiB and two passes, about 30 ms; a 1 GB server carries it.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_one_at_a_time = threading.Lock()  # so that a flood of log-ins costs time, never more than 19 MiB


def token_sha256(token: str) -> str:
    """What is stored of a token: who reads the database cannot log in with it."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    with _one_at_a_time:
        return _hasher.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right. Takes as long for an account that does not exist (`None`) as for any."""
    with _one_at_a_time:
        nobody = _nobody()  # made at the first try, whoever it is for
        try:
            return _hasher.verify(password_hash or nobody, password) and password_hash is not None
        except argon2.exceptions.VerificationError:
            return False


_NOBODY: list[str] = []


def _nobody() -> str:
    if not _NOBODY:
        _NOBODY.append(_hasher.hash(secrets.token_urlsafe(16)))
    return _NOBODY[0]


def read_email(text: str) -> str:
    """An e-mail address as it is stored: lower case, no spaces around."""
    email = text.strip().lower()
    if len(email) > 200 or not re.fullmatch(r"[^\s@<>\"',;\x00-\x1f]+@[^\s@<>\"',;\x00-\x1f]+", email):
        raise Rejected(
            "user.malformed", "%(text)r is no e-mail address", "Give one like ann@example.com", text=text[:80]
        )
    return email


def add_user(session: Session, email: str, name: str, now: datetime) -> User:
    """A new user: sees nothing until given a company, cannot log in before using a one-time link."""
    email = read_email(email)
    if session.scalar(sa.select(User.id).where(User.email == email)):
        raise Rejected(
            "user.duplicate",
            "%(email)s is a user already",
            "See them with `leaseline user list`",
            email=email,
        )
    user = User(email=email, name=name.strip()[:100] or email.split("@")[0], created_at=now)
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, email: str) -> User:
    """The user with this e-mail, in any case of letters."""
    user = session.scalar(sa.select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise Rejected(
            "user.unknown",
            "No user has the e-mail %(email)r",
            "See them with `leaseline user list`",
            email=email[:80],
        )
    return user


def list_users(session: Session) -> Sequence[User]:
    """Every user with their companies, by e-mail."""
    wanted = sa.select(User).order_by(User.email)
    return session.scalars(
        wanted.options(selectinload(User.memberships).joinedload(Membership.company))
    ).all()


def give_role(session: Session, user: User, company: Company, role: Role) -> Membership:
    """Let a user see a company, or change what they may do in it."""
    membership = session.get(Membership, (user.id, company.id))
    if membership is None:
        membership = Membership(user_id=user.id, company_id=company.id, role=role)
        session.add(membership)
    membership.role = role
    session.flush()
    return membership


def take_role(session: Session, user: User, company: Company) -> None:
    """The user no longer sees the company."""
    membership = session.get(Membership, (user.id, company.id))
    if membership is None:
        raise Rejected(
            "user.no_role",
            "%(email)s has no role in %(company)s",
            "See roles with `leaseline user list`",
            email=user.email,
            company=company.slug,
        )
    session.delete(membership)
    session.flush()


def give_first_owner(session: Session, company: Company) -> None:
    """The installation's first user owns each new company, so that whoever set it up sees it at once."""
    first = session.scalar(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id).limit(1))
    if first is not None:
        give_role(session, first, company, Role.OWNER)


def disable_user(session: Session, user: User, now: datetime) -> None:
    """Locks a user out at once: their sessions and links end."""
    user.disabled_at = now
    end_sessions(session, user)
    session.execute(sa.delete(LoginLink).where(LoginLink.user_id == user.id))


def enable_user(session: Session, user: User) -> None:
    """Lets a disabled user log in again with the password they had."""
    user.disabled_at = None
    session.flush()


def end_sessions(session: Session, user: User) -> None:
    """Logs the user out everywhere."""
    session.execute(sa.delete(LoginSession).where(LoginSession.user_id == user.id))


def ensure_first_user(session: Session, now: datetime) -> User | None:
    """Whom to hand a first one-time link, made if there is nobody; None once anybody has a password."""
    if session.scalar(sa.select(User.id).where(User.password_hash.is_not(None)).limit(1)):
        return None
    user = session.scalar(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id).limit(1))
    if user is None:
        user = add_user(session, FIRST_EMAIL, "Owner", now)
    if not session.scalar(sa.select(Membership.user_id).where(Membership.user_id == user.id).limit(1)):
        for company in session.scalars(sa.select(Company)):
            give_role(session, user, company, Role.OWNER)
    return user


def make_login_link(session: Session, user: User, now: datetime, lives: timedelta = LINK_LIVES) -> str:
    """A token for `/link/<token>`: opens once within `lives`; links made before for this user end."""
    if user.disabled_at is not None:
        raise Rejected(
            "user.disabled",
            "%(email)s is disabled",
            "Enable first: `leaseline user enable %(email)s`",
            email=user.email,
        )
    session.execute(sa.delete(LoginLink).where(LoginLink.user_id == user.id))
    token = secrets.token_urlsafe(32)
    session.add(
        LoginLink(token_sha256=token_sha256(token), user_id=user.id, created_at=now, expires_at=now + lives)
    )
    session.flush()
    return token


def open_link(session: Session, token: str, now: datetime) -> LoginLink:
    """The link behind a token, with its user; looking does not use it up. Raises Rejected `link.ended`."""
    link = session.scalar(
        sa.select(LoginLink)
        .where(LoginLink.token_sha256 == token_sha256(token))
        .options(joinedload(LoginLink.user))
    )
    if link is None or link.used_at or link.expires_at <= now or link.user.disabled_at:
        raise Rejected(
            "link.ended",
            "This link was used already, has expired or was never made",
            "Ask for a new one: `leaseline user link EMAIL` prints it",
        )
    return link


def use_link(
    session: Session, token: str, password_hash: str, now: datetime, email: str | None = None
) -> User:
    """Sets the password behind a one-time link and ends the link and every session of the user.

    One statement claims the link, so of two who open it at once one gets in. A user who never had a password
    may say their own `email` here.
    """
    user = open_link(session, token, now).user
    claimed = session.execute(
        sa.update(LoginLink)
        .where(LoginLink.token_sha256 == token_sha256(token), LoginLink.used_at.is_(None))
        .values(used_at=now)
        .returning(LoginLink.user_id),
        execution_options={"synchronize_session": False},
    ).first()
    if claimed is None:
        raise Rejected(
            "link.ended", "This link was used already", "Ask for a new one: `leaseline user link EMAIL`"
        )
    if email and user.password_hash is None:
        _rename(session, user, read_email(email))
    user.password_hash = password_hash
    end_sessions(session, user)
    note(session, now, user.email, "user.password")
    session.flush()
    return user


def words_of(session: Session, user: User) -> list[str]:
    """The words that are guessed first for this user: his own name, and his companies'."""
    wanted = sa.select(Company).join(Membership).where(Membership.user_id == user.id)
    companies = session.scalars(wanted).all()
    return [user.name, *(word for company in companies for word in (company.name, company.slug))]


def check_new_password(password: str, email: str, words: Iterable[str] = ()) -> None:
    """Raises Rejected `password.weak` saying what is wrong with a new password of who has these `words`."""
    if problem := password_problem(password, email, words):
        raise Rejected("password.weak", problem, "Choose another: three or four unrelated words are good")


def _rename(session: Session, user: User, email: str) -> None:
    taken = session.scalar(sa.select(User.id).where(User.email == email, User.id != user.id))
    if taken:
        raise Rejected("user.duplicate", "%(email)s is a user already", "Give another e-mail", email=email)
    user.email = email
