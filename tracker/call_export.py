"""Calls as rows of a spreadsheet: exactly those that a filter asks for, a page of the books at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from tracker import calls
from tracker.messages import message_seconds
from tracker.models import Call
from tracker.policy.call_filter import CallFilter
from tracker.spreadsheet import cell

COLUMNS = (
    "started", "outcome", "caller", "caller_name", "repeat", "number", "label", "channel", "group", "medium",
    "source", "campaign", "keyword", "ad", "probability", "uncertain", "wait_seconds", "talk_seconds",
    "answered_by", "recording", "category", "value", "currency", "tags", "heard_of", "promo_code", "company",
    "key", "direction", "spam", "message_seconds",
)  # fmt: skip


def values(session: Session, company_ids: Iterable[int], by: CallFilter) -> Iterator[tuple[Any, ...]]:
    """The values of COLUMNS, a call at a time, newest first; memory stays flat, however many they are.

    Instants are in the company's own zone, money is a Decimal, tags are a list, nothing known is None.
    """
    company_ids, before = list(company_ids), None
    while True:
        page = calls.list_calls(session, company_ids, before, calls.MOST, by)
        yield from (_values(call) for call in page.calls)
        session.expunge_all()
        if (before := page.next) is None:
            return


def rows(session: Session, company_ids: Iterable[int], by: CallFilter) -> Iterator[dict[str, Any]]:
    """The same by name, as JSON and CSV say it: instants with their distance from UTC, money as text."""
    for each in values(session, company_ids, by):
        yield dict(zip(COLUMNS, map(_said, each), strict=True))


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


def _values(call: Call) -> tuple[Any, ...]:
    source, state = calls.source_of(call), calls.recording_state(call)
    shown = calls.shown_caller(call)
    return (
        call.started_at.astimezone(ZoneInfo(call.company.timezone)), call.outcome, shown or call.presentation,
        call.caller_name if shown else None, call.repeat, call.number.e164, call.number.label,
        source and source.channel, source and source.group, source and source.medium,
        source and source.source, source and source.campaign, source and source.keyword,
        source and source.content, call.probability, call.uncertain, call.wait_seconds, call.talk_seconds,
        calls.answered_by(call), state, call.category, call.value,
        None if call.value is None else call.company.currency, [tag.name for tag in call.tags],
        call.heard_of, call.promo_code, call.company.slug, call.key, call.direction,
        call.spam, message_seconds(call),
    )  # fmt: skip


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return calls.amount(value) if isinstance(value, Decimal) else value
