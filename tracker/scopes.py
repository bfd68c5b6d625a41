"""What forwarding and plans are set for: a number, a channel, a pool, a site, or the whole company."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.errors import Said, say
from tracker.models import Channel, Company, Forwarding, Number, PlanUse, Pool, Site

Scope = Company | Channel | Pool | Number
Where = Scope | Site


def company_of(scope: Where) -> int:
    return scope.id if isinstance(scope, Company) else scope.company_id


def scope_name(scope: Where) -> str:
    """ "number +74951234567", "channel 'Billboard'", "company pallets"."""
    return str(said(scope))


def said(scope: Where) -> Said:
    """The same, to stand in a sentence."""
    match scope:
        case Number():
            return say("number %(e164)s", e164=scope.e164)
        case Company():
            return say("company %(slug)s", slug=scope.slug)
        case Channel():
            return say("channel %(name)r", name=scope.name)
        case Pool():
            return say("pool %(name)r", name=scope.name)
        case Site():
            return say("site %(name)r", name=scope.name)


def columns(scope: Where) -> dict[str, int | None]:
    """What a row of that scope holds."""
    return {
        "company_id": company_of(scope),
        "number_id": scope.id if isinstance(scope, Number) else None,
        "channel_id": scope.id if isinstance(scope, Channel) else None,
        "pool_id": scope.id if isinstance(scope, Pool) else None,
    }


def columns_with_site(scope: Where) -> dict[str, int | None]:
    """The same where sites are scopes too."""
    return {**columns(scope), "site_id": scope.id if isinstance(scope, Site) else None}


def forget(session: Session, scope: Where) -> None:
    """What is set for something that is deleted goes with it."""
    forget_rings(session, scope)
    forget_plan(session, scope)


def forget_rings(session: Session, scope: Where) -> int:
    """Takes away who rings for that scope; gives how many there were."""
    return 0 if isinstance(scope, Site) else _forget(session, Forwarding, columns(scope))


def forget_plan(session: Session, scope: Where) -> int:
    """Takes away the plan that counts for that scope."""
    return _forget(session, PlanUse, columns_with_site(scope))


def _forget(session: Session, model: type[Forwarding | PlanUse], held: dict[str, int | None]) -> int:
    same = [getattr(model, name).is_not_distinct_from(value) for name, value in held.items()]
    found = session.scalars(sa.select(model.id).where(*same)).all()
    session.execute(sa.delete(model).where(model.id.in_(found)))
    return len(found)
