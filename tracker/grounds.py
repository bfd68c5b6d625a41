"""What is known of a site before anybody comes, read once for many requests."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker import sources
from tracker.models import Company, Site, Swap
from tracker.policy.sources import Referrers, Rule
from tracker.policy.swapping import swaps_for


@dataclass(frozen=True)
class Ground:
    """A site, its company's region and rules. `site` is detached, with its swaps and their pools loaded."""

    site: Site
    region: str
    own_hosts: tuple[str, ...]  # of all the company's sites: coming from there is no referral
    rules: tuple[Rule, ...]
    referrers: Referrers

    def swaps(self, country: str | None) -> list[Swap]:
        """The swaps for visitors from that country, one a number on the page."""
        return swaps_for(self.site.swaps, country)


# Built once: with many sites one of them is read anew every few milliseconds.
_SITE = (
    sa.select(Site, Company.default_region)
    .join(Company, Company.id == Site.company_id)
    .options(joinedload(Site.swaps).joinedload(Swap.pool))
)
_BY_KEY = _SITE.where(Site.key == sa.bindparam("name"))
_BY_ID = _SITE.where(Site.id == sa.bindparam("name"))


def read_ground(session: Session, name: str | int) -> Ground | None:
    """The site of that public key or id, made to outlive the session; None if there is none."""
    wanted = _BY_KEY if isinstance(name, str) else _BY_ID
    found = session.execute(wanted, {"name": name}).unique().one_or_none()
    if found is None:
        return None
    site, region = found
    own_hosts = sources.own_hosts_of(session, site.company_id)
    rules = sources.rules_of(session, site.company_id)
    known = Ground(site, region, own_hosts, rules, sources.known_referrers(session))
    session.expunge_all()
    return known
