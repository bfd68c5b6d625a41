"""Log-ins and sessions: the way in, and the browsers that are logged in.

The password is hashed between two transactions, so that nobody waits for it with the database's lock in hand.
Whoever has a second factor shows a code after the password; until then the browser holds a pending log-in,
which opens nothing but the question for the code.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker import second_factor, tries
from tracker.audit import By, note
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import LoginSession, Membership, User
from tracker.people import (
    check_new_password,
    hash_password,
    open_link,
    password_matches,
    token_sha256,
    use_link,
    words_of,
)
from tracker.policy.second_factor import PENDING_LIVES

LONGEST_SESSION = timedelta(days=180)  # however busy: then the password is asked for again
TOUCH_EVERY = timedelta(minutes=5)  # a session's last sign of life is written down no more often than this


@dataclass(frozen=True)
class Client:
    """Who is asking: the address that counts for the brakes, and what the browser calls itself."""

    address: str
    agent: str = ""


@dataclass(frozen=True)
class LoggedIn:
    """The way in: `token` goes into the cookie and is stored nowhere."""

    token: str
    user_id: int


@dataclass(frozen=True)
class CodeNeeded:
    """The password was right, and a second factor is on."""

    pending: Pending


@dataclass(frozen=True)
class WrongPassword:
    """Or no such user, or a disabled one: who asks is not told which."""


@dataclass(frozen=True)
class TooManyTries:
    wait_seconds: int


@dataclass(frozen=True)
class WrongCode:
    """Or one that was used already."""


@dataclass(frozen=True)
class PendingEnded:
    """Nobody gave a password in this browser, or too long ago."""


@dataclass(frozen=True)
class Pending:
    """A log-in whose password was right: good for five minutes, and until the password is changed.

    The browser keeps it, sealed; nothing of it is stored.
    """

    user_id: int
    at: datetime
    mark: str  # of the password that was given


def log_in(
    database: Database, email: str, password: str, client: Client, now: datetime
) -> LoggedIn | CodeNeeded | WrongPassword | TooManyTries:
    """Try an e-mail and a password. An unknown user gets the same answer, as late, as a wrong password."""
    email = email.strip().lower()[:200]
    if wait := tries.claim(database, email, client.address, now):
        return TooManyTries(wait)
    with database.read() as session:
        user = session.scalar(sa.select(User).where(User.email == email))
    right = password_matches(user.password_hash if user else None, password)
    with database.write() as session:
        if user is None or user.disabled_at or not right:
            reason = "unknown" if user is None else "disabled" if user.disabled_at else "password"
            _refused(session, email or "nobody", reason, client, now)
            return WrongPassword()
        if user.totp_at:  # the tries stay counted: who knows the password may not guess at codes for ever
            return CodeNeeded(Pending(user.id, now, _mark(user)))
        tries.forgive(session, email)
        return LoggedIn(start_session(session, user, client, now), user.id)


def show_code(
    database: Database, pending: Pending, code: str, client: Client, now: datetime
) -> LoggedIn | WrongCode | TooManyTries | PendingEnded:
    """The second step: a code of the phone, or a recovery code."""
    with database.read() as session:
        user = session.get(User, pending.user_id)
    if user is None or not _stands(pending, user, now):
        return PendingEnded()
    if wait := tries.claim(database, user.email, client.address, now):
        return TooManyTries(wait)
    with database.write() as session:
        user = session.get_one(User, pending.user_id)
        if not _stands(pending, user, now):
            return PendingEnded()
        if not second_factor.use_code(session, By(now, user.email, client.address), user, code):
            _refused(session, user.email, "code", client, now)
            return WrongCode()
        tries.forgive(session, user.email)
        return LoggedIn(start_session(session, user, client, now), user.id)


def log_in_by_link(
    database: Database,
    token: str,
    password: str,
    client: Client,
    now: datetime,
    *,
    code: str = "",
    email: str | None = None,
) -> str:
    """Sets a new password behind a one-time link and logs in; gives the session's token.

    Whoever has a second factor shows a `code` of it: a link is for a forgotten password, not a lost phone.
    Raises Rejected: link.ended, password.weak, totp.wrong, login.too_many, user.malformed, user.duplicate.
    """
    with database.read() as session:
        user = open_link(session, token, now).user
        check_new_password(password, email or user.email, words_of(session, user))
    if user.totp_at:
        _brake(database, user.email, client, now)
    hashed = hash_password(password)
    with database.write() as session:
        user = open_link(session, token, now).user
        by = By(now, user.email, client.address)
        if user.totp_at is None or second_factor.use_code(session, by, user, code):
            user = use_link(session, token, hashed, now, email)
            tries.forgive(session, user.email)
            return start_session(session, user, client, now)
        _refused(session, user.email, "code", client, now)
    raise second_factor.wrong_code()


def prove(
    database: Database, user_id: int, password: str, client: Client, now: datetime, *, code: str | None = None
) -> None:
    """Asks who is logged in once more, before something that a stolen browser must not do.

    The password, and where `code` is given that too. Raises Rejected: password.wrong, totp.wrong,
    login.too_many.
    """
    with database.read() as session:
        user = session.get_one(User, user_id)
    _brake(database, user.email, client, now)
    right = password_matches(user.password_hash, password)
    with database.write() as session:
        user = session.get_one(User, user_id)
        by = By(now, user.email, client.address)
        if not right:
            _refused(session, user.email, "password", client, now)
            problem = Rejected("password.wrong", "This is not your password", "Try again")
        elif code is not None and not second_factor.use_code(session, by, user, code):
            _refused(session, user.email, "code", client, now)
            problem = second_factor.wrong_code()
        else:
            if user.totp_at is None or code is not None:
                tries.forgive(session, user.email)
            return
    raise problem


def _brake(database: Database, email: str, client: Client, now: datetime) -> None:
    if wait := tries.claim(database, email, client.address, now):
        raise too_many(wait)


def too_many(wait_seconds: int) -> Rejected:
    return Rejected(
        "login.too_many", "Too many tries", "Wait %(wait_seconds)s s and try again", wait_seconds=wait_seconds
    )


def _refused(session: Session, actor: str, reason: str, client: Client, now: datetime) -> None:
    note(session, now, actor, "login.refused", detail={"reason": reason}, client=client.address)


def _stands(pending: Pending, user: User, now: datetime) -> bool:
    fresh = timedelta(0) <= now - pending.at < PENDING_LIVES
    return fresh and user.disabled_at is None and user.totp_at is not None and pending.mark == _mark(user)


def _mark(user: User) -> str:
    return token_sha256(user.password_hash or "")[:16]


def start_session(session: Session, user: User, client: Client, now: datetime) -> str:
    """Logs a browser in and gives its token, a new one each time."""
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            token_sha256=token_sha256(token),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            client=client.address[:100],
            agent=client.agent[:300],
        )
    )
    note(session, now, user.email, "login", client=client.address)
    session.flush()
    return token


def find_session(session: Session, token: str, now: datetime, session_days: int) -> LoginSession | None:
    """The living session of a token, with its user and their companies loaded. Two statements."""
    wanted = (
        sa.select(LoginSession)
        .join(LoginSession.user)
        .where(
            LoginSession.token_sha256 == token_sha256(token),
            LoginSession.seen_at > now - timedelta(days=session_days),
            LoginSession.created_at > now - LONGEST_SESSION,
            User.disabled_at.is_(None),
        )
        .options(joinedload(LoginSession.user).selectinload(User.memberships).joinedload(Membership.company))
    )
    return session.scalar(wanted)


def touch_session(session: Session, token: str, now: datetime) -> None:
    """Writes down that the browser was used just now."""
    session.execute(
        sa.update(LoginSession).where(LoginSession.token_sha256 == token_sha256(token)).values(seen_at=now)
    )


def end_session(session: Session, token: str, actor: str, now: datetime) -> None:
    """Logs one browser out: its token is worth nothing from now on."""
    session.execute(sa.delete(LoginSession).where(LoginSession.token_sha256 == token_sha256(token)))
    note(session, now, actor, "logout")


def list_sessions(session: Session, user_id: int) -> Sequence[LoginSession]:
    """A user's logged-in browsers, the last used first."""
    return session.scalars(
        sa.select(LoginSession).where(LoginSession.user_id == user_id).order_by(LoginSession.seen_at.desc())
    ).all()


def forget_old(session: Session, now: datetime, session_days: int) -> int:
    """Drops sessions nobody can use any more and tries long forgotten; gives how many rows went."""
    sessions = session.execute(
        sa.delete(LoginSession)
        .where(
            sa.or_(
                LoginSession.seen_at <= now - timedelta(days=session_days),
                LoginSession.created_at <= now - LONGEST_SESSION,
            )
        )
        .returning(LoginSession.token_sha256)
    ).all()
    return len(sessions) + tries.forget_old(session, now)
