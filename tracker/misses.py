"""Requests answered with no number of the visitor's own, counted by site, pool, hour and reason."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tracker.models import MissCount

_UNIQUE = ("site_id", "pool_id", "hour_at", "reason")


def count(  # noqa: PLR0917  (a count is a row, and its key has four parts)
    session: Session, site_id: int, pool_id: int, reason: str, at: datetime, by: int = 1
) -> None:
    """Count `by` misses more in the hour of `at`."""
    hour_at = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    row = {"site_id": site_id, "pool_id": pool_id, "hour_at": hour_at, "reason": reason, "count": by}
    session.connection().execute(_add(session.get_bind().dialect.name), row)


@cache
def _add(dialect: str) -> sa.Executable:
    """The row of that hour, or its count raised: one statement, so that two at once count two."""
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    new = make(MissCount)
    return new.on_conflict_do_update(
        index_elements=_UNIQUE, set_={"count": MissCount.count + new.excluded.count}
    )
