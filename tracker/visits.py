"""Visits as they happen: opened, continued page by page, kept alive, left.

Everything a browser can do is one call here, in one transaction, and begins by locking the visitor: two tabs
that speak in the same moment find one visit and are shown one number.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, make_transient_to_detached

from tracker import leases, misses, visit_rows
from tracker.errors import Rejected
from tracker.grounds import Ground
from tracker.leases import Shown
from tracker.models import PageView, Visit, VisitEvent, VisitEventKind, Visitor
from tracker.policy.agents import Agent, read_agent
from tracker.policy.leasing import Miss, ShownKind
from tracker.policy.reported import Happening, Opening, Page, without_secrets
from tracker.policy.sources import Origin, classify
from tracker.policy.visits import is_new_campaign, is_over, looked_until
from tracker.tokens import Pass
from tracker.visit_rows import Sign

Found = sa.Row[*tuple[Any, ...]]
Show = Callable[..., Shown]

VISITOR_KEY_BYTES = 16
HOLD_SECONDS, FOR_SECONDS = 300, 600  # told where no pool says otherwise

# Built once, and rows rather than objects where a row will do: both cost more than the database's own work.
_newest_page = (
    sa.select(PageView.id)
    .where(PageView.visit_id == Visit.id)
    .order_by(PageView.at.desc(), PageView.id.desc())
    .limit(1)
    .correlate(Visit)
    .scalar_subquery()
)
_with_page = (
    sa.select(Visit, Visitor.key, PageView.id.label("page_id"), PageView.until_at.label("looked_until"))
    .join(Visitor, Visitor.id == Visit.visitor_id)
    .outerjoin(PageView, PageView.id == _newest_page)
    .where(Visitor.id == sa.bindparam("visitor"))
)
_VISIT = _with_page.where(Visit.id == sa.bindparam("visit")).with_for_update(of=Visitor, key_share=True)
_NEWEST_VISIT = (
    _with_page.where(Visit.site_id == sa.bindparam("site"))
    .order_by(Visit.started_at.desc(), Visit.id.desc())
    .limit(1)
)
_VISITOR = sa.select(Visitor.id, Visitor.key).where(Visitor.company_id == sa.bindparam("company"))
_VISITOR_BY_KEY = _VISITOR.where(Visitor.key == sa.bindparam("key")).with_for_update(key_share=True)
_VISITOR_BY_ID = _VISITOR.where(Visitor.id == sa.bindparam("visitor")).with_for_update(key_share=True)
# What is asked of a visit that was just written.
_TOLD_OF_NEW = ("visitor_id", "site_id", "source", "paid", "country", "missed", "missed_in")


@dataclass(frozen=True)
class Request:
    """On which site something is said, when, and from where."""

    on: Ground
    at: datetime
    country: str | None = None
    trusted: bool = True  # False: perhaps no person; he gets no number while they are scarce


@dataclass(frozen=True)
class Offer:
    """What stands on the page, and what is to be shown in its place."""

    real: str
    shown: Shown


@dataclass(frozen=True)
class Answer:
    """What a page is told. `speaks_for` and `visitor_key` are None where nothing is remembered."""

    speaks_for: Pass | None
    visitor_key: str | None
    offers: tuple[Offer, ...]
    reason: str | None  # why the first number is none of the visitor's own
    hold_seconds: int = HOLD_SECONDS
    for_seconds: int = FOR_SECONDS  # so long may the numbers be shown without asking again


@dataclass(frozen=True)
class Arrival:
    """A page that is opened, with all that can be said of it without the database."""

    page: Page  # its addresses rid of secrets
    origin: Origin
    agent: Agent


@dataclass(frozen=True)
class _Told:
    """What the browser told once for all its visits."""

    language: str | None
    consent: Mapping[str, Any]
    ids: Mapping[str, Any]


def arrive(on: Ground, page: Page, agent: str) -> Arrival:
    """Where the page was opened from and with what: judged before anybody has to wait for the database."""
    origin = classify(page.url, page.referrer, own_hosts=on.own_hosts, rules=on.rules, known=on.referrers)
    referrer = without_secrets(page.referrer) if page.referrer else None
    kept = replace(page, url=without_secrets(page.url), referrer=referrer)
    return Arrival(kept, origin, read_agent(agent))


def open_visit(
    session: Session, request: Request, arrival: Arrival, opening: Opening, shown: Pass | None
) -> Answer:
    """A page is opened: in the visitor's running visit if there is one, else in a new one.

    `shown` is the pass of an earlier visit that came along, verified. A visitor nobody knows gets a new key.
    """
    on = session.connection()
    known = _known(on, request.on, opening, shown)
    told = _Told(opening.language, opening.consent.kept(), opening.ids)
    if known is None:
        visit, key = _begin_first(session, request, arrival, told)
        return _answer(session, request, visit, key, leases.show_first)
    values = {"visitor": known.id, "site": request.on.site.id}
    running = session.execute(_NEWEST_VISIT, values).one_or_none()
    if running is None or _ends(running.Visit, arrival.origin, request.at):
        visit = _begin(session, known.id, request, arrival, told)
    else:
        visit = _continue(on, running, arrival.page, request.at)
    return _answer(session, request, visit, known.key)


def note_visit(session: Session, request: Request, arrival: Arrival, language: str | None) -> int:
    """The visit of somebody who comes without our script, by a form: its id. He is shown no number."""
    told = _Told(language, {}, {})
    visit, _key = _begin_first(session, request, arrival, told)
    return visit.id


def open_page(session: Session, request: Request, arrival: Arrival, opening: Opening, shown: Pass) -> Answer:
    """A further page of a visit; or of a new visit of the same visitor, when that one is over.

    Analytics tools name a visitor when his first page has long been told of: what is new is kept.
    """
    running = _locked(session, shown)
    visit: Visit = running.Visit
    told = _Told(
        opening.language or visit.language,
        {**visit.consent, **opening.consent.kept()},
        {**visit.analytics_ids, **opening.ids},
    )
    if _ends(visit, arrival.origin, request.at):
        visit = _begin(session, visit.visitor_id, request, arrival, told)
    else:
        _continue(session.connection(), running, arrival.page, request.at)
        if (told.consent, told.ids) != (visit.consent, visit.analytics_ids):
            visit.consent, visit.analytics_ids = dict(told.consent), dict(told.ids)
    return _answer(session, request, visit, running.key)


def ping(session: Session, request: Request, shown: Pass) -> Answer:
    """A sign of life; where the lease has run out, perhaps with another number.

    Raises Rejected visit.over after half an hour of silence: the page then opens a new visit.
    """
    running = _locked(session, shown)
    if is_over(_seen_at(running.Visit), request.at):
        raise _over()
    _see(session.connection(), running, request.at)
    return _answer(session, request, running.Visit, running.key)


def leave(session: Session, shown: Pass, at: datetime) -> None:
    """The visitor has left, as far as anybody can tell: his numbers are held a while longer."""
    running = _locked(session, shown)
    if is_over(_seen_at(running.Visit), at):
        return
    _see(session.connection(), running, at, left=True)
    leases.leave(session, running.Visit.id, at)


def happened(session: Session, shown: Pass, what: Happening, at: datetime) -> None:
    """The visitor did something on the page; a click on the phone link is a sign of life as well."""
    running = _locked(session, shown)
    kind = VisitEventKind(what.kind)
    session.add(VisitEvent(visit_id=shown.visit_id, at=at, kind=kind, detail=dict(what.detail)))
    if kind is VisitEventKind.PHONE_CLICK and not is_over(_seen_at(running.Visit), at):
        _see(session.connection(), running, at)
        leases.renew(session, shown.visit_id, at)


def unremembered(session: Session, request: Request, origin: Origin) -> Answer:
    """For who may not be remembered: the number of his source, and a count. Nothing else is kept."""
    on = request.on
    swaps = on.swaps(request.country)
    e164 = leases.source_number(session, on.site.company_id, origin.source, origin.group)
    shown = Shown(ShownKind.SOURCE if e164 else ShownKind.REAL, e164, None, Miss.CONSENT, None)
    for pool_id in {swap.pool_id for swap in swaps}:
        misses.count(session, on.site.id, pool_id, Miss.CONSENT, request.at)
    return Answer(None, None, tuple(Offer(swap.e164, shown) for swap in swaps), Miss.CONSENT)


def _known(on: sa.Connection, ground: Ground, opening: Opening, shown: Pass | None) -> Found | None:
    """The visitor of that key or pass, locked: id and key. None if nobody knows him.

    Another company's visitor is nobody here.
    """
    company_id, found = ground.site.company_id, None
    if opening.visitor:
        found = on.execute(_VISITOR_BY_KEY, {"company": company_id, "key": opening.visitor}).one_or_none()
    if found is None and shown is not None:
        values = {"company": company_id, "visitor": shown.visitor_id}
        found = on.execute(_VISITOR_BY_ID, values).one_or_none()
    return found


def _locked(session: Session, shown: Pass) -> Found:
    """The visit of a pass with its newest page and its visitor's key, locked. Raises Rejected visit.over."""
    found = session.execute(_VISIT, {"visit": shown.visit_id, "visitor": shown.visitor_id}).one_or_none()
    if found is None:
        raise _over()
    return found


