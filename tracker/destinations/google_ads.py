"""Google Ads by the Data Manager API: the click that brought a call counts as a conversion.

Wire format: https://developers.google.com/data-manager/api/reference/rest/v1/events/ingest. A request is
taken whole or not at all; its refusal names the events that are wrong, and the rest is sent again in the same
turn. Google folds a conversion with a `transactionId` that it knows, so what is sent twice counts once. What
it thinks of each click it says later (tracker.destinations.google_verdicts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.destinations import google_verdicts
from tracker.destinations.google_api import ADDRESS, OAUTH, TOKEN_ADDRESS, ask, receipt_of
from tracker.destinations.kind import (
    Field,
    FieldKind,
    Kind,
    Line,
    Parcel,
    Stop,
    hold_field,
    usual_answer,
)
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.delivering import Event, Hold, Timing, Why
from tracker.policy.parcels import CallFacts, VisitFacts, digest_plus
from tracker.policy.telling import Answer

MOST_EVENTS = 2000  # of a request
TOO_RECENT = timedelta(hours=6)  # a click younger than this is refused
LONGEST_WINDOW = timedelta(days=90)  # of a click, whatever the conversion action says; unconfirmed
USUAL_HOLD = 3  # days
ONE = "call"  # the reference of our only destination in a request
CLICKS = ("gclid", "gbraid", "wbraid")  # exactly one is sent, the first there is
CATEGORIES = r"(target|service|non_target)"
_NAMED = re.compile(r"\bevents\[(\d+)\]")


def why_not(options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Only calls of a click on an ad, and of those the ones that count."""
    visit = parcel.call.visit
    if visit is None:
        return Why.NOBODY
    if not visit.allows_ads():
        return Why.CONSENT
    if click_of(visit) is None:
        return Why.NOBODY
    return None if counts(options, parcel.call) else Why.UNWANTED


def counts(options: Mapping[str, str], call: CallFacts) -> bool:
    """Whether the call is a conversion: by its category, or without one by what became of it."""
    if call.category is not None:
        return call.category.value in re.split(r",\s*", options.get("categories") or "target")
    unjudged = options.get("unjudged") or "answered"
    return unjudged == "all" or (unjudged == "answered" and call.answered)


def click_of(visit: VisitFacts) -> dict[str, str] | None:
    """The one click id that is sent: two of them are refused."""
    return next(({name: visit.click_ids[name]} for name in CLICKS if visit.click_ids.get(name)), None)


def body_of(options: Mapping[str, str], parcels: Sequence[Parcel], *, trial: bool) -> dict[str, Any]:
    """A request with an event for each parcel."""
    place = {
        "reference": ONE,
        "operatingAccount": _account(options["customer_id"]),
        "productDestinationId": options["conversion_action"],
    }
    if manager := options.get("manager_id"):
        place["loginAccount"] = _account(manager)
    return {
        "destinations": [place],
        "encoding": "HEX",
        "events": [_event(options, each.call) for each in parcels],
        "validateOnly": trial,
    }


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One request, and another without those that it stumbled over."""
    return _deliver(line, parcels, trial=False)


def check(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """The same, looked at over there and not kept."""
    return _deliver(line, parcels, trial=True)


def ingest(line: Line, parcels: Sequence[Parcel], *, trial: bool = False) -> Reply:
    """Tell of them in one request. Raises Stop, Trouble."""
    return ask(line, "POST", "events:ingest", body_of(line.options, parcels, trial=trial))


def _deliver(line: Line, parcels: Sequence[Parcel], *, trial: bool) -> Iterator[Answer]:
    answers: dict[int, Answer] = {}
    while left := [at for at in range(len(parcels)) if at not in answers]:
        try:
            told: Reply | Answer = ingest(line, [parcels[at] for at in left], trial=trial)
        except Trouble as trouble:
            told = Answer(False, str(trouble))
        except Stop as stop:
            told = stop.answer
        answers |= _answers(told, left, line.now)
    return (answers[at] for at in range(len(parcels)))


def _answers(reply: Reply | Answer, left: Sequence[int], now: datetime) -> dict[int, Answer]:
    """What is settled by a reply, by the parcels' places: those that it names, or all of them."""
    if isinstance(reply, Answer):
        return dict.fromkeys(left, reply)
    if reply.status == 400:
        named = {left[at]: why for at, why in violations(reply).items() if at < len(left)}
        if named:
            return {at: Answer(False, f"{reply.status} · {why}", final=True) for at, why in named.items()}
        # An account, a conversion action, a currency: ours to mend, and no call's fault.
        return dict.fromkeys(left, Answer(False, reply.shown()))
    answer = usual_answer(reply, now)
    if not answer.ok:
        return dict.fromkeys(left, replace(answer, final=False))
    return dict.fromkeys(left, replace(answer, receipt=receipt_of(reply)))


