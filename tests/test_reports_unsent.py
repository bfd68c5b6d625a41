"""A saved report that does not arrive: an alert begins and ends, and doctor and the page say why."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.command import Installation
from support.couriers import Clock, mail_settings, send
from support.mailed_reports import OLGA, furnish, mails, next_of, saved, scheduled
from support.receivers import mailbox

from tracker import alert_addresses, alert_facts, alerts, report_schedules, saved_reports
from tracker.audit import By
from tracker.database import Database
from tracker.models import Alert, AlertKind, Company, ReportSchedule
from tracker.policy.alert_words import words_for
from tracker.policy.installation_alerts import Machine
from tracker.policy.schedules import Every, Schedule
from tracker.report_sender import ReportSender
from tracker.sender import Sender

MINUTES, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def company_id(database: Database, now: datetime) -> int:
    return furnish(database, now)


def watch(database: Database, now: datetime) -> list[str]:
    """A turn of the watch; the titles of the alerts about reports that go on after it."""
    with database.read() as session:
        readings, complete = alert_facts.read_all(session, Machine("main"), now, disk_low_mb=2048)
    ours = [it for it in readings if it.kind is AlertKind.REPORT_UNSENT]
    with database.write() as session:
        alerts.take_turn(session, ours, complete, {}, now)
        wanted = sa.select(Alert).where(Alert.kind == AlertKind.REPORT_UNSENT, Alert.ended_at.is_(None))
        return [words_for(it.kind, it.name, it.detail).title for it in session.scalars(wanted)]


def test_without_a_mail_server_an_alert_begins_after_a_while_and_ends_when_the_report_is_sent(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(next_of(database, scheduled(database, saved(database, company_id, now), now)))
    unset = ReportSender(database, mail_settings(tmp_path), clock)
    send(unset)
    assert watch(database, clock.now) == []  # one try is no trouble
    clock.now += 15 * MINUTES
    (title,) = watch(database, clock.now)
    assert title.startswith("Report Spring has not reached boss@x.example yet: No mail server is set")
    with mailbox() as box:
        send(ReportSender(database, mail_settings(tmp_path, box), clock))
    assert len(box.letters) == 1
    assert watch(database, clock.now) == []


def test_a_mailbox_that_does_not_exist_is_told_at_once_and_until_a_later_mail_arrives(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    schedule_id = scheduled(database, saved(database, company_id, now), now)
    clock = Clock(next_of(database, schedule_id))
    with mailbox() as box:
        box.replies["RCPT"] = ["550 no such mailbox"]
        sender = ReportSender(database, mail_settings(tmp_path, box), clock)
        send(sender)
        refused = ["Report Spring did not reach boss@x.example: 550 no such mailbox"]
        assert watch(database, clock.now) == refused
        clock.now = next_of(database, schedule_id)
        with database.write() as session:
            report_schedules.plan(session, clock.now)
        assert watch(database, clock.now) == refused  # the next day's is on its way, which proves nothing
        send(sender)
    assert watch(database, clock.now) == []
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Alert)) == 1


def test_a_report_that_cannot_be_read_says_what_is_missing(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(next_of(database, scheduled(database, saved(database, company_id, now), now)))
    with database.write() as session:
        session.get_one(Company, company_id).currency = "USD"
    with mailbox() as box:
        send(ReportSender(database, mail_settings(tmp_path, box), clock))
    assert box.letters == []
    (title,) = watch(database, clock.now + 15 * MINUTES)
    assert "EUR" in title
    assert mails(database)[0].tried_at == clock.now


def test_who_is_told_of_alerts_is_told_of_it(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(next_of(database, scheduled(database, saved(database, company_id, now), now)))
    with database.write() as session:
        alert_addresses.add(session, By(now, OLGA), session.get_one(Company, company_id), OLGA)
    with mailbox() as box:
        here = mail_settings(tmp_path, box)
        box.replies["RCPT"] = ["550 no such mailbox"]
        send(ReportSender(database, here, clock))
        watch(database, clock.now)
        send(Sender(database, here, clock))
    ((to, letter),) = box.letters
    assert to == OLGA
    assert (
        letter["Subject"].strip()
        == "[Pallets] Report Spring did not reach boss@x.example: 550 no such mailbox"
    )
    assert "press Send now under Saved reports" in letter.get_content()
    assert "leaseline saved list --company pallets" in letter.get_content()


@pytest.mark.parametrize("do", ["unschedule", "delete"])
def test_a_report_that_is_sent_no_more_is_no_trouble(
    database: Database, company_id: int, now: datetime, tmp_path: Path, do: str
) -> None:
    report_id = saved(database, company_id, now)
    schedule_id = scheduled(database, report_id, now)
    clock = Clock(next_of(database, schedule_id))
    send(ReportSender(database, mail_settings(tmp_path), clock))
    clock.now += DAY - MINUTES
    assert len(watch(database, clock.now)) == 1
    with database.write() as session:
        report = saved_reports.get_report(session, [company_id], report_id)
        if do == "delete":
            saved_reports.delete(session, By(now, OLGA), report)
        else:
            schedule = session.get_one(ReportSchedule, schedule_id)
            report_schedules.delete(session, By(now, OLGA), report, schedule)
    assert watch(database, clock.now) == []


def test_each_report_has_one_alert_however_often_it_is_sent(
    database: Database, company_id: int, now: datetime, tmp_path: Path
) -> None:
    for name in ("Spring", "Autumn"):
        report_id = saved(database, company_id, now, name)
        for hour in (8, 9):
            scheduled(database, report_id, now, Schedule(Every.DAY, 0, hour), f"{hour}@{name}.example")
    clock = Clock(now + DAY)
    send(ReportSender(database, mail_settings(tmp_path), clock, at_once=4))
    found = watch(database, clock.now + 15 * MINUTES)
    assert sorted(title.split(" has ")[0] for title in found) == ["Report Autumn", "Report Spring"]


def test_doctor_says_which_report_does_not_arrive(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    here.done("company", "add", "pallets", "--region", "DE")
    here.done("saved", "add", "Spring", "by=source")
    here.done("saved", "schedule", "Spring", "--every", "day", "--to", "boss@x.example")

    def said() -> list[tuple[str, str]]:
        found = here.json_anyway("doctor")
        return [(each["state"], each["message"]) for each in found if each["name"] == "saved reports"]

    assert said() == [("ok", "every mail went out")]
    books = Database(f"sqlite:///{here.home / 'leaseline.db'}", wait_seconds=5)
    with books.write() as session:
        at = session.scalars(sa.select(ReportSchedule.next_at)).one()
        session.execute(sa.update(ReportSchedule).values(next_at=at - 2 * DAY))
    clock = Clock(at - 2 * DAY)
    send(ReportSender(books, mail_settings(tmp_path), clock))
    books.close()
    ((state, message),) = said()
    assert state == "bad"
    assert message.startswith("Report Spring has not reached boss@x.example yet: No mail server is set")
    (row,) = here.json("saved", "list")
    (last,) = row["schedules"][0]["last"]
    assert last["tried_at"] < last["next_try_at"]
