"""Visitors of a website, their visits with pages and events, and what was leased to them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, words
from tracker.models.company import Number, Pool
from tracker.policy.leasing import LeaseEnd

if TYPE_CHECKING:
    from tracker.models.callbacks import CallbackSettings


class VisitEventKind(enum.StrEnum):
    PHONE_CLICK = "phone_click"  # on a `tel:` link; detail: number, text
    FORM = "form"  # a form was sent; detail: its name or id, never what was typed
    CUSTOM = "custom"  # told by the site's own script; detail: name, …


class Site(Base):
    """A website with our script."""

    __tablename__ = "sites"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)
    # Host names whose pages may speak to us, "*.shop.example" for any below; also: what is no referral.
    domains: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    # Without a word from a consent banner, nothing is remembered.
    needs_consent: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[datetime]

    swaps: Mapped[list[Swap]] = relationship(back_populates="site", order_by="Swap.position, Swap.id")
    callback: Mapped[CallbackSettings | None] = relationship(
        "CallbackSettings", viewonly=True, uselist=False, lazy="selectin"
    )


class Swap(Base):
    """A number that stands on a site's pages, and the pool whose numbers take its place.

    For visitors from `region` (ISO 3166) only, or for all others (""). The first is the site's main number.
    """

    __tablename__ = "swaps"
    __table_args__ = (sa.UniqueConstraint("site_id", "e164", "region"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"))
    position: Mapped[int]
    e164: Mapped[str] = mapped_column(sa.String(16))
    alias: Mapped[str | None] = mapped_column(sa.String(40))  # "1-800-FLOWERS": as it also stands there
    region: Mapped[str] = mapped_column(sa.String(2), default="")
    pool_id: Mapped[int] = mapped_column(sa.ForeignKey("pools.id"))

    site: Mapped[Site] = relationship(back_populates="swaps")
    pool: Mapped[Pool] = relationship()


class Visitor(Base):
    """A browser, remembered."""

    __tablename__ = "visitors"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)
    created_at: Mapped[datetime]


class Visit(Base):
    """One session on a site, with the source that brought it."""

    __tablename__ = "visits"
    __table_args__ = (
        sa.Index("ix_visits_site_id_started_at", "site_id", "started_at"),
        # Only visits from paid ads have one.
        sa.Index(
            "ix_visits_keyword",
            "keyword",
            sqlite_where=sa.text("keyword IS NOT NULL"),
            postgresql_where=sa.text("keyword IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visitor_id: Mapped[int] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]  # last sign of life
    left_at: Mapped[datetime | None]  # None while he is there, or went without a word
    landing_url: Mapped[str | None] = mapped_column(sa.Text)
    referrer: Mapped[str | None] = mapped_column(sa.Text)

    medium: Mapped[str] = mapped_column(sa.String(100))
    source: Mapped[str] = mapped_column(sa.String(200))
    campaign: Mapped[str | None] = mapped_column(sa.String(200))
    keyword: Mapped[str | None] = mapped_column(sa.String(200))
    content: Mapped[str | None] = mapped_column(sa.String(200))  # the ad
    group: Mapped[str] = mapped_column("channel_group", sa.String(40), default="", server_default="")
    paid: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    click_ids: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # {"gclid": "…"}
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # utm_*, keyword …
    suspicion: Mapped[str | None] = mapped_column(sa.String(100))  # why the source may be forged

    device: Mapped[str | None] = mapped_column(sa.String(20))  # phone, tablet, desktop, other
    system: Mapped[str | None] = mapped_column(sa.String(60))
    browser: Mapped[str | None] = mapped_column(sa.String(60))
    language: Mapped[str | None] = mapped_column(sa.String(20))
    country: Mapped[str | None] = mapped_column(sa.String(2))

    consent: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # {"ads": true, …}
    analytics_ids: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # {"_ga": "…"}
    # Why the visitor was shown no number of his own; None: he was.
    missed: Mapped[str | None] = mapped_column(sa.String(30))
    # Pools in which that was counted: once a visit and pool.
    missed_in: Mapped[list[int]] = mapped_column(sa.JSON, default=list, server_default="[]")

    visitor: Mapped[Visitor] = relationship()
    site: Mapped[Site] = relationship()


class PageView(Base):
    """A page of a visit, opened `at` and last looked at `until_at`."""

    __tablename__ = "page_views"
    __table_args__ = (sa.Index("ix_page_views_visit_id_at", "visit_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"))
    at: Mapped[datetime]
    until_at: Mapped[datetime]
    url: Mapped[str] = mapped_column(sa.Text)
    title: Mapped[str | None] = mapped_column(sa.String(300))


class VisitEvent(Base):
    """Something the visitor did besides looking at a page."""

    __tablename__ = "visit_events"
    __table_args__ = (sa.Index("ix_visit_events_visit_id_at", "visit_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"))
    at: Mapped[datetime]
    kind: Mapped[VisitEventKind] = mapped_column(words(VisitEventKind))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Lease(Base):
    """A number held for a visit, from / until. The history stays; at most one is open per number."""

    __tablename__ = "leases"
    __table_args__ = (
        sa.Index(
            "uq_leases_active",
            "number_id",
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        ),
        sa.Index("ix_leases_number_id_from_at", "number_id", "from_at"),
        sa.Index(
            "ix_leases_expiring",
            "expires_at",
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number_id: Mapped[int] = mapped_column(sa.ForeignKey("numbers.id"))
    pool_id: Mapped[int] = mapped_column(sa.ForeignKey("pools.id"))
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    from_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # ends then, unless a sign of life comes
    until_at: Mapped[datetime | None]
    ended_by: Mapped[LeaseEnd | None] = mapped_column(words(LeaseEnd))

    number: Mapped[Number] = relationship()
    visit: Mapped[Visit] = relationship()


class CodeLease(Base):
    """A visitor code shown beside the company's own number: held for a visit as a number is."""

    __tablename__ = "code_leases"
    __table_args__ = (
        sa.Index(
            "uq_code_leases_active",
            "company_id",
            "code",
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        ),
        sa.Index("ix_code_leases_company_id_code_from_at", "company_id", "code", "from_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    pool_id: Mapped[int] = mapped_column(sa.ForeignKey("pools.id"))
    code: Mapped[str] = mapped_column(sa.String(8))
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    from_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    until_at: Mapped[datetime | None]

    visit: Mapped[Visit] = relationship()


class MissCount(Base):
    """How many requests for a number were answered with none of the visitor's own, by hour and reason."""

    __tablename__ = "miss_counts"
    __table_args__ = (sa.UniqueConstraint("site_id", "pool_id", "hour_at", "reason"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"))
    pool_id: Mapped[int] = mapped_column(sa.ForeignKey("pools.id"))
    hour_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(30))
    count: Mapped[int]


class SourceRule(Base):
    """A company's own word on where visits come from: a pattern in an address."""

    __tablename__ = "source_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    position: Mapped[int]  # the first that fits decides
    part: Mapped[str] = mapped_column(sa.String(10))  # "landing" or "referrer"
    pattern: Mapped[str] = mapped_column(sa.String(300))  # regular expression, searched, case ignored
    medium: Mapped[str] = mapped_column(sa.String(100))
    source: Mapped[str] = mapped_column(sa.String(200))
    campaign: Mapped[str | None] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]


class Referrer(Base):
    """A search engine, social network, mail site or AI assistant that an admin's list added to our own."""

    __tablename__ = "referrers"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(10))  # search, social, email, ai
    name: Mapped[str] = mapped_column(sa.String(100))
    host: Mapped[str] = mapped_column(sa.String(200), unique=True)  # "{}" stands for any top-level domain
    parameters: Mapped[list[str]] = mapped_column(default=list)  # that hold what was searched for
    imported_at: Mapped[datetime]


class DelayModel(Base):
    """What a company's own calls have taught about when visitors call (tracker.policy.delays)."""

    __tablename__ = "delay_models"

    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), primary_key=True)
    fitted_at: Mapped[datetime]
    calls: Mapped[int]
    leases: Mapped[int]
    model: Mapped[dict[str, Any]]
