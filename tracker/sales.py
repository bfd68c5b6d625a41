"""What was sold: marked on a call, out of files, told by programs; and what each sale belongs to.

A sale is what was really sold. What a person says a call is worth (`Call.value`) is an estimate and stays
one: no sale is made of it, and reports count money by sales.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.calls import amount as plain
from tracker.companies import one_at_a_time
from tracker.costs import MOST
from tracker.errors import Rejected, say
from tracker.held import hold
from tracker.imports import Outdated
from tracker.journey import iso
from tracker.models import Call, Company, Sale
from tracker.policy import references
from tracker.policy.cost_list import Wanted
from tracker.policy.costs import Entered
from tracker.policy.sale_list import FoundSales, Place, SaleLine, told_sales
from tracker.policy.sales import SaleStatus
from tracker.policy.tables import BadRows
from tracker.portions import portions
from tracker.pouring import Ready, make_ready, pour
from tracker.rates import rates_of
from tracker.sale_matching import Belongs, Told, match
from tracker.told_rows import as_json, missing_rates, only_line

_TOLD = ("at", "revenue", "profit", "currency", "status", "note", "call_key", "phone", "visitor_key")
_GIVE = say("Give amounts like 1200.50 %(currency)s and instants like 2026-11-30T14:30")


@dataclass(frozen=True)
class SaleChange:
    """What an import does to a sale that is there: the columns that become others."""

    reference: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class SalePlan:
    """What an import would do; `matched` says what each of the new ones belongs to."""

    new: Sequence[SaleLine] = ()
    matched: Sequence[Belongs] = ()
    changed: Sequence[SaleChange] = ()
    same: int = 0
    found: FoundSales = field(default_factory=lambda: FoundSales((), ()))
    ready: Ready = field(default_factory=Ready)  # the new ones

    @property
    def unmatched(self) -> int:
        """How many of the new ones belong to nothing that is known."""
        return sum(each.matched_by is None for each in self.matched)


def place_of(company: Company, now: datetime) -> Place:
    """Whose clocks and telephone numbers the company's lists have."""
    return Place(ZoneInfo(company.timezone), company.default_region, now)


def plan_import(session: Session, company: Company, found: FoundSales) -> SalePlan:
    """What these rows would change, without doing it. Raises BadRows with all that is wrong, of every row."""
    zone = ZoneInfo(company.timezone)
    days = ((line, line.at.astimezone(zone).date()) for line in found.lines)
    problems = [*found.problems, *missing_rates(rates_of(session, company), days)]
    if problems:
        raise BadRows(problems)
    there = _there(session, company, [line.reference for line in found.lines])
    new = [line for line in found.lines if line.reference not in there]
    changed = [
        change
        for line in found.lines
        if (sale := there.get(line.reference)) and (change := _change(sale, line))
    ]
    rows = [_row(line) for line in new]
    matched = match(session, company, [_told(row) for row in rows])
    ready = make_ready(
        session, Sale, [row | vars(belongs) for row, belongs in zip(rows, matched, strict=True)]
    )
    return SalePlan(new, matched, changed, len(found.lines) - len(new) - len(changed), found, ready)


def carry_out(
    session: Session, by: By, company: Company, plan: SalePlan, *, entered: Entered, name: str | None = None
) -> None:
    """Do what was planned: one audit entry for the import (of the file `name`), one for each changed sale.

    Raises Outdated, or IntegrityError, where it cannot be done any more: see tracker.imports.
    """
    one_at_a_time(session, company)
    there = _there(session, company, [it.reference for it in plan.changed])
    same: dict[str, Any] = {"company_id": company.id, "entered": entered}
    pour(session, Sale, plan.ready, **same, created_at=by.at, changed_at=by.at)
    for it in plan.changed:
        _apply(session, by, company, there.get(it.reference), it)
    if plan.new or plan.changed:
        counts = {"new": len(plan.new), "changed": len(plan.changed), "same": plan.same}
        by.note(session, "sale.import", company.id, subject=name, detail=counts | {"entered": entered})
    session.flush()


