"""A company's destinations: added, changed, paused, tried out. Their secrets are never shown again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.deliveries import WAITING
from tracker.destinations import KINDS, FieldKind, Kind, oauth
from tracker.destinations.fields import SECRET_BEFORE, kind_of, read_events, read_values, read_values_anew
from tracker.errors import Rejected
from tracker.held import hold
from tracker.models import Company, Delivery, Destination
from tracker.policy.delivering import Why
from tracker.policy.entries import read_title
from tracker.vault import Vault

MOST = 30  # of a company
FAILED_DAYS = timedelta(days=7)  # for so long a failure is shown beside a destination


@dataclass(frozen=True)
class Lag:
    """How a destination fares: what is due and since when, what is held yet, what was given up lately."""

    due: int
    oldest_at: datetime | None
    held: int  # for a category, a recording or its clock: as it should be
    failed: int


NO_LAG = Lag(0, None, 0, 0)


@dataclass(frozen=True)
class Filled:
    """What somebody filled in; None: as it was, or as usual."""

    values: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[str] | None = None
    name: str | None = None


def add(
    session: Session, by: By, company: Company, kind: str, filled: Filled, *, vault: Vault
) -> Destination:
    """A new destination of the company's, told of calls that begin from now on.

    Raises Rejected destination.kind, .duplicate, .many, .field, .missing, .malformed, .event.
    """
    its = kind_of(kind)
    name = read_title(filled.name or its.title, "destination")
    there = list_destinations(session, company)
    if len(there) >= MOST:
        raise Rejected(
            "destination.many", "There are %(most)s destinations already", "Delete one first", most=MOST
        )
    _check_name(there, name)
    options, secrets = read_values(its, filled.values, {}, {})
    made = Destination(
        company_id=company.id, kind=its.word, name=name, options=options, secrets=vault.seal(secrets),
        events=read_events(its, filled.events or ()) or [each.value for each in its.usual_events],
        created_at=by.at, changed_at=by.at,
    )  # fmt: skip
    _say_whether_let_in(made, its, secrets, by.at)
    session.add(made)
    session.flush()
    detail = {"kind": its.word, "events": made.events, **options}
    by.note(session, "destination.add", company.id, subject=name, detail=detail)
    return made


def change(
    session: Session, by: By, destination: Destination, filled: Filled, *, vault: Vault
) -> Destination:
    """Change what is given and nothing else; it is tried again at once.

    Raises Rejected as `add`, and destination.retype.
    """
    _hold(session, destination)
    its = kind_of(destination.kind)
    before = {"events": list(destination.events), **destination.options}
    sealed = _opened(vault, destination, filled.values)
    options, secrets = read_values_anew(its, filled.values, destination.options, sealed)
    if its.word == "webhook" and sealed.get("secret", secrets["secret"]) != secrets["secret"]:
        secrets[SECRET_BEFORE] = sealed["secret"]  # both sign, until `forget_secret`
    if its.oauth is not None and _secret_names(its, filled.values):  # what was granted to others is not ours
        secrets.pop(oauth.ACCESS, None)
        secrets.pop(oauth.UNTIL, None)
    destination.options, destination.secrets = options, vault.seal(secrets)
    _say_whether_let_in(destination, its, secrets, by.at)
    if filled.events is not None:
        destination.events = read_events(its, filled.events)
    if filled.name and filled.name != destination.name:
        company = session.get_one(Company, destination.company_id)
        destination.name = read_title(filled.name, "destination")
        _check_name([it for it in list_destinations(session, company) if it is not destination], filled.name)
    destination.changed_at, destination.retry_at = by.at, None
    destination.disabled_at = destination.disabled_because = None
    detail = {
        "events": destination.events,
        **options,
        "before": before,
        "secrets": _secret_names(its, filled.values),
    }
    by.note(session, "destination.change", destination.company_id, subject=destination.name, detail=detail)
    return destination


def pause(session: Session, by: By, destination: Destination, *, paused: bool) -> None:
    """Let what comes wait, or go on; twice changes nothing."""
    _hold(session, destination)
    if (destination.paused_at is not None) == paused:
        return
    destination.paused_at = by.at if paused else None
    destination.retry_at = None
    action = "destination.pause" if paused else "destination.resume"
    by.note(session, action, destination.company_id, subject=destination.name)


def delete(session: Session, by: By, destination: Destination) -> None:
    """It is told no more; where its calls went is forgotten with it."""
    _hold(session, destination)
    session.execute(sa.delete(Delivery).where(Delivery.destination_id == destination.id))
    session.delete(destination)
    by.note(session, "destination.delete", destination.company_id, subject=destination.name)


def forget_secret(session: Session, by: By, destination: Destination, *, vault: Vault) -> None:
    """The secret of before signs no more."""
    _hold(session, destination)
    secrets = vault.open(destination.secrets)
    if secrets.pop(SECRET_BEFORE, None) is not None:
        destination.secrets = vault.seal(secrets)
        by.note(session, "destination.secret", destination.company_id, subject=destination.name)


def list_destinations(session: Session, company: Company) -> Sequence[Destination]:
    """The company's, by name."""
    wanted = sa.select(Destination).where(Destination.company_id == company.id)
    return session.scalars(wanted.order_by(sa.func.lower(Destination.name), Destination.id)).all()


