"""Callers whose calls to a company are never recorded: by their own wish, or a person's.

The list takes effect twice: Asterisk is told when they call, and whatever was recorded all the same, because
nobody could be asked, is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Call, Company, Unrecorded, Wish
from tracker.once import insert_once
from tracker.policy.facts import Taped
from tracker.policy.phone import read_number
from tracker.policy.taping import WISHES


def add(session: Session, by: By, company: Company, number: str) -> Unrecorded:
    """Never record this caller again. Raises Rejected: number.malformed, unrecorded.duplicate."""
    caller = read_number(number, company.default_region)
    if _find(session, company, caller):
        raise Rejected(
            "unrecorded.duplicate", "%(caller)s is not recorded already", "There is nothing to do",
            caller=caller,
        )  # fmt: skip
    entry = Unrecorded(company_id=company.id, caller=caller, since_at=by.at, wish=Wish.PERSON)
    session.add(entry)
    session.flush()
    by.note(session, "unrecorded.add", company.id, subject=caller)
    return entry


def remove(session: Session, by: By, company: Company, number: str) -> None:
    """Record this caller again, as others are. Raises Rejected unrecorded.unknown."""
    entry = _find(session, company, number) or _find(
        session, company, read_number(number, company.default_region)
    )
    if entry is None:
        raise Rejected(
            "unrecorded.unknown",
            "%(caller)s is not on the list",
            "See `leaseline unrecorded list`",
            caller=number[:40],
        )
    session.delete(entry)
    by.note(session, "unrecorded.remove", company.id, subject=entry.caller)


def of_company(session: Session, company: Company) -> Sequence[Unrecorded]:
    """The company's list, the newest entries first."""
    wanted = sa.select(Unrecorded).where(Unrecorded.company_id == company.id)
    return session.scalars(wanted.order_by(Unrecorded.since_at.desc(), Unrecorded.id)).all()


def is_listed(session: Session, company_id: int, caller: str | None, at: datetime) -> bool:
    """Whether a caller, as calls have him, is on the company's list at that instant."""
    if caller is None:
        return False
    wanted = sa.select(Unrecorded.id).where(
        Unrecorded.company_id == company_id, Unrecorded.caller == caller, Unrecorded.since_at <= at
    )
    return session.scalar(wanted) is not None


def take_wishes(session: Session, taped: Mapping[int, Iterable[Taped]]) -> None:
    """Put callers on the list who refused, or of whom an employee said so, by the call's id.

    A caller's own refusal counts for later calls where the company remembers it.
    """
    for call_id, facts in taped.items():
        wished = [fact for fact in facts if fact.what in WISHES]
        if not wished:
            continue
        call = session.get_one(Call, call_id, populate_existing=True)
        for fact in sorted(wished, key=lambda each: each.at):
            wish = WISHES[fact.what]
            if call.caller and (wish is not Wish.CALLER or call.company.remember_refusals):
                _put(session, call, fact, wish)


def describe(entry: Unrecorded) -> dict[str, Any]:
    """As JSON."""
    return {"caller": entry.caller, "since_at": entry.since_at, "wish": entry.wish.value}


def _put(session: Session, call: Call, fact: Taped, wish: Wish) -> None:
    row = {"company_id": call.company_id, "caller": call.caller, "since_at": fact.at, "wish": wish}
    if insert_once(session, Unrecorded, [row], ("company_id", "caller"), ("id",)):
        actor = "caller" if wish is Wish.CALLER else f"phone:{fact.target_id}"
        By(fact.at, actor).note(session, "unrecorded.add", call.company_id, subject=call.caller)


def _find(session: Session, company: Company, caller: str) -> Unrecorded | None:
    wanted = sa.select(Unrecorded).where(Unrecorded.company_id == company.id, Unrecorded.caller == caller)
    return session.scalars(wanted).one_or_none()
