"""Inlets, by which CRMs and shops tell us, what came in there, and who is responsible for which caller."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, words
from tracker.models.company import Company, Target
from tracker.policy.inlets import Became
from tracker.policy.signatures import Signature


class Inlet(Base):
    """A way in of a company: how its messages are signed, and where in them what stands."""

    __tablename__ = "inlets"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)  # in its address
    signature: Mapped[Signature] = mapped_column(words(Signature))
    place: Mapped[str] = mapped_column(sa.String(100), default="", server_default="")  # of what proves it
    secrets: Mapped[str] = mapped_column(sa.Text, default="", server_default="")  # sealed (tracker.vault)
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # by word, as typed
    # Whom its words for people mean: {"17": 3}, the id of a target.
    persons: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    # What it says of a call counts also where a person has judged that call.
    over_people: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    company: Mapped[Company] = relationship()


class Arrival(Base):
    """What came in by an inlet, and what became of it; the newest ones are kept."""

    __tablename__ = "arrivals"
    __table_args__ = (sa.Index("ix_arrivals_inlet_id_id", "inlet_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    inlet_id: Mapped[int] = mapped_column(sa.ForeignKey("inlets.id"))
    at: Mapped[datetime]  # of several alike in a row the last
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    became: Mapped[Became] = mapped_column(words(Became))
    message_id: Mapped[str | None] = mapped_column(sa.String(100))  # as the sender numbers them
    problem: Mapped[str | None] = mapped_column(sa.String(300))  # why it was refused
    results: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")  # row by row
    places: Mapped[list[str]] = mapped_column(
        default=list, server_default="[]"
    )  # what stood where, no values


class Responsible(Base):
    """Who is responsible for a caller: a target, told by a CRM or a person."""

    __tablename__ = "responsibles"
    __table_args__ = (sa.UniqueConstraint("company_id", "phone"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    phone: Mapped[str] = mapped_column(sa.String(16))  # E.164
    target_id: Mapped[int] = mapped_column(sa.ForeignKey("targets.id"), index=True)
    actor: Mapped[str] = mapped_column(sa.String(200))  # who told last: "inlet:crm", "key:crm", "cli:ann"
    at: Mapped[datetime]

    target: Mapped[Target] = relationship()
