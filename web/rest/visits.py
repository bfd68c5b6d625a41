"""Visits and leases over the API: who came from where, what he did, and which number he held."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from tracker import lease_list, numbers, pools, sites, visit_list
from tracker.history import company_of, describe, get_history
from tracker.lease_list import Wish
from tracker.policy.call_filter import read_interval
from tracker.policy.rights import Scope
from web.house import row_id
from web.rest.call_asked import Day
from web.rest.call_shapes import CallOut
from web.rest.operation import Asked, operation
from web.rest.shapes import Line, Paged, Query
from web.rest.visit_shapes import LeasePage, VisitJourney, VisitLease, VisitPage

api = Blueprint("rest_visits", __name__, url_prefix="/api/v1")


class Dated(Paged):
    """A list of what began in some days."""

    since: Annotated[Day | None, Field(description="A day in the company's time zone, or a minute of it")] = (
        None
    )
    until: Annotated[Day | None, Field(description="The same; a day is included whole")] = None


class VisitsAsked(Dated):
    site: Annotated[Line | None, Field(description="Of this website, by its name")] = None


class LeasesAsked(Dated):
    number: Annotated[Line | None, Field(description="Of this number")] = None
    pool: Annotated[Line | None, Field(description="Of this pool, by its name")] = None
    site: Annotated[Line | None, Field(description="Of visits of this website, by its name")] = None
    open: Annotated[Literal["yes"] | None, Field(description="Only those that go on")] = None


class VisitDetails(VisitJourney):
    """A visit with what it was shown, and the calls of its visitor."""

    leases: Annotated[list[VisitLease], Field(description="Numbers, and then codes, at most 300 each")]
    calls: Annotated[list[CallOut], Field(description="Of the visitor, the newest 200")]


# The same address speaks to websites (web.visits): what it answers browsers beforehand stays theirs.
@api.get("/visits", provide_automatic_options=False)
@operation(Scope.VISITS_READ, query=VisitsAsked, answer=VisitPage)
def list_visits(asked: Asked[VisitsAsked, None]) -> dict[str, Any]:
    """Visits, newest first."""
    site = sites.get(asked.session, asked.company, asked.query.site).name if asked.query.site else None
    since, until = _interval(asked)
    page = visit_list.list_visits(
        asked.session, [asked.company.id], site=site, since=since, until=until, before=asked.query.cursor,
        limit=asked.query.limit,
    )  # fmt: skip
    return {"visits": [visit_list.describe(it) for it in page.visits], "next": page.next}


def owner_of(session: Session, company_ids: Collection[int], path: Mapping[str, str]) -> int:
    """The company of the visit that an address names. Raises Rejected visit.unknown."""
    return company_of(session, company_ids, row_id(path["visit"]))


@api.get("/visits/<visit>")
@operation(Scope.VISITS_READ, answer=VisitDetails, owner=owner_of)
def show_visit(asked: Asked[Query, None], visit: str) -> dict[str, Any]:
    """One visit: pages, clicks, what it was shown, the visitor's other visits and calls."""
    return describe(get_history(asked.session, [asked.company.id], row_id(visit), asked.by.at))


@api.get("/leases")
@operation(Scope.VISITS_READ, query=LeasesAsked, answer=LeasePage)
def list_leases(asked: Asked[LeasesAsked, None]) -> dict[str, Any]:
    """Who holds which number, and who held it before; the newest first."""
    session, company, words = asked.session, asked.company, asked.query
    since, until = _interval(asked)
    wish = Wish(
        number=numbers.get(session, company, words.number) if words.number else None,
        pool=pools.get_pool(session, company, words.pool) if words.pool else None,
        site=sites.get(session, company, words.site) if words.site else None,
        is_open=words.open == "yes",
        since=since,
        until=until,
    )
    found, after = lease_list.list_leases(session, company, wish, before=words.cursor, limit=words.limit)
    return {"leases": found, "next": after}


def _interval(asked: Asked[Any, None]) -> tuple[Any, Any]:
    zone = ZoneInfo(asked.company.timezone)
    words = {name: word for name in ("since", "until") if (word := getattr(asked.query, name))}
    return read_interval(words, zone, asked.by.at.astimezone(zone).date())