def _over() -> Rejected:
    return Rejected("visit.over", "This visit is over", "Open a new one: POST /api/v1/visits")


def _ends(visit: Visit, origin: Origin, at: datetime) -> bool:
    return is_over(_seen_at(visit), at) or (origin.new_touch and is_new_campaign(origin, visit))


def _seen_at(visit: Visit) -> datetime:
    return visit.seen_at or visit.started_at


def _begin(session: Session, visitor_id: int, request: Request, arrival: Arrival, told: _Told) -> Visit:
    """A new visit of a known visitor, with its first page."""
    row = {"visitor_id": visitor_id, **_row(request, arrival, told)}
    return _known_to(session, visit_rows.write_visit(session.connection(), row, arrival.page), row)


def _begin_first(session: Session, request: Request, arrival: Arrival, told: _Told) -> tuple[Visit, str]:
    """The first visit of somebody nobody knows, and the key he gets."""
    key = secrets.token_urlsafe(VISITOR_KEY_BYTES)
    visitor = {"company_id": request.on.site.company_id, "key": key, "created_at": request.at}
    row = _row(request, arrival, told)
    ids = visit_rows.write_first(session.connection(), visitor, row, arrival.page)
    return _known_to(session, ids.visit, {"visitor_id": ids.visitor, **row}), key


