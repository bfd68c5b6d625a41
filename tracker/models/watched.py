"""What a process says of itself for those who watch it from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base


class ProcessFigures(Base):
    """The figures of a process of ours as it last gave them: also its sign of life."""

    __tablename__ = "process_figures"

    node: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    process: Mapped[str] = mapped_column(sa.String(20), primary_key=True)  # agi, worker
    at: Mapped[datetime]
    # By metric: values of its labels but the node, then a number, or {"counts": […], "sum": …}.
    figures: Mapped[dict[str, list[Any]]] = mapped_column(sa.JSON)
