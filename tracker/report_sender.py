"""Sends the reports that are due: each is read when its mail goes out, as of when it was written down."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from tracker import mail, report_mail, report_schedules, report_workbook
from tracker.courier import Courier
from tracker.database import Database
from tracker.errors import Rejected
from tracker.links import makers_of
from tracker.models import ReportMail, ReportSchedule
from tracker.policy.report_text import times
from tracker.policy.saved_reports import query_of
from tracker.policy.telling import Answer
from tracker.policy.tongue import Tongue
from tracker.report_mail import Told
from tracker.report_schedules import QUEUE, when_of
from tracker.reports import read_asked
from tracker.settings import Settings
from tracker.telling import Translate, in_english

AT_ONCE = 2  # a report may read a year of calls
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Claimed:
    """A mail in this worker's hands."""

    id: int
    key: str
    mail: ReportMail


class ReportPost:
    """The queue of reports; one is read and written in the thread that sends it."""

    log = logging.getLogger("leaseline.reports")

    def __init__(
        self, database: Database, settings: Settings, translator: Callable[[str], Translate]
    ) -> None:
        self._database, self._settings, self._translator = database, settings, translator

    def is_due(self, session: Session, now: datetime) -> bool:
        return QUEUE.is_due(session, now)

    def claim(self, session: Session, now: datetime, limit: int) -> list[Claimed]:
        return [Claimed(it.id, it.key, it) for it in report_schedules.claim(session, now, limit)]

    def deliver(self, letter: Claimed, now: datetime) -> Answer:
        """One try. A report that cannot be read (a rate is missing) is tried again, and its page says why."""
        try:
            with self._database.read() as session:
                composed = write(session, letter.mail, self._settings, self._translator)
        except Rejected as problem:
            return Answer(False, f"{problem.message}: {problem.fix}")
        return mail.send(self._settings, composed)

    def settle(self, session: Session, letter_id: int, answer: Answer, now: datetime, dice: float) -> None:
        QUEUE.settle(session, letter_id, answer, now, dice)


class ReportSender(Courier[Claimed]):
    """Plans what is due, claims and sends it."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], datetime],
        at_once: int = AT_ONCE,
        translator: Callable[[str], Translate] = in_english,
    ) -> None:
        super().__init__(ReportPost(database, settings, translator), database, clock, at_once)

    def take_turn(self) -> int:
        """Plan what has become due, then send what is in nobody's hands. How many were claimed."""
        now = self._clock()
        with self._database.read() as session:
            due = report_schedules.is_due(session, now)
        if due:
            with self._database.write() as session:
                report_schedules.plan(session, now)
        return super().take_turn()


def write(
    session: Session, it: ReportMail, settings: Settings, translator: Callable[[str], Translate]
) -> EmailMessage:
    """The mail as it is sent, in the company's language. Raises Rejected where the report cannot be read."""
    saved = it.schedule.report
    company = saved.company
    tongue = Tongue(translator(company.language), company.language)
    report = read_asked(session, company, saved.words, it.created_at)
    told = _told(session, it.schedule, report_mail.file_name(report, saved.name), settings, tongue)
    subject, text = report_mail.subject(report, told, tongue), report_mail.text(report, told, tongue)
    content = report_workbook.bytes_of(report, tongue, saved.name, company.name)
    return mail.enrich(
        mail.compose(settings, it.address, it.key, subject, text),
        report_mail.html(report, told, tongue),
        mail.Attached(told.file, WORKBOOK, content),
    )


def _told(session: Session, it: ReportSchedule, file: str, settings: Settings, tongue: Tongue) -> Told:
    saved, web = it.report, settings.web_url.rstrip("/")
    name = makers_of(session, [it.made_by]).get(it.made_by)
    company = urlencode({"company": saved.company.slug})
    return Told(
        company=saved.company.name,
        name=saved.name,
        page=f"{web}/reports?{company}&{query_of(saved.words)}",
        stop=f"{web}/reports/saved?{company}#report-{saved.id}",
        who=f"{name} ({it.made_by})" if name else it.made_by.removeprefix("cli:"),
        times=times(when_of(it), tongue),
        zone=saved.company.timezone,
        file=file,
    )
