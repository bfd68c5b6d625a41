"""Users, passwords, one-time links, log-ins and sessions."""

from __future__ import annotations

import statistics
import threading
import time
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.facts import add_pallets

from tracker import logins, people
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Company, LoginSession, Membership, Role, User
from tracker.policy.access import password_problem

PASSWORD = "correct horse battery"
HASHED = people.hash_password(PASSWORD)
HERE = logins.Client("192.0.2.1", "tests")


def add_ann(database: Database, now: datetime) -> int:
    with database.write() as session:
        user = people.add_user(session, " Ann@Pallets.example ", "Ann", now)
        user.password_hash = HASHED
        return user.id


def test_an_email_is_kept_in_small_letters_and_found_in_any(database: Database, now: datetime) -> None:
    add_ann(database, now)
    with database.read() as session:
        assert people.find_user(session, "ANN@pallets.EXAMPLE").email == "ann@pallets.example"


@pytest.mark.parametrize("email", ["", "ann", "ann@", "@b", "a b@c", "a@b\r\nc", "<a@b>", "a@" + "b" * 200])
def test_a_malformed_email_is_refused(sqlite: Database, now: datetime, email: str) -> None:
    with pytest.raises(Rejected, match="is no e-mail address"), sqlite.write() as session:
        people.add_user(session, email, "", now)


def test_the_same_email_twice_is_refused(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)
    with pytest.raises(Rejected, match="is a user already"):
        add_ann(sqlite, now)


