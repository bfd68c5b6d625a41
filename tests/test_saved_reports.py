"""Saved reports: kept by name, sent at their times once, shared by links; their mail and its workbook."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.catalogues import compile_catalogues
from support.receivers import Mailbox, mailbox
from support.recorded import settings_in
from support.showroom import DAY, add_company, place
from support.workbook import Book

from tracker import companies, costs, people, report_schedules, sales, saved_reports, worth
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import (
    AuditEntry,
    Call,
    Category,
    Company,
    ReportLink,
    ReportMail,
    ReportSchedule,
    Role,
    SavedReport,
)
from tracker.policy.schedules import Every, Schedule
from tracker.policy.telling import Answer
from tracker.report_sender import ReportSender
from tracker.settings import Settings
from web.catalogues import translator

OLGA = "olga@pallets.example"
MORNINGS = Schedule(Every.DAY, 0, 8)
WORDS = {"by": "source", "period": "30d", "compare": "yes"}


class Clock:
    """Stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def company_id(database: Database, now: datetime) -> int:
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


def settings(tmp_path: Path, box: Mailbox | None = None) -> Settings:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": box.port} if box else {}
    return settings_in(
        tmp_path, web_url="https://calls.pallets.example", smtp_security="none",
        smtp_from="leaseline@pallets.example", **mail,
    )  # fmt: skip


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


def send(sender: ReportSender) -> int:
    """One turn, and all that is on its way arrives."""
    count = sender.take_turn()
    sender.wait(60)
    return count


def parts(letter: EmailMessage) -> tuple[str, str, EmailMessage]:
    """The text, the HTML, and the attached workbook."""
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    (workbook,) = letter.iter_attachments()
    assert isinstance(workbook, EmailMessage)
    return text.get_content().replace("\r\n", "\n"), html.get_content(), workbook


# ---- kept by name ----


def test_a_report_is_kept_as_the_words_of_its_address_and_nothing_else(
    database: Database, company_id: int, now: datetime
) -> None:
    given = {"period": "last_month", "by": "campaign", "source": " google ", "csrf": "x", "split": ""}
    with database.write() as session:
        company = session.get_one(Company, company_id)
        made = saved_reports.save(session, By(now, OLGA), company, "  Spring ", given)
        told = saved_reports.describe(made)
        assert told["words"] == "by=campaign&source=google&period=last_month"
        assert (told["name"], told["made_by"]) == ("Spring", OLGA)
        with pytest.raises(Rejected, match="There is a report named 'Spring'"):
            saved_reports.save(session, By(now, OLGA), company, "Spring", {})
        for words in (
            {"by": "colour"},
            {"period": "year"},
            {"since": "2200-01-01"},
            {"by": "tag", "model": "first"},
        ):
            with pytest.raises(Rejected):
                saved_reports.save(session, By(now, OLGA), company, "Other", words)
        for name in ("", "  ", "x" * 61):
            with pytest.raises(Rejected, match="needs a name"):
                saved_reports.save(session, By(now, OLGA), company, name, {})
        summer = saved_reports.save(session, By(now, OLGA), company, "Summer", {})
        with pytest.raises(Rejected, match="There is a report named 'Spring'"):
            saved_reports.rename(session, By(now, OLGA), summer, "Spring")
        saved_reports.rename(session, By(now, OLGA), made, "Autumn")
        assert [it.name for it in saved_reports.list_reports(session, [company_id])] == ["Autumn", "Summer"]


def test_a_report_is_no_other_company_s(database: Database, company_id: int, now: datetime) -> None:
    report_id = saved(database, company_id, now)
    with database.write() as session:
        rival = Company(slug="rival", name="Rival", default_region="DE", created_at=now)
        session.add(rival)
        session.flush()
        saved_reports.save(
            session, By(now, OLGA), rival, "Spring", {}
        )  # a name is unique in its company only
        with pytest.raises(Rejected, match="no such report"):
            saved_reports.get_report(session, [rival.id], report_id)
        assert len(saved_reports.list_reports(session, [rival.id])) == 1


