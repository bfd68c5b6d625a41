"""Destinations over the API: where calls are told, how each fares, tried out. Secrets come in, never out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field, StrictBool, StringConstraints
from werkzeug.wrappers import Response

from tracker import destination_list, destination_trial, owned
from tracker.destination_list import NO_LAG, Filled
from tracker.destinations import KINDS, FieldKind, Kind
from tracker.models import Destination
from tracker.policy.delivering import Event
from tracker.policy.rights import Right, Scope
from web.catalogues import translator
from web.house import house, row_id
from web.rest.answering import answer_of, dumped
from web.rest.operation import Asked, Made, operation, the_company
from web.rest.shapes import Id, Line, Page, Paged, Query, Shape, cut

api = Blueprint("rest_destinations", __name__, url_prefix="/api/v1")

Name = Annotated[Line, Field(min_length=1, max_length=60)]
Value = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Events = Annotated[list[Event], Field(min_length=1, max_length=10)]


def _fields_told(*, secret: bool) -> str:
    """The fields of every kind, out of the registry."""

    def names(kind: Kind) -> list[str]:
        its = [it for it in kind.fields if (it.kind is FieldKind.SECRET) == secret]
        return [it.name + ("" if it.required else "?") for it in its]

    told = [f"{word}: {', '.join(named)}" for word, kind in KINDS.items() if (named := names(kind))]
    return f"{'; '.join(told)}. With `?` where it need not be; hints: `GET /destinations/kinds`"


Options = Annotated[dict[str, Value], Field(description=_fields_told(secret=False))]
Secrets = Annotated[dict[str, Value], Field(description=_fields_told(secret=True))]


class DestinationOut(Shape):
    """Where calls are told, and how that fares."""

    id: Id
    name: str
    kind: str
    title: str
    state: Literal["on", "paused", "failing", "disconnected", "disabled"]
    options: dict[str, str]
    events: Annotated[list[str], Field(description="What of a call is told")]
    created_at: datetime
    sent_at: Annotated[datetime | None, Field(description="When something was taken last")]
    failing_since: datetime | None
    retry_at: datetime | None
    answer: Annotated[str | None, Field(description="What was said last")]
    disabled_because: str | None
    waiting: Annotated[int, Field(description="What is due")]
    oldest_at: Annotated[datetime | None, Field(description="Since when something is due")]
    held: Annotated[int, Field(description="What waits for a category, a recording or its clock")]
    failed: Annotated[int, Field(description="Given up in the last seven days")]


class DestinationMade(DestinationOut):
    """A destination, this once with the secret that was made for it."""

    secret: Annotated[str | None, Field(description="A webhook's, if none was given")]


class DestinationPage(Page):
    destinations: list[DestinationOut]


class DestinationField(Shape):
    """Something to fill in."""

    name: str
    secret: bool
    required: bool
    usual: str | None
    choices: list[str] | None
    hint: str


class DestinationKind(Shape):
    """A kind of destination, and what it needs."""

    kind: str
    title: str
    about: str
    fields: list[DestinationField]
    events: list[Event]
    usual_events: list[Event]


class DestinationKinds(Shape):
    kinds: list[DestinationKind]


class DestinationWish(Shape):
    """A new destination, told of calls that begin from now on."""

    kind: Annotated[str, Field(max_length=20, json_schema_extra={"enum": sorted(KINDS)})]
    name: Annotated[Name | None, Field(description="Without one its kind's title")] = None
    options: Options = Field(default_factory=dict)
    secrets: Secrets = Field(default_factory=dict)
    events: Annotated[Events | None, Field(description="Without any what its kind usually is told")] = None


class DestinationChange(Shape):
    """What is to be another; what is not named stays. An empty value takes away."""

    name: Name | None = None
    options: Options = Field(default_factory=dict)
    secrets: Secrets = Field(default_factory=dict)
    events: Events | None = None
    paused: Annotated[StrictBool | None, Field(description="Whether what comes waits")] = None
    forget_secret: Annotated[
        StrictBool, Field(description="Whether a webhook's secret of before signs no more")
    ] = False


class Exchanged(Shape):
    """A request and its answer, secrets masked."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    reply: str


class DestinationTried(Shape):
    """What became of a test."""

    delivered: bool
    answer: str
    exchanges: list[Exchanged]


@api.get("/destinations/kinds")
@operation(Scope.DELIVERIES_READ, Right.ADMINISTER, answer=DestinationKinds)
def list_kinds(_asked: Asked[Query, None]) -> dict[str, Any]:
    """The kinds of destinations: what each needs, and what it can be told."""
    return {"kinds": [_kind(it) for it in KINDS.values()]}


