"""The second factor: codes of a phone, recovery codes, the second step of a log-in, links, and the brakes."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tracker import logins, people, second_factor
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, LoginSession, RecoveryCode, User
from tracker.policy import second_factor as policy

PASSWORD = "correct horse battery"
HASHED = people.hash_password(PASSWORD)
HERE = logins.Client("192.0.2.1", "tests")
EMAIL = "ann@pallets.example"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # of RFC 6238, appendix B


@dataclass
class Phone:
    """Ann's phone, and the paper with her recovery codes."""

    database: Database
    secret: str
    paper: list[str]

    def code(self, at: datetime) -> str:
        return pyotp.TOTP(self.secret).at(at)

    def log_in(self, code: str, at: datetime) -> object:
        """Both steps of a log-in."""
        first = logins.log_in(self.database, EMAIL, PASSWORD, HERE, at)
        assert isinstance(first, logins.CodeNeeded), first
        return logins.show_code(self.database, first.pending, code, HERE, at)


def ann_of(database: Database) -> User:
    with database.read() as session:
        return people.find_user(session, EMAIL)


def set_up(database: Database, now: datetime) -> Phone:
    """Ann, who switched the second factor on with the code of two minutes ago."""
    at = now - timedelta(minutes=2)
    with database.write() as session:
        user = people.add_user(session, EMAIL, "Ann", at)
        user.password_hash = HASHED
        secret = second_factor.begin(session, user)
        codes = second_factor.confirm(session, By(at, EMAIL), user, pyotp.TOTP(secret).at(at))
    return Phone(database, secret, codes)


@pytest.fixture
def phone(database: Database, now: datetime) -> Phone:
    return set_up(database, now)


@pytest.fixture
def phone_here(sqlite: Database, now: datetime) -> Phone:
    return set_up(sqlite, now)


def actions(database: Database) -> list[tuple[str, str | None]]:
    with database.read() as session:
        rows = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
        return [(row.action, row.detail.get("reason")) for row in rows]


@pytest.mark.parametrize(
    ("seconds", "right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False), (3600, False)]
)
def test_a_code_counts_a_step_before_and_after_its_own(now: datetime, seconds: int, right: bool) -> None:
    code = pyotp.TOTP(SECRET).at(now + timedelta(seconds=seconds))
    assert (policy.matching_step(SECRET, code, now) is not None) is right


def test_the_codes_are_those_of_rfc_6238() -> None:
    for second, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        at = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(seconds=second)
        assert policy.matching_step(SECRET, code, at) == second // 30


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_code_or_none(text: str) -> None:
    at = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    step = policy.matching_step(SECRET, policy.read_code(text), at)
    assert step is None or pyotp.TOTP(SECRET).generate_otp(step) == policy.read_code(text)


def test_recovery_codes_are_read_however_they_are_typed(phone_here: Phone, now: datetime) -> None:
    code = phone_here.paper[0]
    assert len(code.replace("-", "")) == 13  # 64 bits
    typed = f"  {code.upper().replace('-', ' ')} "
    assert isinstance(phone_here.log_in(typed, now), logins.LoggedIn)


def test_after_the_password_a_code_is_asked_for(phone: Phone, now: datetime) -> None:
    assert isinstance(phone.log_in("000000", now), logins.WrongCode)
    with phone.database.read() as session:
        assert session.scalars(sa.select(LoginSession)).all() == []  # the password alone opens nothing
    assert isinstance(phone.log_in(phone.code(now), now), logins.LoggedIn)
    assert actions(phone.database) == [("totp.on", None), ("login.refused", "code"), ("login", None)]


def test_no_code_works_twice(phone: Phone, now: datetime) -> None:
    def shown(code: str, at: datetime) -> bool:
        with phone.database.write() as session:
            return second_factor.use_code(session, By(at, EMAIL), people.find_user(session, EMAIL), code)

    code, later = phone.code(now), now + timedelta(seconds=30)
    assert shown(code, now)
    assert not shown(code, now)
    assert not shown(code, later)  # its step still counts, and is used
    assert not shown(phone.code(now - timedelta(seconds=30)), now)  # nor does an older one
    assert shown(phone.code(later), later)


def test_the_code_that_switched_it_on_does_not_log_in(sqlite: Database, now: datetime) -> None:
    phone = set_up(sqlite, now + timedelta(minutes=2))
    assert isinstance(phone.log_in(phone.code(now), now), logins.WrongCode)


def race(phone: Phone, code: str, now: datetime, racers: int = 4) -> list[object]:
    """So many browsers that show the same code at once."""
    pending = []
    for number in range(racers):
        first = logins.log_in(phone.database, EMAIL, PASSWORD, logins.Client(f"198.51.100.{number}"), now)
        assert isinstance(first, logins.CodeNeeded)
        pending.append(first.pending)
    with phone.database.write() as session:  # the password's tries count; this is about the code
        session.execute(sa.text("DELETE FROM login_attempts"))
    answers: list[object] = []
    line = threading.Barrier(racers)

    def run(number: int) -> None:
        line.wait(30)
        client = logins.Client(f"198.51.100.{number}")
        answers.append(logins.show_code(phone.database, pending[number], code, client, now))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_those_who_show_one_code_at_once_one_gets_in(phone: Phone, now: datetime) -> None:
    answers = race(phone, phone.code(now), now)
    assert sorted(type(each).__name__ for each in answers) == ["LoggedIn"] + ["WrongCode"] * 3


def test_a_recovery_code_is_used_once_even_by_many_at_once(phone: Phone, now: datetime) -> None:
    answers = race(phone, phone.paper[3], now)
    assert sorted(type(each).__name__ for each in answers) == ["LoggedIn"] + ["WrongCode"] * 3
    with phone.database.read() as session:
        assert second_factor.codes_left(session, ann_of(phone.database).id) == 9
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "totp.recovery")).one()
        assert entry.detail == {"codes_left": 9}