def add_sale(
    session: Session,
    by: By,
    company: Company,
    row: Mapping[str, str],
    call: Call | None = None,
    *,
    form: str | None = None,
) -> Sale:
    """One sale by hand, its values in the words of a told row; marked on `call` where one is given.

    Told once more by the same `form` (references.of_form), and without a reference of its own, it is the sale
    that is there. Raises Rejected sale.malformed, sale.duplicate, rate.missing.
    """
    given = dict(row) | ({"call": call.key} if call else {})
    found = told_sales([given], Wanted(company.currency), place_of(company, by.at))
    line: SaleLine = only_line(found, "sale.malformed", _GIVE, company.currency)
    day = line.at.astimezone(ZoneInfo(company.timezone)).date()
    rates_of(session, company).rate(line.currency, day)
    reference = line.reference if str(row.get("reference") or "").strip() else None
    one_at_a_time(session, company)
    if reference is None and form and (there := _there(session, company, [form])):
        return there[form]
    if reference and _there(session, company, [reference]):
        raise Rejected(
            "sale.duplicate", "There is a sale %(reference)r already", "Change that one", reference=reference
        )
    values = {**_row(line), "reference": reference or form}
    belongs = match(session, company, [_told(values)])[0]
    sale = Sale(
        **values, **vars(belongs), company_id=company.id, entered=Entered.HAND,
        created_at=by.at, changed_at=by.at,
    )  # fmt: skip
    session.add(sale)
    session.flush()
    by.note(session, "sale.add", company.id, subject=line.call or reference, detail=_detail(sale))
    return sale


def set_status(session: Session, by: By, sale: Sale, status: SaleStatus) -> bool:
    """Cancel a sale, or take that back; whether it was otherwise before."""
    hold(session, sale, _unknown())
    before = sale.status
    if before is status:
        return False
    sale.status, sale.changed_at = status, by.at
    detail = _detail(sale) | {"before": before}
    by.note(session, "sale.status", sale.company_id, subject=sale.call_key or sale.reference, detail=detail)
    return True


def delete_sale(session: Session, by: By, sale: Sale) -> None:
    """Take a sale away that never was; one that came to nothing is cancelled instead."""
    hold(session, sale, _unknown())
    subject = sale.call_key or sale.reference
    by.note(session, "sale.delete", sale.company_id, subject=subject, detail=_detail(sale))
    session.delete(sale)
    session.flush()


def find_sale(session: Session, company_ids: Sequence[int], name: str) -> Sale:
    """A sale of these companies by its id, or by its reference. Raises Rejected sale.unknown, sale.which."""
    word = name.strip()
    named = Sale.reference == word
    if word.isascii() and word.isdecimal() and len(word) < 19:
        named = sa.or_(named, Sale.id == int(word))
    found = session.scalars(sa.select(Sale).where(Sale.company_id.in_(company_ids), named)).all()
    if len(found) > 1:
        raise Rejected(
            "sale.which", "%(word)r is one sale's reference and another's id", "Use the page", word=word
        )
    if not found:
        raise _unknown()
    return found[0]


def get_sale(session: Session, company_ids: Sequence[int], sale_id: str) -> Sale:
    """A sale of these companies by its id. Raises Rejected sale.unknown."""
    number = int(sale_id) if sale_id.isascii() and sale_id.isdecimal() and len(sale_id) < 19 else 0
    found = session.scalars(sa.select(Sale).where(Sale.company_id.in_(company_ids), Sale.id == number))
    if sale := found.one_or_none():
        return sale
    raise _unknown()


def _unknown() -> Rejected:
    return Rejected("sale.unknown", "There is no such sale", "See `leaseline sale list`")


def list_sales(
    session: Session, companies: Iterable[Company], first: date, last: date, *,
    unmatched: bool = False, limit: int = MOST, before: tuple[datetime, int] | None = None,
) -> Sequence[Sale]:  # fmt: skip
    """The companies' sales of these days, both included, each by its own clocks, the newest first.

    `unmatched`: those that belong to nothing. `before`: those that follow the sale of that instant and id.
    """
    wanted = sa.select(Sale).where(sa.or_(*(_within(each, first, last) for each in companies)))
    if unmatched:
        wanted = wanted.where(Sale.matched_by.is_(None))
    if before is not None:
        at, sale_id = before
        wanted = wanted.where(sa.or_(Sale.at < at, sa.and_(Sale.at == at, Sale.id < sale_id)))
    wanted = wanted.options(joinedload(Sale.call)).order_by(Sale.at.desc(), Sale.id.desc()).limit(limit)
    return session.scalars(wanted).all()


