"""Inlets over the API: where a CRM or a shop tells us. Secrets are answered once, when they are made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field, StrictBool, StringConstraints

from tracker import arriving, inlets
from tracker.inlets import Filled
from tracker.models import Inlet
from tracker.policy.inlet_kinds import KINDS
from tracker.policy.inlets import Became
from tracker.policy.rights import Right, Scope
from tracker.policy.signatures import Signature
from tracker.policy.tables import BadRows
from web.house import house
from web.inlets import refusal, sample
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Page, Paged, Query, Shape, cut

api = Blueprint("rest_inlets", __name__, url_prefix="/api/v1")

# Who has an inlet's secret writes there: a key for settings alone would get around what it may not.
BOOKS = (Scope.CALLS_WRITE, Scope.MONEY_WRITE)

Name = Annotated[Line, Field(min_length=1, max_length=60)]
Secret = Annotated[Line, Field(min_length=1, description="As the other side has it; none: a new one")]
Place = Annotated[Line, Field(description="Which header, word or field holds the proof")]
Words = Annotated[
    dict[Annotated[Line, Field(max_length=60)], Annotated[str, StringConstraints(max_length=500)]],
    Field(max_length=50, description=f"Where each thing stands in a message: {', '.join(inlets.WORDS)}"),
]
Persons = Annotated[
    dict[Line, Line],
    Field(max_length=inlets.MOST_PERSONS, description="Whom its words mean: targets by their names"),
]


class InletOut(Shape):
    """A way in, and how its messages are read."""

    id: Id
    name: str
    address: Annotated[str, Field(description="Where it is told")]
    signature: Signature
    place: str | None
    mapping: dict[str, str]
    persons: dict[str, str]
    over_people: Annotated[bool, Field(description="Whether it may judge a call that a person has judged")]
    created_at: datetime
    changed_at: datetime


class InletMade(InletOut):
    """The same, with its secret, this once."""

    secret: str


class InletPage(Page):
    inlets: list[InletOut]


class InletWish(Shape):
    """A new way in, like its kind where nothing else is said."""

    kind: Annotated[Literal[*KINDS], Field(description="Whose messages it takes")]  # type: ignore[valid-type]
    name: Name | None = None
    signature: Signature | None = None
    place: Place | None = None
    secret: Secret | None = None
    mapping: Words | None = None
    persons: Persons | None = None
    over_people: StrictBool | None = None


class InletChange(Shape):
    """What is to be another; of `mapping` and `persons` what is named, an empty text takes away."""

    name: Name | None = None
    signature: Signature | None = None
    place: Place | None = None
    secret: Secret | None = None
    mapping: Words | None = None
    persons: Persons | None = None
    over_people: StrictBool | None = None


class InletSecret(Shape):
    secret: str


class InletSample(Shape):
    """A message as it would come."""

    body: Annotated[str, Field(max_length=100_000, description="JSON or a form")]
    query: Annotated[Line, Field(description="The words of its address")] = ""


class InletResult(Shape):
    """What one row of a message says, and does."""

    row: int
    what: str
    about: str | None = None
    call: str | None = None


class InletTried(Shape):
    results: list[InletResult]


class ArrivalOut(Shape):
    """A message that came in, and what became of it; nothing of what stood in it."""

    at: datetime
    times: Annotated[int, Field(description="How often, of several alike")]
    became: Became
    problem: str | None
    message_id: str | None
    results: list[InletResult]
    places: Annotated[list[str], Field(description="What stood where")]


class ArrivalList(Shape):
    arrivals: list[ArrivalOut]


@api.get("/inlets")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=InletPage)
def list_inlets(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's inlets."""
    found = inlets.list_inlets(asked.session, asked.company)
    return cut(found, asked.query, "inlets", lambda it: _told(asked, it))


@api.get("/inlets/<inlet>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=InletOut)
def show_inlet(asked: Asked[Query, None], inlet: str) -> dict[str, Any]:
    """One inlet."""
    return _told(asked, asked.own(Inlet, inlet))


@api.post("/inlets")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=InletWish, answer=InletMade, status=201, besides=BOOKS
)
def add_inlet(asked: Asked[Query, InletWish]) -> Made:
    """Adds an inlet; its secret is in the answer, this once.

    What comes in there makes sales and judges calls: the key must be one that may.
    """
    filled = _filled(asked.body)
    made, secret = inlets.add(
        asked.session, asked.by, asked.company, asked.body.kind, filled, vault=house().vault
    )
    told = _told(asked, made) | {"secret": secret}
    return Made(told, f"/api/v1/inlets/{made.id}")


@api.patch("/inlets/<inlet>")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=InletChange, answer=InletOut, current=show_inlet,
    besides=BOOKS,
)  # fmt: skip
def change_inlet(asked: Asked[Query, InletChange], inlet: str) -> dict[str, Any]:
    """Changes an inlet, with a key that may make sales and judge calls itself."""
    it = asked.own(Inlet, inlet)
    return _told(asked, inlets.change(asked.session, asked.by, it, _filled(asked.body), vault=house().vault))


@api.delete("/inlets/<inlet>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_inlet)
def remove_inlet(asked: Asked[Query, None], inlet: str) -> None:
    """Takes an inlet away: nobody is heard there any more."""
    inlets.remove(asked.session, asked.by, asked.own(Inlet, inlet))


@api.post("/inlets/<inlet>/secret")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, answer=InletSecret, besides=BOOKS)
def renew_inlet_secret(asked: Asked[Query, None], inlet: str) -> dict[str, str]:
    """Makes a new secret, told this once; the one before counts no more.

    Who has it makes sales and judges calls: the key must be one that may.
    """
    it = asked.own(Inlet, inlet)
    return {"secret": inlets.renew_secret(asked.session, asked.by, it, vault=house().vault)}


@api.post("/inlets/<inlet>/try")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=InletSample, answer=InletTried)
def try_inlet(asked: Asked[Query, InletSample], inlet: str) -> dict[str, Any]:
    """Reads a sample as a message, and says what it would do; nothing is stored."""
    told = sample(asked.body.body, asked.body.query)
    try:
        found = arriving.look(asked.session, asked.company, asked.own(Inlet, inlet), told, asked.by.at)
    except BadRows as bad:
        raise refusal(bad) from None
    return {"results": [each.document() for each in found]}


@api.get("/inlets/<inlet>/arrivals")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=ArrivalList)
def list_arrivals(asked: Asked[Query, None], inlet: str) -> dict[str, Any]:
    """What came in last, the newest first, and what became of each."""
    most = arriving.KEPT + arriving.KEPT_REFUSED
    found = inlets.list_arrivals(asked.session, asked.own(Inlet, inlet), most)
    return {"arrivals": [inlets.describe_arrival(each) for each in found]}


def _told(asked: Asked[Any, Any], it: Inlet) -> dict[str, Any]:
    return inlets.describe(asked.session, it, house().settings.web_url)


def _filled(wish: InletWish | InletChange) -> Filled:
    signature = wish.signature.value if wish.signature else None
    return Filled(
        wish.mapping or {}, wish.persons, signature, wish.place, wish.secret, wish.over_people, wish.name
    )
