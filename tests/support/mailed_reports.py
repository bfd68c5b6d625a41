"""A company with days to report of, its saved reports, when they are sent, and their mails."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage

import sqlalchemy as sa
from support.showroom import DAY, add_company, place

from tracker import costs, people, report_schedules, sales, saved_reports, worth
from tracker.audit import By
from tracker.database import Database
from tracker.models import Call, Category, Company, ReportMail, ReportSchedule, Role, SavedReport
from tracker.policy.schedules import Every, Schedule

OLGA = "olga@pallets.example"
MORNINGS = Schedule(Every.DAY, 0, 8)
WORDS = {"by": "source", "period": "30d", "compare": "yes"}


def furnish(database: Database, now: datetime) -> int:
    """Pallets in Berlin, with three days of calls, a cost and a sale."""
    with database.write() as session:
        pallets = add_company(session, now, "pallets")
        keys = place(session, pallets, now, DAY)
        company, by = session.get_one(Company, pallets.company_id), By(now, OLGA)
        company.timezone, company.currency = "Europe/Berlin", "EUR"
        people.give_role(session, people.add_user(session, OLGA, "Olga Orlova", now), company, Role.OWNER)
        wanted = costs.wanted_of(session, company)
        day = (now - timedelta(days=1)).date().isoformat()
        costs.add_cost(session, by, company, wanted, {"day": day, "channel": "Billboard", "amount": "900.50"})
        call = session.scalars(sa.select(Call).where(Call.key == keys[0])).one()
        worth.categorise(session, by, [call], Category.TARGET)
        sales.add_sale(session, by, company, {"at": day, "revenue": "5000", "profit": "1200"}, call)
        return company.id


def saved(database: Database, company_id: int, now: datetime, name: str = "Spring", **words: str) -> int:
    with database.write() as session:
        company = session.get_one(Company, company_id)
        return saved_reports.save(session, By(now, OLGA), company, name, WORDS | words).id


def scheduled(
    database: Database, report_id: int, now: datetime, when: Schedule = MORNINGS, *addresses: str
) -> int:
    with database.write() as session:
        report = saved_reports.get_report(
            session, [session.get_one(SavedReport, report_id).company_id], report_id
        )
        return report_schedules.add(session, By(now, OLGA), report, when, addresses or ("boss@x.example",)).id


def mails(database: Database) -> list[ReportMail]:
    with database.read() as session:
        return list(session.scalars(sa.select(ReportMail).order_by(ReportMail.id)))


def next_of(database: Database, schedule_id: int) -> datetime:
    with database.read() as session:
        return session.get_one(ReportSchedule, schedule_id).next_at


def parts(letter: EmailMessage) -> tuple[str, str, EmailMessage]:
    """The text, the HTML, and the attached workbook."""
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    (workbook,) = letter.iter_attachments()
    assert isinstance(workbook, EmailMessage)
    return text.get_content().replace("\r\n", "\n"), html.get_content(), workbook
