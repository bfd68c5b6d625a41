"""Calls of clicks on ads as a file for Google Ads to import by hand, where no OAuth application is wanted.

The template is that of Google's offline conversion import: a line with the time zone, the titles, a row each.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.destinations.google_ads import counts
from tracker.models import Call, Company
from tracker.parcels import read_calls
from tracker.policy.facts import Direction
from tracker.policy.parcels import CallFacts

HEAD = "Parameters:TimeZone=+0000"  # the template, both lines, is unconfirmed
TITLES = (
    "Google Click ID",
    "Conversion Name",
    "Conversion Time",
    "Conversion Value",
    "Conversion Currency",
)
AT_ONCE = 500  # calls read at once


def lines(
    session: Session,
    company: Company,
    period: tuple[datetime, datetime],
    conversion: str,
    options: Mapping[str, str],
) -> Iterator[str]:
    """The file's lines: calls that began in the period, came by a `gclid` and count.

    `options` are `categories` and `unjudged`, as of a destination Google Ads; the period is half-open.
    """
    yield f"{HEAD}\n"
    yield _line(TITLES)
    for call in _calls(session, company, *period):
        visit = call.visit
        click = visit.click_ids.get("gclid") if visit and visit.allows_ads() else None
        if click and counts(options, call):
            at = call.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
            worth = ("", "") if call.value is None else (f"{call.value:.2f}", call.currency)
            yield _line((click, conversion, at, *worth))


def _calls(session: Session, company: Company, since: datetime, until: datetime) -> Iterator[CallFacts]:
    wanted = sa.select(Call.id).where(
        Call.company_id == company.id,
        Call.started_at >= since,
        Call.started_at < until,
        Call.direction != Direction.OUT,
        Call.visit_id.is_not(None),
        Call.spam.is_(None),
    )
    ids = session.scalars(wanted.order_by(Call.started_at, Call.id)).all()
    for begin in range(0, len(ids), AT_ONCE):
        part = ids[begin : begin + AT_ONCE]
        found = read_calls(session, part, "")
        yield from (found[each][0] for each in part)


def _line(row: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()
