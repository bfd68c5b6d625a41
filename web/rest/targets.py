"""Targets over the API: the places that can ring. A password is answered once, when it was made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field, RootModel

from tracker import applying, forward, plan_list, provisioning, targets, trunks
from tracker.models import Target
from tracker.policy.rights import Right, Scope
from web.house import house
from web.rest import scopes
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Name, Page, Paged, Query, Shape, cut
from web.settings.reach import answers

api = Blueprint("rest_targets", __name__, url_prefix="/api/v1")

CallerId = Annotated[
    Literal["caller", "own", "rpid", "diversion"],
    Field(description="What the target is shown: the caller's number, the number dialled, and where"),
]
Srtp = Annotated[Literal["off", "optional", "required"], Field(description="Encrypted sound")]


class TargetOut(Shape):
    """A place that can ring; its passwords are never answered."""

    id: Id
    name: str
    kind: Literal["peer", "phone", "outside", "extension"]
    where: Annotated[str, Field(description="In words")]
    host: str | None
    port: int | None
    transport: Literal["udp", "tcp", "tls"]
    dial: Annotated[str | None, Field(description="What is dialled there; null: the number dialled")]
    username: Annotated[str | None, Field(description="What a phone registers as")]
    number: Annotated[str | None, Field(description="Of an outside target, E.164")]
    trunk: str | None
    caller_id: CallerId
    srtp: Srtp
    login: Annotated[str | None, Field(description="What we log in as at a peer that asks")]
    tls_verify: bool
    tls_ca: str | None
    tells_source: Annotated[bool, Field(description="Whether a peer is told the source in headers")]
    whispers: Annotated[bool, Field(description="Whether who answers hears the company's whisper")]
    endpoint: Annotated[str, Field(description="Its name in the phone system")]
    created_at: datetime


class TargetMade(TargetOut):
    password: Annotated[str | None, Field(description="A phone's, this once")]


class TargetPage(Page):
    targets: list[TargetOut]


class TargetStanding(Shape):
    answers: Annotated[bool | None, Field(description="As the phone system last said; null: not known")]
    forwarding: Annotated[list[str], Field(description="Whose callers are forwarded there: `channel-3`")]
    plans: Annotated[list[str], Field(description="In which it rings")]


class PeerWish(Shape):
    """An existing phone system or SIP device."""

    kind: Literal["peer"]
    name: Name
    host: Annotated[Line, Field(min_length=1)]
    port: Annotated[int | None, Field(ge=1, le=65535, description="None: 5060, with TLS 5061")] = None
    transport: Literal["udp", "tcp", "tls"] = "udp"
    dial: Annotated[Line | None, Field(description="What to dial there; none: the number dialled")] = None
    caller_id: CallerId = "caller"
    login: Annotated[Line | None, Field(description="What we log in as, with `login_password`")] = None
    login_password: Line | None = None
    srtp: Srtp = "off"
    tls_verify: Annotated[bool, Field(description="false: believe any certificate it shows")] = True
    tells_source: bool = False


class PhoneWish(Shape):
    """A phone that registers with us; its password is made here and answered once."""

    kind: Literal["phone"]
    name: Name
    username: Annotated[Line | None, Field(description="None: COMPANY-NAME")] = None
    srtp: Srtp = "optional"


class OutsideWish(Shape):
    """A number that is dialled out over a trunk."""

    kind: Literal["outside"]
    name: Name
    number: Annotated[Line, Field(min_length=1)]
    trunk: Annotated[Line, Field(min_length=1, description="The carrier to dial it over, by its name")]
    country: Annotated[Line | None, Field(description="Allow a number of this country (ISO 3166)")] = None
    caller_id: CallerId = "own"


class ExtensionWish(Shape):
    """An extension of the phone system whose Asterisk includes ours."""

    kind: Literal["extension"]
    name: Name
    dial: Annotated[Line, Field(min_length=1, description="`101`, or `600@from-internal`")]


class TargetWish(
    RootModel[Annotated[PeerWish | PhoneWish | OutsideWish | ExtensionWish, Field(discriminator="kind")]]
):
    """A new place that can ring, of one of the kinds."""


class TargetChange(Shape):
    """What is to be another, as far as its kind has it; what is not named stays."""

    caller_id: CallerId | None = None
    srtp: Srtp | None = None
    tls_verify: bool | None = None
    tells_source: bool | None = None
    whispers: bool | None = None


class TargetPassword(Shape):
    name: str
    username: str
    password: Annotated[str, Field(description="This once; the old one stops with what is made live next")]


class ProvisionWish(Shape):
    hours: Annotated[int, Field(ge=1, le=provisioning.MOST_HOURS, description="How long the link lives")] = 24
    new_password: Annotated[bool, Field(description="Phones that were set up before stop")] = False


class ProvisionMade(Shape):
    """A link that sets up a phone, once; one made before opens nothing any more."""

    name: str
    link: str
    hours: int
    username: str
    server: str
    tls_port: int
    udp_port: int
    srtp: bool
    certificate: Literal["known", "signed by itself"]


@api.get("/targets")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=TargetPage)
def list_targets(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's targets."""
    return cut(targets.of_company(asked.session, asked.company), asked.query, "targets", targets.describe)


