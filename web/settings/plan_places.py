"""Where plans count, as a form's choice names it: company, channel-3, pool-2, site-1, number-7."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import Session

from tracker import numbers, owned, plan_uses, sites
from tracker.errors import Rejected
from tracker.models import Channel, Company, Number, PlanUse, Pool, Site, Swap
from tracker.policy.phone import display
from tracker.scopes import Where
from web.house import row_id
from web.settings import places
from web.settings.forms import text

MODELS: Mapping[str, type[Any]] = {
    "channel": Channel,
    "pool": Pool,
    "site": Site,
    "number": Number,
}


@dataclass(frozen=True)
class Use:
    """A plan that counts somewhere; `kind` is company, channel, pool, site or number."""

    word: str
    kind: str
    name: str
    plan_id: int
    plan: str


def uses_of(session: Session, owner: Company) -> list[Use]:
    """Every place of the company where a plan counts."""
    return [_use(session, owner, each) for each in plan_uses.of_company(session, owner.id)]


def _use(session: Session, owner: Company, use: PlanUse) -> Use:
    held = {"number": use.number_id, "channel": use.channel_id, "pool": use.pool_id, "site": use.site_id}
    kind, number = next(((word, it) for word, it in held.items() if it is not None), ("company", None))
    word, name = "company", gettext("The whole company")
    if number is not None:
        thing: Any = owned.find(session, MODELS[kind], owner.id, number)
        word = f"{kind}-{number}"
        name = display(thing.e164, owner.default_region) if isinstance(thing, Number) else thing.name
    return Use(word, kind, name, use.plan_id, use.plan.name)


def sites_of(session: Session, pool_id: int | None) -> list[int]:
    """The sites that show the numbers of that pool."""
    if pool_id is None:
        return []
    return list(session.scalars(sa.select(Swap.site_id).where(Swap.pool_id == pool_id)))


def choices(session: Session, owner: Company) -> dict[str, list[tuple[str, str]]]:
    """What a plan may count for, but for single numbers."""
    return {
        **places.choices(session, owner),
        "site": [(f"site-{each.id}", each.name) for each in sites.listed(session, owner)],
    }


def chosen(session: Session, owner: Company) -> Where:
    """What the form names: a number that was typed, else the choice.

    Raises Rejected number.malformed, number.unknown, channel.unknown, pool.unknown, site.unknown, plan.where.
    """
    if text("number"):
        return numbers.get(session, owner, text("number"))
    return where(session, owner, text("where"))


def where(session: Session, owner: Company, word: str) -> Where:
    """The company's thing of that word."""
    kind, _, number = word.partition("-")
    if word == "company":
        return owner
    if kind not in MODELS:
        raise Rejected("plan.where", "Nothing is chosen", "Choose what the plan shall count for")
    found: Where = owned.find(session, MODELS[kind], owner.id, row_id(number))
    return found
