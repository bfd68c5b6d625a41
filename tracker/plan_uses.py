"""Where a plan counts: for a number, else its channel or pool, else its site, else the company."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker import plan_list
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import (
    CallPlan,
    Channel,
    Company,
    Number,
    NumberUse,
    PlanUse,
    PlanVersion,
    Pool,
    Site,
    Swap,
)
from tracker.scopes import (
    Where,
    columns_with_site,
    company_of,
    forget_plan,
    forget_rings,
    said,
    scope_name,
)


@dataclass(frozen=True)
class InForce:
    """The version of a plan that counts for a number. `scope`: number, channel, pool, site or company."""

    plan_id: int
    version: int
    asks: frozenset[str]
    scope: str

    @property
    def word(self) -> str:
        """As the dialplan knows it: "7-3"."""
        return f"{self.plan_id}-{self.version}"


def use(session: Session, by: By, where: Where, plan: CallPlan) -> None:
    """Calls for that scope go by the plan; forwarding that was set for the same scope is forgotten."""
    if plan.company_id != company_of(where):
        raise Rejected("plan.foreign", "This plan is another company’s", "Choose one of your own")
    forget_plan(session, where)
    forget_rings(session, where)
    session.add(PlanUse(plan_id=plan.id, **columns_with_site(where)))
    session.flush()
    by.note(session, "plan.use", company_of(where), subject=plan.name, detail={"for": scope_name(where)})


def clear(session: Session, by: By, where: Where, plan: CallPlan | None = None) -> None:
    """No plan of its own for that scope any more, or not this one; the wider one counts.

    Raises Rejected plan.unset.
    """
    counts = plan is None or any(
        all(getattr(use, name) == value for name, value in columns_with_site(where).items())
        for use in of_company(session, company_of(where))
        if use.plan_id == plan.id
    )
    if not counts or not forget_plan(session, where):
        raise Rejected(
            "plan.unset", "No plan is set for %(scope)s", "See `leaseline plan list`", scope=said(where)
        )
    by.note(session, "plan.clear", company_of(where), subject=scope_name(where))


def of_company(session: Session, company_id: int) -> Sequence[PlanUse]:
    """Everything set in the company."""
    wanted = sa.select(PlanUse).where(PlanUse.company_id == company_id).order_by(PlanUse.id)
    return session.scalars(wanted.options(joinedload(PlanUse.plan))).all()


def scope_of(session: Session, use: PlanUse) -> str:
    """ "company pallets", "channel 'Billboard'": what it is set for."""
    where: Where | None = None
    if use.number_id is not None:
        where = session.get(Number, use.number_id)
    elif use.channel_id is not None:
        where = session.get(Channel, use.channel_id)
    elif use.pool_id is not None:
        where = session.get(Pool, use.pool_id)
    elif use.site_id is not None:
        where = session.get(Site, use.site_id)
    return scope_name(where or session.get_one(Company, use.company_id))


def described(session: Session, company: Company) -> list[dict[str, Any]]:
    """The company's plans as JSON, with what they are used for."""
    uses = of_company(session, company.id)
    return [
        {
            "id": plan.id,
            "name": plan.name,
            "version": plan.version,
            "steps": len(plan_list.newest(plan).document["steps"]),
            "trials": len(plan.cases),
            "used_for": [scope_of(session, use) for use in uses if use.plan_id == plan.id],
        }
        for plan in plan_list.listed(session, company)
    ]


def in_force(session: Session, number_ids: Iterable[int] | None = None) -> dict[int, InForce]:
    """The plan of each number that has one. Three statements at most."""
    uses = [_Use(*row) for row in session.execute(_uses())]
    if not uses:
        return {}
    shown = _sites_of(session)
    wanted = _NUMBERS
    if number_ids is not None:
        wanted = wanted.where(Number.id.in_(list(number_ids)))
    found = {}
    for row in session.execute(wanted):
        place = Place(row.company_id, row.id, row.channel_id, row.pool_id)
        chosen = _choose(uses, place, shown.get(row.pool_id or 0, frozenset()))
        if chosen is not None:
            found[row.id] = chosen
    return found


def of_number(session: Session, place: Place) -> InForce | None:
    """The plan that counts for a number that stands there; one small indexed read, mostly of nothing."""
    uses = [_Use(*row) for row in session.execute(_OF_COMPANY, {"company": place.company_id})]
    if not uses:
        return None
    sites = frozenset[int]()
    if place.pool_id is not None and any(use.site_id is not None for use in uses):
        sites = frozenset(session.scalars(_SITES, {"pool": place.pool_id}))
    return _choose(uses, place, sites)


@dataclass(frozen=True)
class Place:
    """What is known of a number when a plan is looked for."""

    company_id: int
    number_id: int
    channel_id: int | None
    pool_id: int | None


@dataclass(frozen=True)
class _Use:
    company_id: int
    number_id: int | None
    channel_id: int | None
    pool_id: int | None
    site_id: int | None
    plan_id: int
    version: int
    asks: Sequence[str]

    def scope_for(self, place: Place, sites: frozenset[int]) -> str | None:
        """As what it counts for that number; None when it does not."""
        held = {
            "number": self.number_id,
            "channel": self.channel_id,
            "pool": self.pool_id,
            "site": self.site_id,
        }
        scope = next((word for word, number in held.items() if number is not None), "company")
        wanted = {"number": place.number_id, "channel": place.channel_id, "pool": place.pool_id}
        if self.company_id != place.company_id:
            return None
        if scope == "company" or (scope == "site" and self.site_id in sites):
            return scope
        return scope if scope != "site" and held[scope] == wanted[scope] else None


def _choose(uses: Iterable[_Use], place: Place, sites: frozenset[int]) -> InForce | None:
    """The most particular of them."""
    fitting = [
        InForce(use.plan_id, use.version, frozenset(use.asks), scope)
        for use in uses
        if (scope := use.scope_for(place, sites)) is not None
    ]
    return min(fitting, key=lambda each: RANKS[each.scope], default=None)


RANKS: Mapping[str, int] = {"number": 0, "channel": 1, "pool": 1, "site": 2, "company": 3}


def _uses() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        PlanUse.company_id,
        PlanUse.number_id,
        PlanUse.channel_id,
        PlanUse.pool_id,
        PlanUse.site_id,
        PlanUse.plan_id,
        PlanVersion.version,
        PlanVersion.asks,
    ).join(PlanVersion, sa.and_(PlanVersion.plan_id == PlanUse.plan_id, PlanVersion.until_at.is_(None)))


_OF_COMPANY = _uses().where(PlanUse.company_id == sa.bindparam("company"))
_SITES = sa.select(Swap.site_id).where(Swap.pool_id == sa.bindparam("pool"))
_NUMBERS = sa.select(Number.id, Number.company_id, NumberUse.channel_id, NumberUse.pool_id).join_from(
    Number,
    NumberUse,
    sa.and_(NumberUse.number_id == Number.id, NumberUse.until_at.is_(None)),
    isouter=True,
)


def _sites_of(session: Session) -> dict[int, frozenset[int]]:
    found: dict[int, frozenset[int]] = {}
    for pool_id, site_id in session.execute(sa.select(Swap.pool_id, Swap.site_id)):
        found[pool_id] = found.get(pool_id, frozenset()) | {site_id}
    return found
