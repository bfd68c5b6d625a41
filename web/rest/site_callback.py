"""How a site calls its visitors back, over the API: who is rung and when, and what it may cost."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import callback_settings, callbacks
from tracker.callback_settings import BOUNDS, Change
from tracker.errors import Rejected
from tracker.models import Site
from tracker.policy.rights import Right, Scope
from web.callback_texts import TEXTS
from web.house import house
from web.rest.operation import Asked, operation
from web.rest.shapes import Line, Name, Query, Shape

api = Blueprint("rest_site_callback", __name__, url_prefix="/api/v1")

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Words = Annotated[list[Name], Field(max_length=250)]


class CallbackRing(Shape):
    """A target that is rung; null: it is not there any more."""

    target: str | None
    seconds: int


class CallbackSettingsOut(Shape):
    """How a site calls back."""

    site: str
    on: bool
    trunk: Annotated[str | None, Field(description="Visitors are called over it")]
    number: Annotated[str | None, Field(description="Visitors are shown this one")]
    rings: Annotated[
        list[CallbackRing], Field(description="Who is rung; none: whoever rings for the number that is shown")
    ]
    hours: Annotated[str, Field(description="`mon-fri 09:00-18:00`; empty: as the plan says")]
    timezone: Annotated[str | None, Field(description="Of these hours; null: the company's")]
    countries: Annotated[list[str], Field(description="Whose numbers are called; none: the company's")]
    prefixes: Annotated[list[str], Field(description="Only numbers that begin so, if there are any")]
    language: str
    visitor_seconds: Annotated[int, Field(description="How long the visitor's phone rings")]
    tries: int
    retry_minutes: int
    per_client: Annotated[int, Field(description="From one address within an hour")]
    per_number: Annotated[int, Field(description="For one number within 24 hours")]
    per_day: int
    seconds_per_day: Annotated[int, Field(description="Talk within 24 hours; beyond it nobody is called")]
    looks: Annotated[dict[str, str], Field(description="`color`, `text`, `position` where they are its own")]
    texts: Annotated[dict[str, dict[str, str]], Field(description="The site's own, by language and name")]


class CallbackRingWish(Shape):
    target: Name
    seconds: Annotated[int | None, Field(ge=0, le=3600, description="None: as this installation is set")] = (
        None
    )


class CallbackChange(Shape):
    """What is to be another; what is not named stays. An empty text or list takes back."""

    on: bool | None = None
    trunk: Line | None = None
    number: Line | None = None
    rings: Annotated[list[CallbackRingWish] | None, Field(max_length=10)] = None
    hours: Annotated[str | None, Field(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")] = None
    timezone: Line | None = None
    countries: Words | None = None
    prefixes: Words | None = None
    language: Line | None = None
    color: Annotated[Line | None, Field(description="Of the button: `#3451d1`")] = None
    text_color: Line | None = None
    position: Annotated[Line | None, Field(description="`bottom-right` or `bottom-left`")] = None
    texts: Annotated[
        dict[Name, dict[Name, Line]] | None, Field(description="By language and name; empty: ours again")
    ] = None
    visitor_seconds: Count | None = None
    tries: Count | None = None
    retry_minutes: Count | None = None
    per_client: Count | None = None
    per_number: Count | None = None
    per_day: Count | None = None
    seconds_per_day: Count | None = None


class CallbackTrial(Shape):
    phone: Annotated[Line, Field(min_length=1, description="The phone that is called back")]


class CallbackTried(Shape):
    """What became of it: `/callbacks/<key>` follows it."""

    key: str
    state: str
    reason: Annotated[str | None, Field(description="Why it was refused, where it was")]


@api.get("/sites/<site>/callback")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=CallbackSettingsOut)
def show_callback(asked: Asked[Query, None], site: str) -> dict[str, Any]:
    """How a site calls back."""
    found = asked.own(Site, site)
    it = callback_settings.of_site(asked.session, found)
    return callback_settings.describe(asked.session, found, it)


@api.patch("/sites/<site>/callback")
@operation(
    Scope.SETTINGS_WRITE,
    Right.ADMINISTER,
    body=CallbackChange,
    answer=CallbackSettingsOut,
    current=show_callback,
)
def change_callback(asked: Asked[Query, CallbackChange], site: str) -> dict[str, Any]:
    """Changes how a site calls back; it is checked as a whole before it is turned on."""
    found = asked.own(Site, site)
    it = callback_settings.change(asked.session, asked.by, asked.company, found, _change(asked.body))
    return callback_settings.describe(asked.session, found, it)


@api.post("/sites/<site>/callback/test")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=CallbackTrial, answer=CallbackTried)
def test_callback(asked: Asked[Query, CallbackTrial], site: str) -> dict[str, Any]:
    """Has a phone called back as if its owner had asked on the site, and refused as he would be."""
    made = callbacks.try_out(asked.session, asked.by, asked.own(Site, site), asked.body.phone[:60])
    return {"key": made.key, "state": made.state.value, "reason": made.reason and made.reason.value}


def _change(wish: CallbackChange) -> Change:
    usual = house().settings.ring_seconds
    given = wish.model_dump(exclude={"on", "rings", *BOUNDS}, exclude_none=True)
    if unknown := sorted({name for own in (wish.texts or {}).values() for name in own} - set(TEXTS)):
        raise Rejected(
            "callback.text",
            "There is no text %(name)r",
            "Give one of: %(accepted)s",
            name=unknown[0][:40],
            accepted=sorted(TEXTS),
        )
    counts = wish.model_dump(include=set(BOUNDS), exclude_none=True)
    rings = wish.rings
    return Change(
        is_on=wish.on,
        rings=None
        if rings is None
        else [(it.target, usual if it.seconds is None else it.seconds) for it in rings],
        counts=counts or None,
        **given,
    )
