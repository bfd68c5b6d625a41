"""The links by which a phone gets its account, once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base
from tracker.models.worth import Link


class ProvisionLink(Link, Base):
    """A link with which a phone fetches the account of one target; it serves it once."""

    __tablename__ = "provision_links"

    target_id: Mapped[int] = mapped_column(sa.ForeignKey("targets.id"), index=True)
    served_at: Mapped[datetime | None]
