"""When saved reports are sent to whom: set up, planned when due, and on their way in a queue.

Planning moves a schedule on and writes its mails in one transaction, by comparing what it moves from: so of
several workers one plans, a crash plans nothing or all, and who was away for a week plans once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.errors import Rejected
from tracker.mailing import Queue, new_key
from tracker.models import Company, ReportLink, ReportMail, ReportSchedule, SavedReport
from tracker.once import insert_once
from tracker.policy.schedules import Schedule, next_at

MOST = 20  # of a report
CLAIM = timedelta(minutes=10)  # longer than reading the largest report and any try takes

QUEUE = Queue(ReportMail, "address", CLAIM)


@dataclass(frozen=True)
class Listed:
    """A schedule, and the mails that went out, or should have, when it was due last."""

    schedule: ReportSchedule
    last: Sequence[ReportMail]


# ---- people's ----


def add(
    session: Session, by: By, report: SavedReport, when: Schedule, addresses: Sequence[str]
) -> ReportSchedule:
    """Sends the report at these times from now on. Raises Rejected `schedule.many_times`."""
    count = sa.select(sa.func.count()).where(ReportSchedule.report_id == report.id)
    if (session.scalar(count) or 0) >= MOST:
        raise Rejected(
            "schedule.many_times", "A report is sent at %(most)s times at most", "Delete one first", most=MOST
        )
    zone = ZoneInfo(report.company.timezone)
    made = ReportSchedule(
        report_id=report.id, every=when.every, day=when.day, hour=when.hour, addresses=list(addresses),
        next_at=next_at(when, zone, by.at), made_by=by.actor[:200], created_at=by.at,
    )  # fmt: skip
    session.add(made)
    session.flush()
    by.note(session, "report.schedule", report.company_id, subject=report.name, detail=_detail(made))
    return made


def delete(session: Session, by: By, report: SavedReport, schedule: ReportSchedule) -> None:
    """Sends the report no more at these times; what is on its way there is dropped."""
    session.execute(
        sa.delete(ReportMail).where(ReportMail.schedule_id == schedule.id),
        execution_options={"synchronize_session": False},
    )
    by.note(session, "report.unschedule", report.company_id, subject=report.name, detail=_detail(schedule))
    session.delete(schedule)


def send_now(session: Session, by: By, report: SavedReport, schedule: ReportSchedule) -> None:
    """Sends the report once besides its times: the worker does within a second or two."""
    _write(session, schedule, by.at, by.at)
    detail = {"to": list(schedule.addresses)}
    by.note(session, "report.send", report.company_id, subject=report.name, detail=detail)


def get_schedule(session: Session, report: SavedReport, schedule_id: int) -> ReportSchedule:
    """One of the report's. Raises Rejected `schedule.unknown`."""
    found = session.get(ReportSchedule, schedule_id)
    if found is None or found.report_id != report.id:
        raise Rejected(
            "schedule.unknown", "The report is not sent at such a time", "It may be deleted: see the report"
        )
    return found


def list_schedules(session: Session, reports: Collection[int]) -> dict[int, list[Listed]]:
    """The schedules of these reports by report, each with its last mails. Two statements."""
    wanted = sa.select(ReportSchedule).where(ReportSchedule.report_id.in_(list(reports)))
    schedules = session.scalars(wanted.order_by(ReportSchedule.id)).all()
    mails = _last_mails(session, [it.id for it in schedules])
    found: dict[int, list[Listed]] = {}
    for it in schedules:
        found.setdefault(it.report_id, []).append(Listed(it, mails.get(it.id, [])))
    return found


def unsent(session: Session) -> Sequence[ReportMail]:
    """Of the mails that each schedule planned last, those that have not gone out. One statement."""
    loaded = joinedload(ReportMail.schedule).joinedload(ReportSchedule.report)
    wanted = _newest(sa.true()).where(ReportMail.sent_at.is_(None))
    return session.scalars(wanted.options(loaded.joinedload(SavedReport.company))).all()


def _last_mails(session: Session, ids: Sequence[int]) -> dict[int, list[ReportMail]]:
    found: dict[int, list[ReportMail]] = {}
    for mail in session.scalars(_newest(ReportMail.schedule_id.in_(ids))):
        found.setdefault(mail.schedule_id, []).append(mail)
    return found


