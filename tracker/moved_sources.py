"""Where moved calls came from, as the service that had them says: a visit of a website, or a channel.

A row that tells of a page, a keyword or a click becomes a visit, classified as our own visits are; one that
only names a source becomes a call of the channel of that name. The visit belongs to the site whose pages it
was on, or to a site of the service's name, which has no pages here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import channels, once, sites
from tracker.audit import By
from tracker.models import Call, Channel, Company, PageView, ReportedCall, Site, Visit, Visitor
from tracker.policy.moved import MovedCall, Touch, Vendor, landing_of, plain_source
from tracker.policy.reported import without_secrets
from tracker.policy.sources import Origin, classify, is_own
from tracker.sources import known_referrers, own_hosts_of, rules_of

Fresh = Sequence[tuple[Call, MovedCall]]


@dataclass
class Kept:
    """How many visits and channels were made."""

    visits: int = 0
    channels: int = 0


@dataclass
class _Keeping:
    session: Session
    by: By
    company: Company
    vendor: Vendor
    kept: Kept = field(default_factory=Kept)
    sites: list[Site] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)


def keep(session: Session, by: By, company: Company, vendor: Vendor, fresh: Fresh) -> Kept:
    """Writes down where each of these calls came from; of those of which nothing is said, nothing."""
    if not any(moved.touch.is_known for _, moved in fresh):
        return Kept()
    own_hosts, rules = own_hosts_of(session, company.id), rules_of(session, company.id)
    known = known_referrers(session)
    it = _Keeping(session, by, company, vendor)
    it.sites = list(sites.listed(session, company))
    it.channels = {each.name.casefold(): each for each in channels.channels_of(session, company)}
    visits: list[tuple[Call, Visit]] = []
    tied: list[tuple[Call, Channel]] = []
    visitors = _visitors(it, fresh)
    for call, moved in fresh:
        touch = moved.touch
        if touch.is_web:
            origin = classify(
                landing_of(touch), touch.referrer or None, own_hosts=own_hosts, rules=rules, known=known
            )
            visits.append((call, _visit(it, call, touch, origin, visitors[_visitor_key(it, call, touch)])))
        elif plain_source(touch.source, touch.medium)[0]:
            tied.append((call, _channel(it, touch)))
    _store(it, visits, tied)
    return it.kept


_MARK = (
    sa.update(ReportedCall)
    .where(ReportedCall.call_id == sa.bindparam("call"))
    .values(visit_id=sa.bindparam("visit"), channel_id=sa.bindparam("channel"))
)


def _store(
    it: _Keeping, visits: Sequence[tuple[Call, Visit]], tied: Sequence[tuple[Call, Channel]]
) -> None:  # fmt: skip
    it.session.add_all([visit for _, visit in visits])
    it.session.flush()
    it.session.add_all([
        PageView(visit_id=visit.id, at=call.started_at, until_at=call.started_at, url=visit.landing_url)
        for call, visit in visits
        if visit.landing_url
    ])  # fmt: skip
    it.session.flush()
    marks = [{"call": call.id, "visit": visit.id, "channel": None} for call, visit in visits]
    marks += [{"call": call.id, "visit": None, "channel": channel.id} for call, channel in tied]
    if marks:
        it.session.connection().execute(_MARK, marks)
    it.kept.visits += len(visits)


def _visit(it: _Keeping, call: Call, touch: Touch, origin: Origin, visitor_id: int) -> Visit:
    """The visit that led to the call: when it began is not told, so it stands at the call's first second."""
    return Visit(
        visitor_id=visitor_id,
        site_id=_site(it, touch).id,
        started_at=call.started_at,
        seen_at=call.started_at,
        landing_url=without_secrets(touch.landing_url) or None,
        referrer=without_secrets(touch.referrer) or None,
        medium=origin.medium,
        source=origin.source,
        campaign=origin.campaign,
        keyword=origin.keyword,
        content=origin.content,
        group=origin.group,
        paid=origin.paid,
        click_ids=dict(origin.click_ids),
        parameters=dict(origin.parameters),
        suspicion=origin.suspicion,
    )


def _visitors(it: _Keeping, fresh: Fresh) -> dict[str, int]:
    """The browsers as the service knows them; without its word each call has one of its own."""
    wanted = {
        _visitor_key(it, call, moved.touch): call.started_at for call, moved in fresh if moved.touch.is_web
    }
    rows: list[dict[str, Any]] = [
        {"company_id": it.company.id, "key": key, "created_at": at} for key, at in wanted.items()
    ]
    once.insert_once(it.session, Visitor, rows, ("key",))
    found = it.session.execute(sa.select(Visitor.key, Visitor.id).where(Visitor.key.in_(wanted)))
    return {row.key: row.id for row in found}


def _visitor_key(it: _Keeping, call: Call, touch: Touch) -> str:
    told = f"visitor {touch.visitor}" if touch.visitor else f"call {call.key}"
    text = "\0".join((str(it.company.id), it.vendor.name, told))
    return "m" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _site(it: _Keeping, touch: Touch) -> Site:
    host = urlsplit(touch.landing_url).hostname or ""
    named = next((each for each in it.sites if each.name == it.vendor.title), None)
    found = next((each for each in it.sites if host and is_own(host, each.domains)), named)
    if found is None:
        found = sites.add(it.session, it.by, it.company, it.vendor.title)
        it.sites.append(found)
    return found


def _channel(it: _Keeping, touch: Touch) -> Channel:
    """The channel of the source's name; one that an admin has keeps the words he gave it."""
    name = touch.source[:100]
    found = it.channels.get(name.casefold())
    if found is None:
        source, medium = plain_source(touch.source, touch.medium)
        found = channels.add_channel(
            it.session, it.by, it.company, name, source=source, medium=medium or "offline",
            campaign=touch.campaign or None,
        )  # fmt: skip
        it.channels[name.casefold()] = found
        it.kept.channels += 1
    return found