def test_recovery_codes_are_stored_as_nothing_that_logs_in(phone: Phone) -> None:
    with phone.database.read() as session:
        stored = repr(session.execute(sa.text("SELECT * FROM recovery_codes")).all())
        assert len(session.scalars(sa.select(RecoveryCode)).all()) == 10
    assert not any(code in stored or code.replace("-", "") in stored for code in phone.paper)


def test_new_recovery_codes_end_the_old_ones(phone_here: Phone, now: datetime) -> None:
    with phone_here.database.write() as session:
        fresh = second_factor.renew_codes(session, By(now, EMAIL), people.find_user(session, EMAIL))
    assert isinstance(phone_here.log_in(phone_here.paper[0], now), logins.WrongCode)
    assert isinstance(phone_here.log_in(fresh[0], now), logins.LoggedIn)


def test_who_knows_the_password_cannot_guess_at_codes_for_ever(phone_here: Phone, now: datetime) -> None:
    """The right password again does not give five tries more."""
    codes = [f"{number:06}" for number in range(20) if f"{number:06}" != phone_here.code(now)]
    answers: list[object] = []
    for number, code in enumerate(codes):
        client = logins.Client(f"198.51.100.{number}")
        first = logins.log_in(phone_here.database, EMAIL, PASSWORD, client, now)
        if isinstance(first, logins.CodeNeeded):
            first = logins.show_code(phone_here.database, first.pending, code, client, now)  # type: ignore[assignment]
        answers.append(first)
    assert sum(isinstance(each, logins.WrongCode) for each in answers) == 2  # and two passwords, one left
    assert isinstance(answers[-1], logins.TooManyTries)


