"""Reports that companies keep by name: saved, found, renamed, deleted, and shared by links.

A link shows the report's rows to somebody without an account until it expires, and never its calls.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker import report_schedules
from tracker.audit import By
from tracker.errors import Rejected
from tracker.links import LINK, Made, check_maker, count_one, living_link, new_link, revoke, told
from tracker.models import Company, ReportLink, SavedReport
from tracker.once import insert_once
from tracker.policy.saved_reports import query_of, read_name, read_words

MOST = 200  # of a company
DAYS = (1, 7, 30, 90)  # that a link may live


# ---- kept by name ----


def save(session: Session, by: By, company: Company, name: str, words: dict[str, str]) -> SavedReport:
    """Keeps the words of a report's address by name.

    Raises Rejected `saved_report.nameless`, `saved_report.duplicate`, `saved_report.many`, and what
    `read_words` does.
    """
    name, kept = read_name(name), read_words(words, ZoneInfo(company.timezone), by.at)
    count = sa.select(sa.func.count()).where(SavedReport.company_id == company.id)
    if (session.scalar(count) or 0) >= MOST:
        raise Rejected(
            "saved_report.many", "%(most)s reports are enough", "Delete one that nobody needs", most=MOST
        )
    row = {
        "company_id": company.id, "name": name, "words": kept, "made_by": by.actor[:200],
        "created_at": by.at, "changed_at": by.at,
    }  # fmt: skip
    made = insert_once(session, SavedReport, [row], ("company_id", "name"))
    if not made:
        raise _duplicate(name)
    by.note(session, "report.save", company.id, subject=name, detail={"query": query_of(kept)})
    return session.get_one(SavedReport, made[0].id)


def rename(session: Session, by: By, report: SavedReport, name: str) -> None:
    """Raises Rejected `saved_report.nameless` and `saved_report.duplicate`."""
    name = read_name(name)
    if name == report.name:
        return
    taken = sa.select(SavedReport.id).where(
        SavedReport.company_id == report.company_id, SavedReport.name == name
    )
    if session.scalar(taken) is not None:
        raise _duplicate(name)
    before, report.name, report.changed_at = report.name, name, by.at
    by.note(session, "report.rename", report.company_id, subject=name, detail={"before": before})


def delete(session: Session, by: By, report: SavedReport) -> None:
    """Takes a report away, with its times and its links: it is sent and shown no more."""
    report_schedules.forget(session, SavedReport.id == report.id)
    detail = {"query": query_of(report.words)}
    by.note(session, "report.delete", report.company_id, subject=report.name, detail=detail)
    session.expunge(report)


def list_reports(session: Session, company_ids: Collection[int]) -> Sequence[SavedReport]:
    """The reports of these companies by name."""
    wanted = (
        sa.select(SavedReport)
        .where(SavedReport.company_id.in_(list(company_ids)))
        .options(joinedload(SavedReport.company))
        .order_by(sa.func.lower(SavedReport.name), SavedReport.id)
    )
    return session.scalars(wanted).all()


def get_report(session: Session, company_ids: Collection[int], report_id: int) -> SavedReport:
    """One of them. Raises Rejected `saved_report.unknown`."""
    found = session.get(SavedReport, report_id, options=[joinedload(SavedReport.company)])
    if found is None or found.company_id not in company_ids:
        raise _unknown()
    return found


def find_report(session: Session, company: Company, name: str) -> SavedReport:
    """The company's report of that name. Raises Rejected `saved_report.unknown`."""
    wanted = sa.select(SavedReport).where(SavedReport.company_id == company.id, SavedReport.name == name)
    found = session.scalar(wanted.options(joinedload(SavedReport.company)))
    if found is None:
        raise _unknown()
    return found


def describe(it: SavedReport) -> dict[str, Any]:
    """A saved report as JSON has it."""
    return {
        "id": it.id,
        "name": it.name,
        "words": query_of(it.words),
        "made_by": it.made_by,
        "created_at": it.created_at,
        "changed_at": it.changed_at,
    }


# ---- shared by links ----


def make_link(session: Session, by: By, report: SavedReport, *, days: int) -> str:
    """The token of a new link that lives so many days. Raises Rejected `share.days`."""
    if days not in DAYS:
        raise Rejected("share.days", "A link cannot live %(days)s days", "Choose 1, 7, 30 or 90", days=days)
    kept, token = new_link(by, days)
    link = ReportLink(**kept, report_id=report.id)
    session.add(link)
    session.flush()
    detail = {"link": link.id, "days": days}
    by.note(session, "report.share", report.company_id, subject=report.name, detail=detail)
    return token


def links_of(session: Session, reports: Collection[int]) -> dict[int, list[Made[ReportLink]]]:
    """Every link of these reports that was ever made, by report, the newest first."""
    wanted = sa.select(ReportLink, SavedReport.company_id).join(
        SavedReport, SavedReport.id == ReportLink.report_id
    )
    theirs = wanted.where(SavedReport.id.in_(list(reports))).order_by(ReportLink.id.desc())
    rows = [(link, company_id) for link, company_id in session.execute(theirs)]
    found: dict[int, list[Made[ReportLink]]] = {}
    for each in told(session, rows):
        found.setdefault(each.link.report_id, []).append(each)
    return found


def revoke_link(session: Session, by: By, report: SavedReport, link_id: int) -> None:
    """Let a link open nothing from now on; twice changes nothing. Raises Rejected `share.unknown`."""
    which = sa.and_(ReportLink.id == link_id, ReportLink.report_id == report.id)
    if revoke(session, by, ReportLink, which):
        detail = {"link": link_id}
        by.note(session, "report.unshare", report.company_id, subject=report.name, detail=detail)


def find_link(session: Session, token: str, now: datetime) -> tuple[ReportLink, SavedReport]:
    """The living link of a token, and its report.

    Raises Rejected `share.unknown`, `share.revoked` and `share.expired`.
    """
    link = living_link(session, ReportLink, token, now)
    wanted = sa.select(SavedReport).where(SavedReport.id == link.report_id)
    report = session.scalars(wanted.options(joinedload(SavedReport.company))).one()
    check_maker(session, link, report.company_id)
    return link, report


def note_opened(session: Session, by: By, link: ReportLink, report: SavedReport) -> None:
    """Count an opening of the link's page, and write it down."""
    count_one(session, link, ReportLink.opened)
    by.note(session, "report.open", report.company_id, subject=report.name, detail={"link": link.id})


def actor_of(link: ReportLink) -> str:
    """How the audit log calls whoever came by a link; links to calls have numbers of their own."""
    return f"{LINK}report {link.id}"


def _duplicate(name: str) -> Rejected:
    return Rejected(
        "saved_report.duplicate",
        "There is a report named %(name)r",
        "Choose another name, or delete that report first",
        name=name,
    )


def _unknown() -> Rejected:
    return Rejected(
        "saved_report.unknown", "There is no such report", "It may be deleted: see the reports that are saved"
    )
