"""What several threads write in the same moment is one commit on SQLite, and each is told only of its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Company
from tracker.together import Together


def slugs(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(sa.select(Company.slug)))


def add(session: Session, slug: str, now: datetime) -> str:
    session.add(Company(slug=slug, name=slug, default_region="RU", created_at=now))
    session.flush()
    return slug


def test_every_thread_is_answered_its_own_and_finds_it_stored(database: Database, now: datetime) -> None:
    together = Together(database, 5)

    def write(number: int) -> bool:
        slug = together.write(lambda session: add(session, f"c{number}", now))
        return slug == f"c{number}" and slug in slugs(database)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(write, range(60)))
    assert len(slugs(database)) == 60


def test_who_comes_while_another_writes_shares_the_next_commit(sqlite: Database, now: datetime) -> None:
    together = Together(sqlite, 5)
    commits: list[object] = []
    sa.event.listen(sqlite.engine, "commit", commits.append)
    begun, go_on = threading.Event(), threading.Event()

    def slowly(session: Session) -> str:
        begun.set()
        go_on.wait(10)
        return add(session, "first", now)

    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(together.write, slowly)
        assert begun.wait(10)
        slug = [f"later{number}" for number in range(5)]
        later = [
            threads.submit(together.write, lambda session, each=each: add(session, each, now))
            for each in slug
        ]
        while len(together._waiting) < 5:
            begun.wait(0.01)
        go_on.set()
        assert [first.result(10), *(each.result(10) for each in later)] == ["first", *slug]
    assert len(commits) == 2


def test_a_refusal_undoes_nothing_of_the_others(sqlite: Database, now: datetime) -> None:
    together = Together(sqlite, 5)

    def refused(session: Session) -> None:
        add(session, "half", now)
        raise Rejected("no", "No", "Ask for something else")

    def write(number: int) -> str:
        if number % 3:
            return together.write(lambda session: add(session, f"c{number}", now))
        with pytest.raises(Rejected, match="No"):
            together.write(refused)
        return "refused"

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(write, range(30)))
    assert answers.count("refused") == 10
    assert slugs(sqlite) == set(answers) - {"refused"}


def test_who_is_refused_among_several_leaves_the_others_what_they_did(
    sqlite: Database, now: datetime
) -> None:
    together = Together(sqlite, 5)
    begun, go_on = threading.Event(), threading.Event()

    def slowly(session: Session) -> str:
        begun.set()
        go_on.wait(10)
        return add(session, "first", now)

    def refused(session: Session) -> None:
        add(session, "half", now)
        raise Rejected("no", "No", "Ask for something else")

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(together.write, slowly)
        assert begun.wait(10)
        before = threads.submit(together.write, lambda session: add(session, "before", now))
        no = threads.submit(together.write, refused)
        after = threads.submit(
            together.write, lambda session: sorted(session.scalars(sa.select(Company.slug)))
        )
        while len(together._waiting) < 3:
            begun.wait(0.01)
        go_on.set()
        assert [first.result(10), before.result(10)] == ["first", "before"]
        assert after.result(10)[-1] == "first"
        with pytest.raises(Rejected, match="No"):
            no.result(10)
    assert slugs(sqlite) == {"first", "before"}


def test_an_error_of_the_database_is_told_to_all_and_nothing_is_stored(
    sqlite: Database, now: datetime
) -> None:
    together = Together(sqlite, 5)

    def broken(session: Session) -> None:
        add(session, "half", now)
        session.execute(sa.text("SELECT * FROM nothing_of_that_name"))

    with pytest.raises(OperationalError):
        together.write(broken)
    assert slugs(sqlite) == set()
    assert together.write(lambda session: add(session, "again", now)) == "again"


def test_nobody_waits_for_ever(sqlite: Database, now: datetime) -> None:
    together = Together(sqlite, 0.05)
    begun, go_on = threading.Event(), threading.Event()

    def slowly(session: Session) -> str:
        begun.set()
        go_on.wait(10)
        return add(session, "first", now)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(together.write, slowly)
        assert begun.wait(10)
        with pytest.raises(PoolTimeout):
            together.write(lambda session: add(session, "late", now))
        go_on.set()
        assert first.result(10) == "first"
    assert slugs(sqlite) == {"first"}
