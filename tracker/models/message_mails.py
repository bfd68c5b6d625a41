"""E-mails about messages that callers left."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base
from tracker.models.calls import Call
from tracker.models.queued import Queued, due_index


class MessageMail(Queued, Base):
    """A caller's message on its way to one address of the plan's step that took it."""

    __tablename__ = "message_mails"
    __table_args__ = (
        sa.UniqueConstraint("call_id", "address"),  # whoever writes it twice writes it once
        due_index("message_mails"),
    )

    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"))
    address: Mapped[str] = mapped_column(sa.String(254))

    call: Mapped[Call] = relationship()
