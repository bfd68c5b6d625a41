"""A thousand facts that come late, of any day of the year: what the worker's sheets have to follow.

tell_late(database, books, 1000, now, days=365)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.pages.books import Books
from tracker.database import Database
from tracker.models import Call, Cost, Sale, Visit
from tracker.policy.costs import Entered
from tracker.policy.sales import Match
from tracker.policy.worth import Category

CATEGORIES, SALES, COSTS = 0.4, 0.2, 0.2  # of the facts; the rest are visits whose source is corrected


def tell_late(database: Database, books: Books, count: int, now: datetime, days: int) -> None:
    """So many new facts in one transaction: categories, sales, costs, and visits' sources."""
    draw = np.random.default_rng(3)
    judged = [
        int(each) for each in _some(draw, np.flatnonzero(books.drawn.answered), int(count * CATEGORIES))
    ]
    sold = [int(each) for each in _some(draw, np.flatnonzero(books.drawn.answered), int(count * SALES))]
    paid = draw.integers(0, days, int(count * COSTS)).tolist()
    come = draw.integers(0, len(books.seen.at), count - len(judged) - len(sold) - len(paid)).tolist()
    with database.write() as session:
        _judge(session, judged)
        session.add_all(_sale(books, each, place, now) for place, each in enumerate(sold))
        session.add_all(_cost(books, each, now) for each in paid)
        theirs = Visit.id.in_([each + 1 for each in come])
        late = {Visit.medium: "social", Visit.source: "late", Visit.group: "Organic Social"}
        session.execute(sa.update(Visit).where(theirs).values(late))


def _some(draw: np.random.Generator, of: np.ndarray, count: int) -> np.ndarray:
    return draw.choice(of, min(count, len(of)), replace=False)


def _judge(session: Session, calls: list[int]) -> None:
    """Each gets a category that it had not."""
    theirs = sa.update(Call).where(Call.id.in_([each + 1 for each in calls]))
    other = sa.case((Call.category == Category.TARGET, Category.SERVICE), else_=Category.TARGET)
    session.execute(theirs.values(category=other).execution_options(synchronize_session=False))


def _sale(books: Books, call: int, place: int, now: datetime) -> Sale:
    at = datetime.fromtimestamp(float(books.drawn.at[call]), now.tzinfo)
    return Sale(
        company_id=books.firms[books.drawn.firm[call]].company_id, at=min(at + timedelta(hours=1), now),
        revenue=Decimal(12_000), profit=Decimal(3_000), currency="RUB", reference=f"late order {place}",
        entered=Entered.API, call_key=books.drawn.keys[call], matched_by=Match.CALL, call_id=call + 1,
        created_at=now, changed_at=now,
    )  # fmt: skip


def _cost(books: Books, days_ago: int, now: datetime) -> Cost:
    return Cost(
        company_id=books.firms[0].company_id, day=now.date() - timedelta(days=days_ago), medium="cpc",
        source="google", campaign="campaign 3", amount=Decimal("99.5"), currency="RUB", entered=Entered.API,
        created_at=now, changed_at=now,
    )  # fmt: skip
