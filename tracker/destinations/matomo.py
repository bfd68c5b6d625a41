"""Matomo by its Tracking HTTP API: a call as an event of the visitor's own visit, or as a goal.

Wire format: https://developer.matomo.org/api-reference/tracking-api. One request a call, answered by 204 or
by what is wrong. The token goes in the body, where no log keeps it; with it a call may be told later than a
day. Matomo does not know again what it was told: what is sent twice counts twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from tracker.destinations.kind import (
    BARRED,
    Field,
    FieldKind,
    Kind,
    Line,
    Parcel,
    post_form,
    usual_answer,
)
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.delivering import Event, Timing, Why
from tracker.policy.parcels import CallFacts, VisitFacts
from tracker.policy.telling import Answer
from tracker.policy.worth import Category

# Matomo takes any past with a token, but its archive of a month that is over is not counted anew by itself.
SOON = Timing(until=timedelta(days=7))
_VISITOR = re.compile(r"[0-9a-f]{16}")


def why_not(options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Calls of visits; of a category only what there is a goal for, where there is one."""
    visit = parcel.call.visit
    if visit is None:
        return Why.NOBODY
    if not visit.allows_analytics():
        return Why.CONSENT
    judged_otherwise = (
        parcel.event is Event.CATEGORISED
        and bool(options.get("target_goal"))
        and parcel.call.category is not Category.TARGET
    )
    return Why.UNWANTED if judged_otherwise else None


def visitor_of(visit: VisitFacts, site_id: str) -> str | None:
    """Matomo's id of the visitor: the sixteen digits at the head of its cookie `_pk_id.SITE.DOMAIN`."""
    names = sorted(visit.cookies, key=lambda name: not name.startswith(f"_pk_id.{site_id}."))
    found = [visit.cookies[name].partition(".")[0] for name in names if name.startswith("_pk_id")]
    return next((each for each in found if _VISITOR.fullmatch(each)), None)


def body_of(options: Mapping[str, str], parcel: Parcel, visit: VisitFacts) -> dict[str, str]:
    """The parameters of one request."""
    told: dict[str, Any] = {
        "idsite": options["site_id"],
        "rec": 1,
        "apiv": 1,
        "send_image": 0,
        "rand": parcel.call.key,  # any text; here what a call is found by in the other side's log
        "cdt": parcel.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        **_who(options, visit),
        **_what(options, parcel),
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One request a parcel."""
    for parcel in parcels:
        if (visit := parcel.call.visit) is None:  # since somebody looked; the call was attributed anew
            yield Answer(False, "The call is nobody's visit any more", final=True)
            continue
        body = body_of(line.options, parcel, visit) | {"token_auth": line.secrets["token"]}
        try:
            yield meaning(post_form(line, f"{line.options['address'].rstrip('/')}/matomo.php", body), line)
        except Trouble as trouble:
            yield Answer(False, str(trouble))


def meaning(reply: Reply, line: Line) -> Answer:
    """What its answer means: 204; 400 for a request it cannot read, and for a site or token that is wrong."""
    answer = usual_answer(reply, line.now, BARRED | {404})
    ours = reply.status == 400 and re.search(r"idSite|authenticat", reply.text, re.IGNORECASE)  # unconfirmed
    return replace(answer, final=False) if ours else answer


def _who(options: Mapping[str, str], visit: VisitFacts) -> dict[str, Any]:
    """The visitor as Matomo's script knows him; else a user of ours, with what tells where he came from."""
    page = visit.page_url or visit.landing_url
    if known := visitor_of(visit, options["site_id"]):
        return {"cid": known, "url": page}
    return {"uid": visit.key, "url": visit.landing_url or page, "urlref": visit.referrer}


def _what(options: Mapping[str, str], parcel: Parcel) -> dict[str, Any]:
    """A goal where there is one for it, else an event."""
    call, judged = parcel.call, parcel.event is Event.CATEGORISED
    worth = None if call.value is None else f"{call.value:.2f}"
    if goal := options.get("target_goal" if judged else "goal"):
        return {"idgoal": goal, "revenue": worth}
    return {
        "ca": 1,
        "e_c": options.get("event_category") or "Phone call",
        "e_a": _action(call, judged=judged),
        "e_n": " / ".join(part for part in (call.group, call.campaign) if part) or None,
        "e_v": worth,
    }


def _action(call: CallFacts, *, judged: bool) -> str:
    return (call.category or "undecided") if judged else (call.outcome or "unknown")


_GOAL = r"\d{1,9}"
KIND = Kind(
    word="matomo",
    title="Matomo",
    about=say("Each call as an event or a goal of the visitor's own visit; its category as a second one"),
    fields=(
        Field(
            "address",
            say("Address"),
            say("Of your Matomo, without matomo.php; https, or a network named in webhook_networks"),
            FieldKind.URL,
        ),
        Field("site_id", say("Site id"), say("Administration, Websites, Manage: the ID"), form=r"\d{1,9}"),
        Field(
            "token",
            say("Token"),
            say("Administration, Personal, Security, Auth tokens: of a user who may write to the site"),
            FieldKind.SECRET,
            form=r"[0-9a-zA-Z]{16,64}",
        ),
        Field(
            "goal",
            say("Goal of a call"),
            say("The id of a goal that each call reaches; empty: an event"),
            required=False,
            form=_GOAL,
        ),
        Field(
            "target_goal",
            say("Goal of a target call"),
            say("The id of a goal for calls judged so; empty: an event for each category"),
            required=False,
            form=_GOAL,
        ),
        Field(
            "event_category",
            say("Category of the events"),
            say("As they are grouped under Behaviour, Events"),
            required=False,
            usual="Phone call",
            form=r".{1,100}",
        ),
    ),
    timings={Event.COMPLETED: SOON, Event.CATEGORISED: SOON},
    usual_events=(Event.COMPLETED, Event.CATEGORISED),
    send=send,
    why_not=why_not,
)
