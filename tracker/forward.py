"""Changing forwarding: who rings for a number, a channel, a pool, or else for the company.

Reading it, with the order of precedence, is tracker/forwarding.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, Forwarding, Target
from tracker.policy.entries import read_ring_seconds
from tracker.scopes import Scope, columns, company_of, forget_plan, forget_rings, said, scope_name

_MOST_TARGETS = 10


def set_rings(session: Session, by: By, scope: Scope, rings: Sequence[tuple[Target, int]]) -> None:
    """Ring these targets in this order, each for its seconds; replaces what was set, a plan too.

    Raises Rejected forward.empty, forward.long, forward.seconds.
    """
    if not rings:
        raise Rejected("forward.empty", "No target is named", "Name one or more: TARGET or TARGET:SECONDS")
    if len(rings) > _MOST_TARGETS:
        raise Rejected(
            "forward.long",
            "%(count)s targets are too many",
            "Give %(most)s at most",
            count=len(rings),
            most=_MOST_TARGETS,
        )
    seconds = [read_ring_seconds(ring_seconds) for _, ring_seconds in rings]
    forget_rings(session, scope)
    forget_plan(session, scope)
    for position, ((target, _), ring_seconds) in enumerate(zip(rings, seconds, strict=True), start=1):
        session.add(
            Forwarding(**columns(scope), position=position, target_id=target.id, ring_seconds=ring_seconds)
        )
    session.flush()
    detail = {"rings": [f"{target.name}:{ring_seconds}" for target, ring_seconds in rings]}
    by.note(session, "forward.set", company_of(scope), subject=scope_name(scope), detail=detail)


def clear(session: Session, by: By, scope: Scope) -> None:
    """Forget what is set for this scope; the wider one counts again. Raises Rejected forward.unset."""
    if not forget_rings(session, scope):
        raise Rejected(
            "forward.unset",
            "Nothing is set for %(scope)s",
            "See `leaseline forward show`",
            scope=said(scope),
        )
    by.note(session, "forward.clear", company_of(scope), subject=scope_name(scope))


def of_company(session: Session, company: Company) -> Sequence[Forwarding]:
    """Everything set in the company, scope by scope, in ringing order."""
    wanted = (
        sa.select(Forwarding)
        .where(Forwarding.company_id == company.id)
        .order_by(Forwarding.number_id, Forwarding.channel_id, Forwarding.pool_id, Forwarding.position)
    )
    return session.scalars(wanted.options(joinedload(Forwarding.target))).all()
