"""Callers' numbers in one form: read as in the country of the trunk that brought them, else the company's."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Trunk
from tracker.policy.facts import Started
from tracker.policy.phone import normalise_caller

_COUNTRY = sa.select(Trunk.country).where(Trunk.id == sa.bindparam("trunk"))


def caller_of(session: Session, started: Started, region: str) -> str | None:
    """The caller as the books have him; `region` is the company's. Only national forms need the trunk."""
    country = None
    if started.trunk_id is not None and started.caller and not started.caller.startswith("+"):
        country = session.connection().scalar(_COUNTRY, {"trunk": started.trunk_id})
    return normalise_caller(started.caller, started.presentation, country or region)