def test_the_first_user_owns_every_company_and_is_made_once(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        add_pallets(session, now)
        first = people.ensure_first_user(session, now)
        again = people.ensure_first_user(session, now)
        assert first is not None
        assert first is again
        assert session.scalars(sa.select(Membership.role)).all() == [Role.OWNER]


def test_nobody_needs_a_first_link_once_somebody_has_a_password(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)
    with sqlite.write() as session:
        assert people.ensure_first_user(session, now) is None


def test_the_first_user_owns_a_company_made_later(sqlite: Database, now: datetime) -> None:
    ann = add_ann(sqlite, now)
    with sqlite.write() as session:
        company = session.get_one(Company, add_pallets(session, now).company_id)
        people.give_first_owner(session, company)
        assert session.get_one(Membership, (ann, company.id)).role is Role.OWNER


def test_a_link_opens_once(database: Database, now: datetime) -> None:
    with database.write() as session:
        user = people.ensure_first_user(session, now)
        assert user
        token = people.make_login_link(session, user, now)
        people.use_link(session, token, HASHED, now, "Ann@example.com")
        assert user.email == "ann@example.com"
    with pytest.raises(Rejected, match="used already"), database.write() as session:
        people.use_link(session, token, HASHED, now)


def test_a_link_expires_and_a_newer_one_ends_it(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)
    with sqlite.write() as session:
        user = people.find_user(session, "ann@pallets.example")
        old, new = (people.make_login_link(session, user, now) for _ in range(2))
        for token, at in ((old, now), (new, now + timedelta(hours=24)), ("nonsense", now)):
            with pytest.raises(Rejected, match="expired"):
                people.open_link(session, token, at)
        assert people.open_link(session, new, now).user is user


def test_a_new_password_ends_every_session(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)
    got = logins.log_in(sqlite, "ann@pallets.example", PASSWORD, HERE, now)
    assert isinstance(got, logins.LoggedIn)
    with sqlite.write() as session:
        token = people.make_login_link(session, people.find_user(session, "ann@pallets.example"), now)
        people.use_link(session, token, people.hash_password("another good one"), now)
        assert logins.find_session(session, got.token, now, 30) is None


@pytest.mark.parametrize(
    "password",
    ["", "short", "passwordpassword", "Password123", "1234567890", "qwertyuiop", "aaaaaaaaaaaa",
     "ann@pallets.example", "Leaseline12", "abcdefghijkl", "йцукенгшщз", "x" * 201, "tubatubatuba",
     "Pallets-2026", "Annabella1990", "Жемчужина-2026"],
)  # fmt: skip
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(Rejected, match="This password"):
        people.check_new_password(password, "ann@pallets.example", ["Annabella", "Жемчужина ООО"])


@pytest.mark.parametrize("password", [PASSWORD, "tuba-9-lemon", "пальма ходит тихо", "Xk3$fRz8!q"])
def test_a_good_password_is_taken(password: str) -> None:
    assert password_problem(password, "ann@pallets.example", ["Annabella", "Horse & Sons"]) is None


def test_the_right_password_logs_in_and_is_written_down(database: Database, now: datetime) -> None:
    add_ann(database, now)
    got = logins.log_in(database, "ANN@pallets.example", PASSWORD, HERE, now)
    assert isinstance(got, logins.LoggedIn)
    with database.read() as session:
        found = logins.find_session(session, got.token, now, 30)
        assert found is not None
        assert (found.user.email, found.client, found.agent) == ("ann@pallets.example", "192.0.2.1", "tests")
        assert got.token not in repr(session.execute(sa.text("SELECT * FROM login_sessions")).all())
        assert session.scalars(sa.select(AuditEntry.action)).all() == ["login"]


@pytest.mark.parametrize(
    ("email", "password"), [("ann@pallets.example", "wrong"), ("no@body", PASSWORD), ("", "")]
)
def test_wrong_and_unknown_get_the_same_answer(
    sqlite: Database, now: datetime, email: str, password: str
) -> None:
    add_ann(sqlite, now)
    assert logins.log_in(sqlite, email, password, HERE, now) == logins.WrongPassword()


def test_an_unknown_user_is_answered_as_late_as_a_known_one(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)

    took: dict[str, list[float]] = {"ann@pallets.example": [], "no@body.example": []}
    for turn in range(12):
        for email, times in took.items():  # by turns, and in time of our own: the machine may be busy
            client = logins.Client(f"192.0.2.{turn}")
            begin = time.thread_time()
            logins.log_in(sqlite, email, "wrong", client, now + timedelta(hours=turn))
            times.append(time.thread_time() - begin)
    known, unknown = (statistics.median(times) for times in took.values())
    assert abs(known - unknown) < 0.1 * known, (known, unknown)


def test_an_account_is_braked_whatever_the_client(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)
    for turn in range(5):
        client = logins.Client(f"198.51.100.{turn}")
        assert logins.log_in(sqlite, "ann@pallets.example", "no", client, now) == logins.WrongPassword()
    braked = logins.log_in(sqlite, "ann@pallets.example", PASSWORD, HERE, now)
    assert braked == logins.TooManyTries(1)
    later = now + timedelta(seconds=2)
    assert isinstance(logins.log_in(sqlite, "ann@pallets.example", PASSWORD, HERE, later), logins.LoggedIn)


def test_the_wait_doubles_up_to_five_minutes(sqlite: Database, now: datetime) -> None:
    waits: list[int] = []
    for _ in range(30):
        answer = logins.log_in(sqlite, "no@body", "no", logins.Client(f"198.51.100.{len(waits)}"), now)
        if isinstance(answer, logins.TooManyTries):
            waits.append(answer.wait_seconds)
            now += timedelta(seconds=answer.wait_seconds)
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == 300


def test_a_client_is_braked_whatever_the_account(sqlite: Database, now: datetime) -> None:
    answers = [logins.log_in(sqlite, f"user{n}@x", "no", HERE, now) for n in range(21)]
    assert answers[19] == logins.WrongPassword()
    assert answers[20] == logins.TooManyTries(60)
    neighbour = logins.Client("192.0.2.2")
    assert logins.log_in(sqlite, "other@x", "no", neighbour, now) == logins.WrongPassword()


def test_one_ipv6_customer_is_one_client(sqlite: Database, now: datetime) -> None:
    answers = [
        logins.log_in(sqlite, f"u{n}@x", "no", logins.Client(f"2001:db8::{n:x}"), now) for n in range(21)
    ]
    assert isinstance(answers[20], logins.TooManyTries)


def test_many_tries_at_once_do_not_slip_past_the_brake(database: Database, now: datetime) -> None:
    add_ann(database, now)
    answers: list[object] = []

    def attempt(turn: int) -> None:
        client = logins.Client(f"198.51.100.{turn}")
        answers.append(logins.log_in(database, "ann@pallets.example", "no", client, now))

    threads = [threading.Thread(target=attempt, args=(turn,)) for turn in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(logins.WrongPassword()) == 5


def test_a_session_ends_when_idle_when_old_and_when_the_user_is_disabled(
    sqlite: Database, now: datetime
) -> None:
    add_ann(sqlite, now)
    got = logins.log_in(sqlite, "ann@pallets.example", PASSWORD, HERE, now)
    assert isinstance(got, logins.LoggedIn)

    def lives(at: datetime) -> bool:
        with sqlite.read() as session:
            return logins.find_session(session, got.token, at, 30) is not None

    assert lives(now + timedelta(days=29))
    assert not lives(now + timedelta(days=30))
    with sqlite.write() as session:
        logins.touch_session(session, got.token, now + timedelta(days=179))
    assert lives(now + timedelta(days=179))
    assert not lives(now + timedelta(days=180))
    with sqlite.write() as session:
        people.disable_user(session, people.find_user(session, "ann@pallets.example"), now)
    assert not lives(now)
    assert logins.log_in(sqlite, "ann@pallets.example", PASSWORD, HERE, now) == logins.WrongPassword()


def test_sessions_are_listed_and_ended_one_by_one(sqlite: Database, now: datetime) -> None:
    ann = add_ann(sqlite, now)
    tokens = [logins.log_in(sqlite, "ann@pallets.example", PASSWORD, HERE, now) for _ in range(2)]
    assert isinstance(tokens[0], logins.LoggedIn)
    with sqlite.write() as session:
        logins.end_session(session, tokens[0].token, "ann@pallets.example", now)
        assert len(logins.list_sessions(session, ann)) == 1


def test_what_nobody_needs_any_more_is_forgotten(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)
    logins.log_in(sqlite, "ann@pallets.example", PASSWORD, HERE, now)
    with sqlite.write() as session:
        assert logins.forget_old(session, now + timedelta(minutes=5), 30) == 0
        assert logins.forget_old(session, now + timedelta(days=31), 30) == 2
        assert session.scalars(sa.select(LoginSession)).all() == []


def test_roles_are_given_changed_and_taken(sqlite: Database, now: datetime) -> None:
    add_ann(sqlite, now)
    with sqlite.write() as session:
        company = session.get_one(Company, add_pallets(session, now).company_id)
        user = session.scalars(sa.select(User)).one()
        people.give_role(session, user, company, Role.LISTENER)
        people.give_role(session, user, company, Role.ADMIN)
        assert session.scalars(sa.select(Membership.role)).all() == [Role.ADMIN]
        people.take_role(session, user, company)
        with pytest.raises(Rejected, match="has no role"):
            people.take_role(session, user, company)