def test_a_pending_log_in_ends(phone_here: Phone, now: datetime) -> None:
    """After five minutes, with the password, and with the user."""
    database = phone_here.database
    first = logins.log_in(database, EMAIL, PASSWORD, HERE, now)
    assert isinstance(first, logins.CodeNeeded)

    def show(at: datetime) -> object:
        return logins.show_code(database, first.pending, phone_here.code(at), HERE, at)

    assert show(now + timedelta(minutes=5)) == logins.PendingEnded()
    with database.write() as session:
        people.find_user(session, EMAIL).password_hash = people.hash_password("another good one")
    assert show(now) == logins.PendingEnded()
    with database.write() as session:
        user = people.find_user(session, EMAIL)
        user.password_hash = HASHED
        people.disable_user(session, user, now)
    assert show(now) == logins.PendingEnded()
    with database.write() as session:
        people.enable_user(session, people.find_user(session, EMAIL))
    assert isinstance(show(now), logins.LoggedIn)


def test_a_one_time_link_asks_for_the_code_too(phone: Phone, now: datetime) -> None:
    database = phone.database
    with database.write() as session:
        token = people.make_login_link(session, people.find_user(session, EMAIL), now)

    def use(code: str) -> str:
        return logins.log_in_by_link(database, token, "another good one", HERE, now, code=code)

    for wrong in ("", "000000"):
        with pytest.raises(Rejected, match="not right"):
            use(wrong)
    assert isinstance(logins.log_in(database, EMAIL, PASSWORD, HERE, now), logins.CodeNeeded)  # as it was
    assert use(phone.paper[0])
    assert ann_of(database).totp_at is not None
    with pytest.raises(Rejected, match="used already"):
        use(phone.paper[1])
    with database.read() as session:
        assert second_factor.codes_left(session, ann_of(database).id) == 9


def test_codes_at_a_one_time_link_are_braked(phone_here: Phone, now: datetime) -> None:
    with phone_here.database.write() as session:
        token = people.make_login_link(session, people.find_user(session, EMAIL), now)
    problems = []
    for _ in range(6):
        with pytest.raises(Rejected) as refused:
            logins.log_in_by_link(phone_here.database, token, "another good one", HERE, now, code="1")
        problems.append(refused.value.id)
    assert problems == ["totp.wrong"] * 5 + ["login.too_many"]


def test_switched_off_the_password_is_enough(phone_here: Phone, now: datetime) -> None:
    with phone_here.database.write() as session:
        second_factor.switch_off(session, By(now, EMAIL), people.find_user(session, EMAIL))
    got = logins.log_in(phone_here.database, EMAIL, PASSWORD, HERE, now)
    assert isinstance(got, logins.LoggedIn)
    with phone_here.database.read() as session:
        assert session.scalars(sa.select(RecoveryCode)).all() == []
    with pytest.raises(Rejected, match="no second factor"), phone_here.database.write() as session:
        second_factor.switch_off(session, By(now, EMAIL), people.find_user(session, EMAIL))


def test_it_is_not_on_before_a_code_was_shown(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        user = people.add_user(session, EMAIL, "Ann", now)
        user.password_hash = HASHED
        with pytest.raises(Rejected, match="nothing to confirm"):
            second_factor.confirm(session, By(now, EMAIL), user, "123456")
        second_factor.begin(session, user)
        with pytest.raises(Rejected, match="not right"):
            second_factor.confirm(session, By(now, EMAIL), user, "no code")
    assert isinstance(logins.log_in(sqlite, EMAIL, PASSWORD, HERE, now), logins.LoggedIn)


@pytest.mark.parametrize(
    ("password", "code", "problem"),
    [("wrong", "right", "password.wrong"), (PASSWORD, "000000", "totp.wrong"), (PASSWORD, "right", None),
     (PASSWORD, None, None)],
)  # fmt: skip
def test_who_is_logged_in_proves_it_once_more(
    phone_here: Phone, now: datetime, password: str, code: str | None, problem: str | None
) -> None:
    shown = phone_here.code(now) if code == "right" else code
    user_id = ann_of(phone_here.database).id
    with pytest.raises(Rejected) if problem else nullcontext() as refused:
        logins.prove(phone_here.database, user_id, password, HERE, now, code=shown)
    assert problem == (refused and refused.value.id)
