"""A look at a page of a site in a real browser, asked for on the page and done by a worker.

One check of a site is under way at a time. A worker holds it for `HOLD`; if it dies, another takes it, once
more, and what killed two workers is not tried on a third.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import sites
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Site, SiteCheck
from tracker.policy.page_check import read_address

HOLD = timedelta(minutes=3)  # a check ends by itself within two
MOST_TRIES = 2
KEPT = 20  # of a site


def ask(session: Session, by: By, site: Site, address: str) -> SiteCheck:
    """Have the page looked at; the check that is under way, if there is one.

    Only pages of the site's own domains are opened: the browser runs where the books are.
    Raises Rejected check.address, check.foreign.
    """
    url = read_address(address)
    host = urlsplit(url).hostname or ""
    if not sites.fits(site.domains, host):
        raise Rejected(
            "check.foreign",
            "%(host)s is none of the domains of %(site)r",
            "Give a page of %(domains)s, or add the domain",
            host=host,
            site=site.name,
            domains=site.domains,
        )
    if found := under_way(session, site):
        return found
    check = SiteCheck(site_id=site.id, url=url[:2000], actor=by.actor, asked_at=by.at)
    session.add(check)
    session.flush()
    _forget_old(session, site)
    by.note(session, "site.check", site.company_id, subject=site.name, detail={"url": check.url})
    return check


def under_way(session: Session, site: Site) -> SiteCheck | None:
    """The check of the site that is not done yet."""
    return session.scalar(_newest(site).where(SiteCheck.done_at.is_(None)))


def newest(session: Session, site: Site) -> SiteCheck | None:
    """The check that was asked for last, done or not."""
    return session.scalar(_newest(site))


def describe(check: SiteCheck) -> dict[str, Any]:
    """A check as JSON."""
    return {
        "url": check.url,
        "asked_at": check.asked_at,
        "done_at": check.done_at,
        "report": check.report,
        "problem": check.problem,
    }


def waits(session: Session, now: datetime) -> bool:
    """Whether there is a check that nobody holds."""
    return session.scalar(sa.select(SiteCheck.id).where(_is_free(now)).limit(1)) is not None


def claim(session: Session, now: datetime) -> SiteCheck | None:
    """The oldest check that nobody holds, held now; None when there is none. One statement."""
    free = _is_free(now)
    oldest = sa.select(SiteCheck.id).where(free).order_by(SiteCheck.id).limit(1).scalar_subquery()
    taken = (
        sa.update(SiteCheck)
        .where(SiteCheck.id == oldest, free)
        .values(claimed_until=now + HOLD, tries=SiteCheck.tries + 1)
        .returning(SiteCheck)
    )
    return session.scalars(taken).one_or_none()


def finish(
    session: Session, check_id: int, now: datetime, *, report: dict[str, Any] | None, problem: str | None
) -> None:
    """Write down what was found, or why nothing could be."""
    values = {"done_at": now, "report": report, "problem": problem[:1000] if problem else None}
    session.execute(sa.update(SiteCheck).where(SiteCheck.id == check_id).values(**values))


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    unheld = sa.or_(SiteCheck.claimed_until.is_(None), SiteCheck.claimed_until <= now)
    return sa.and_(SiteCheck.done_at.is_(None), unheld)


def _newest(site: Site) -> sa.Select[SiteCheck]:
    return sa.select(SiteCheck).where(SiteCheck.site_id == site.id).order_by(SiteCheck.id.desc()).limit(1)


def _forget_old(session: Session, site: Site) -> None:
    kept = sa.select(SiteCheck.id).where(SiteCheck.site_id == site.id).order_by(SiteCheck.id.desc())
    last = session.scalar(kept.offset(KEPT).limit(1))
    if last is not None:
        session.execute(sa.delete(SiteCheck).where(SiteCheck.site_id == site.id, SiteCheck.id <= last))
