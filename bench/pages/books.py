"""Two years, or other days, of two companies, drawn with numpy: as many calls and page views as are wanted.

One company has nearly all of it, the other a hundredth. Its website's visitors come by campaigns and keywords
of which a few are common and most are rare; three calls in five are theirs, the rest go to channels' numbers;
some callers call often, most once; most answered calls are judged, many tagged, some have notes. Every call
has a waveform and the facts its witnesses wrote down, as large as real ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from bench.pages.calls import Drawn, draw_calls, pour_calls
from bench.pages.firms import OWNER, Firm, add_firm
from bench.pages.pour import settle
from bench.pages.visits import DAYS, PAGES_A_VISIT, Visits, pour_visits
from tracker.database import Database
from tracker.models import Node

SAMPLE = 500


@dataclass(frozen=True)
class Books:
    """Keys of some calls and ids of some visits of the large company, who sees them, and what was drawn."""

    calls: list[str]
    visits: list[int]
    owner: str
    firms: list[Firm]
    drawn: Drawn
    seen: Visits


def fill(
    database: Database, calls: int, views: int, now: datetime, *, seed: int = 1, days: int = DAYS
) -> Books:
    """Fill an empty database; the newest call is of this hour."""
    draw = np.random.default_rng(seed)
    with database.write() as session:
        since = now - timedelta(days=days + 1)
        firms = [add_firm(session, slug, since, first) for slug, first in (("pallets", 0), ("rival", 500))]
        session.add(Node(name="main", seen_at=now + timedelta(days=1), ami_up=True))
    visits = pour_visits(database, firms, views // PAGES_A_VISIT, now, draw, days=days)
    drawn = draw_calls(draw, calls, visits, now, days)
    pour_calls(database, firms, drawn, now)
    settle(database)
    some = [int(each) for each in draw.integers(0, calls, SAMPLE) if drawn.firm[each] == 0]
    seen = [int(each) + 1 for each in draw.integers(0, len(visits.at), SAMPLE) if visits.firm[each] == 0]
    return Books([drawn.keys[each] for each in some], seen, OWNER, firms, drawn, visits)
