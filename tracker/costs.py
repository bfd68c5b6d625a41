"""What advertising cost: by hand, out of files, told by programs; with the rents of channels, for reports.

A row that has a reference, its own or its day and words, is the same when it is told again: nothing changes,
or its amount does and the audit log says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.calls import amount as plain
from tracker.companies import one_at_a_time, read_currency
from tracker.errors import Rejected, say
from tracker.held import hold
from tracker.imports import Outdated
from tracker.models import Channel, ChannelRent, Company, Cost
from tracker.policy import references
from tracker.policy.cost_list import LONGEST, CostLine, Found, KnownChannel, Wanted, told_costs
from tracker.policy.costs import Entered, Words, daily_rent
from tracker.policy.entries import read_title
from tracker.policy.money import read_amount
from tracker.policy.rates import Rates
from tracker.policy.tables import BadCell, BadRows
from tracker.portions import portions
from tracker.pouring import Ready, make_ready, pour
from tracker.rates import rates_of
from tracker.rents import terms_of
from tracker.told_rows import as_json, missing_rates, only_line

MOST = 500  # of a listing
_GIVE = say("Give it like 1200.50 %(currency)s")
_COLUMNS = (
    "day",
    "medium",
    "source",
    "campaign",
    "keyword",
    "content",
    "channel_id",
    "amount",
    "currency",
    "note",
)
_SILENT = ("medium", "campaign", "keyword", "content", "note")  # what a row need not say


@dataclass(frozen=True)
class Change:
    """What an import does to a row that is there: the columns that become others."""

    id: int
    reference: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class CostPlan:
    """What an import would do."""

    new: Sequence[CostLine] = ()
    changed: Sequence[Change] = ()
    same: int = 0
    found: Found = field(default_factory=lambda: Found((), ()))
    ready: Ready = field(default_factory=Ready)  # the new ones
    beside: int = 0  # new rows beside others of their day and source in more or less detail: twice, perhaps


def wanted_of(session: Session, company: Company, **more: Any) -> Wanted:
    """How a list of the company's costs is read: its currency and channels, and `more` of Wanted's."""
    rows = session.scalars(sa.select(Channel).where(Channel.company_id == company.id).order_by(Channel.name))
    channels = [KnownChannel(it.id, it.name, it.medium, it.source, it.campaign, it.keyword) for it in rows]
    return Wanted(company.currency, channels=channels, **more)


def plan_import(session: Session, company: Company, found: Found) -> CostPlan:
    """What these rows would change, without doing it. Raises BadRows with all that is wrong, of every row."""
    days = ((line, line.day) for line in found.lines)
    rates = missing_rates(rates_of(session, company), days)
    if problems := [*found.problems, *rates, *_missing_channels(session, company, found.lines)]:
        raise BadRows(problems)
    there = _there(session, company, [line.reference for line in found.lines])
    new, changed, same = [], [], 0
    for line in found.lines:
        row = there.get(line.reference)
        if row is None:
            new.append(line)
        elif change := _change(row, line):
            changed.append(change)
        else:
            same += 1
    ready = make_ready(session, Cost, [_row(line) for line in new])
    return CostPlan(new, changed, same, found, ready, _beside(session, company, new))


def carry_out(
    session: Session, by: By, company: Company, plan: CostPlan, *, entered: Entered, name: str | None = None
) -> None:
    """Do what was planned: one audit entry for the import (of the file `name`), one for each changed row.

    Raises Outdated, or IntegrityError, where it cannot be done any more: see tracker.imports.
    """
    one_at_a_time(session, company)
    there = _there(session, company, [it.reference for it in plan.changed])
    if any(_is_outdated(it, there.get(it.reference)) for it in plan.changed):
        raise Outdated
    same: dict[str, Any] = {"company_id": company.id, "entered": entered}
    pour(session, Cost, plan.ready, **same, created_at=by.at, changed_at=by.at)
    for changes in portions(plan.changed):
        session.execute(sa.update(Cost), [{"id": it.id, "changed_at": by.at, **it.after} for it in changes])
    for it in plan.changed:
        detail = {"before": as_json(it.before), "after": as_json(it.after)}
        by.note(session, "cost.change", company.id, subject=it.reference, detail=detail)
    if plan.new or plan.changed:
        counts = {"new": len(plan.new), "changed": len(plan.changed), "same": plan.same}
        by.note(session, "cost.import", company.id, subject=name, detail=counts | {"entered": entered})
    session.flush()


def add_cost(
    session: Session,
    by: By,
    company: Company,
    wanted: Wanted,
    row: Mapping[str, str],
    *,
    form: str | None = None,
) -> Cost:
    """One cost by hand, its values in the words of a told row. Raises Rejected cost.malformed, rate.missing.

    Without a reference it is a cost of its own: the same typed twice is twice the cost, unless it is told by
    the same `form` (references.of_form).
    """
    line = only_line(told_costs([row], wanted), "cost.malformed", _GIVE, wanted.currency)
    rates_of(session, company).rate(line.currency, line.day)
    reference = line.reference if str(row.get("reference") or "").strip() else None
    one_at_a_time(session, company)
    if reference is None and form and (there := _there(session, company, [form])):
        return session.get_one(Cost, there[form].id)
    if reference and _there(session, company, [reference]):
        raise Rejected(
            "cost.duplicate", "There is a cost %(reference)r already", "Change that one", reference=reference
        )
    cost = Cost(
        **{**_row(line), "reference": reference or form},
        company_id=company.id,
        entered=Entered.HAND,
        created_at=by.at,
        changed_at=by.at,
    )
    session.add(cost)
    session.flush()
    by.note(session, "cost.add", company.id, subject=cost.source, detail=_detail(cost))
    return cost


def typed(row: Mapping[str, str], names: Iterable[str], currency: str, language: str) -> dict[str, str]:
    """What a person typed, its amounts as told rows have them; the row's own currency counts.

    Raises Rejected value.* for what is no amount, or could be two.
    """
    told = dict(row)
    code = read_currency(told["currency"]) if told.get("currency") else currency
    for name in names:
        if text := told.get(name, "").strip():
            below = name == "profit" and text[0] in "-\N{MINUS SIGN}"
            told[name] = ("-" if below else "") + f"{read_amount(text[below:], code, language):f}"
    return told


def change_cost(
    session: Session, by: By, cost: Cost, *, amount: Decimal | None = None, note: str | None = None
) -> bool:
    """Correct a cost's amount or note ("": none); whether anything changed. Raises Rejected cost.text."""
    hold(session, cost, _unknown())
    after: dict[str, Any] = {}
    if amount is not None and amount != cost.amount:
        after["amount"] = amount
    if note is not None:
        note = read_title(note, "cost", LONGEST["note"]) if note.strip() else None
        after |= {"note": note} if note != cost.note else {}
    if not after:
        return False
    before = {name: getattr(cost, name) for name in after}
    for name, value in after.items():
        setattr(cost, name, value)
    cost.changed_at = by.at
    detail = {"cost": cost.id, "before": as_json(before), "after": as_json(after)}
    by.note(session, "cost.change", cost.company_id, subject=cost.reference or cost.source, detail=detail)
    return True


