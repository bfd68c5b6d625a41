"""Reading the audit log: whose entries, of which kind, from when to when; page by page, or as a spreadsheet.

Log-ins and what people do to their own accounts belong to no company: a company's log shows those of its
people, and failed log-ins at their accounts.
"""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import AuditEntry, Company, Membership, User
from tracker.spreadsheet import cell

PAGE = 1000  # entries read at once for a spreadsheet


class Kind(enum.StrEnum):
    """What entries are about."""

    LISTENING = "listening"
    EXPORT = "export"
    JUDGEMENT = "judgement"
    LOGIN = "login"
    PEOPLE = "people"
    SETTINGS = "settings"


# What the actions of each kind begin with; what is of no other kind is a setting.
BEGINNINGS = {
    Kind.LISTENING: ("recording.", "share."),
    Kind.EXPORT: ("call.export", "visit.export", "audit.export", "data.export"),
    Kind.JUDGEMENT: ("call.", "sale."),
    Kind.LOGIN: ("login", "logout", "session."),
    Kind.PEOPLE: ("user.", "totp.", "view."),
}
PERSONAL = (*BEGINNINGS[Kind.LOGIN], *BEGINNINGS[Kind.PEOPLE])
COLUMNS = ("at", "actor", "client", "action", "company", "subject", "detail")


@dataclass(frozen=True)
class Wanted:
    """Which entries: a part of who it was, a kind, an interval; None for any."""

    actor: str | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None


def read_log(
    session: Session, company_ids: Iterable[int], wanted: Wanted, *, limit: int, before: int | None = None
) -> Sequence[AuditEntry]:
    """The newest entries of these companies and their people first; before that entry's id, if given."""
    narrowed = [*_conditions(wanted)] + ([] if before is None else [AuditEntry.id < before])

    def newest(whose: sa.ColumnElement[bool]) -> sa.Select[int]:
        ids = sa.select(AuditEntry.id).where(whose, *narrowed).order_by(AuditEntry.id.desc()).limit(limit)
        return sa.select(ids.subquery().c.id)

    # Of each company and of its people as many as are wanted: asked for together, all would be sorted.
    ids = list(company_ids)
    found = sa.union_all(newest(_own(ids)), *(newest(AuditEntry.company_id == each) for each in ids))
    query = sa.select(AuditEntry).where(AuditEntry.id.in_(found))
    return session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)).all()


def describe(entry: AuditEntry, slugs: Mapping[int, str]) -> dict[str, Any]:
    """An entry as JSON; `slugs` are the companies' short names by id."""
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": entry.actor,
        "client": entry.client,
        "action": entry.action,
        "company": slugs.get(entry.company_id) if entry.company_id else None,
        "subject": entry.subject,
        "detail": entry.detail,
    }


def csv_lines(session: Session, company_ids: Iterable[int], wanted: Wanted) -> Iterator[str]:
    """The same as CSV, all pages, instants in UTC; with the mark by which Excel knows UTF-8."""
    ids, before = list(company_ids), None
    slugs = {row.id: row.slug for row in session.execute(sa.select(Company.id, Company.slug))}
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + _line(COLUMNS)
    while entries := read_log(session, ids, wanted, limit=PAGE, before=before):
        yield "".join(_line(_row(entry, slugs)) for entry in entries)
        before = entries[-1].id
        session.expunge_all()


def _own(company_ids: list[int]) -> sa.ColumnElement[bool]:
    """What these companies' people did to their own accounts."""
    people = (
        sa.select(User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id.in_(company_ids))
    )
    return sa.and_(
        AuditEntry.company_id.is_(None),
        _begins(PERSONAL),
        sa.or_(AuditEntry.actor.in_(people), AuditEntry.subject.in_(people)),
    )


def _conditions(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.actor:
        yield AuditEntry.actor.icontains(wanted.actor, autoescape=True)
    if wanted.kind:
        yield _of_kind(wanted.kind)
    if wanted.since:
        yield AuditEntry.at >= wanted.since
    if wanted.until:
        yield AuditEntry.at < wanted.until


def _of_kind(kind: Kind) -> sa.ColumnElement[bool]:
    if kind is Kind.SETTINGS:
        return sa.not_(_begins([word for words in BEGINNINGS.values() for word in words]))
    if kind is Kind.JUDGEMENT:
        return sa.and_(_begins(BEGINNINGS[kind]), sa.not_(_begins(BEGINNINGS[Kind.EXPORT])))
    return _begins(BEGINNINGS[kind])


def _begins(words: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(AuditEntry.action.startswith(word, autoescape=True) for word in words))


def _row(entry: AuditEntry, slugs: dict[int, str]) -> tuple[object, ...]:
    company = slugs.get(entry.company_id) if entry.company_id else None
    return (entry.at, entry.actor, entry.client, entry.action, company, entry.subject, entry.detail)


def _line(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in values])
    return out.getvalue()