def find(session: Session, company: Company, name: str) -> Destination:
    """One by its name. Raises Rejected destination.unknown."""
    its = [each.name for each in list_destinations(session, company)]
    wanted = sa.select(Destination).where(Destination.company_id == company.id, Destination.name == name)
    if found := session.scalars(wanted).one_or_none():
        return found
    raise Rejected(
        "destination.unknown",
        "There is no destination %(name)r",
        "There are: %(names)s" if its else "Add it: `leaseline destination add`",
        name=name[:60],
        names=its,
    )


def lags(session: Session, company: Company, now: datetime) -> dict[int, Lag]:
    """How each destination of the company fares."""
    failed = sa.and_(Delivery.given_up_at >= now - FAILED_DAYS, Delivery.why == Why.REFUSED)
    due = sa.and_(WAITING, Delivery.due_at <= now)
    counts = (
        sa.select(
            Delivery.destination_id,
            sa.func.count().filter(due),
            sa.func.min(Delivery.due_at).filter(due),
            sa.func.count().filter(WAITING, Delivery.due_at > now),
            sa.func.count().filter(failed),
        )
        .join(Destination, Destination.id == Delivery.destination_id)
        .where(Destination.company_id == company.id, sa.or_(WAITING, failed))
        .group_by(Delivery.destination_id)
    )
    return {row[0]: Lag(*row[1:]) for row in session.execute(counts)}


def describe(it: Destination) -> dict[str, Any]:
    """A destination as JSON, without its secrets."""
    kind = KINDS.get(it.kind)
    return {
        "id": it.id,
        "name": it.name,
        "kind": it.kind,
        "title": kind.title if kind else it.kind,
        "state": _state_of(it),
        "options": it.options,
        "events": it.events,
        "created_at": it.created_at,
        "sent_at": it.sent_at,
        "failing_since": it.failing_since,
        "retry_at": it.retry_at,
        "answer": it.answer,
        "disabled_because": it.disabled_because,
    }


def describe_all(session: Session, company: Company, now: datetime) -> list[dict[str, Any]]:
    """The company's destinations as JSON, by name, with how each fares."""
    found = lags(session, company, now)
    return [
        describe(it) | describe_lag(found.get(it.id, NO_LAG)) for it in list_destinations(session, company)
    ]


def describe_lag(it: Lag) -> dict[str, Any]:
    """How a destination fares, as JSON."""
    return {"waiting": it.due, "oldest_at": it.oldest_at, "held": it.held, "failed": it.failed}


def _say_whether_let_in(it: Destination, kind: Kind, secrets: Mapping[str, str], now: datetime) -> None:
    """One that is to be connected by a person waits until it is."""
    if kind.oauth is not None and not oauth.is_let_in(kind.oauth, secrets):
        it.disconnected_at, it.answer = it.disconnected_at or now, oauth.NOT_CONNECTED
    else:
        it.disconnected_at = None


def _state_of(it: Destination) -> str:
    if it.disabled_at:
        return "disabled"
    if it.paused_at:
        return "paused"
    return "disconnected" if it.disconnected_at else "failing" if it.failures else "on"


def _check_name(there: Sequence[Destination], name: str) -> None:
    if name in (each.name for each in there):
        raise Rejected(
            "destination.duplicate",
            "There is a destination %(name)r already",
            "Choose another name",
            name=name,
        )


def _secret_names(kind: Kind, values: Mapping[str, str]) -> list[str]:
    """Which secrets were typed anew: what the audit log may say of them."""
    return [each.name for each in kind.fields if each.kind is FieldKind.SECRET and each.name in values]


def _opened(vault: Vault, destination: Destination, values: Mapping[str, str]) -> dict[str, str]:
    """Its secrets; none where they cannot be opened and all are typed anew."""
    try:
        return vault.open(destination.secrets)
    except Rejected:
        fields = kind_of(destination.kind).fields
        if all(values.get(each.name) for each in fields if each.kind is FieldKind.SECRET and each.required):
            return {}
        raise


def _hold(session: Session, destination: Destination) -> None:
    gone = Rejected(
        "destination.unknown",
        "There is no destination %(name)r",
        "See `leaseline destination list`",
        name=destination.name,
    )
    hold(session, destination, gone)
