"""A company's things by their ids, as addresses of the page name them; another company's are unknown."""

from __future__ import annotations

from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.errors import Rejected
from tracker.models import Channel, Number, Pool, Site, Target

Owned = TypeVar("Owned", Channel, Number, Pool, Site, Target)


def find(session: Session, model: type[Owned], company_id: int, thing_id: int) -> Owned:
    """The company's thing of that id. Raises Rejected *.unknown, also for what is another company's."""
    wanted = sa.select(model).where(model.company_id == company_id, model.id == thing_id)
    if thing := session.scalars(wanted).one_or_none():
        return thing
    what = model.__name__.lower()
    raise Rejected(f"{what}.unknown", f"There is no such {what}", "Choose one from the list")