@api.get("/destinations")
@operation(Scope.DELIVERIES_READ, Right.ADMINISTER, query=Paged, answer=DestinationPage)
def list_destinations(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's destinations."""
    rows = destination_list.describe_all(asked.session, asked.company, asked.by.at)
    return cut(rows, asked.query, "destinations", dict, itemgetter("id"))


def _set_by_people(told: Mapping[str, Any]) -> dict[str, Any]:
    """A destination without how it fares, so that a busy one can be changed with `If-Match`."""
    its = {each: told[each] for each in ("id", "name", "kind", "options", "events", "created_at")}
    return its | {"paused": told["state"] == "paused"}


@api.get("/destinations/<destination>")
@operation(Scope.DELIVERIES_READ, Right.ADMINISTER, answer=DestinationOut, set_by_people=_set_by_people)
def show_destination(asked: Asked[Query, None], destination: str) -> dict[str, Any]:
    """One destination, without its secrets."""
    return _told(asked, asked.own(Destination, destination))


@api.post("/destinations")
@operation(Scope.DELIVERIES_WRITE, Right.ADMINISTER, body=DestinationWish, answer=DestinationMade, status=201)
def add_destination(asked: Asked[Query, DestinationWish]) -> Made:
    """Adds a destination. The secret that is made for a webhook is in the answer, this once."""
    wish, vault = asked.body, house().vault
    filled = Filled(_values(wish.options, wish.secrets), wish.events, wish.name)
    made = destination_list.add(asked.session, asked.by, asked.company, wish.kind, filled, vault=vault)
    own = made.kind == "webhook" and not wish.secrets.get("secret")
    secret = vault.open(made.secrets)["secret"] if own else None
    return Made(_told(asked, made) | {"secret": secret}, f"/api/v1/destinations/{made.id}")


@api.patch("/destinations/<destination>")
@operation(
    Scope.DELIVERIES_WRITE, Right.ADMINISTER, body=DestinationChange, answer=DestinationOut,
    current=show_destination,
)  # fmt: skip
def change_destination(asked: Asked[Query, DestinationChange], destination: str) -> dict[str, Any]:
    """Changes a destination, pauses it or lets it go on. One that wanted no more is told again."""
    it, wish, vault = asked.own(Destination, destination), asked.body, house().vault
    if wish.forget_secret:
        destination_list.forget_secret(asked.session, asked.by, it, vault=vault)
    if wish.options or wish.secrets or wish.events or wish.name:
        filled = Filled(_values(wish.options, wish.secrets), wish.events, wish.name)
        destination_list.change(asked.session, asked.by, it, filled, vault=vault)
    if wish.paused is not None:
        destination_list.pause(asked.session, asked.by, it, paused=wish.paused)
    return _told(asked, it)


@api.delete("/destinations/<destination>")
@operation(Scope.DELIVERIES_WRITE, Right.ADMINISTER, status=204, current=show_destination)
def delete_destination(asked: Asked[Query, None], destination: str) -> None:
    """Tells a destination no more, and forgets what it was told."""
    destination_list.delete(asked.session, asked.by, asked.own(Destination, destination))


@api.post("/destinations/<destination>/test")
@operation(Scope.DELIVERIES_WRITE, Right.ADMINISTER, answer=DestinationTried, bare=True)
def test_destination(destination: str) -> Response:
    """Sends a test, now: what was asked and answered, secrets masked."""
    company_id = the_company(Right.ADMINISTER)
    with house().database.read() as session:
        its = owned.find(session, Destination, company_id, row_id(destination)).id
    tried = destination_trial.try_now(
        house().database, house().settings, its, house().clock(), translator=translator
    )
    return answer_of(200, dumped(destination_trial.describe(tried)))


def _told(asked: Asked[Any, Any], it: Destination) -> dict[str, Any]:
    asked.session.flush()
    lags = destination_list.lags(asked.session, asked.company, asked.by.at)
    return destination_list.describe(it) | destination_list.describe_lag(lags.get(it.id, NO_LAG))


def _values(options: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    return {**options, **secrets}


def _kind(it: Kind) -> dict[str, Any]:
    fields = [
        {
            "name": each.name, "secret": each.kind is FieldKind.SECRET, "required": each.required,
            "usual": each.usual or None, "choices": list(each.choices) or None, "hint": str(each.hint),
        }
        for each in it.fields
    ]  # fmt: skip
    return {
        "kind": it.word, "title": it.title, "about": str(it.about), "fields": fields,
        "events": list(it.timings), "usual_events": list(it.usual_events),
    }  # fmt: skip
