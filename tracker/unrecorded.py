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
from tracker.models import Call, Company, Recording, RecordingState, Unrecorded, Wish
from tracker.once import insert_once
from tracker.policy.facts import Passed, Taped
from tracker.policy.phone import read_number
from tracker.policy.refusing import said_by
from tracker.policy.taping import WISHES, Withheld, withheld


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


def take_wishes(session: Session, said: Mapping[int, Iterable[Taped | Passed]]) -> None:
    """Put callers on the list who refused, or of whom an employee said so, by the call's id.

    A caller's own refusal counts for later calls where the company remembers it. A recording that was kept
    before his word came into the books is kept no longer.
    """
    for call_id, facts in said.items():
        words = [(fact, word) for fact in facts if (word := said_by(fact)) is not None]
        reason = withheld(((fact.at, word) for fact, word in words), listed=False)
        if reason is None:
            continue
        call = session.get_one(Call, call_id, populate_existing=True)
        for fact, word in sorted(words, key=lambda each: each[0].at):
            wish = WISHES.get(word)
            if wish and call.caller and (wish is not Wish.CALLER or call.company.remember_refusals):
                _put(session, call, fact, wish)
        _withdraw(session, call, reason, max(fact.at for fact, _ in words))


def _withdraw(session: Session, call: Call, reason: Withheld, at: datetime) -> None:
    """A talk's recording; a message is a caller's own to leave."""
    # Held, so that whoever prepares it sees the word, or is seen to have been quicker.
    wanted = sa.select(Recording).where(Recording.call_id == call.id).with_for_update()
    recording = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    kept = recording is not None and recording.state in {RecordingState.READY, RecordingState.DAMAGED}
    if recording is None or not kept or call.answered_at is None:
        return
    recording.delete()
    recording.withheld = reason
    By(at, "caller").note(
        session, "recording.withdraw", call.company_id, subject=call.key, detail={"why": reason.value}
    )


def describe(entry: Unrecorded) -> dict[str, Any]:
    """As JSON."""
    return {"id": entry.id, "caller": entry.caller, "since_at": entry.since_at, "wish": entry.wish.value}


def _put(session: Session, call: Call, fact: Taped | Passed, wish: Wish) -> None:
    row = {"company_id": call.company_id, "caller": call.caller, "since_at": fact.at, "wish": wish}
    if insert_once(session, Unrecorded, [row], ("company_id", "caller"), ("id",)):
        actor = f"phone:{fact.target_id}" if isinstance(fact, Taped) and wish is Wish.EMPLOYEE else "caller"
        By(fact.at, actor).note(session, "unrecorded.add", call.company_id, subject=call.caller)


def _find(session: Session, company: Company, caller: str) -> Unrecorded | None:
    wanted = sa.select(Unrecorded).where(Unrecorded.company_id == company.id, Unrecorded.caller == caller)
    return session.scalars(wanted).one_or_none()
