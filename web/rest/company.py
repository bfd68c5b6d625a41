"""The company itself over the API, and the carriers of the installation, to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from tracker import applying, companies, trunks
from tracker.policy.rights import Right, Scope
from web.rest.operation import Asked, operation
from web.rest.shapes import Id, Line, Query, Shape
from web.settings.reach import answers

api = Blueprint("rest_company", __name__, url_prefix="/api/v1")


class CompanyOut(Shape):
    """Whose numbers these are."""

    slug: Annotated[str, Field(description="Its short name")]
    name: str
    region: Annotated[str, Field(description="Country (ISO 3166): how its national numbers are read")]
    timezone: str
    currency: Annotated[str, Field(description="ISO 4217")]
    language: str
    judge_by_phone: Annotated[bool, Field(description="Employees may judge a call by their phone's keys")]
    recording_codes: Annotated[bool, Field(description="Employees may pause the recording by codes")]
    remember_refusals: Annotated[bool, Field(description="Who refused by a key is never recorded again")]
    whisper: Annotated[str | None, Field(description="What employees hear before they are connected")]
    created_at: datetime


class CompanyChange(Shape):
    """What is to be another; what is not named stays. Sums of money are never converted."""

    name: Annotated[Line | None, Field(min_length=1)] = None
    region: Line | None = None
    timezone: Line | None = None
    currency: Line | None = None
    language: Line | None = None
    judge_by_phone: bool | None = None
    recording_codes: bool | None = None
    remember_refusals: bool | None = None
    whisper: Annotated[
        Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")] | None,
        Field(description="Words with the places {channel}, {source}, {campaign}, {keyword}, {again};"
                          " empty: nothing"),
    ] = None  # fmt: skip


class TrunkOut(Shape):
    """A carrier that brings calls; it belongs to the whole installation."""

    id: Id
    name: str
    kind: Annotated[Literal["registration", "ip"], Field(description="How it is known")]
    host: str
    port: int
    state: Literal["active", "retired"]
    answers: Annotated[bool | None, Field(description="Whether it answers; null: not known")]


class TrunkList(Shape):
    trunks: list[TrunkOut]


@api.get("/company")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=CompanyOut)
def show_company(asked: Asked[Query, None]) -> dict[str, Any]:
    """The company."""
    return companies.describe(asked.company)


@api.patch("/company")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=CompanyChange, answer=CompanyOut, current=show_company
)
def change_company(asked: Asked[Query, CompanyChange]) -> dict[str, Any]:
    """Changes the company: name, country, time zone, money, language, what employees hear and may do."""
    if wish := asked.body.model_dump(exclude_none=True):
        companies.change(asked.session, asked.by, asked.company, **wish)
    return companies.describe(asked.company)


@api.get("/trunks")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=TrunkList)
def list_trunks(asked: Asked[Query, None]) -> dict[str, Any]:
    """The carriers, and whether each answers; whoever runs the installation adds and changes them."""
    states = applying.endpoints(asked.session)
    told = []
    for it in trunks.everyone(asked.session):
        row = trunks.describe(it)
        shown = {name: row[name] for name in TrunkOut.model_fields if name in row}
        told.append(shown | {"answers": answers(it, states)})
    return {"trunks": told}