def _row(request: Request, arrival: Arrival, told: _Told) -> dict[str, Any]:
    """A new visit as its table has it, but for its visitor."""
    page, origin, agent = arrival.page, arrival.origin, arrival.agent
    return {
        "site_id": request.on.site.id,
        "started_at": request.at,
        "seen_at": request.at,
        "landing_url": page.url,
        "referrer": page.referrer,
        "medium": origin.medium,
        "source": origin.source,
        "campaign": origin.campaign,
        "keyword": origin.keyword,
        "content": origin.content,
        "channel_group": origin.group,
        "paid": origin.paid,
        "click_ids": origin.click_ids,
        "parameters": origin.parameters,
        "suspicion": origin.suspicion,
        "device": agent.device,
        "system": agent.system,
        "browser": agent.browser,
        "language": told.language,
        "country": request.country,
        "consent": told.consent,
        "analytics_ids": dict(told.ids),
        "missed": None,
        "missed_in": [],
    }


def _known_to(session: Session, visit_id: int, row: Mapping[str, Any]) -> Visit:
    """The visit that was just written, as if the session had read it: that costs another statement."""
    values = {name: row[name] for name in _TOLD_OF_NEW}
    visit = Visit(id=visit_id, group=row["channel_group"], **values)
    make_transient_to_detached(visit)
    session.add(visit)
    return visit


def _continue(on: sa.Connection, running: Found, page: Page, at: datetime) -> Visit:
    visit: Visit = running.Visit
    visit_rows.write_page(on, _sign(running, at), page, at)
    return visit


def _see(on: sa.Connection, running: Found, at: datetime, *, left: bool = False) -> None:
    visit_rows.write_sign(on, _sign(running, at, left=left))


def _sign(running: Found, at: datetime, *, left: bool = False) -> Sign:
    """A sign of life: the visitor has been looking at the newest page until now; is there, or leaves."""
    before, until = running.looked_until, None
    if running.page_id is not None:
        until = looked_until(before, at)
    seen_at, left_at = max(_seen_at(running.Visit), at), at if left else None
    return Sign(running.Visit.id, seen_at, left_at, running.page_id, until, looked=until != before)


def _answer(
    session: Session, request: Request, visit: Visit, key: str, show: Show = leases.show_locked
) -> Answer:
    """Which numbers the visit is shown; claims and renews them."""
    trusted = request.trusted and visit.missed != Miss.UNTRUSTED
    swaps = request.on.swaps(visit.country)
    pools = {swap.pool_id: swap.pool for swap in swaps}
    by_pool: dict[int, Shown] = {}
    for pool_id in sorted(pools):  # in one order everywhere, so that no two requests wait for each other
        by_pool[pool_id] = show(session, visit, pools[pool_id], request.at, trusted=trusted)
    if not swaps:
        visit.missed = Miss.NO_POOL
    reason = by_pool[swaps[0].pool_id].reason if swaps else Miss.NO_POOL
    return Answer(
        speaks_for=Pass(visit.id, visit.site_id, visit.visitor_id),
        visitor_key=key,
        offers=tuple(Offer(swap.e164, by_pool[swap.pool_id]) for swap in swaps),
        reason=reason,
        hold_seconds=swaps[0].pool.hold_seconds if swaps else HOLD_SECONDS,
        for_seconds=_for_seconds(by_pool.values(), request.at),
    )


def _for_seconds(shown: Iterable[Shown], at: datetime) -> int:
    """Until the first of the leases ends, if no further sign of life comes; whole seconds."""
    first = min((each.expires_at for each in shown if each.expires_at is not None), default=None)
    return max(0, int((first - at).total_seconds())) if first else FOR_SECONDS
