"""Who may not simply ring a company: rules about callers, and from when on one is suspicious."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, words
from tracker.policy.facts import Treatment
from tracker.policy.spam import RuleKind


class Guard(Base):
    """How a company treats callers it does not want. Made with the first thing that is set."""

    __tablename__ = "guards"

    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), primary_key=True)
    treatment: Mapped[Treatment] = mapped_column(
        words(Treatment), default=Treatment.BUSY, server_default="busy"
    )  # of rules that name none
    # Whether suspicious callers are asked for a digit; from how many calls on somebody is, 0: not looked at.
    watches: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    per_minute: Mapped[int] = mapped_column(default=4, server_default="4")
    per_hour: Mapped[int] = mapped_column(default=15, server_default="15")
    per_day: Mapped[int] = mapped_column(default=40, server_default="40")
    numbers: Mapped[int] = mapped_column(default=3, server_default="3")  # of ours, within ten minutes
    short_calls: Mapped[int] = mapped_column(default=4, server_default="4")  # within an hour
    short_seconds: Mapped[int] = mapped_column(default=6, server_default="6")
    countries: Mapped[list[str]] = mapped_column(default=list, server_default="[]")  # none: from anywhere
    passed_days: Mapped[int] = mapped_column(
        default=30, server_default="30"
    )  # nobody is asked twice in these


class CallerRule(Base):
    """Callers that are blocked, or always let through. A removed rule is in the audit log only."""

    __tablename__ = "caller_rules"
    __table_args__ = (sa.UniqueConstraint("company_id", "digits", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    kind: Mapped[RuleKind] = mapped_column(words(RuleKind))
    digits: Mapped[str] = mapped_column(sa.String(20))  # +E.164 or its beginning; "" for withheld numbers
    allows: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    treatment: Mapped[Treatment | None] = mapped_column(words(Treatment))  # None: the company's usual one
    reason: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    actor: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
