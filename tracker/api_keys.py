"""Keys of programs: each opens one company, for what it was made for.

A key is shown once, when it is made; the books have its SHA-256.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tracker import tries
from tracker.audit import By, note
from tracker.database import Database
from tracker.errors import Rejected
from tracker.held import hold
from tracker.logins import too_many
from tracker.models import ApiKey, Company
from tracker.policy.rights import MONEY, Scope

log = logging.getLogger(__name__)

TOUCH_EVERY = timedelta(hours=1)  # a key's last use is written down no more often than this
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
PREFIX = "llk_"  # so that a key found in a log or a repository is known for what it is


def add_key(
    session: Session,
    by: By,
    company: Company,
    name: str,
    scopes: Collection[Scope] = MONEY,
    *,
    own: Collection[Scope] | None = None,
) -> tuple[ApiKey, str]:
    """A new key of the company's, and its text, which nobody can read again. Raises Rejected key.*.

    `own`: what the key opens that asks for it, where one does: it gives no more than it has.
    """
    if own is not None and (beyond := set(scopes) - set(own)):
        raise Rejected(
            "key.beyond",
            "This key does not open %(scopes)s itself",
            "Choose some of %(own)s, or make the key in the settings",
            scopes=sorted(beyond),
            own=sorted(own),
        )
    if not _NAME.fullmatch(name):
        raise Rejected(
            "key.name",
            "%(name)r cannot be a key's name",
            "Give small letters, digits, hyphens",
            name=name[:40],
        )
    if _find(session, company, name):
        raise Rejected("key.duplicate", "There is a key %(name)r already", "Choose another name", name=name)
    token = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        company_id=company.id, name=name, token_sha256=_digest(token), opens=" ".join(sorted(scopes)),
        created_at=by.at,
    )  # fmt: skip
    session.add(key)
    session.flush()
    by.note(session, "key.add", company.id, subject=name, detail={"scopes": sorted(scopes)})
    return key, token


def revoke_key(session: Session, by: By, company: Company, name: str) -> ApiKey:
    """From now on nobody gets in with it. Raises Rejected key.unknown."""
    key = find_key(session, company, name)
    hold(session, key, _unknown(name))
    if key.revoked_at is None:
        key.revoked_at = by.at
        by.note(session, "key.revoke", company.id, subject=key.name)
    return key


def find_key(session: Session, company: Company, name: str) -> ApiKey:
    """The company's key of that name. Raises Rejected key.unknown."""
    if key := _find(session, company, name):
        return key
    raise _unknown(name)


def _unknown(name: str) -> Rejected:
    return Rejected("key.unknown", "There is no key %(name)r", "See `leaseline key list`", name=name[:40])


def list_keys(session: Session, company: Company) -> Sequence[ApiKey]:
    """The company's keys by name."""
    return session.scalars(
        sa.select(ApiKey).where(ApiKey.company_id == company.id).order_by(ApiKey.name)
    ).all()


def let_in(
    database: Database, token: str, address: str, now: datetime, scope: Scope
) -> tuple[ApiKey, Company]:
    """The key of that text, and its company; that it was used is kept. Raises Rejected key.scope too.

    Raises Rejected key.wrong, also for a revoked one, and login.too_many: who guesses is braked as at the
    log-in, and written down. Whoever shows a right key is let in, whatever his neighbours do.
    """
    with database.read() as session:
        found = _find_shown(session, token)
    if found is None or found[0].revoked_at:
        _turn_away(database, token, address, now)
        raise Rejected(
            "key.wrong", "This key is none of ours, or was revoked", "Make one: `leaseline key add NAME`"
        )
    key, company = found
    if scope not in key.scopes:
        raise not_for(key.scopes, scope)
    if key.used_at is None or now - key.used_at > TOUCH_EVERY:
        _touch(database, key, now)
    return key, company


def not_for(scopes: Collection[Scope], wanted: Scope) -> Rejected:
    """The refusal of a key that opens other things than that."""
    return Rejected(
        "key.scope",
        "This key is for %(scopes)s",
        "Make another: `leaseline key add NAME --for %(wanted)s`",
        scopes=sorted(scopes),
        wanted=wanted.value,
    )


def _turn_away(database: Database, token: str, address: str, now: datetime) -> None:
    """Count a wrong key and write it down, also in the company whose revoked key it was."""
    if wait := tries.claim(database, f"key:{_digest(token)}", address, now):
        raise too_many(wait)
    with database.write() as session:
        found = _find_shown(session, token)
        key = found[0] if found else None
        note(
            session, now, f"key:{key.name}" if key else "nobody", "key.refused",
            key.company_id if key else None, subject=key.name if key else None,
            detail={"reason": "revoked" if key else "unknown"}, client=address,
        )  # fmt: skip


def _touch(database: Database, key: ApiKey, now: datetime) -> None:
    """A busy database is no reason to refuse a program: the next request writes it."""
    stale = sa.or_(ApiKey.used_at.is_(None), ApiKey.used_at < now - TOUCH_EVERY)
    try:
        with database.write() as session:
            session.execute(sa.update(ApiKey).where(ApiKey.id == key.id, stale).values(used_at=now))
    except OperationalError as error:
        log.warning("a key's last use was not written: %s", error.__class__.__name__)


def describe_key(key: ApiKey) -> dict[str, Any]:
    """A key as JSON, without its text."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "used_at": key.used_at,
        "revoked_at": key.revoked_at,
    }


def _find(session: Session, company: Company, name: str) -> ApiKey | None:
    wanted = sa.select(ApiKey).where(ApiKey.company_id == company.id, ApiKey.name == name)
    return session.scalars(wanted).one_or_none()


def _find_shown(session: Session, token: str) -> tuple[ApiKey, Company] | None:
    """The key of that text, living or revoked."""
    wanted = sa.select(ApiKey, Company).join(Company, Company.id == ApiKey.company_id)
    found = session.execute(wanted.where(ApiKey.token_sha256 == _digest(token))).one_or_none()
    return (found[0], found[1]) if found else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
