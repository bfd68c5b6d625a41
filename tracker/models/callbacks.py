"""Callbacks: what visitors asked for and what became of it, and how each site calls back."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, words
from tracker.models.company import Company, Number, Target, Trunk
from tracker.models.visits import Site, Visit
from tracker.policy.callback import CallbackReason, CallbackState


class CallbackVia(enum.StrEnum):
    """Where it was asked for."""

    WIDGET = "widget"  # the button on the site's pages
    PAGE = "page"  # the form page of the site's own address
    LEAD = "lead"  # a lead form, by the endpoint
    PERSON = "person"  # somebody of the company tries it out


class CallbackSettings(Base):
    """How a site calls back. A site without a row does not."""

    __tablename__ = "callback_settings"

    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"), primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    trunk_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trunks.id"))  # to the visitor
    number_id: Mapped[int | None] = mapped_column(sa.ForeignKey("numbers.id"))  # that he is shown
    # Who is rung, in order: [{"target": 3, "seconds": 20}]; empty: as the number, else the company, forwards.
    rings: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    visitor_seconds: Mapped[int] = mapped_column(default=40, server_default="40")  # the visitor's phone rings
    tries: Mapped[int] = mapped_column(default=3, server_default="3")
    retry_minutes: Mapped[int] = mapped_column(default=5, server_default="5")
    hours: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    timezone: Mapped[str | None] = mapped_column(sa.String(60))  # None: the company's
    countries: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    prefixes: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    per_client: Mapped[int] = mapped_column(default=5, server_default="5")
    per_number: Mapped[int] = mapped_column(default=3, server_default="3")
    per_day: Mapped[int] = mapped_column(default=200, server_default="200")
    seconds_per_day: Mapped[int] = mapped_column(default=14_400, server_default="14400")
    language: Mapped[str] = mapped_column(
        sa.String(5), default="en", server_default="en"
    )  # where pages name none
    # {"de": {"title": "…"}}, where they differ from the product's own.
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    looks: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # color, text, position

    site: Mapped[Site] = relationship()
    trunk: Mapped[Trunk | None] = relationship()
    number: Mapped[Number | None] = relationship()


class CallbackRequest(Base):
    """Somebody asked to be called back.

    `call_key` is of the last try: from the moment an employee takes the phone it is a call in the books.
    A process that dies while it calls leaves a claim that runs out (`claimed_until`).
    """

    __tablename__ = "callback_requests"
    __table_args__ = (
        sa.UniqueConstraint("site_id", "token"),
        sa.Index("ix_callback_requests_company_id_requested_at", "company_id", "requested_at", "id"),
        sa.Index("ix_callback_requests_site_id_phone", "site_id", "phone", "requested_at"),
        sa.Index(
            "ix_callback_requests_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
        sa.Index(
            "ix_callback_requests_claimed",
            "claimed_until",
            sqlite_where=sa.text("claimed_until IS NOT NULL"),
            postgresql_where=sa.text("claimed_until IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(24), unique=True)  # by which it is spoken of outside
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"))
    visit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("visits.id"))
    via: Mapped[CallbackVia] = mapped_column(words(CallbackVia))
    token: Mapped[str] = mapped_column(sa.String(64))  # a click has one, however often it arrives
    client: Mapped[str | None] = mapped_column(sa.String(64))  # the address it was asked from
    phone: Mapped[str] = mapped_column(sa.String(16), default="")  # E.164; "" where it is no number
    written: Mapped[str] = mapped_column(sa.String(40))  # as it was written
    name: Mapped[str | None] = mapped_column(sa.String(100))
    note: Mapped[str | None] = mapped_column(sa.String(500))
    wanted_at: Mapped[datetime | None]  # the time he chose; None: at once
    state: Mapped[CallbackState] = mapped_column(words(CallbackState))
    reason: Mapped[CallbackReason | None] = mapped_column(words(CallbackReason))
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    unknowns: Mapped[int] = mapped_column(default=0, server_default="0")  # tries nobody knows the end of
    requested_at: Mapped[datetime]
    promised_at: Mapped[datetime | None]  # from when on the minute counts: at once, or at the time chosen
    due_at: Mapped[datetime | None]  # the next try; None: there is none
    employee_rang_at: Mapped[datetime | None]  # for the first time
    visitor_rang_at: Mapped[datetime | None]  # for the first time
    over_at: Mapped[datetime | None]
    call_key: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    claimed_by: Mapped[str | None] = mapped_column(sa.String(60))
    claimed_until: Mapped[datetime | None]
    target_id: Mapped[int | None] = mapped_column(sa.ForeignKey("targets.id"))  # who rings, or took it
    # What happened, in order: [{"at": "…", "what": "no_employee", "call": "…"}]
    story: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")

    company: Mapped[Company] = relationship()
    site: Mapped[Site] = relationship()
    visit: Mapped[Visit | None] = relationship()
    target: Mapped[Target | None] = relationship()


class CallbackTry(Base):
    """A try, by the id of the call that it became if an employee took the phone."""

    __tablename__ = "callback_tries"

    call_key: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("callback_requests.id"), index=True)
    at: Mapped[datetime]
