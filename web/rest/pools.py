"""Pools over the API: numbers leased to a website's visitors, by what rules, and how many it takes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from tracker import advice, advice_words, pools
from tracker.coverage import last_day
from tracker.models import Pool
from tracker.policy.rights import Right, Scope
from web.house import house
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Name, Page, Paged, Query, Shape, cut

api = Blueprint("rest_pools", __name__, url_prefix="/api/v1")

Seconds = Annotated[int, Field(ge=0, le=7 * pools.DAY)]
Percent = Annotated[int, Field(ge=0, le=100)]
WhenEmpty = Literal["real", "source", "overflow", "code"]
Groups = Annotated[
    list[Name],
    Field(max_length=50, description="Channel groups whose visitors get numbers of their own; none: all"),
]


class PoolOut(Shape):
    """A pool's rules."""

    id: Id
    name: str
    numbers: Annotated[int, Field(description="How many are in it now")]
    hold_seconds: Annotated[int, Field(description="How long a number stays with a visitor who left")]
    idle_seconds: Annotated[int, Field(description="How long it stays without a sign of life")]
    longest_seconds: Annotated[int, Field(description="How long one lease may last")]
    cooldown_seconds: Annotated[int, Field(description="How long a number rests before another has it")]
    release_after_call: Annotated[bool, Field(description="Whether a visitor's call ends his lease")]
    paid_percent: Annotated[int, Field(description="Share of the numbers kept for visits from paid ads")]
    dynamic_for: list[str]
    when_empty: Annotated[
        WhenEmpty,
        Field(description="What is shown then: the company's own number, the source's, the overflow number,"
                          " or the own number with a visitor code"),
    ]  # fmt: skip
    overflow_number: Annotated[str | None, Field(description="E.164")]
    created_at: datetime


class PoolNow(Shape):
    """What a pool's active numbers do right now."""

    numbers: int
    leased: int
    resting: int
    free: int


class PoolDay(Shape):
    """The last 24 hours: visits that asked for a number, those that had one, the others by reason."""

    visits: int
    own_number: int
    missed: dict[str, int]
    share: Annotated[float | None, Field(description="Of those with a number, 0 to 1; null: nobody asked")]


class PoolStanding(Shape):
    now: PoolNow
    last_day: PoolDay


class PoolPage(Page):
    pools: list[PoolOut]


class PoolRules(Shape):
    """What is not named has its usual value, or stays."""

    hold_seconds: Seconds | None = None
    idle_seconds: Seconds | None = None
    longest_seconds: Seconds | None = None
    cooldown_seconds: Seconds | None = None
    release_after_call: bool | None = None
    paid_percent: Percent | None = None
    dynamic_for: Groups | None = None
    when_empty: WhenEmpty | None = None
    overflow_number: Annotated[Line | None, Field(description="One of the company's; empty: none")] = None


class PoolWish(PoolRules):
    """A new pool."""

    name: Name


class PoolChange(PoolRules):
    """What is to be another; what is not named stays."""

    name: Name | None = None


class AdviceQuery(Query):
    target: Annotated[
        float, Field(gt=0, lt=100, description="Percent of the visitors who may go without a number")
    ] = 1
    hold_seconds: Annotated[Seconds | None, Field(description="Another hold time than the pool's")] = None
    visitors: Annotated[
        float | None,
        Field(gt=0, le=100_000, description="Expected in the busiest hour, instead of its visits"),
    ] = None
    minutes: Annotated[
        float | None, Field(gt=0, le=240, description="How long such a visitor stays; goes with `visitors`")
    ] = None


class AdviceHour(Shape):
    """An hour of the week as it was on average; weekday 0 is Monday, `load` is in erlangs."""

    weekday: int
    hour: int
    visits: float
    load: float


class AdviceBasis(Shape):
    """The visits that the advice rests on."""

    visits: int
    since: datetime
    until: datetime
    hours: list[AdviceHour]
    days: float
    enough: Annotated[bool, Field(description="Whether they are more than chance")]
    busiest: AdviceHour


