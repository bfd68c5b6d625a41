"""Calls that nobody took, and the first call in which their caller was spoken to afterwards, as SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.call_words import KNOWN
from tracker.models import Call
from tracker.policy.facts import Direction, Outcome, Presentation
from tracker.policy.recovery import Recovered

# A person called us, nobody took it, and we know whom to call back.
MISSED_CALLER = sa.and_(
    Call.direction == Direction.IN, Call.outcome.is_not(None), Call.outcome != Outcome.ANSWERED, KNOWN
)
_later = aliased(Call, name="spoken")


def _first(column: Any) -> sa.ScalarSelect[Any]:
    """Of the first answered call with the same person after this one, whoever called: one seek."""
    return (
        sa.select(column)
        .where(_later.company_id == Call.company_id, _later.caller == Call.caller)
        .where(_later.presentation == Presentation.ALLOWED, _later.answered_at.is_not(None))
        .where(_later.started_at > Call.started_at)
        .order_by(_later.started_at, _later.id)
        .limit(1)
        .correlate(Call)
        .scalar_subquery()
    )


FIRST_SPOKEN = _first(_later.id)
_first_direction = _first(_later.direction)


def recovered(how: Recovered) -> sa.ColumnElement[bool]:
    """Missed callers who were spoken to afterwards in that way, or not yet."""
    if how is Recovered.NO:
        return sa.and_(MISSED_CALLER, FIRST_SPOKEN.is_(None))
    if how is Recovered.YES:
        return sa.and_(MISSED_CALLER, FIRST_SPOKEN.is_not(None))
    ours = _first_direction.in_([Direction.OUT, Direction.CALLBACK])
    return sa.and_(MISSED_CALLER, ours if how is Recovered.US else _first_direction == Direction.IN)