@api.get("/targets/<target>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=TargetOut)
def show_target(asked: Asked[Query, None], target: str) -> dict[str, Any]:
    """One target."""
    return targets.describe(asked.own(Target, target))


@api.get("/targets/<target>/standing")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=TargetStanding)
def show_target_standing(asked: Asked[Query, None], target: str) -> dict[str, Any]:
    """Whether a target answers, and where it rings."""
    found, session = asked.own(Target, target), asked.session
    rows = [it for it in forward.of_company(session, asked.company) if it.target_id == found.id]
    return {
        "answers": answers(found, applying.endpoints(session)),
        "forwarding": [scopes.describe(scopes.of_row(session, it))["scope"] for it in rows],
        "plans": plan_list.using(session, found),
    }


@api.post("/targets")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=TargetWish, answer=TargetMade, status=201)
def add_target(asked: Asked[Query, TargetWish]) -> Made:
    """Adds a place that can ring."""
    wish = asked.body.root
    made = targets.add(asked.session, asked.by, asked.company, wish.name, _place(asked, wish))
    told = targets.describe(made) | {"password": made.password}
    return Made(told, f"/api/v1/targets/{made.id}")


@api.patch("/targets/<target>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=TargetChange, answer=TargetOut, current=show_target)
def change_target(asked: Asked[Query, TargetChange], target: str) -> dict[str, Any]:
    """Changes how a target is shown, encrypted and told."""
    found = asked.own(Target, target)
    targets.change(asked.session, asked.by, found, targets.Wish(**asked.body.model_dump()))
    return targets.describe(found)


@api.post("/targets/<target>/password")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, answer=TargetPassword)
def renew_password(asked: Asked[Query, None], target: str) -> dict[str, Any]:
    """Makes a new password for a phone, and answers it once."""
    found = asked.own(Target, target)
    made = targets.new_password(asked.session, asked.by, found)
    return {"name": found.name, "username": found.username, "password": made}


@api.post("/targets/<target>/provision")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=ProvisionWish, answer=ProvisionMade)
def provision_target(asked: Asked[Query, ProvisionWish], target: str) -> dict[str, Any]:
    """Makes a link that sets up a phone, once."""
    found, wish, settings = asked.own(Target, target), asked.body, house().settings
    token = provisioning.make_link(asked.session, asked.by, found, wish.hours)
    if wish.new_password:
        targets.new_password(asked.session, asked.by, found)
    return provisioning.describe(found, settings, token, wish.hours)


@api.delete("/targets/<target>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_target)
def delete_target(asked: Asked[Query, None], target: str) -> None:
    """Deletes a place that nothing rings."""
    targets.delete(asked.session, asked.by, asked.own(Target, target))


def _place(asked: Asked[Any, Any], wish: PeerWish | PhoneWish | OutsideWish | ExtensionWish) -> targets.Place:
    match wish:
        case PeerWish():
            return targets.Peer(**wish.model_dump(exclude={"kind", "name"}))
        case PhoneWish():
            return targets.Phone(wish.username, wish.srtp)
        case OutsideWish():
            trunk = trunks.get(asked.session, wish.trunk)
            return targets.Outside(wish.number, trunk, wish.country, wish.caller_id)
        case ExtensionWish():
            return targets.Extension(wish.dial)