def violations(reply: Reply) -> dict[int, str]:
    """Which events a refusal names, and what it says of each."""
    error = reply.json().get("error")
    if not isinstance(error, dict):
        return {}
    found: dict[int, str] = {}
    for detail in error.get("details") or ():
        for each in detail.get("fieldViolations") or ():
            if place := _NAMED.search(str(each.get("field"))):
                said = (each.get("field"), each.get("description"), each.get("reason"))
                found.setdefault(int(place[1]), " · ".join(str(part) for part in said if part))
    message = str(error.get("message") or "")
    return found or {int(place): message for place in _NAMED.findall(message)}


def _event(options: Mapping[str, str], call: CallFacts) -> dict[str, Any]:
    told: dict[str, Any] = {
        "destinationReferences": [ONE],
        # Digits alone are refused, and `validateOnly` does not say so.
        "transactionId": f"call-{call.key}",
        "eventTimestamp": call.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "PHONE",
    }
    if call.visit is not None:
        told["adIdentifiers"] = click_of(call.visit)
        told |= _consent(call.visit)
    if call.caller and options.get("enhanced") == "yes":
        told["userData"] = {"userIdentifiers": [{"phoneNumber": digest_plus(call.caller)}]}
    if call.value is not None:
        told |= {"conversionValue": float(call.value), "currency": call.currency}
    return told


def _consent(visit: VisitFacts) -> dict[str, Any]:
    """What the visitor said; where nobody asked him, nothing is claimed."""
    if visit.ads is None:
        return {}
    word = "CONSENT_GRANTED" if visit.ads else "CONSENT_DENIED"
    return {"consent": {"adUserData": word, "adPersonalization": word}}


def _account(text: str) -> dict[str, str]:
    return {"accountType": "GOOGLE_ADS", "accountId": text.replace("-", "")}


_ACCOUNT = r"\d{3}-?\d{3}-?\d{4}"
KIND = Kind(
    word="google_ads",
    title="Google Ads",
    about=say("Calls that an ad brought as conversions of its click, when they have been judged"),
    fields=(
        Field(
            "customer_id",
            say("Customer id"),
            say("Of the account that owns the conversion action: 123-456-7890"),
            form=_ACCOUNT,
        ),
        Field(
            "manager_id",
            say("Manager account"),
            say("If you reach that account through one: its customer id"),
            required=False,
            form=_ACCOUNT,
        ),
        Field(
            "conversion_action",
            say("Conversion action"),
            say("Its id: the number behind ctId= in the address of its page"),
            form=r"\d{4,20}",
        ),
        Field("client_id", say("OAuth client id"), say("Google Cloud, Credentials"), FieldKind.SECRET),
        Field("client_secret", say("OAuth client secret"), say("There too"), FieldKind.SECRET),
        Field(
            "refresh_token",
            say("Refresh token"),
            say("Empty: connect the destination when it is added, as a user of the account"),
            FieldKind.SECRET,
            required=False,
        ),
        Field(
            "categories",
            say("Categories that count"),
            say("One or several of target, service, non_target, with commas"),
            required=False,
            usual="target",
            form=rf"{CATEGORIES}(, ?{CATEGORIES})*",
        ),
        Field(
            "unjudged",
            say("Calls without a category"),
            say("When the wait is over: those that were answered, all, none"),
            FieldKind.CHOICE,
            required=False,
            usual="answered",
            choices=("answered", "all", "none"),
        ),
        hold_field(USUAL_HOLD, 60),
        Field(
            "enhanced",
            say("Hashed caller number"),
            say("yes, if enhanced conversions for leads are switched on there; else all is refused"),
            FieldKind.YES_NO,
            required=False,
            usual="no",
        ),
        Field("address", say("Address"), say("Of the API"), FieldKind.URL, required=False, usual=ADDRESS),
        Field(
            "token_address",
            say("Address for tokens"),
            say("Where access tokens are fetched"),
            FieldKind.URL,
            required=False,
            usual=TOKEN_ADDRESS,
        ),
    ),
    timings={
        Event.COMPLETED: Timing(
            Hold.CATEGORY,
            hold_for=timedelta(days=USUAL_HOLD),
            after_click=TOO_RECENT,
            until=LONGEST_WINDOW,
            of_visit=True,
        )
    },
    usual_events=(Event.COMPLETED,),
    send=send,
    test=check,
    why_not=why_not,
    batch=MOST_EVENTS,
    follow=google_verdicts.follower(ingest),
    follow_after=google_verdicts.FIRST_LOOK,
    oauth=OAUTH,
)
