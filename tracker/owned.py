"""A company's things by their ids, as addresses of the page name them; another company's are unknown."""

from __future__ import annotations

from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.errors import Rejected, say
from tracker.models import Channel, Destination, Inlet, Number, Pool, Prompt, Site, Target

Owned = TypeVar("Owned", Channel, Destination, Inlet, Number, Pool, Prompt, Site, Target)
_UNKNOWN = {
    "channel": say("There is no such channel"),
    "destination": say("There is no such destination"),
    "inlet": say("There is no such inlet"),
    "number": say("There is no such number"),
    "pool": say("There is no such pool"),
    "prompt": say("There is no such prompt"),
    "site": say("There is no such site"),
    "target": say("There is no such target"),
}


def find(session: Session, model: type[Owned], company_id: int, thing_id: int) -> Owned:
    """The company's thing of that id. Raises Rejected *.unknown, also for what is another company's."""
    wanted = sa.select(model).where(model.company_id == company_id, model.id == thing_id)
    if thing := session.scalars(wanted).one_or_none():
        return thing
    what = model.__name__.lower()
    raise Rejected(f"{what}.unknown", _UNKNOWN[what], "Choose one from the list")