def sales_of_call(session: Session, call: Call) -> Sequence[Sale]:
    """What was sold on this call, the oldest first."""
    return session.scalars(sa.select(Sale).where(Sale.call_id == call.id).order_by(Sale.at, Sale.id)).all()


def _within(company: Company, first: date, last: date) -> sa.ColumnElement[bool]:
    since, until = days_of(company, first, last)
    return sa.and_(Sale.company_id == company.id, Sale.at >= since, Sale.at < until)


def days_of(company: Company, first: date, last: date) -> tuple[datetime, datetime]:
    """The half-open interval of these days, both included, by the company's clocks."""
    zone = ZoneInfo(company.timezone)
    # The first and the last day that there is are others elsewhere, where there are none.
    first, until = max(first, date(1, 1, 2)), min(last, date(9999, 12, 29)) + timedelta(days=1)
    return datetime(first.year, first.month, first.day, tzinfo=zone), datetime(
        until.year, until.month, until.day, tzinfo=zone
    )


def describe_sale(sale: Sale) -> dict[str, Any]:
    """A sale as JSON; `matched_by` is null where it belongs to nothing that is known."""
    return {
        "id": sale.id,
        "at": iso(sale.at),
        "revenue": plain(sale.revenue),
        "profit": plain(sale.profit),
        "currency": sale.currency,
        "status": sale.status.value,
        "reference": references.told(sale.reference),
        "matched_by": sale.matched_by.value if sale.matched_by else None,
        "call": sale.call.key if sale.call else None,
        "phone": sale.phone,
        "visitor": sale.visitor_key,
        "note": sale.note,
        "entered": sale.entered.value,
    }


def _there(session: Session, company: Company, references: Sequence[str]) -> dict[str, Sale]:
    found: dict[str, Sale] = {}
    for part in portions(references):
        wanted = sa.select(Sale).where(Sale.company_id == company.id, Sale.reference.in_(part))
        found.update((str(sale.reference), sale) for sale in session.scalars(wanted))
    return found


def _row(line: SaleLine) -> dict[str, Any]:
    return {
        "at": line.at, "revenue": line.revenue, "profit": line.profit, "currency": line.currency,
        "status": line.status or SaleStatus.WON, "note": line.note, "call_key": line.call,
        "phone": line.phone, "visitor_key": line.visitor, "reference": line.reference,
    }  # fmt: skip


def _told(row: Mapping[str, Any]) -> Told:
    return Told(row["at"], row["call_key"], row["phone"], row["visitor_key"])


def _change(sale: Sale, line: SaleLine) -> SaleChange | None:
    """What of the sale becomes another; what a list says nothing of stays."""
    wanted = _row(line)
    silent = {"status"} if line.status is None else set()
    silent |= {
        name for name in ("profit", "note", "call_key", "phone", "visitor_key") if wanted[name] is None
    }
    after = {
        name: wanted[name] for name in _TOLD if name not in silent and wanted[name] != getattr(sale, name)
    }
    before = {name: getattr(sale, name) for name in after}
    return SaleChange(line.reference, before, after) if after else None


def _apply(session: Session, by: By, company: Company, sale: Sale | None, it: SaleChange) -> None:
    if sale is None or any(getattr(sale, name) != value for name, value in it.before.items()):
        raise Outdated
    for name, value in it.after.items():
        setattr(sale, name, value)
    sale.changed_at = by.at
    if it.after.keys() & {"at", "call_key", "phone", "visitor_key"}:
        told = Told(sale.at, sale.call_key, sale.phone, sale.visitor_key)
        for name, value in vars(match(session, company, [told])[0]).items():
            setattr(sale, name, value)
    detail = {"before": as_json(it.before), "after": as_json(it.after)}
    by.note(session, "sale.change", company.id, subject=sale.reference, detail=detail)


def _detail(sale: Sale) -> dict[str, Any]:
    return {
        "sale": sale.id, "revenue": plain(sale.revenue), "profit": plain(sale.profit),
        "currency": sale.currency, "status": sale.status,
    }  # fmt: skip
