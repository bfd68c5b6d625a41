"""Users, their sessions and one-time links, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, words
from tracker.models.company import Company
from tracker.policy.rights import Role
from tracker.sealed import Sealed


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(200), unique=True)  # lower case
    name: Mapped[str] = mapped_column(sa.String(100))
    password_hash: Mapped[str | None] = mapped_column(
        sa.String(200)
    )  # None until the first-log-in link is used
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    language: Mapped[str | None] = mapped_column(sa.String(5))  # of the page; None: the company's
    # A second factor by RFC 6238: its secret in base32, since when it is asked for (None: not yet confirmed),
    # and the last time step used, so that no code works twice.
    totp_secret: Mapped[str | None] = mapped_column(Sealed())
    totp_at: Mapped[datetime | None]
    totp_step: Mapped[int | None] = mapped_column(sa.BigInteger)
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # of the page

    memberships: Mapped[list[Membership]] = relationship(back_populates="user")


class RecoveryCode(Base):
    """A code that stands in for the second factor, once, when the phone is lost."""

    __tablename__ = "recovery_codes"

    code_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SavedView(Base):
    """A view of the list of calls that somebody keeps by name: the words of its address.

    With a company it is seen by everybody who sees that company.
    """

    __tablename__ = "saved_views"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    query: Mapped[str] = mapped_column(sa.String(2000))  # "outcome=missed&period=7d"
    created_at: Mapped[datetime]

    user: Mapped[User] = relationship()


class Membership(Base):
    """What a user may do in a company; no row, no access."""

    __tablename__ = "memberships"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(words(Role))

    user: Mapped[User] = relationship(back_populates="memberships")
    company: Mapped[Company] = relationship()


class LoginSession(Base):
    """A logged-in browser. The cookie holds the token; the table holds only its SHA-256."""

    __tablename__ = "login_sessions"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    client: Mapped[str | None] = mapped_column(sa.String(100))
    agent: Mapped[str | None] = mapped_column(sa.String(300))

    user: Mapped[User] = relationship()


class LoginLink(Base):
    """A one-time link: the first log-in, or a forgotten password."""

    __tablename__ = "login_links"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class LoginAttempts(Base):
    """How often an account or a client ("account:…", "client:…") has lately tried to log in."""

    __tablename__ = "login_attempts"

    key: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    count: Mapped[int]
    since_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)


class AuditEntry(Base):
    """Who did what, when, to which thing. Written in the transaction of the thing itself."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(sa.String(200))  # a user's e-mail, or "cli:NAME"
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    action: Mapped[str] = mapped_column(sa.String(60))  # "number.add", "recording.play", …
    subject: Mapped[str | None] = mapped_column(sa.String(200))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    client: Mapped[str | None] = mapped_column(sa.String(100))
