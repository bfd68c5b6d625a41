"""Log-ins and sessions: the way in, its brakes, and the browsers that are logged in.

A try is counted before the password is looked at, so that many at once cannot slip past the brake; the
password is hashed between two transactions, so that nobody waits for it with the database's lock in hand.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from tracker.audit import note
from tracker.database import Database
from tracker.models import LoginAttempts, LoginSession, Membership, User
from tracker.people import password_matches, token_sha256
from tracker.policy import access

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
class WrongPassword:
    """Or no such user, or a disabled one: who asks is not told which."""


@dataclass(frozen=True)
class TooManyTries:
    wait_seconds: int


def log_in(
    database: Database, email: str, password: str, client: Client, now: datetime
) -> LoggedIn | WrongPassword | TooManyTries:
    """Try an e-mail and a password. An unknown user gets the same answer, as late, as a wrong password."""
    email = email.strip().lower()[:200]
    keys = (_account_key(email), _client_key(client.address))
    with database.read() as session:  # a flood is turned away without writing
        wait = _wait(_tries(session, keys), keys, now)
    if not wait:
        with database.write() as session:
            wait = _claim_try(session, keys, now)
    if wait:
        return TooManyTries(math.ceil(wait.total_seconds()))
    with database.read() as session:
        user = session.scalar(sa.select(User).where(User.email == email))
    right = password_matches(user.password_hash if user else None, password)
    with database.write() as session:
        if user is None or user.disabled_at or not right:
            note(session, now, email or "nobody", "login.refused", client=client.address)
            return WrongPassword()
        session.execute(sa.delete(LoginAttempts).where(LoginAttempts.key == keys[0]))
        return LoggedIn(start_session(session, user, client, now), user.id)


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
    tries = session.execute(
        sa.delete(LoginAttempts)
        .where(LoginAttempts.last_at < now - access.ACCOUNT_FORGETS)
        .returning(LoginAttempts.key)
    ).all()
    return len(sessions) + len(tries)


def _claim_try(session: Session, keys: tuple[str, str], now: datetime) -> timedelta:
    """Counts one try, or says how long it must wait; the rows are locked, so tries at once add up."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for key in sorted(keys):
        session.execute(
            insert(LoginAttempts).values(key=key, count=0, since_at=now, last_at=now).on_conflict_do_nothing()
        )
    before = _tries(session, keys, lock=True)
    if wait := _wait(before, keys, now):
        return wait
    for key, forgets, sliding in (
        (keys[0], access.ACCOUNT_FORGETS, True),
        (keys[1], access.CLIENT_WINDOW, False),
    ):
        after = access.counted(before[key], now, forgets, sliding=sliding)
        row = session.get_one(LoginAttempts, key)
        row.count, row.since_at, row.last_at = after.count, after.since_at, after.last_at
    return timedelta(0)


def _wait(tries: dict[str, access.Tries], keys: tuple[str, str], now: datetime) -> timedelta:
    account, client = keys
    return max(access.account_wait(tries.get(account), now), access.client_wait(tries.get(client), now))


def _tries(session: Session, keys: tuple[str, str], *, lock: bool = False) -> dict[str, access.Tries]:
    wanted = sa.select(LoginAttempts).where(LoginAttempts.key.in_(keys)).order_by(LoginAttempts.key)
    rows = session.scalars(wanted.with_for_update() if lock else wanted)
    return {row.key: access.Tries(row.count, row.since_at, row.last_at) for row in rows}


def _account_key(email: str) -> str:
    return "account:" + hashlib.sha256(email.encode()).hexdigest()


def _client_key(client: str) -> str:
    """The client's address; of IPv6 the /64, which is one customer."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return "client:unknown"
    if address.version == 6:
        address = ipaddress.ip_network((address, 64), strict=False).network_address
    return f"client:{address}"
