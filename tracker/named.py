"""What channels, pools and sites have in common: they belong to a company and go by a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.errors import Rejected, Said, say
from tracker.models import Base, Channel, Company, NumberUse, Pool, Site
from tracker.policy.entries import read_title
from tracker.policy.uses import uses_of

Named = TypeVar("Named", Channel, Pool, Site)
_UNKNOWN = {
    "channel": say("There is no channel %(name)r"),
    "pool": say("There is no pool %(name)r"),
    "site": say("There is no site %(name)r"),
}
_DUPLICATE = {
    "channel": say("There is a channel %(name)r already"),
    "pool": say("There is a pool %(name)r already"),
    "site": say("There is a site %(name)r already"),
}


def get(session: Session, model: type[Named], company: Company, name: str) -> Named:
    """The company's channel, pool or site of that name. Raises Rejected *.unknown, naming those there are."""
    wanted = sa.select(model).where(model.company_id == company.id, model.name == name)
    if thing := session.scalars(wanted).one_or_none():
        return thing
    what = model.__name__.lower()
    names = [each.name for each in listed(session, model, company)]
    raise Rejected(
        f"{what}.unknown",
        _UNKNOWN[what],
        "There are: %(names)s" if names else "Add it: `leaseline %(what)s add`",
        name=name,
        names=names,
        what=what,
    )


def listed(session: Session, model: type[Named], company: Company) -> Sequence[Named]:
    """All the company's channels, pools or sites by name."""
    return session.scalars(sa.select(model).where(model.company_id == company.id).order_by(model.name)).all()


def free_name(session: Session, model: type[Named], company: Company, text: str) -> str:
    """The cleaned name, if the company has none such yet. Raises Rejected *.text, *.duplicate."""
    what = model.__name__.lower()
    name = read_title(text, what)
    wanted = sa.select(sa.func.count()).select_from(model)
    if session.scalar(wanted.where(model.company_id == company.id, model.name == name)):
        raise Rejected(
            f"{what}.duplicate",
            _DUPLICATE[what],
            "Choose another name",
            name=name,
        )
    return name


def numbers_in_use(session: Session, thing: Channel | Pool) -> int:
    """How many numbers are tied to the channel, or in the pool, right now."""
    return count(session, NumberUse, _use_of(thing), NumberUse.until_at.is_(None))


def number_uses(session: Session, thing: Channel | Pool) -> list[Said]:
    """What numbers the channel or pool has or had, in words for a refusal to delete it."""
    present = numbers_in_use(session, thing)
    past = count(session, NumberUse, _use_of(thing), NumberUse.until_at.is_not(None))
    return uses_of((present, "number"), (past, "past number"))


def count(session: Session, model: type[Base], *where: sa.ColumnElement[bool]) -> int:
    """How many rows answer to the conditions."""
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(*where)) or 0


def _use_of(thing: Channel | Pool) -> sa.ColumnElement[bool]:
    if isinstance(thing, Channel):
        return NumberUse.channel_id == thing.id
    return NumberUse.pool_id == thing.id
