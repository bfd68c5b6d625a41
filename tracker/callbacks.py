"""Callbacks: a visitor's wish becomes a request, is refused or waits, is called, and becomes a call.

What is refused is kept like everything else, with its reason. How it is called: tracker.callback_tries.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from tracker.audit import By
from tracker.callback_employees import Asked, rung_at
from tracker.callback_rules import own_numbers, rules_of, spoken_seconds
from tracker.callback_tries import end, tell
from tracker.errors import Rejected
from tracker.held import hold
from tracker.models import (
    Call,
    CallbackReason,
    CallbackRequest,
    CallbackSettings,
    CallbackState,
    CallbackTry,
    CallbackVia,
    Company,
    Site,
    Visit,
)
from tracker.policy.callback import (
    CALLING,
    OPEN_STATES,
    SAME_MINUTES,
    Accept,
    Standing,
    Wish,
    decide,
    one_client,
    read_phone,
)
from tracker.policy.detail import printable

KEY_BYTES = 12
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Asking:
    """What came in: whose wish, from where. `token` tells a click sent twice from two clicks."""

    phone: str
    via: CallbackVia
    token: str = ""
    client: str | None = None
    name: str = ""
    note: str = ""
    wanted_at: datetime | None = None
    visit_id: int | None = None


def ask(session: Session, site: Site, asking: Asking, now: datetime) -> CallbackRequest:
    """The request for this wish, in a write transaction: a new one, or the one that it is again.

    What is refused is kept as well, with its reason.
    """
    company = session.get_one(Company, site.company_id)
    settings = session.scalar(
        sa.select(CallbackSettings)
        .where(CallbackSettings.site_id == site.id)
        .with_for_update(key_share=True)  # one after the other, so that two clicks find each other
        .execution_options(populate_existing=True)
    )
    rules = rules_of(settings, company)
    read = read_phone(asking.phone, rules.region)
    phone = "" if isinstance(read, CallbackReason) else read
    if known := _the_same(session, site, asking.token, phone, now):
        return known
    asking = replace(asking, client=one_client(asking.client) if asking.client else None)
    before = _standing(session, site, asking.client, phone, now)
    decided = decide(Wish(asking.phone, now, asking.wanted_at), rules, before)
    request = _new(site, asking, phone, now)
    if isinstance(decided, Accept):
        due_at = decided.due_at
        if settings is not None:
            due_at = rung_at(session, settings, rules.hours, rules.zone, Asked(due_at, request))
        request.state, request.due_at, request.promised_at = CallbackState.WAITING, due_at, due_at
    else:
        request.state, request.reason, request.over_at = CallbackState.REFUSED, decided.reason, now
    session.add(request)
    session.flush()
    return request


def try_out(session: Session, by: By, site: Site, phone: str) -> CallbackRequest:
    """A person has that phone called back as if its owner had asked on the site; refused as he would be."""
    made = ask(session, site, Asking(phone, CallbackVia.PERSON), by.at)
    by.note(session, "callback.test", site.company_id, subject=site.name, detail={"request": made.key})
    return made


def _new(site: Site, asking: Asking, phone: str, now: datetime) -> CallbackRequest:
    return CallbackRequest(
        key=secrets.token_urlsafe(KEY_BYTES),
        company_id=site.company_id,
        site_id=site.id,
        visit_id=asking.visit_id,
        via=asking.via,
        token=printable(asking.token, 64) or secrets.token_urlsafe(KEY_BYTES),
        client=asking.client,
        phone=phone,
        written=printable(asking.phone, 40),
        name=printable(asking.name, 100) or None,
        note=printable(asking.note, 500) or None,
        wanted_at=asking.wanted_at,
        requested_at=now,
        tries=0,
        unknowns=0,
        story=[],
    )


def _the_same(session: Session, site: Site, token: str, phone: str, now: datetime) -> CallbackRequest | None:
    """The request this wish is again: the same click, or the same number while it is called or just was."""
    of_site = sa.select(CallbackRequest).where(CallbackRequest.site_id == site.id)
    if token and (known := session.scalar(of_site.where(CallbackRequest.token == printable(token, 64)))):
        return known
    if not phone:
        return None
    recent = CallbackRequest.requested_at > now - timedelta(minutes=SAME_MINUTES)
    open_now = CallbackRequest.state.in_(OPEN_STATES)
    good = CallbackRequest.state != CallbackState.REFUSED
    wanted = of_site.where(CallbackRequest.phone == phone, good, sa.or_(recent, open_now))
    return session.scalar(wanted.order_by(CallbackRequest.id.desc()).limit(1))


def _standing(session: Session, site: Site, client: str | None, phone: str, now: datetime) -> Standing:
    """What went before, in three counts on indexes."""
    accepted = CallbackRequest.state != CallbackState.REFUSED
    today = CallbackRequest.requested_at > now - _DAY

    def count(*where: sa.ColumnElement[bool]) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(CallbackRequest).where(*where)) or 0

    ours = CallbackRequest.company_id == site.company_id
    lately = CallbackRequest.requested_at > now - _HOUR
    return Standing(
        own_numbers=own_numbers(session, site.company_id),
        from_client=count(ours, lately, CallbackRequest.client == client) if client else 0,
        for_number=count(ours, today, accepted, CallbackRequest.phone == phone) if phone else 0,
        of_site=count(ours, today, accepted, CallbackRequest.site_id == site.id),
        seconds=spoken_seconds(session, site.id, now),
    )


# ---- looked at, called off ----


def get(session: Session, company_ids: Collection[int], key: str) -> CallbackRequest:
    """The request of that key among these companies'. Raises Rejected callback.unknown."""
    wanted = sa.select(CallbackRequest).where(
        CallbackRequest.key == key[:24], CallbackRequest.company_id.in_(list(company_ids))
    )
    if request := session.scalar(wanted):
        return request
    raise Rejected(
        "callback.unknown", "There is no callback %(key)r", "See `leaseline callback list`", key=key[:24]
    )


