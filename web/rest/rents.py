"""Rents over the API: what a channel costs a month."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import channels, rents
from tracker.companies import read_currency
from tracker.models import ChannelRent
from tracker.policy.costs import Rent
from tracker.policy.money import read_amount
from tracker.policy.rights import Right, Scope
from web.house import row_id
from web.rest.kinds import Amount, Currency, Day, Note
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Page, Paged, Query, Shape, cut

api = Blueprint("rest_rents", __name__, url_prefix="/api/v1")


class RentOut(Shape):
    """What a channel costs a month; its days' costs are computed."""

    id: Id
    channel: Annotated[str, Field(description="Its name")]
    amount: str
    currency: str
    from_day: Annotated[date, Field(alias="from")]
    until: Annotated[date | None, Field(description="The last day; null: no end yet")]
    note: str | None


class RentPage(Page):
    rents: list[RentOut]


class RentWish(Shape):
    """A rent of a channel, by its name; without `currency` in the company's."""

    channel: Annotated[Line, Field(min_length=1)]
    amount: Amount
    currency: Currency | None = None
    from_day: Annotated[Day, Field(alias="from")]
    until: Day | None = None
    note: Note | None = None


class RentEnd(Shape):
    """The last day; null: no end yet."""

    until: Day | None


@api.get("/rents")
@operation(Scope.MONEY_READ, Right.ADMINISTER, query=Paged, answer=RentPage)
def list_rents(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The rents of the company's channels."""
    return cut(rents.list_rents(asked.session, [asked.company.id]), asked.query, "rents", rents.describe_rent)


@api.get("/rents/<rent>")
@operation(Scope.MONEY_READ, Right.ADMINISTER, answer=RentOut)
def show_rent(asked: Asked[Query, None], rent: str) -> dict[str, Any]:
    """One rent."""
    return rents.describe_rent(_find(asked, rent))


@api.post("/rents")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, body=RentWish, answer=RentOut, status=201)
def add_rent(asked: Asked[Query, RentWish]) -> Made:
    """Adds a rent, beside others that the channel has."""
    wish = asked.body
    currency = read_currency(wish.currency) if wish.currency else asked.company.currency
    terms = Rent(read_amount(wish.amount, currency, "en"), currency, wish.from_day, wish.until)
    channel = channels.get_channel(asked.session, asked.company, wish.channel)
    made = rents.add_rent(asked.session, asked.by, asked.company, channel, terms, note=wish.note)
    return Made(rents.describe_rent(made), f"/api/v1/rents/{made.id}")


@api.patch("/rents/<rent>")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, body=RentEnd, answer=RentOut, current=show_rent)
def end_rent(asked: Asked[Query, RentEnd], rent: str) -> dict[str, Any]:
    """Ends a rent, or takes its end back."""
    found = _find(asked, rent)
    rents.end_rent(asked.session, asked.by, found, asked.body.until)
    return rents.describe_rent(found)


@api.delete("/rents/<rent>")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, status=204, current=show_rent)
def delete_rent(asked: Asked[Query, None], rent: str) -> None:
    """Takes a rent away as if it had never been due; one that ended is ended instead."""
    rents.delete_rent(asked.session, asked.by, _find(asked, rent))


def _find(asked: Asked[Any, Any], rent: str) -> ChannelRent:
    return rents.find_rent(asked.session, asked.company, row_id(rent))
