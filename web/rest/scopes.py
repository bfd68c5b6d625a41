"""What calls are for, as addresses name it: company, channel-3, pool-2, site-1, number-7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from tracker import owned
from tracker.errors import Rejected
from tracker.models import Channel, Company, Forwarding, Number, PlanUse, Pool, Site
from tracker.scopes import Where
from web.house import row_id
from web.rest.shapes import Shape

KINDS: Mapping[str, type[Any]] = {"channel": Channel, "pool": Pool, "site": Site, "number": Number}


class ScopeOut(Shape):
    """Something that calls are for."""

    scope: Annotated[str, Field(description="In addresses: `company`, `channel-3`, `number-7`")]
    kind: Literal["company", "channel", "pool", "site", "number"]
    name: Annotated[str, Field(description="The company's short name; E.164 of a number")]


def find(session: Session, company: Company, word: str) -> Where:
    """The company's thing of that word. Raises Rejected scope.unknown, channel.unknown and the like."""
    kind, _, number = word.partition("-")
    if word == "company":
        return company
    if kind not in KINDS:
        raise unknown()
    found: Where = owned.find(session, KINDS[kind], company.id, row_id(number))
    return found


def unknown() -> Rejected:
    """The refusal of a word that means nothing there."""
    return Rejected(
        "scope.unknown",
        "There is nothing of that name that calls are for",
        "Give company, or a kind with an id: channel-3, pool-2, site-1, number-7",
    )


def of_row(session: Session, row: Forwarding | PlanUse) -> Where:
    """What a row is set for."""
    for kind, model in KINDS.items():
        if (held := getattr(row, f"{kind}_id", None)) is not None:
            found: Where = session.get_one(model, held)
            return found
    return session.get_one(Company, row.company_id)


def describe(where: Where) -> dict[str, Any]:
    """As JSON."""
    if isinstance(where, Company):
        return {"scope": "company", "kind": "company", "name": where.slug}
    kind = type(where).__name__.lower()
    name = where.e164 if isinstance(where, Number) else where.name
    return {"scope": f"{kind}-{where.id}", "kind": kind, "name": name}
