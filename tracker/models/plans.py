"""Plans: what companies want to happen to their calls, each version of it, and where it counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base
from tracker.models.company import Company


class CallPlan(Base):
    """A company's plan by its name. `version` counts its documents; the newest one rings."""

    __tablename__ = "plans"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    company: Mapped[Company] = relationship()
    versions: Mapped[list[PlanVersion]] = relationship(
        back_populates="plan", order_by="PlanVersion.version", cascade="all, delete-orphan"
    )
    cases: Mapped[list[PlanCase]] = relationship(order_by="PlanCase.name", cascade="all, delete-orphan")


class PlanVersion(Base):
    """One document of a plan. Superseded ones stay in the dialplan while a call may still be in them."""

    __tablename__ = "plan_versions"
    __table_args__ = (sa.UniqueConstraint("plan_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"))
    version: Mapped[int]
    # As tracker.policy.plan_text has it, with ids where people write names of targets and plans.
    document: Mapped[dict[str, Any]]
    asks: Mapped[list[str]] = mapped_column(default=list)  # what has to be known of a call before it rings
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]  # None: the newest

    plan: Mapped[CallPlan] = relationship(back_populates="versions")


class PlanUse(Base):
    """Where a plan counts: for a number, else its channel or pool, else a site's pools, else the company."""

    __tablename__ = "plan_uses"
    __table_args__ = (
        sa.CheckConstraint(
            "(CASE WHEN number_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN channel_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN pool_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN site_id IS NULL THEN 0 ELSE 1 END) <= 1",
            name="one_scope",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    number_id: Mapped[int | None] = mapped_column(sa.ForeignKey("numbers.id"))
    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"))
    pool_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pools.id"))
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sites.id"))
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"), index=True)

    plan: Mapped[CallPlan] = relationship()


class PlanCase(Base):
    """A trial that is kept beside the plan: what everybody does, and the way that the call takes then."""

    __tablename__ = "plan_cases"
    __table_args__ = (sa.UniqueConstraint("plan_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    script: Mapped[dict[str, Any]]  # as tracker.policy.plan_cases has it
    expected: Mapped[list[str]]  # the way, a line an event
