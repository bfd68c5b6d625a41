"""How many calls there have been, told often: counted once, and from then on only what is new.

What is older than a day stands: a report that marks a call anew, or a fact that comes late, must not make a
counter go back, which whoever adds up its increases would take for a new beginning.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_words import HAS_CALLED
from tracker.models import Call

SETTLED = timedelta(days=1)

Totals = Counter[tuple[int, str]]  # by company and outcome


class CallTotals:
    """The calls that came in and are over; what is counted is remembered as long as the process lives."""

    def __init__(self) -> None:
        self._settled: Totals = Counter()
        self._until_id = 0  # the last call among them
        self._open: set[int] = set()  # those before it that go on all the same
        self._lock = threading.Lock()

    def read(self, session: Session, now: datetime) -> Totals:
        """All of them. Five statements."""
        with self._lock:
            self._settle(session, self._settle_until(session, now))
            late = _count(session, Call.id.in_(self._open)) if self._open else Counter()
            return self._settled + late + _count(session, Call.id > self._until_id)

    def _settle_until(self, session: Session, now: datetime) -> int:
        """The last call before the first that is young."""
        young = Call.id > self._until_id, Call.started_at > now - SETTLED
        first = session.scalar(sa.select(Call.id).where(*young).order_by(Call.id).limit(1))
        if first is not None:
            return first - 1
        return max(self._until_id, session.scalar(sa.select(sa.func.max(Call.id))) or 0)

    def _settle(self, session: Session, until_id: int) -> None:
        if until_id > self._until_id:
            between = Call.id > self._until_id, Call.id <= until_id
            self._settled += _count(session, *between)
            self._open |= set(session.scalars(sa.select(Call.id).where(*between, Call.ended_at.is_(None))))
            self._until_id = until_id


def _count(session: Session, *which: sa.ColumnElement[bool]) -> Totals:
    company = Call.company_id + 0  # else SQLite reads the whole index by company, for the order's sake
    wanted = (
        sa.select(company, Call.outcome, sa.func.count())
        .where(Call.ended_at.is_not(None), HAS_CALLED, *which)
        .group_by(company, Call.outcome)
    )
    return Counter(
        {(company_id, outcome or "unknown"): count for company_id, outcome, count in session.execute(wanted)}
    )
