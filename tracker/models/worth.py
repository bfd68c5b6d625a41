"""What people say of calls: categories with their history, tags, notes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigId, words
from tracker.policy.worth import Category


class CallCategory(Base):
    """A category as a person set it, or took it back (None). Never changed: the newest is the call's."""

    __tablename__ = "call_categories"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(
        sa.String(200)
    )  # a user's e-mail, "cli:NAME", "phone:TARGET", "inlet:NAME"
    category: Mapped[Category | None] = mapped_column(words(Category))


class Tag(Base):
    """A word of the company's own for calls."""

    __tablename__ = "tags"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    created_at: Mapped[datetime]


class CallTag(Base):
    __tablename__ = "call_tags"

    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(sa.ForeignKey("tags.id"), primary_key=True, index=True)


class CallNote(Base):
    """What somebody wrote about a call; `second` pins it to a moment of the recording."""

    __tablename__ = "call_notes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(200))
    text: Mapped[str] = mapped_column(sa.String(2000))
    second: Mapped[float | None]


class Link:
    """A link with which somebody without an account sees one thing until it expires."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    actor: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    opened: Mapped[int] = mapped_column(default=0)  # how often


class ShareLink(Link, Base):
    """A link with which somebody without an account hears one call until it expires."""

    __tablename__ = "share_links"

    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"), index=True)
    played: Mapped[int] = mapped_column(default=0, server_default="0")  # its recording, how often
    shows_caller: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # his number