class AdviceOption(Shape):
    """So many numbers with such a hold time, and how they would do."""

    numbers: int
    hold_seconds: int
    own: Annotated[float, Field(description="Share of the visits with a number of their own")]
    in_time: Annotated[float, Field(description="Share of the calls before the number is somebody else's")]
    without_a_day: Annotated[float | None, Field(description="Visits; null where no days are known")]
    own_when_busiest: float


class AdviceOut(Shape):
    """How many numbers a pool needs."""

    target: Annotated[float, Field(description="Share who may go without")]
    hold_seconds: int
    numbers: Annotated[int | None, Field(description="It has now")]
    needed: int
    needed_when_busiest: int
    load: float
    basis: Annotated[AdviceBasis | None, Field(description="null: it rests on what was expected")]
    options: list[AdviceOption]
    next_buys: Annotated[float | None, Field(description="Visits a day that one number more would serve")]
    advice: Annotated[str, Field(description="The same in a sentence or two")]


@api.get("/pools")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=PoolPage)
def list_pools(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's pools."""
    found = pools.pools_of(asked.session, asked.company)
    return cut(found, asked.query, "pools", lambda it: pools.describe(asked.session, it))


@api.get("/pools/<pool>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=PoolOut)
def show_pool(asked: Asked[Query, None], pool: str) -> dict[str, Any]:
    """One pool."""
    return pools.describe(asked.session, asked.own(Pool, pool))


@api.get("/pools/<pool>/standing")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=PoolStanding)
def show_standing(asked: Asked[Query, None], pool: str) -> dict[str, Any]:
    """What a pool's numbers do now, and who went without one in the last 24 hours."""
    found, now = asked.own(Pool, pool), house().clock()
    return {
        "now": asdict(pools.standing(asked.session, found, now)),
        "last_day": last_day(asked.session, found, now),
    }


@api.get("/pools/<pool>/advice")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=AdviceQuery, answer=AdviceOut)
def show_advice(asked: Asked[AdviceQuery, None], pool: str) -> dict[str, Any]:
    """How many numbers a pool needs: from its own visits, or from visitors who are expected."""
    found, words = asked.own(Pool, pool), asked.query
    share, hold, now = words.target / 100, words.hold_seconds, house().clock()
    if words.visitors is None and words.minutes is None:
        told = advice.advise(asked.session, asked.company, found, now, target=share, hold_seconds=hold)
    else:
        told = advice.plan(
            words.visitors or 0,
            words.minutes or 0,
            target=share,
            hold_seconds=found.hold_seconds if hold is None else hold,
            numbers=pools.standing(asked.session, found, now).numbers,
            model=advice.model_of(asked.session, asked.company),
        )
    return advice_words.described(told)


@api.post("/pools")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=PoolWish, answer=PoolOut, status=201)
def add_pool(asked: Asked[Query, PoolWish]) -> Made:
    """Adds a pool."""
    made = pools.add_pool(asked.session, asked.by, asked.company, **asked.body.model_dump(exclude_none=True))
    return Made(pools.describe(asked.session, made), f"/api/v1/pools/{made.id}")


@api.patch("/pools/<pool>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=PoolChange, answer=PoolOut, current=show_pool)
def change_pool(asked: Asked[Query, PoolChange], pool: str) -> dict[str, Any]:
    """Changes a pool's rules; running leases keep what they were promised."""
    found, wish = asked.own(Pool, pool), asked.body.model_dump(exclude_none=True)
    if wish:
        pools.change_pool(asked.session, asked.by, asked.company, found, **wish)
    return pools.describe(asked.session, found)


@api.delete("/pools/<pool>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_pool)
def delete_pool(asked: Asked[Query, None], pool: str) -> None:
    """Deletes a pool that never had a number."""
    pools.delete_pool(asked.session, asked.by, asked.own(Pool, pool))
