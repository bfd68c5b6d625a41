"""Tools about what there is: companies, setup, costs, sales."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from commands.assistant import words as w
from commands.assistant.cleaning import hide_numbers, mask, told
from commands.assistant.desk import Desk
from commands.assistant.figures import LeftOff, cut
from commands.assistant.things import CompaniesAnswer, CostsAnswer, SalesAnswer, SetupAnswer
from tracker import channels, destination_list, number_story, numbers, pools, rents, sites
from tracker import costs as cost_books
from tracker import sales as sale_books
from tracker.coverage import coverage
from tracker.models import Call, Company, Pool
from tracker.policy.spans import read_spans

_MOST = 200
_PART_MOST = 100

Part = Literal["channels", "numbers", "sites", "pools", "destinations"]
_USUAL: tuple[Part, ...] = ("channels", "sites", "pools", "destinations")
Rows = Annotated[int, Field(ge=1, le=_MOST, description="How many at most, the newest; the rest is told.")]


def companies(desk: Desk) -> CompaniesAnswer:
    """The companies open to this assistant, with currency, time zone, today's date there, and first and last
    call.

    Ask this first: the dates of "last month" are the company's own.
    """
    with desk.look_at_all() as (session, owners):
        there = [_company(session, owner, desk.now()) for owner in owners]
    return CompaniesAnswer(companies=told(there), shows_numbers=desk.with_numbers)


def setup(
    desk: Desk,
    *,
    parts: Annotated[
        list[Part] | None, Field(min_length=1, description="Which of them; without it all but numbers.")
    ] = None,
    company: w.CompanyName = None,
) -> SetupAnswer:
    """How the company is set up and how it fares now: channels, numbers, sites, pools of numbers,
    destinations.

    A pool's `now` and `last_day` say whether visitors had numbers of their own; a destination's `state`,
    `waiting` and `failed` whether calls arrive at CRMs, analytics and ad platforms.
    """
    asked = dict.fromkeys(parts or _USUAL)
    with desk.look(company) as (session, owner):
        found = {name: told(_PARTS[name](session, owner, desk.now())) for name in asked}
        slug = owner.slug
    kept: dict[str, list[Mapping[str, Any]]] = {}
    rest: dict[str, LeftOff] = {}
    for name, rows in found.items():
        kept[name], more = cut(rows, _PART_MOST)
        if more:
            rest[name] = LeftOff(count=more.count, advice="The settings on the page show them all")
    if not desk.with_numbers:
        kept = {name: [_without_numbers(each) for each in rows] for name, rows in kept.items()}
    none: dict[str, Any] = dict.fromkeys(_PARTS)
    return SetupAnswer.model_validate({"company": slug, "left_off": rest} | none | kept)


def costs(
    desk: Desk,
    *,
    period: w.PeriodWord = None,
    since: w.Since = None,
    until: w.Until = None,
    limit: Rows = 50,
    company: w.CompanyName = None,
) -> CostsAnswer:
    """What advertising cost, as it was entered, the newest day first, and the rents of channels.

    For sums by source or campaign ask `report`, where rents are spread over their days.
    """
    with desk.look(company) as (session, owner):
        first, last = _days(desk, owner, w.days(period, since, until))
        there = cost_books.list_costs(session, [owner.id], first, last, 10_000)
        every = told([cost_books.describe_cost(each) for each in there])
        due = told([_rent(rents.describe_rent(each)) for each in rents.list_rents(session, [owner.id])])
        slug = owner.slug
    kept, rest = cut(every, limit)
    answer = {
        "company": slug,
        "first": str(first),
        "last": str(last),
        "costs": kept,
        "rents": due[:_PART_MOST],
    }
    return CostsAnswer.model_validate(answer | {"left_off": rest})


def sales(
    desk: Desk,
    *,
    period: w.PeriodWord = None,
    since: w.Since = None,
    until: w.Until = None,
    unmatched: Annotated[
        bool, Field(description="Only those that belong to no call and no visitor.")
    ] = False,
    limit: Rows = 50,
    company: w.CompanyName = None,
) -> SalesAnswer:
    """What was sold, sale by sale, the newest first. For sums by source, campaign or keyword ask `report`."""
    with desk.look(company) as (session, owner):
        first, last = _days(desk, owner, w.days(period, since, until))
        there = sale_books.list_sales(session, [owner], first, last, unmatched=unmatched, limit=10_000)
        every = told([sale_books.describe_sale(each) for each in there])
        slug = owner.slug
    kept, rest = cut(every, limit)
    if not desk.with_numbers:
        kept = [{**each, "phone": mask(each["phone"]), "note": None} for each in kept]
    answer = {"company": slug, "first": str(first), "last": str(last), "sales": kept}
    return SalesAnswer.model_validate(answer | {"left_off": rest})


def _without_numbers(it: Mapping[str, Any]) -> Mapping[str, Any]:
    """What another system answered may name the caller it did not take."""
    said = {name: hide_numbers(it[name]) for name in ("answer", "disabled_because") if it.get(name)}
    return {**it, **said}


def _days(desk: Desk, owner: Company, words: dict[str, str]) -> tuple[date, date]:
    span, _ = read_spans(w.listed(words), ZoneInfo(owner.timezone), desk.now())
    return span.first, span.last


def _company(session: Session, owner: Company, now: datetime) -> dict[str, Any]:
    zone = ZoneInfo(owner.timezone)
    # Each by itself: SQLite finds either end by its index, and both at once by reading every call.
    first, last = (
        session.scalar(sa.select(end(Call.started_at)).where(Call.company_id == owner.id))
        for end in (sa.func.min, sa.func.max)
    )
    return {
        "company": owner.slug,
        "name": owner.name,
        "currency": owner.currency,
        "timezone": owner.timezone,
        "today": now.astimezone(zone).date().isoformat(),
        "first_call_on": first and first.astimezone(zone).date().isoformat(),
        "last_call_on": last and last.astimezone(zone).date().isoformat(),
    }


def _rent(it: dict[str, Any]) -> dict[str, Any]:
    return it | {"first": it["from"]}


def _channels(session: Session, owner: Company, _now: datetime) -> list[dict[str, Any]]:
    return [channels.describe(session, each) for each in channels.channels_of(session, owner)]


def _numbers(session: Session, owner: Company, _now: datetime) -> list[dict[str, Any]]:
    return [number_story.describe(each) for each in numbers.listed(session, owner)]


def _sites(session: Session, owner: Company, _now: datetime) -> list[dict[str, Any]]:
    return [sites.describe(each) for each in sites.listed(session, owner)]


def _pools(session: Session, owner: Company, now: datetime) -> list[dict[str, Any]]:
    return [
        pools.describe(session, each)
        | {"now": asdict(pools.standing(session, each, now)), "last_day": _last_day(session, each, now)}
        for each in pools.pools_of(session, owner)
    ]


def _last_day(session: Session, pool: Pool, now: datetime) -> dict[str, Any]:
    found = coverage(session, pool_id=pool.id, since=now - timedelta(days=1), until=now)
    return {**asdict(found), "share": found.share}


_PARTS: dict[str, Callable[[Session, Company, datetime], list[dict[str, Any]]]] = {
    "channels": _channels, "numbers": _numbers, "sites": _sites, "pools": _pools,
    "destinations": destination_list.describe_all,
}  # fmt: skip
