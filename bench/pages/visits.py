"""The benchmark's website: visits by known campaigns and keywords, their page views and leases."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from bench.pages.firms import POOL, Firm
from bench.pages.pour import instants, pour
from tracker.database import Database
from tracker.models import Lease, PageView, Visit, Visitor

DAYS = 730
PAGES_A_VISIT = 4
AWAY_DAYS = 10.0  # before a visitor comes again, on average
CAMPAIGNS, KEYWORDS = 200, 5000
# medium, source, channel group, paid, its part of the visits
SOURCES = (
    ("cpc", "google", "Paid Search", True, 0.28), ("cpc", "yandex", "Paid Search", True, 0.17),
    ("organic", "google", "Organic Search", False, 0.2), ("organic", "yandex", "Organic Search", False, 0.1),
    ("(none)", "(direct)", "Direct", False, 0.15), ("social", "vk", "Organic Social", False, 0.06),
    ("email", "newsletter", "Email", False, 0.04),
)  # fmt: skip
HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 9, 20, 34, 40, 40, 34, 36, 38, 36, 30, 22, 14, 10, 7, 5, 3, 2], float)


@dataclass(frozen=True)
class Visits:
    """Epoch seconds at which each visit began, its firm and its visitor; the row's id is its place + 1."""

    at: np.ndarray
    firm: np.ndarray
    visitor: np.ndarray


def moments(draw: np.random.Generator, count: int, now: datetime, days: int = DAYS) -> np.ndarray:
    """Epoch seconds in order, by day and night as people are awake."""
    hours = draw.choice(24, count, p=HOURS / HOURS.sum())
    seconds = draw.integers(0, days, count) * 86400 + hours * 3600.0 + draw.random(count) * 3600
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    return np.minimum(
        np.sort(seconds + midnight.timestamp()), now.timestamp() - 60 - draw.random(count) * 600
    )


def rare(draw: np.random.Generator, kinds: int, count: int) -> np.ndarray:
    """A few of the kinds common, most of them rare."""
    drawn: np.ndarray = np.minimum(draw.zipf(1.3, count) - 1, kinds - 1)
    return drawn


def firms_of(count: int) -> np.ndarray:
    """Nearly all belongs to the first, each hundredth to the second."""
    second: np.ndarray = np.arange(count) % 100 == 0
    return second.astype(int)


def pour_visits(
    database: Database,
    firms: list[Firm],
    count: int,
    now: datetime,
    draw: np.random.Generator,
    *,
    days: int,
) -> Visits:
    """Visits with all that belongs to them; all are over."""
    at, firm = np.sort(moments(draw, count, now, days)), firms_of(count)
    begun, ids = instants(at), range(1, count + 1)
    companies = [firms[each].company_id for each in firm.tolist()]
    pour(
        database, Visitor,
        {"id": ids, "company_id": companies, "key": (f"v{each}" for each in ids), "created_at": begun},
    )  # fmt: skip
    kinds = draw.choice(len(SOURCES), count, p=[each[4] for each in SOURCES]).tolist()
    words, names = rare(draw, KEYWORDS, count).tolist(), rare(draw, CAMPAIGNS, count).tolist()
    paid = [SOURCES[kind][3] for kind in kinds]
    visitor = visitors(draw, firm, days)
    pour(
        database, Visit,
        {
            "id": ids,
            "visitor_id": visitor.tolist(),
            "site_id": [firms[each].site_id for each in firm.tolist()],
            "started_at": begun,
            "seen_at": instants(at + 240),
            "left_at": instants(at + 300),
            "landing_url": [f"https://shop.example/pallets/{each % 50}?utm_source=x" for each in ids],
            "medium": [SOURCES[kind][0] for kind in kinds],
            "source": [SOURCES[kind][1] for kind in kinds],
            "channel_group": [SOURCES[kind][2] for kind in kinds],
            "paid": paid,
            "campaign": [f"campaign {name}" if it else None for name, it in zip(names, paid, strict=True)],
            "keyword": [f"buy pallets {word}" if it else None for word, it in zip(words, paid, strict=True)],
            "device": itertools.cycle(("phone", "desktop", "phone")),
            "country": itertools.repeat("RU"),
        },
    )  # fmt: skip
    _leases(database, firms, at, firm)
    _views(database, at)
    return Visits(at, firm, visitor)


def visitors(draw: np.random.Generator, firm: np.ndarray, days: int) -> np.ndarray:
    """The id of each visit's visitor: of four visits one is by somebody who was there in the weeks before."""
    count = len(firm)
    a_day = max(count / days, 1)
    before = np.arange(count) - 1 - (draw.exponential(AWAY_DAYS * a_day, count)).astype(int)
    again = (draw.random(count) < 0.25) & (before >= 0) & (firm == firm[np.maximum(before, 0)])
    first = np.where(again, before, np.arange(count))
    while (further := first[first] != first).any():  # to the first of a visitor's visits
        first = np.where(further, first[first], first)
    return np.asarray(first + 1)


def _leases(database: Database, firms: list[Firm], at: np.ndarray, firm: np.ndarray) -> None:
    """One a visit; all are over."""
    ends = instants(np.minimum(at + 600, at.max()))
    pour(
        database, Lease,
        {
            "id": range(1, len(at) + 1),
            "number_id": [firms[each].pool_numbers[row % POOL] for row, each in enumerate(firm.tolist())],
            "pool_id": [firms[each].pool_id for each in firm.tolist()],
            "visit_id": range(1, len(at) + 1),
            "from_at": instants(at),
            "expires_at": ends,
            "until_at": ends,
            "ended_by": itertools.repeat("left"),
        },
    )  # fmt: skip


def _views(database: Database, at: np.ndarray) -> None:
    seen = np.repeat(at, PAGES_A_VISIT) + np.tile(np.arange(PAGES_A_VISIT) * 45.0, len(at))
    begun = instants(seen)
    pour(
        database, PageView,
        {
            "id": range(1, len(seen) + 1),
            "visit_id": np.repeat(np.arange(1, len(at) + 1), PAGES_A_VISIT).tolist(),
            "at": begun,
            "until_at": begun,
            "url": itertools.cycle([f"https://shop.example/pallets/{each}" for each in range(97)]),
            "title": itertools.cycle([f"Pallets, model {each} · Shop" for each in range(97)]),
        },
    )  # fmt: skip
