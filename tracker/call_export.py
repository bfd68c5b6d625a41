"""Calls as rows of a spreadsheet: exactly those that a filter asks for, a page of the books at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from tracker import calls
from tracker.models import Call
from tracker.policy.call_filter import CallFilter
from tracker.spreadsheet import cell


def rows(session: Session, company_ids: Iterable[int], by: CallFilter) -> Iterator[dict[str, Any]]:
    """A row a call, newest first; memory stays flat, however many they are."""
    company_ids, before = list(company_ids), None
    while True:
        page = calls.list_calls(session, company_ids, before, calls.MOST, by)
        yield from (_row(call) for call in page.calls)
        session.expunge_all()
        if (before := page.next) is None:
            return


def csv_lines(session: Session, company_ids: Iterable[int], by: CallFilter) -> Iterator[str]:
    """The same as CSV (RFC 4180), the names first, with the mark by which Excel knows UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + _taken(out)
    for number, row in enumerate(rows(session, company_ids, by), start=1):
        writer.writerow([cell(value) for value in row.values()])
        if number % calls.MOST == 0:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


COLUMNS = (
    "started", "outcome", "caller", "caller_name", "repeat", "number", "label", "channel", "group", "medium",
    "source", "campaign", "keyword", "ad", "probability", "uncertain", "wait_seconds", "talk_seconds",
    "answered_by", "recording", "category", "tags", "heard_of", "promo_code", "company", "key",
)  # fmt: skip


def _row(call: Call) -> dict[str, Any]:
    source, state = calls.source_of(call), calls.recording_state(call)
    shown = calls.shown_caller(call)
    values = (
        _local(call.started_at, call.company.timezone), call.outcome, shown or call.presentation,
        call.caller_name if shown else None, call.repeat, call.number.e164, call.number.label,
        source and source.channel, source and source.group, source and source.medium,
        source and source.source, source and source.campaign, source and source.keyword,
        source and source.content, call.probability, call.uncertain, call.wait_seconds, call.talk_seconds,
        call.target and call.target.name, state, call.category, [tag.name for tag in call.tags],
        call.heard_of, call.promo_code, call.company.slug, call.key,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _local(at: datetime, zone: str) -> str:
    """The company's own time, to the second, with its distance from UTC."""
    return at.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="seconds")
