"""A month in which advertising cost money and brought sales: reports have something to say about it.

    tell_earnings(session, pallets, now)

One source earns well, one earns little, one surely loses, one may have lost by chance; a keyword brings calls
for another product; a part of the costs says no campaign, a sale is nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import Pallets, answered, ended, leg_ended, started
from support.journeys import ANDROID, IPHONE, WINDOWS, Came, add_visit, add_visitor

from tracker import costs, rents, sales
from tracker.audit import By
from tracker.books import record_all
from tracker.models import Call, Category, Channel, Company, Sale, Visit
from tracker.policy.attribution import Basis
from tracker.policy.costs import Rent
from tracker.policy.facts import Fact, HungUpBy

OLGA = "olga@pallets.example"


@dataclass(frozen=True)
class Ad:
    """What brought calls: how many, of which so many were what, and sold; what it cost."""

    medium: str
    source: str
    group: str
    campaign: str | None
    keyword: str | None
    calls: int
    target: int
    non_target: int = 0
    missed: int = 0
    sold: int = 0
    cost: str | None = None


ADS = (
    Ad("cpc", "google", "Paid Search", "pallets-euro", "euro pallets buy", 46, 30, 2, 3, 14, "9400"),
    Ad("cpc", "google", "Paid Search", "pallets-euro", "pallet prices", 22, 13, 1, 2, 5, "4100"),
    Ad("cpc", "google", "Paid Search", "pallets-euro", "shower tray wooden", 14, 0, 11, 1, 0, "2900"),
    Ad("cpc", "google", "Paid Search", "pallets-new", "new pallets wholesale", 12, 7, 0, 1, 2, "6800"),
    Ad("cpc", "yandex", "Paid Search", "pallets-moscow", "купить поддоны", 31, 17, 3, 4, 6, "21500"),
    Ad("social", "facebook", "Paid Social", "autumn", None, 19, 3, 8, 2, 0, "17900"),
    Ad("social", "vk.com", "Paid Social", "autumn", None, 9, 4, 1, 0, 1, "3300"),
    Ad("organic", "google", "Organic Search", None, None, 38, 21, 2, 3, 8, None),
    Ad("(none)", "(direct)", "Direct", None, None, 17, 8, 1, 1, 3, None),
    Ad("email", "newsletter", "Email", "october", None, 5, 3, 0, 0, 1, "600"),
)
PROFIT, REVENUE = Decimal(2900), Decimal(9800)
DEVICES = WINDOWS, ANDROID, IPHONE


def bring_by_yandex(session: Session) -> None:
    """Yandex had first brought one whom google then brought to buy: models differ about him."""
    sold = sa.select(Call.visit_id).join(Sale, Sale.call_id == Call.id).join(Visit)
    visit = session.get_one(Visit, session.scalars(sold.where(Visit.keyword == "pallet prices")).first())
    earlier = visit.started_at - timedelta(days=2)
    session.add(
        Visit(visitor_id=visit.visitor_id, site_id=visit.site_id, started_at=earlier, seen_at=earlier,
              medium="cpc", source="yandex", group="Paid Search")
    )  # fmt: skip


def tell_earnings(session: Session, pallets: Pallets, now: datetime) -> None:
    """The calls of ADS over the last 28 days: their visits, what people said of them, costs and sales."""
    company, by = session.get_one(Company, pallets.company_id), By(now, OLGA)
    facts: list[Fact] = []
    sources: dict[str, tuple[int, Category | None, bool]] = {}  # by call
    for place, ad in enumerate(ADS):
        for number in range(ad.calls):
            key, at = f"earned-{place}-{number}", _moment(now, place, number)
            visitor = add_visitor(session, pallets, key, at)
            more = {"campaign": ad.campaign, "keyword": ad.keyword, **DEVICES[(place + number) % 3]}
            came = Came(3, ad.medium, ad.source, ad.group, (("", "Pallets Ltd", 60),), more)
            visit = add_visit(session, pallets, visitor, came, at)
            facts += _call(pallets, key, f"+7926{place:03}{number:04}", at, missed=number < ad.missed)
            sources[key] = visit.id, _worth(ad, number - ad.missed), ad.missed <= number < ad.missed + ad.sold
    record_all(session, facts)
    _attribute(session, sources)
    _sell(session, by, company, [key for key, (*_, sold) in sources.items() if sold])
    _pay(session, by, company, now)


def _moment(now: datetime, place: int, number: int) -> datetime:
    """Some instant of the last four weeks, in working hours mostly."""
    days, hours = (place * 5 + number * 7) % 28 + 1, (place * 3 + number * 5) % 11
    return now.replace(hour=7, minute=(number * 17) % 60, second=0, microsecond=0) - timedelta(
        days=days, hours=-hours
    )


def _call(pallets: Pallets, key: str, caller: str, at: datetime, *, missed: bool) -> list[Fact]:
    begun = started(pallets.free, at, key, caller=caller)
    took = at + timedelta(seconds=9)
    if missed:
        lost = ended(took, key, status="NOANSWER", cause=16, hung_up_by=HungUpBy.SYSTEM)
        return [begun, leg_ended(pallets.office_id, took, key), lost]
    return [begun, answered(pallets.office_id, took, key), ended(took + timedelta(seconds=80), key)]


def _worth(ad: Ad, number: int) -> Category | None:
    """The first of those answered are target calls, then come those of no use; of two nobody has said."""
    if number < 0 or number >= ad.calls - ad.missed - 2:
        return None
    if number < ad.target:
        return Category.TARGET
    return Category.NON_TARGET if number < ad.target + ad.non_target else Category.SERVICE


def _attribute(session: Session, sources: dict[str, tuple[int, Category | None, bool]]) -> None:
    for call in session.scalars(sa.select(Call).where(Call.key.in_(sources))).all():
        call.visit_id, call.category, _ = sources[call.key]
        call.channel_id, call.basis, call.probability, call.uncertain = None, Basis.LEASE, 0.97, False
        call.attributed_at = call.started_at
    session.flush()


def _sell(session: Session, by: By, company: Company, keys: list[str]) -> None:
    """An order of each of these calls an hour later, and one of somebody nobody knows."""
    calls = session.scalars(sa.select(Call).where(Call.key.in_(keys)).order_by(Call.id)).all()
    for place, call in enumerate(calls):
        at = (call.started_at + timedelta(hours=1)).isoformat(timespec="seconds")
        vary = Decimal(place % 5 - 2) * 150
        row = {"at": at, "revenue": str(REVENUE + 3 * vary), "profit": str(PROFIT + vary)}
        sales.add_sale(session, by, company, row | {"reference": f"E-{1000 + place}"}, call)
    at = (by.at - timedelta(days=3)).isoformat(timespec="seconds")
    row = {"at": at, "revenue": "7400", "profit": "2100", "reference": "E-999", "phone": "+79990000000"}
    sales.add_sale(session, by, company, row)


def _pay(session: Session, by: By, company: Company, now: datetime) -> None:
    wanted, today = costs.wanted_of(session, company), now.astimezone(ZoneInfo(company.timezone)).date()
    day = (today - timedelta(days=4)).isoformat()
    for ad in ADS:
        if ad.cost:
            row = {"day": day, "source": ad.source, "medium": ad.medium, "campaign": ad.campaign,
                   "keyword": ad.keyword, "amount": ad.cost}  # fmt: skip
            told = {name: text for name, text in row.items() if text}
            costs.add_cost(session, by, company, wanted, told)
    agency = {"day": day, "source": "google", "medium": "cpc", "amount": "1500", "note": "agency"}
    costs.add_cost(session, by, company, wanted, agency)
    theirs = sa.select(Channel).where(Channel.company_id == company.id).order_by(Channel.id)
    rent = Rent(Decimal(9000), company.currency, today - timedelta(days=29))
    rents.add_rent(session, by, company, session.scalars(theirs.limit(1)).one(), rent)