def delete_costs(session: Session, by: By, company: Company, ids: Sequence[int]) -> int:
    """Delete these of the company's costs, all or none. Raises Rejected cost.unknown."""
    wanted = sa.select(Cost).where(Cost.company_id == company.id, Cost.id.in_(list(ids)))
    # In the order of their ids: who deletes the same at once waits, and finds them gone.
    held = wanted.order_by(Cost.id).with_for_update().execution_options(populate_existing=True)
    found = session.scalars(held).all()
    if len(found) != len(set(ids)):
        raise _unknown()
    for cost in found:
        by.note(session, "cost.delete", company.id, subject=cost.source, detail=_detail(cost))
        session.delete(cost)
    session.flush()
    return len(found)


def find_cost(session: Session, company: Company, cost_id: int) -> Cost:
    """The company's cost of that id. Raises Rejected cost.unknown."""
    wanted = sa.select(Cost).where(Cost.company_id == company.id, Cost.id == cost_id)
    if found := session.scalars(wanted.options(joinedload(Cost.channel))).one_or_none():
        return found
    raise _unknown()


def _unknown() -> Rejected:
    return Rejected("cost.unknown", "There is no such cost", "See `leaseline cost list`")


def list_costs(
    session: Session, company_ids: Sequence[int], first: date, last: date, limit: int = MOST, *,
    before: tuple[date, int] | None = None,
) -> Sequence[Cost]:  # fmt: skip
    """The companies' stored costs of these days, both included, the newest first; rents come besides.

    `before`: those that follow the cost of that day and id.
    """
    wanted = (
        sa.select(Cost)
        .where(Cost.company_id.in_(company_ids), Cost.day.between(first, last))
        .options(joinedload(Cost.channel))
        .order_by(Cost.day.desc(), Cost.id.desc())
        .limit(limit)
    )
    if before is not None:
        day, cost_id = before
        wanted = wanted.where(sa.or_(Cost.day < day, sa.and_(Cost.day == day, Cost.id < cost_id)))
    return session.scalars(wanted).all()


