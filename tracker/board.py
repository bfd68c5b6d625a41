"""What goes on in companies at this moment besides the calls: pools, visitors, and how the last hour went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import IS_COUNTED, of_companies
from tracker.coverage import Coverage, coverage_by_site, together
from tracker.models import Call, Company, Lease, Site, Visit
from tracker.policy.facts import Outcome
from tracker.policy.visits import LOOKING
from tracker.stock import HOUR, PoolStock, lowest_free, stocks

HERE = 2 * LOOKING  # whoever gave no sign for longer has gone without a word
LONGEST_VISIT = timedelta(hours=12)  # what began before that is not looked for


@dataclass(frozen=True)
class Crowd:
    """Visitors of one source who are on a site now, and how many of them have a number of their own."""

    medium: str
    source: str
    campaign: str | None
    visitors: int
    own_number: int


@dataclass(frozen=True)
class SiteNow:
    """A site, who is on it by source (the most first), and what was shown there in the last hour."""

    site_id: int
    company: str
    name: str
    crowds: Sequence[Crowd]
    coverage: Coverage

    @property
    def visitors(self) -> int:
        return sum(crowd.visitors for crowd in self.crowds)


@dataclass(frozen=True)
class Board:
    """The companies as they stand. `lowest` is a pool's fewest free numbers of the last hour, by its id."""

    pools: Sequence[PoolStock]
    lowest: Mapping[int, int]
    sites: Sequence[SiteNow]
    since: datetime  # of the coverage: misses are counted by whole hours
    coverage: Coverage
    outcomes: Mapping[Outcome, int]  # of the last hour's calls

    @property
    def visitors(self) -> int:
        return sum(site.visitors for site in self.sites)

    @property
    def calls(self) -> int:
        return sum(self.outcomes.values())


def read_board(session: Session, company_ids: Iterable[int], at: datetime) -> Board:
    """The board of these companies: six statements, whatever goes on."""
    company_ids = list(company_ids)
    since = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    pools = stocks(session, company_ids, at)
    covered = coverage_by_site(session, company_ids, since)
    crowds = _crowds(session, company_ids, at)
    sites = [
        SiteNow(site_id, company, name, crowds.get(site_id, ()), covered.get(site_id, Coverage(0, 0, {})))
        for site_id, company, name in _sites(session, company_ids)
    ]
    return Board(
        pools=pools,
        lowest=lowest_free(session, pools, at),
        sites=sites,
        since=since,
        coverage=together(covered.values()),
        outcomes=_outcomes(session, company_ids, at),
    )


def _sites(session: Session, company_ids: list[int]) -> Sequence[sa.Row[int, str, str]]:
    wanted = sa.select(Site.id, Company.name, Site.name).join(Company, Company.id == Site.company_id)
    return session.execute(wanted.where(Company.id.in_(company_ids)).order_by(Company.name, Site.name)).all()


def _crowds(session: Session, company_ids: list[int], at: datetime) -> dict[int, list[Crowd]]:
    leased = sa.exists().where(Lease.visit_id == Visit.id, Lease.until_at.is_(None))
    seen_at = sa.func.coalesce(Visit.seen_at, Visit.started_at)
    visitors = sa.func.count().label("visitors")
    wanted = (
        sa.select(
            Visit.site_id,
            Visit.medium,
            Visit.source,
            Visit.campaign,
            visitors,
            sa.func.sum(sa.case((leased, 1), else_=0)),
        )
        .join(Site, Site.id == Visit.site_id)
        .where(Site.company_id.in_(company_ids), Visit.started_at > at - LONGEST_VISIT)
        .where(Visit.left_at.is_(None), seen_at > at - HERE)
        .group_by(Visit.site_id, Visit.medium, Visit.source, Visit.campaign)
        .order_by(visitors.desc(), Visit.source, Visit.medium, Visit.campaign)
    )
    found: dict[int, list[Crowd]] = defaultdict(list)
    for site_id, medium, source, campaign, count, own in session.execute(wanted):
        found[site_id].append(Crowd(medium, source, campaign, count, int(own)))
    return found


def _outcomes(session: Session, company_ids: list[int], at: datetime) -> dict[Outcome, int]:
    wanted = (
        sa.select(Call.outcome, sa.func.count())
        .where(of_companies(company_ids), Call.started_at > at - HOUR, Call.ended_at.is_not(None), IS_COUNTED)
        .group_by(Call.outcome)
    )
    counted = {outcome: count for outcome, count in session.execute(wanted) if outcome is not None}
    return {outcome: counted[outcome] for outcome in Outcome if outcome in counted}