def cancel(session: Session, by: By, request: CallbackRequest) -> None:
    """It is not to be called any more. Raises Rejected callback.over, callback.calling."""
    gone = Rejected("callback.unknown", "There is no callback %(key)r", "It is gone", key=request.key)
    hold(session, request, gone)
    if request.state in CALLING:
        raise Rejected(
            "callback.calling", "It is being called at this moment", "Wait until the phones are silent"
        )
    if request.state is not CallbackState.WAITING:
        raise Rejected("callback.over", "It is over already", "There is nothing to call off")
    end(request, CallbackState.GIVEN_UP, CallbackReason.CANCELLED, by.at)
    tell(request, CallbackReason.CANCELLED.value, by.at)
    by.note(session, "callback.cancel", request.company_id, subject=request.key)


def try_again(session: Session, by: By, request: CallbackRequest) -> None:
    """A person has it called once more, at once, however often it was tried. Raises Rejected callback.*."""
    gone = Rejected("callback.unknown", "There is no callback %(key)r", "It is gone", key=request.key)
    hold(session, request, gone)
    if request.state in CALLING:
        raise Rejected(
            "callback.calling", "It is being called at this moment", "Wait until the phones are silent"
        )
    if request.state is CallbackState.TALKED:
        raise Rejected("callback.over", "It is over already", "Call from your own phone")
    if request.state is CallbackState.REFUSED:
        raise Rejected(
            "callback.refused", "A refused number is not called", "Change the site's limits and ask again"
        )
    request.state, request.due_at, request.over_at = CallbackState.WAITING, by.at, None
    request.promised_at = request.promised_at or by.at
    by.note(session, "callback.again", request.company_id, subject=request.key)


def origins(session: Session, call_ids: Collection[int]) -> dict[int, tuple[int | None, int | None]]:
    """Of those of the calls that are callbacks: the visit that asked for it and its visitor, or no visit."""
    if not call_ids:
        return {}
    rows = session.execute(
        sa.select(Call.id, Visit.id.label("visit_id"), Visit.visitor_id)
        .join(CallbackTry, CallbackTry.call_key == Call.key)
        .join(CallbackRequest, CallbackRequest.id == CallbackTry.request_id)
        .outerjoin(Visit, Visit.id == CallbackRequest.visit_id)
        .where(Call.id.in_(list(call_ids)))
    )
    return {row.id: (row.visit_id, row.visitor_id) for row in rows}


def listed(
    session: Session, company_ids: Collection[int], *, states: Sequence[CallbackState] = (),
    site_id: int | None = None, before_id: int | None = None, most: int = 100,
) -> Sequence[CallbackRequest]:  # fmt: skip
    """Requests of these companies, the newest first."""
    wanted = sa.select(CallbackRequest).where(CallbackRequest.company_id.in_(list(company_ids)))
    if states:
        wanted = wanted.where(CallbackRequest.state.in_(states))
    if site_id is not None:
        wanted = wanted.where(CallbackRequest.site_id == site_id)
    if before_id is not None:
        last = aliased(CallbackRequest)
        at = sa.select(last.requested_at).where(last.id == before_id).scalar_subquery()
        here = sa.tuple_(at, sa.literal(before_id))
        wanted = wanted.where(sa.tuple_(CallbackRequest.requested_at, CallbackRequest.id) < here)
    wanted = wanted.order_by(CallbackRequest.requested_at.desc(), CallbackRequest.id.desc()).limit(most)
    return session.scalars(wanted).all()
