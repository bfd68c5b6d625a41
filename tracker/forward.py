"""Changing forwarding: who rings for a number, a channel, a pool, or else for the company.

Reading it, with the order of precedence, is tracker/forwarding.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.errors import Rejected, Said, say
from tracker.models import Channel, Company, Forwarding, Number, Pool, Target
from tracker.policy.entries import read_ring_seconds

Scope = Company | Channel | Pool | Number
_MOST_TARGETS = 10


def set_rings(session: Session, by: By, scope: Scope, rings: Sequence[tuple[Target, int]]) -> None:
    """Ring these targets in this order, each for its seconds; replaces what was set for this scope.

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
    _forget(session, scope)
    for position, ((target, _), ring_seconds) in enumerate(zip(rings, seconds, strict=True), start=1):
        session.add(
            Forwarding(**_columns(scope), position=position, target_id=target.id, ring_seconds=ring_seconds)
        )
    session.flush()
    detail = {"rings": [f"{target.name}:{ring_seconds}" for target, ring_seconds in rings]}
    by.note(session, "forward.set", company_of(scope), subject=scope_name(scope), detail=detail)


def clear(session: Session, by: By, scope: Scope) -> None:
    """Forget what is set for this scope; the wider one counts again. Raises Rejected forward.unset."""
    if not _forget(session, scope):
        raise Rejected(
            "forward.unset",
            "Nothing is set for %(scope)s",
            "See `leaseline forward show`",
            scope=_said(scope),
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


def scope_name(scope: Scope) -> str:
    """ "number +74951234567", "channel 'Billboard'", "company pallets"."""
    return str(_said(scope))


def _said(scope: Scope) -> Said:
    match scope:
        case Number():
            return say("number %(e164)s", e164=scope.e164)
        case Company():
            return say("company %(slug)s", slug=scope.slug)
        case Channel():
            return say("channel %(name)r", name=scope.name)
        case Pool():
            return say("pool %(name)r", name=scope.name)


def company_of(scope: Scope) -> int:
    return scope.id if isinstance(scope, Company) else scope.company_id


def _columns(scope: Scope) -> dict[str, int | None]:
    return {
        "company_id": company_of(scope),
        "number_id": scope.id if isinstance(scope, Number) else None,
        "channel_id": scope.id if isinstance(scope, Channel) else None,
        "pool_id": scope.id if isinstance(scope, Pool) else None,
    }


def _forget(session: Session, scope: Scope) -> int:
    """Takes the scope's rows away and says how many there were."""
    same = [getattr(Forwarding, name).is_not_distinct_from(held) for name, held in _columns(scope).items()]
    found = session.scalars(sa.select(Forwarding.id).where(*same)).all()
    session.execute(sa.delete(Forwarding).where(Forwarding.id.in_(found)))
    return len(found)