def rents_between(
    session: Session, company: Company, rates: Rates, first: date, last: date
) -> Iterator[tuple[ChannelRent, date, Decimal]]:
    """What the company's channels cost on each of these days."""
    for rent in session.scalars(sa.select(ChannelRent).where(ChannelRent.company_id == company.id)):
        for day, amount in daily_rent(terms_of(rent), first, last):
            yield rent, day, rates.convert(amount, rent.currency, day)


def words_now(words: Words, channel: Channel | None) -> Words:
    """A cost's words as they are now: a channel's own come before what was stored."""
    if channel is None:
        return words
    campaign, keyword = channel.campaign or words.campaign, channel.keyword or words.keyword
    return Words(channel.source, channel.medium, campaign, keyword, words.content)


def describe_cost(cost: Cost) -> dict[str, Any]:
    """A cost as JSON."""
    words = words_now(
        Words(cost.source, cost.medium, cost.campaign, cost.keyword, cost.content), cost.channel
    )
    return {
        "id": cost.id,
        "day": cost.day.isoformat(),
        "medium": words.medium,
        "source": words.source,
        "campaign": words.campaign,
        "keyword": words.keyword,
        "content": words.content,
        "channel": cost.channel.name if cost.channel else None,
        "amount": plain(cost.amount),
        "currency": cost.currency,
        "note": cost.note,
        "entered": cost.entered.value,
        "reference": references.told(cost.reference),
    }


def _there(session: Session, company: Company, references: Sequence[str]) -> dict[str, sa.Row[Any]]:
    columns = [getattr(Cost, name) for name in ("id", "reference", *_COLUMNS)]
    found: dict[str, sa.Row[Any]] = {}
    for part in portions(references):
        wanted = sa.select(*columns).where(Cost.company_id == company.id, Cost.reference.in_(part))
        found.update((row.reference, row) for row in session.execute(wanted))
    return found


def _beside(session: Session, company: Company, new: Sequence[CostLine]) -> int:
    """How many have others of the same day and source beside them that name more or fewer words."""
    if not new:
        return 0
    named = [column.is_not(None) for column in (Cost.campaign, Cost.keyword, Cost.content)]
    days = Cost.day.between(min(line.day for line in new), max(line.day for line in new))
    wanted = sa.select(Cost.day, Cost.source, *named).where(Cost.company_id == company.id, days).distinct()
    there = defaultdict(set)
    for day, source, *depth in session.execute(wanted):
        there[day, source].add(tuple(map(bool, depth)))
    words = ((line, line.words) for line in new)
    return sum(
        bool(
            there[line.day, it.source]
            - {tuple(each is not None for each in (it.campaign, it.keyword, it.content))}
        )
        for line, it in words
        if (line.day, it.source) in there
    )


def _row(line: CostLine) -> dict[str, Any]:
    words = line.words
    return {
        "day": line.day, "medium": words.medium, "source": words.source, "campaign": words.campaign,
        "keyword": words.keyword, "content": words.content, "channel_id": line.channel_id,
        "amount": line.amount, "currency": line.currency, "note": line.note, "reference": line.reference,
    }  # fmt: skip


def _change(row: sa.Row[Any], line: CostLine) -> Change | None:
    """What of the row becomes another; what a list says nothing of stays."""
    stored, wanted = row._mapping, _row(line)  # SQLAlchemy's public name for a row as a mapping
    wanted |= {name: stored[name] for name in _SILENT if wanted[name] is None}
    after = {name: wanted[name] for name in _COLUMNS if wanted[name] != stored[name]}
    return Change(row.id, line.reference, {name: stored[name] for name in after}, after) if after else None


def _is_outdated(change: Change, row: sa.Row[Any] | None) -> bool:
    return row is None or any(row._mapping[name] != value for name, value in change.before.items())


def _missing_channels(session: Session, company: Company, lines: Sequence[CostLine]) -> list[BadCell]:
    """The rows whose channel has been deleted since they were read."""
    if not any(line.channel_id for line in lines):
        return []
    there = set(session.scalars(sa.select(Channel.id).where(Channel.company_id == company.id)))
    said = say("there is no channel of this name any more")
    gone = (line for line in lines if line.channel_id is not None and line.channel_id not in there)
    return [BadCell(line.line, "channel", said) for line in gone]


def _detail(cost: Cost) -> dict[str, Any]:
    return {
        "day": cost.day.isoformat(),
        "amount": f"{cost.amount:f}",
        "currency": cost.currency,
        "cost": cost.id,
    }
