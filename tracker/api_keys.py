"""Keys of programs: with one a program tells, and reads, the costs and sales of one company, nothing else.

A key is shown once, when it is made; the books have its SHA-256.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import ApiKey, Company

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
PREFIX = "llk_"  # so that a key found in a log or a repository is known for what it is


def add_key(session: Session, by: By, company: Company, name: str) -> tuple[ApiKey, str]:
    """A new key of the company's, and its text, which nobody can read again. Raises Rejected key.*."""
    if not _NAME.fullmatch(name):
        raise Rejected(
            "key.name", f"{name[:40]!r} cannot be a key's name", "Give small letters, digits, hyphens"
        )
    if _find(session, company, name):
        raise Rejected("key.duplicate", f"There is a key {name!r} already", "Choose another name")
    token = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(company_id=company.id, name=name, token_sha256=_digest(token), created_at=by.at)
    session.add(key)
    session.flush()
    by.note(session, "key.add", company.id, subject=name)
    return key, token


def revoke_key(session: Session, by: By, company: Company, name: str) -> ApiKey:
    """From now on nobody gets in with it. Raises Rejected key.unknown."""
    key = _find(session, company, name)
    if key is None:
        raise Rejected("key.unknown", f"There is no key {name!r}", "See `leaseline key list`")
    if key.revoked_at is None:
        key.revoked_at = by.at
        by.note(session, "key.revoke", company.id, subject=key.name)
    return key


def list_keys(session: Session, company: Company) -> Sequence[ApiKey]:
    """The company's keys by name."""
    return session.scalars(
        sa.select(ApiKey).where(ApiKey.company_id == company.id).order_by(ApiKey.name)
    ).all()


def who_shows(session: Session, token: str) -> tuple[ApiKey, Company]:
    """The key of that text, and its company. Raises Rejected key.wrong, also for a revoked one."""
    wanted = (
        sa.select(ApiKey, Company)
        .join(Company, Company.id == ApiKey.company_id)
        .where(ApiKey.token_sha256 == _digest(token), ApiKey.revoked_at.is_(None))
    )
    found = session.execute(wanted).one_or_none()
    if found is None:
        raise Rejected(
            "key.wrong", "This key is none of ours, or was revoked", "Make one: `leaseline key add NAME`"
        )
    return found[0], found[1]


def describe_key(key: ApiKey) -> dict[str, Any]:
    """A key as JSON, without its text."""
    return {"name": key.name, "created_at": key.created_at, "revoked_at": key.revoked_at}


def _find(session: Session, company: Company, name: str) -> ApiKey | None:
    wanted = sa.select(ApiKey).where(ApiKey.company_id == company.id, ApiKey.name == name)
    return session.scalars(wanted).one_or_none()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