def test_what_is_deleted_takes_its_times_mails_and_links_with_it(
    database: Database, company_id: int, now: datetime
) -> None:
    report_id = saved(database, company_id, now)
    schedule_id = scheduled(database, report_id, now)
    with database.write() as session:
        report = saved_reports.get_report(session, [company_id], report_id)
        report_schedules.send_now(
            session, By(now, OLGA), report, session.get_one(ReportSchedule, schedule_id)
        )
        saved_reports.make_link(session, By(now, OLGA), report, days=7)
        saved_reports.delete(session, By(now, OLGA), report)
    with database.read() as session:
        for model in (SavedReport, ReportSchedule, ReportMail, ReportLink):
            assert session.scalar(sa.select(sa.func.count()).select_from(model)) == 0
        done = session.scalars(sa.select(AuditEntry.action).where(AuditEntry.action.startswith("report.")))
        assert set(done) == {"report.save", "report.schedule", "report.send", "report.share", "report.delete"}


# ---- sent at their times ----


def test_a_report_is_mailed_with_its_answer_its_rows_and_a_workbook(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(now)
    schedule_id = scheduled(database, saved(database, company_id, now), now, MORNINGS, "boss@x.example", OLGA)
    with mailbox() as box:
        sender = ReportSender(database, settings(tmp_path, box), clock)
        assert send(sender) == 0  # not yet
        clock.now = next_of(database, schedule_id)
        assert send(sender) == 2
        assert send(sender) == 0
    assert sorted(to for to, _ in box.letters) == ["boss@x.example", OLGA]
    letter = next(said for to, said in box.letters if to == OLGA)
    assert letter["Subject"].startswith("[Pallets] Spring: ")
    assert letter["Auto-Submitted"] == "auto-generated"
    text, html, workbook = parts(letter)
    for said in (text, html):
        assert "Olga Orlova (olga@pallets.example) had this report sent to you." in said
        assert "Every day: 08:00 (Europe/Berlin)" in said
        assert "of 17 calls have a source" in said
        assert "€900.50" in said or "€901" in said
        assert "Compared with" in said
    assert "https://calls.pallets.example/reports?company=pallets&by=source&period=30d&compare=yes\n" in text
    assert "https://calls.pallets.example/reports/saved?company=pallets#report-" in text
    assert "<script" not in html
    assert "src=" not in html
    assert "+7" not in text  # nobody's number
    assert workbook.get_content_type().endswith("spreadsheetml.sheet")
    assert (workbook.get_filename() or "").startswith("spring-2026-")
    rows = Book(workbook.get_content()).rows()
    assert rows[-1]["Source"] == "Total"
    assert rows[-1]["Calls"] == 17
    assert rows[-1]["Cost, EUR"] == 900.5


def test_who_was_away_sends_once_and_then_goes_on_at_the_usual_time(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(now)
    schedule_id = scheduled(database, saved(database, company_id, now), now)
    first = next_of(database, schedule_id)
    with mailbox() as box:
        sender = ReportSender(database, settings(tmp_path, box), clock)
        clock.now = first + timedelta(days=5, hours=3)
        assert send(sender) == 1
        assert send(sender) == 0
        assert next_of(database, schedule_id) == first + timedelta(days=6)
        clock.now = first + timedelta(days=6)
        assert send(sender) == 1
    assert len(box.letters) == 2
    assert [it.planned_at for it in mails(database)] == [first, first + timedelta(days=6)]


def test_workers_that_plan_at_once_plan_each_time_once(
    database: Database, company_id: int, now: datetime
) -> None:
    report_id = saved(database, company_id, now)
    schedules = [scheduled(database, report_id, now, Schedule(Every.DAY, 0, hour)) for hour in range(6)]
    later, line = now + timedelta(days=2), threading.Barrier(4)

    def race() -> None:
        line.wait(30)
        for _ in range(3):
            with database.write() as session:
                report_schedules.plan(session, later)

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(it.schedule_id for it in mails(database)) == schedules


def test_a_worker_that_died_between_sending_and_writing_it_down_leaves_it_to_the_next_with_the_same_key(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(now)
    clock.now = next_of(database, scheduled(database, saved(database, company_id, now), now))
    with database.write() as session:
        report_schedules.plan(session, clock.now)
    with database.write() as session:
        (dead,) = report_schedules.claim(session, clock.now, 5)
    with mailbox() as box:
        sender = ReportSender(database, settings(tmp_path, box), clock)
        assert send(sender) == 0  # it is in the dead one's hands still
        clock.now += report_schedules.CLAIM
        assert send(sender) == 1
        assert send(sender) == 0
    ((_, letter),) = box.letters
    assert dead.key in letter["Message-ID"]
    with database.write() as session:  # the dead one, after all
        report_schedules.QUEUE.settle(session, dead.id, Answer(False, "late"), clock.now, 0.5)
    (mail,) = mails(database)
    assert (mail.sent_at, mail.tries) == (clock.now, 2)


def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_told(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(now)
    report_id = saved(database, company_id, now)
    schedule_id = scheduled(database, report_id, now, MORNINGS, "a@x.example", "b@x.example")
    clock.now = next_of(database, schedule_id)
    with mailbox() as box:
        sender = ReportSender(database, settings(tmp_path, box), clock, at_once=1)
        box.replies["RCPT"] = ["451 greylisted", "550 no such mailbox"]
        send(sender), send(sender)
        assert box.letters == []
        with database.read() as session:
            (listed,) = report_schedules.list_schedules(session, [report_id])[report_id]
            told = report_schedules.describe(listed)["last"]
        assert [(it["answer"], bool(it["given_up_at"])) for it in told] == [
            ("451 greylisted", False), ("550 no such mailbox", True),
        ]  # fmt: skip
        clock.now = mails(database)[0].due_at
        assert send(sender) == 1
    assert [to for to, _ in box.letters] == ["a@x.example"]


def test_without_a_mail_server_and_without_a_rate_the_page_can_say_what_is_missing(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(now)
    clock.now = next_of(database, scheduled(database, saved(database, company_id, now), now))
    send(ReportSender(database, settings(tmp_path), clock))
    assert (mails(database)[0].answer or "").startswith("No mail server is set")
    with database.write() as session:
        company = session.get_one(Company, company_id)
        company.currency = "USD"
    clock.now = mails(database)[0].due_at
    send(ReportSender(database, settings(tmp_path), clock))
    assert "EUR" in (mails(database)[0].answer or "")
    assert mails(database)[0].given_up_at is None


def test_the_mail_is_in_the_company_s_language(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    compile_catalogues()
    with database.write() as session:
        session.get_one(Company, company_id).language = "ru"
    clock = Clock(now)
    clock.now = next_of(database, scheduled(database, saved(database, company_id, now), now))
    with mailbox() as box:
        send(ReportSender(database, settings(tmp_path, box), clock, translator=translator))
    ((_, letter),) = box.letters
    text, html, workbook = parts(letter)
    assert "Каждый день: 08:00" in text
    assert 'lang="ru"' in html
    assert "Звонки" in Book(workbook.get_content()).rows()[0]


def test_another_time_zone_moves_what_comes_next(database: Database, company_id: int, now: datetime) -> None:
    schedule_id = scheduled(database, saved(database, company_id, now), now)
    with database.write() as session:
        company = session.get_one(Company, company_id)
        companies.change(session, By(now, "cli:root"), company, timezone="Asia/Tokyo")
    assert next_of(database, schedule_id).astimezone(UTC).hour == 23  # eight in Tokyo


def test_a_company_without_calls_is_deleted_with_its_reports(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = companies.add(session, By(now, "cli:root"), "empty", "Empty", region="DE")
        report = saved_reports.save(session, By(now, OLGA), company, "All", {})
        report_schedules.add(session, By(now, OLGA), report, MORNINGS, ["a@x.example"])
        companies.delete(session, By(now, "cli:root"), company)
        assert session.scalar(sa.select(sa.func.count()).select_from(SavedReport)) == 0


# ---- shared by links ----


def test_a_link_opens_its_report_until_it_expires_or_is_taken_back(
    database: Database, company_id: int, now: datetime
) -> None:
    report_id = saved(database, company_id, now)
    with database.write() as session:
        report, by = saved_reports.get_report(session, [company_id], report_id), By(now, OLGA)
        with pytest.raises(Rejected, match="cannot live 2 days"):
            saved_reports.make_link(session, by, report, days=2)
        token = saved_reports.make_link(session, by, report, days=90)
        link, found = saved_reports.find_link(session, token, now + timedelta(days=89))
        assert found.id == report_id
        assert token not in str(link.token_sha256)
        with pytest.raises(Rejected, match="expired"):
            saved_reports.find_link(session, token, now + timedelta(days=90))
        saved_reports.note_opened(session, By(now, saved_reports.actor_of(link)), link, found)
        saved_reports.revoke_link(session, by, report, link.id)
        with pytest.raises(Rejected, match="taken back"):
            saved_reports.find_link(session, token, now)
        with pytest.raises(Rejected, match="no such link"):
            saved_reports.find_link(session, token + "x", now)
        (made,) = saved_reports.links_of(session, [report_id])[report_id]
        session.refresh(made.link)
        assert (made.by, made.link.opened) == ("Olga Orlova", 1)
