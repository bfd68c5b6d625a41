"""Exchange rates over the API: what one unit of a currency is in the company's own."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field, StringConstraints

from tracker import rates
from tracker.models import ExchangeRate
from tracker.policy.rates import read_rate
from tracker.policy.rights import Right, Scope
from web.house import row_id
from web.rest.kinds import Currency, Day
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Page, Paged, Query, Shape, cut

api = Blueprint("rest_rates", __name__, url_prefix="/api/v1")


class RateOut(Shape):
    """What one unit of `currency` is in the currency `into`, from that day on until the next rate."""

    id: Id
    currency: str
    from_day: Annotated[date, Field(alias="from")]
    rate: str
    into: Annotated[str, Field(description="The company's own")]


class RatePage(Page):
    rates: list[RateOut]


class RateWish(Shape):
    """A rate from a day on; that of the same day is replaced."""

    currency: Currency
    rate: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,10})?$"), Field(examples=["92.5"])]
    from_day: Annotated[Day, Field(alias="from")]


@api.get("/rates")
@operation(Scope.MONEY_READ, Right.ADMINISTER, query=Paged, answer=RatePage)
def list_rates(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The exchange rates into the company's currency."""
    return cut(rates.list_rates(asked.session, asked.company), asked.query, "rates", rates.describe_rate)


@api.get("/rates/<rate>")
@operation(Scope.MONEY_READ, Right.ADMINISTER, answer=RateOut)
def show_rate(asked: Asked[Query, None], rate: str) -> dict[str, Any]:
    """One exchange rate."""
    return rates.describe_rate(_find(asked, rate))


@api.post("/rates")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, body=RateWish, answer=RateOut, status=201)
def set_rate(asked: Asked[Query, RateWish]) -> Made:
    """Sets an exchange rate; reports of days from then on count by it."""
    wish = asked.body
    made = rates.set_rate(
        asked.session, asked.by, asked.company, wish.currency, read_rate(wish.rate), from_day=wish.from_day
    )
    return Made(rates.describe_rate(made), f"/api/v1/rates/{made.id}")


@api.delete("/rates/<rate>")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, status=204, current=show_rate)
def delete_rate(asked: Asked[Query, None], rate: str) -> None:
    """Takes a rate away; the one before it holds on."""
    found = _find(asked, rate)
    rates.delete_rate(asked.session, asked.by, asked.company, found.currency, found.from_day)


def _find(asked: Asked[Any, Any], rate: str) -> ExchangeRate:
    return rates.get_rate(asked.session, asked.company, row_id(rate))
