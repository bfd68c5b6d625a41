"""Alerts on their way to people and programs: at least once, each by itself, signed, never to odd places."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.catalogues import compile_catalogues
from support.command import ready
from support.couriers import Clock, mail_settings, send
from support.facts import Pallets, add_pallets
from support.receivers import Mailbox, Reply, hook, mailbox, until

from tracker import alert_addresses, alerts, outbox
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Alert, AlertAddress, AlertKind, AlertMessage, AuditEntry, Company
from tracker.policy.alerts import Reading, State
from tracker.policy.telling import Answer, sign
from tracker.sender import Sender
from tracker.settings import Settings, SettingsError, read_settings
from web.catalogues import translator

MINUTE = timedelta(minutes=1)
HOUSE = ("127.0.0.0/8",)


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


def settings(tmp_path: Path, box: Mailbox | None = None, **more: Any) -> Settings:
    return mail_settings(tmp_path, box, **{"webhook_networks": HOUSE} | more)


def told(database: Database, company_id: int | None, address: str, now: datetime) -> int:
    with database.write() as session:
        owner = session.get_one(Company, company_id) if company_id else None
        return alert_addresses.add(session, By(now, "test"), owner, address).id


def begin(database: Database, company_id: int | None, now: datetime, state: State = State.BAD) -> None:
    detail = {"free": 0, "size": 9, "misses": 7}
    reading = Reading(AlertKind.POOL_LOW, "1", "Website", state, company_id, detail)
    with database.write() as session:
        alerts.take_turn(session, [reading], (), {}, now)


def messages(database: Database) -> list[AlertMessage]:
    with database.read() as session:
        return list(session.scalars(sa.select(AlertMessage).order_by(AlertMessage.id)))


def test_an_alert_arrives_by_e_mail(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    with mailbox() as box:
        sender = Sender(database, settings(tmp_path, box), Clock(now))
        told(database, pallets.company_id, "olga@pallets.example", now)
        begin(database, pallets.company_id, now)
        assert send(sender) == 1
        assert send(sender) == 0
    ((to, letter),) = box.letters
    assert to == letter["To"] == "olga@pallets.example"
    assert letter["From"] == "leaseline@pallets.example"
    assert letter["Subject"].startswith("[Pallets] Pool Website is running out: 0 of 9 free")
    text = letter.get_content()
    assert 'leaseline pool advise "Website"' in text
    assert "https://calls.pallets.example/alerts" in text
    (message,) = messages(database)
    assert message.key in letter["Message-ID"]
    assert (message.sent_at, message.tries, message.claimed_until) == (now, 1, None)


def test_an_e_mail_is_in_the_company_s_language(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    compile_catalogues()
    with database.write() as session:
        session.get_one(Company, pallets.company_id).language = "ru"
    with mailbox() as box:
        here = settings(tmp_path, box)
        sender = Sender(database, here, Clock(now), translator=translator)
        told(database, pallets.company_id, "olga@pallets.example", now)
        begin(database, pallets.company_id, now)
        send(sender)
    ((_, letter),) = box.letters
    assert letter["Subject"].startswith("[Pallets] Пул Website заканчивается: свободно 0 из 9")
    assert "Началось: 2026-11-" in letter.get_content()


def test_begin_and_end_arrive_by_webhook_signed(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(now)
    with hook() as server:
        sender = Sender(database, settings(tmp_path), clock)
        address = told(database, pallets.company_id, server.url, now)
        begin(database, pallets.company_id, now)
        send(sender)
        begin(database, pallets.company_id, now + MINUTE, State.FINE)
        clock.now = now + 12 * MINUTE
        begin(database, pallets.company_id, clock.now, State.FINE)
        send(sender)
    with database.read() as session:
        secret = session.get_one(AlertAddress, address).secret or ""
    began, over = (json.loads(body) for _, body in server.heard)
    assert (began["type"], over["type"]) == ("alert.begun", "alert.ended")
    assert began["data"]["kind"] == "pool_low"
    assert began["data"]["company"] == "pallets"
    assert began["data"]["figures"] == {"free": 0, "size": 9, "misses": 7}
    assert over["data"]["ended_at"] == clock.now.isoformat()
    for (headers, body), message in zip(server.heard, messages(database), strict=True):
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        assert headers["webhook-id"] == message.key
        assert headers["webhook-signature"] == sign(secret, message.key, at, body)["webhook-signature"]
        assert headers["content-type"] == "application/json"


def test_a_failure_is_tried_again_with_the_same_key_and_given_up_after_a_day(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    clock = Clock(now)
    with hook() as server:
        server.answers += [Reply(500), Reply(302, (("Location", server.url),)), *[Reply(503)] * 200]
        sender = Sender(database, settings(tmp_path), clock)
        told(database, pallets.company_id, server.url, now)
        begin(database, pallets.company_id, now)
        send(sender)
        (message,) = messages(database)
        assert message.answer == "500 Internal Server Error · hello"
        assert now + timedelta(seconds=5) <= message.due_at <= now + timedelta(seconds=10)
        assert send(sender) == 0  # not yet
        clock.now = message.due_at
        send(sender)
        assert (messages(database)[0].answer or "").endswith("redirects are not followed")
        for _ in range(100):
            (message,) = messages(database)
            if message.given_up_at:
                break
            clock.now = message.due_at
            send(sender)
    assert message.given_up_at is not None
    assert timedelta(hours=22) < message.given_up_at - now < timedelta(days=1)
    assert message.tries == len(server.heard)
    assert {headers["webhook-id"] for headers, _ in server.heard} == {message.key}
    assert (message.answer or "").startswith("503")


def test_410_disables_the_address_and_a_test_tries_it_again(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    with hook() as server:
        server.answers += [Reply(410)]
        sender = Sender(database, settings(tmp_path), Clock(now))
        address = told(database, pallets.company_id, server.url, now)
        begin(database, pallets.company_id, now)
        send(sender)
        begin(database, pallets.company_id, now + MINUTE, State.FINE)
        begin(database, pallets.company_id, now + 12 * MINUTE, State.FINE)
        assert send(sender) == 0
        with database.write() as session:
            found = session.get_one(AlertAddress, address)
            assert found.disabled_at == now
            assert (found.disabled_because or "").startswith("410")
            alert_addresses.test(session, By(now, "test"), found)
        assert send(sender) == 1
    assert json.loads(server.heard[-1][1])["type"] == "test"
    with database.read() as session:
        assert session.get_one(AlertAddress, address).disabled_at is None
        (listed,) = alert_addresses.list_addresses(session, [pallets.company_id])
        assert listed.last is not None
        assert listed.last.sent_at == now


def test_a_server_that_does_not_answer_holds_up_nobody_else(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    with hook() as slow, hook() as quick:
        waits = threading.Event()
        slow.answers += [Reply(pause=waits)]
        sender = Sender(database, settings(tmp_path), Clock(now))
        told(database, pallets.company_id, slow.url, now)
        told(database, pallets.company_id, quick.url, now)
        begin(database, pallets.company_id, now)
        assert sender.take_turn() == 2
        until(lambda: quick.heard and slow.heard)
        begin(database, pallets.company_id, now, State.FINE)
        begin(database, pallets.company_id, now + 11 * MINUTE, State.FINE)
        with database.write() as session:
            session.execute(sa.update(AlertMessage).values(due_at=now))
        until(lambda: any(it.sent_at for it in messages(database)))
        assert sender.take_turn() == 1  # the slow one has one under way already
        until(lambda: len(quick.heard) == 2)
        waits.set()
        sender.wait(60)
    assert sum(it.sent_at is not None for it in messages(database)) == 3


def test_mail_that_is_refused_for_good_is_given_up_and_for_now_is_tried_again(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    with mailbox() as box:
        sender = Sender(database, settings(tmp_path, box), Clock(now))
        for name in ("first", "second"):
            told(database, pallets.company_id, f"{name}@pallets.example", now)
        begin(database, pallets.company_id, now)
        box.replies["RCPT"] = ["550 no such mailbox", "451 greylisted"]
        send(sender)
        assert box.letters == []
        by_answer = {it.answer: it for it in messages(database)}
        assert by_answer["550 no such mailbox"].given_up_at == now
        assert by_answer["451 greylisted"].due_at > now
        assert by_answer["451 greylisted"].given_up_at is None


def test_what_cannot_be_reached_is_said(
    database: Database, pallets: Pallets, now: datetime, tmp_path: Path
) -> None:
    sender = Sender(database, settings(tmp_path, webhook_networks=()), Clock(now))
    for address in ("olga@pallets.example", "http://127.0.0.1:9009/x", "https://169.254.169.254/latest/"):
        told(database, pallets.company_id, address, now)
    begin(database, pallets.company_id, now)
    send(sender)
    mail, house, metadata = (it.answer or "" for it in messages(database))
    assert "No mail server is set" in mail
    assert "inside the house" in house
    assert "nothing is ever sent to" in metadata


def test_workers_that_claim_at_once_each_get_their_own(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for place in range(12):
        told(database, pallets.company_id, f"n{place}@pallets.example", now)
    begin(database, pallets.company_id, now)
    line, claimed = threading.Barrier(4), Counter[str]()

    def race() -> None:
        line.wait(30)
        for _ in range(12):
            with database.write() as session:
                claimed.update(it.key for it in outbox.claim(session, now, 2))

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(claimed) == 12
    assert set(claimed.values()) == {1}


def test_a_worker_that_died_leaves_its_message_to_the_next(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    told(database, pallets.company_id, "olga@pallets.example", now)
    begin(database, pallets.company_id, now)
    with database.write() as session:
        (first,) = outbox.claim(session, now, 5)
    with database.write() as session:
        assert outbox.claim(session, now + outbox.CLAIM / 2, 5) == []
    with database.write() as session:
        (second,) = outbox.claim(session, now + outbox.CLAIM, 5)
        assert (second.key, second.tries) == (first.key, 2)
        outbox.settle(session, second.id, Answer(True, "250"), now, 0.5)
    with database.write() as session:
        outbox.settle(session, first.id, Answer(False, "late"), now + MINUTE, 0.5)  # the dead one, after all
    (message,) = messages(database)
    assert (message.answer, message.sent_at) == ("250", now)


def test_addresses_are_checked_listed_and_written_down(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    by = By(now, "ann@x.example")
    with database.write() as session:
        owner = session.get_one(Company, pallets.company_id)
        for text in ("olga", "ftp://x/", "https://u:p@x/", "a@b\nBcc: c@d"):
            with pytest.raises(Rejected, match="Give"):
                alert_addresses.add(session, by, owner, text)
        made = alert_addresses.add(session, by, owner, "https://x.example/services/secret-part")
        with pytest.raises(Rejected, match="already"):
            alert_addresses.add(session, by, owner, "https://x.example/services/secret-part")
        with pytest.raises(Rejected, match="no such address"):
            alert_addresses.get_address(session, [99], made.id)
        alert_addresses.test(session, by, made)
        alert_addresses.delete(session, by, made)
    with database.read() as session:
        entries = session.scalars(sa.select(AuditEntry).where(AuditEntry.actor == by.actor)).all()
        assert {it.action.rpartition(".")[2] for it in entries} == {"add", "test", "delete"}
        assert not [it for it in entries if "secret" in (it.subject or "")]
        assert messages(database) == []


def test_messages_are_forgotten_after_two_months(database: Database, pallets: Pallets, now: datetime) -> None:
    told(database, pallets.company_id, "olga@pallets.example", now)
    begin(database, pallets.company_id, now)
    with database.write() as session:
        assert outbox.forget_old(session, now + timedelta(days=90)) == 0  # it waits still
        session.execute(sa.update(AlertMessage).values(sent_at=now))
        assert outbox.forget_old(session, now + timedelta(days=59)) == 0
        assert outbox.forget_old(session, now + timedelta(days=61)) == 1


# ---- the command line ----


def test_the_command_line_manages_alerts(tmp_path: Path) -> None:
    with hook() as server:
        here = ready(tmp_path, LEASELINE_WEBHOOK_NETWORKS="127.0.0.0/8")
        here.done("company", "add", "pallets", "--region", "RU")
        assert "all is well" in here.done("alerts", "list")
        assert here.json("alerts", "threshold", "missed_calls", "7")["missed_calls"] == 7
        assert here.json("alerts", "threshold", "missed_calls", "--usual")["missed_calls"] == 3
        assert "Give 0 (never) to 365" in here.refused("alerts", "threshold", "silent_days", "9999")
        made = here.json("alerts", "address", "add", server.url)
        assert made["secret"].startswith("whsec_")
        here.done("alerts", "address", "add", "admin@pallets.example", "--installation")
        assert [it["company"] for it in here.json("alerts", "address", "list")] == ["pallets", None]
        assert here.json("alerts", "test", "1") == {
            "to": server.url,
            "delivered": True,
            "answer": "200 OK · hello",
        }
        server.answers += [Reply(404)]
        failed = here.run("alerts", "test", "1")
        assert failed.exit_code == 1
        assert "404 Not Found" in failed.stdout
        here.done("alerts", "address", "delete", "1")
        assert "no such address" in here.refused("alerts", "test", "1")
    assert len(server.heard) == 2
    database = Database(f"sqlite:///{tmp_path / 'leaseline.db'}")
    begin(database, 1, datetime.now(UTC))
    listed = here.run("alerts", "list")
    assert listed.exit_code == 1
    assert "Pool Website is running out" in listed.stdout
    assert here.json("alerts", "show", "1")["command"] == 'leaseline pool advise "Website"'
    with database.write() as session:
        session.execute(sa.update(Alert).values(ended_at=datetime.now(UTC)))
    database.close()
    assert "all is well" in here.done("alerts", "list")
    assert here.json("alerts", "list", "--all")[0]["kind"] == "pool_low"


def test_a_mail_server_needs_a_sender(tmp_path: Path) -> None:
    environ = {"LEASELINE_HOME": str(tmp_path), "LEASELINE_SMTP_HOST": "mail.example"}
    with pytest.raises(SettingsError, match="smtp_from"):
        read_settings(environ)
    found = read_settings(environ | {"LEASELINE_SMTP_FROM": "a@x.example"})
    assert (found.smtp_port, found.smtp_security) == (587, "starttls")
