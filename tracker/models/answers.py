"""What the API answered to requests that may be sent again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigId


class ApiAnswer(Base):
    """The answer to a request with an `Idempotency-Key`: the same request gets it again."""

    __tablename__ = "api_answers"
    __table_args__ = (sa.UniqueConstraint("asker", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asker: Mapped[str] = mapped_column(sa.String(300))  # company and program, or the person
    key: Mapped[str] = mapped_column(sa.String(255))  # what the asker chose
    request_sha256: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[int]
    answer: Mapped[str] = mapped_column(sa.Text)  # sealed (tracker.vault): it may have a new password in it
    at: Mapped[datetime] = mapped_column(index=True)