def _newest(which: sa.ColumnElement[bool]) -> sa.Select[ReportMail]:
    """The mails that each schedule among these planned last."""
    newest = (
        sa.select(ReportMail.schedule_id, sa.func.max(ReportMail.planned_at).label("planned_at"))
        .where(which)
        .group_by(ReportMail.schedule_id)
        .subquery()
    )
    same = sa.and_(
        ReportMail.schedule_id == newest.c.schedule_id, ReportMail.planned_at == newest.c.planned_at
    )
    return sa.select(ReportMail).join(newest, same).order_by(ReportMail.id)


def when_of(it: ReportSchedule) -> Schedule:
    """Its times."""
    return Schedule(it.every, it.day, it.hour)


def describe(it: Listed) -> dict[str, Any]:
    """A schedule as JSON has it, with what became of its last mails."""
    schedule = it.schedule
    return {
        "id": schedule.id,
        **_detail(schedule),
        "next_at": schedule.next_at,
        "made_by": schedule.made_by,
        "last": [
            {
                "to": mail.address,
                "planned_at": mail.planned_at,
                "tried_at": mail.tried_at,
                "next_try_at": mail.due_at if mail.sent_at is None and mail.given_up_at is None else None,
                "sent_at": mail.sent_at,
                "given_up_at": mail.given_up_at,
                "answer": mail.answer,
            }
            for mail in it.last
        ],
    }


def _detail(it: ReportSchedule) -> dict[str, Any]:
    return {"every": it.every.value, "day": it.day, "hour": it.hour, "to": list(it.addresses)}


def replan(session: Session, company: Company, now: datetime) -> None:
    """The company's clocks were set to another zone: what comes next comes at that zone's hour."""
    theirs = sa.select(ReportSchedule).join(SavedReport).where(SavedReport.company_id == company.id)
    for it in session.scalars(theirs.where(ReportSchedule.next_at > now)):
        it.next_at = next_at(when_of(it), ZoneInfo(company.timezone), now)


def forget(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Delete these reports and all that hangs on them; nothing is written down."""
    reports = sa.select(SavedReport.id).where(which)
    schedules = sa.select(ReportSchedule.id).where(ReportSchedule.report_id.in_(reports))
    for statement in (
        sa.delete(ReportMail).where(ReportMail.schedule_id.in_(schedules)),
        sa.delete(ReportSchedule).where(ReportSchedule.report_id.in_(reports)),
        sa.delete(ReportLink).where(ReportLink.report_id.in_(reports)),
        sa.delete(SavedReport).where(which),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})


# ---- the worker's ----


def is_due(session: Session, now: datetime) -> bool:
    """Whether something has to be planned: looking takes no writer's place."""
    wanted = sa.select(ReportSchedule.id).where(ReportSchedule.next_at <= now).limit(1)
    return session.scalar(wanted) is not None


def plan(session: Session, now: datetime) -> int:
    """Writes the mails of what is due, each time once, however late. How many mails."""
    due = sa.select(ReportSchedule).where(ReportSchedule.next_at <= now)
    due = due.options(joinedload(ReportSchedule.report).joinedload(SavedReport.company))
    return sum(_plan(session, it, now) for it in session.scalars(due.order_by(ReportSchedule.id)).all())


def _plan(session: Session, it: ReportSchedule, now: datetime) -> int:
    """Nothing where another worker has just done it."""
    planned_at, company = it.next_at, it.report.company
    moved = (
        sa.update(ReportSchedule)
        .where(ReportSchedule.id == it.id, ReportSchedule.next_at == planned_at)
        .values(next_at=next_at(when_of(it), ZoneInfo(company.timezone), now))
    )
    done = session.execute(moved, execution_options={"synchronize_session": False})
    return _write(session, it, planned_at, now) if done.rowcount == 1 else 0  # type: ignore[attr-defined]


def _write(session: Session, it: ReportSchedule, planned_at: datetime, now: datetime) -> int:
    rows = [
        {
            "key": new_key(), "schedule_id": it.id, "planned_at": planned_at, "address": address,
            "created_at": now, "due_at": now, "tries": 0,
        }
        for address in it.addresses
    ]  # fmt: skip
    return len(insert_once(session, ReportMail, rows, ("schedule_id", "planned_at", "address")))


def claim(session: Session, now: datetime, limit: int) -> list[ReportMail]:
    """Mails that are due and in nobody's hands, with their reports; they are this worker's now."""
    ids = QUEUE.claim(session, now, limit)
    loaded = joinedload(ReportMail.schedule).joinedload(ReportSchedule.report)
    wanted = sa.select(ReportMail).where(ReportMail.id.in_(ids)).order_by(ReportMail.id)
    return list(session.scalars(wanted.options(loaded.joinedload(SavedReport.company)))) if ids else []
