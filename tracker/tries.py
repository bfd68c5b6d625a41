"""Tries to log in, counted by account and by client: the brakes on guessing a password or a code.

A try is counted before what it brings is looked at, so that many at once cannot slip past the brake.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import once
from tracker.database import Database
from tracker.models import LoginAttempts
from tracker.policy import access


def claim(database: Database, email: str, address: str, now: datetime) -> int:
    """Counts one try at that account from that address: 0; or the seconds it must wait."""
    keys = (_account_key(email), _client_key(address))
    with database.read() as session:  # a flood is turned away without writing
        wait = _wait(_tries(session, keys), keys, now)
    if not wait:
        with database.write() as session:
            wait = _claim(session, keys, now)
    return math.ceil(wait.total_seconds())


def forgive(session: Session, email: str) -> None:
    """Forgets the account's tries: whoever it was knew all that there is to know."""
    session.execute(sa.delete(LoginAttempts).where(LoginAttempts.key == _account_key(email)))


def forget_old(session: Session, now: datetime) -> int:
    """Drops tries that no longer count; gives how many rows went."""
    old = sa.delete(LoginAttempts).where(LoginAttempts.last_at < now - access.ACCOUNT_FORGETS)
    return len(session.execute(old.returning(LoginAttempts.key)).all())


def _claim(session: Session, keys: tuple[str, str], now: datetime) -> timedelta:
    """Counts one try, or says how long it must wait; the rows are locked, so tries at once add up."""
    for key in sorted(keys):  # one that is there is written as it is: that locks it, also against `forgive`
        first = once.insert(session, LoginAttempts).values(key=key, count=0, since_at=now, last_at=now)
        as_it_is = {"count": LoginAttempts.count}
        session.execute(first.on_conflict_do_update(index_elements=[LoginAttempts.key], set_=as_it_is))
    before = _tries(session, keys)
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


def _tries(session: Session, keys: tuple[str, str]) -> dict[str, access.Tries]:
    rows = session.scalars(sa.select(LoginAttempts).where(LoginAttempts.key.in_(keys)))
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
