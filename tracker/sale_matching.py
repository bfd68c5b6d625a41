"""Which call or visitor a sale belongs to, for many sales at once; what is decided is tracker.policy.sales'.

A sale is matched by the call it names, else by the caller's number, else by the website's visitor. What is
not in the books yet may come: `match_again` looks once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.call_words import IS_COUNTED
from tracker.models import Call, Company, Sale, Visit, Visitor
from tracker.policy.facts import Presentation
from tracker.policy.sales import Match, PossibleCall, choose_call, latest_instant
from tracker.portions import portions

LATE = timedelta(days=31)  # how long after a sale its call may still come into the books


@dataclass(frozen=True)
class Told:
    """Whose sale it was, as it was told."""

    at: datetime
    call_key: str | None
    phone: str | None
    visitor_key: str | None


@dataclass(frozen=True)
class Belongs:
    """What a sale was found to belong to, and by which rule; None: to nothing that is known."""

    matched_by: Match | None = None
    call_id: int | None = None
    visitor_id: int | None = None


def match(session: Session, company: Company, told: Sequence[Told]) -> list[Belongs]:
    """What each of these sales belongs to, in their order."""
    books = _Books(session, company, told)
    return [books.belongs(each) for each in told]


def match_again(session: Session, by: By, company: Company, since: datetime | None = None) -> int:
    """Look once more for what the unmatched sales belong to; how many were found.

    Whoever looks often says `since` when: a shop has thousands of buyers that never call.
    """
    unmatched = sa.select(Sale).where(Sale.company_id == company.id, Sale.matched_by.is_(None))
    if since is not None:
        unmatched = unmatched.where(Sale.at >= since)
    sales = session.scalars(
        unmatched.where(
            sa.or_(Sale.call_key.is_not(None), Sale.phone.is_not(None), Sale.visitor_key.is_not(None))
        )
    ).all()
    found = 0
    told = [Told(each.at, each.call_key, each.phone, each.visitor_key) for each in sales]
    for sale, belongs in zip(sales, match(session, company, told), strict=True):
        if belongs.matched_by is not None:
            sale.matched_by, sale.call_id, sale.visitor_id = (
                belongs.matched_by,
                belongs.call_id,
                belongs.visitor_id,
            )
            sale.changed_at = by.at
            found += 1
    if found:
        by.note(session, "sale.match", company.id, detail={"found": found})
    session.flush()
    return found


class _Books:
    """The calls and visitors that some sales may belong to, read at once."""

    def __init__(self, session: Session, company: Company, told: Sequence[Told]) -> None:
        self._session, self._company = session, company
        self._zone = ZoneInfo(company.timezone)
        self._keys = self._calls_by_key({each.call_key for each in told if each.call_key})
        self._phones = self._calls_by_phone({each.phone for each in told if each.phone})
        self._visitors = self._visitors_by_key({each.visitor_key for each in told if each.visitor_key})
        self._visitors_calls = self._calls_of(set(self._visitors.values()))

    def belongs(self, told: Told) -> Belongs:
        before = latest_instant(told.at, self._zone)
        if told.call_key and (call_id := self._keys.get(told.call_key)) is not None:
            return Belongs(Match.CALL, call_id)
        if told.phone and (call := choose_call(self._phones.get(told.phone, ()), before)):
            return Belongs(Match.PHONE, call.id)
        if told.visitor_key and (visitor_id := self._visitors.get(told.visitor_key)) is not None:
            call = choose_call(self._visitors_calls.get(visitor_id, ()), before)
            return Belongs(Match.VISITOR, call.id if call else None, visitor_id)
        return Belongs()

    def _calls_by_key(self, keys: set[str]) -> dict[str, int]:
        wanted = sa.select(Call.key, Call.id).where(Call.company_id == self._company.id)
        return {row.key: row.id for row in self._rows(wanted, Call.key, keys)}

    def _calls_by_phone(self, phones: set[str]) -> dict[Any, list[PossibleCall]]:
        wanted = sa.select(Call.caller, Call.id, Call.started_at, Call.category).where(
            Call.company_id == self._company.id, Call.presentation == Presentation.ALLOWED, IS_COUNTED
        )
        return _grouped(self._rows(wanted, Call.caller, phones))

    def _visitors_by_key(self, keys: set[str]) -> dict[str, int]:
        wanted = sa.select(Visitor.key, Visitor.id).where(Visitor.company_id == self._company.id)
        return {row.key: row.id for row in self._rows(wanted, Visitor.key, keys)}

    def _calls_of(self, visitors: set[int]) -> dict[Any, list[PossibleCall]]:
        wanted = (
            sa.select(Visit.visitor_id, Call.id, Call.started_at, Call.category)
            .join(Visit, Call.visit_id == Visit.id)
            .where(Call.company_id == self._company.id)
        )
        return _grouped(self._rows(wanted, Visit.visitor_id, visitors))

    def _rows(self, wanted: Any, column: Any, values: set[Any]) -> Iterator[sa.Row[Any]]:
        for part in portions(sorted(values)):
            yield from self._session.execute(wanted.where(column.in_(part)))


def _grouped(rows: Iterable[Any]) -> dict[Any, list[PossibleCall]]:
    found: dict[Any, list[PossibleCall]] = defaultdict(list)
    for whose, call_id, started_at, category in rows:
        found[whose].append(PossibleCall(call_id, started_at, category))
    return found
