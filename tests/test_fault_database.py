"""The database is locked or gone for a minute of traffic: calls go on, and afterwards the books are whole."""

from __future__ import annotations

import http.cookiejar
import json
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.house import House, until
from support.postgres import Postgres
from support.site import HASHED, PASSWORD, csrf_of
from support.talks import (
    Sounds,
    Talk,
    await_talking,
    begin,
    books_gain,
    channel_place,
    check_booked,
    check_heard,
    finish,
    leased_place,
    make_sounds,
)

from tracker import people
from tracker.live import live_calls
from tracker.models import Company, Role

AWAY_SECONDS = 60.0
CATCH_UP_SECONDS = 60.0


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    """As long as the longest talk: Asterisk hangs up on people from whom no sound comes for a minute."""
    return make_sounds(Path(tmp_path_factory.mktemp("sounds")), AWAY_SECONDS + 15)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL of this file's own: it is going to be stopped."""
    started = Postgres()
    yield started
    started.close()


@pytest.fixture(scope="module")
def postgres_house(cluster: Postgres) -> Iterator[House]:
    started = House(LEASELINE_DATABASE_URL=cluster.url())
    yield started
    started.close()


@pytest.mark.timeout(400)
def test_a_database_locked_for_a_minute_costs_no_call_and_no_fact(house: House, sounds: Sounds) -> None:
    talks = call_around(house, locked(house), sounds)
    for talk in talks:
        check_heard(house, check_booked(house, talk, seen_by_agi=True), seconds=90)
    delays = [talk.delay for talk in talks]
    print("delays", " ".join(f"{delay:.3f}" for delay in delays))
    assert max(delays) < 0.5  # who only looks does not wait for a writer


@contextmanager
def locked(house: House) -> Iterator[None]:
    """Somebody else holds the one writer's place."""
    path = house.settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def test_everything_works_on_postgresql(postgres_house: House, sounds: Sounds) -> None:
    place = leased_place(postgres_house)
    talk = begin(postgres_house, place, 4, sounds)
    await_talking([talk])
    (seen,) = until(lambda: [row for row in live(postgres_house) if row.state == "talking"], 5)
    assert (seen.caller, seen.target) == (talk.caller.number, place.line.phones[0].target_id)
    finish([talk])
    call = check_booked(postgres_house, talk, seen_by_agi=True)
    check_heard(postgres_house, call)
    until(lambda: not live(postgres_house), 5, why="the call is not live any more")
    browser = log_in(postgres_house)
    assert talk.caller.number in json.dumps(browser.get_json("/api/v1/calls"))
    assert "yandex" in browser.get("/calls")
    assert "yandex" in browser.get(f"/calls/{call.key}")
    assert "audio" in browser.get(f"/calls/{call.key}")
    rows = json.loads(postgres_house.cli("calls", "list", "--json").stdout)
    assert call.key in json.dumps(rows)


@pytest.mark.timeout(400)
def test_a_postgresql_away_for_a_minute_costs_no_call_and_no_fact(
    postgres_house: House, cluster: Postgres, sounds: Sounds
) -> None:
    talks = call_around(postgres_house, away(cluster, postgres_house), sounds)
    for talk in talks:
        check_heard(postgres_house, check_booked(postgres_house, talk), seconds=90)
    delays = [talk.delay for talk in talks]
    print("delays", " ".join(f"{delay:.3f}" for delay in delays))
    assert max(delays) < 1.5
    until(lambda: ready(postgres_house) == 200, 30, why="everything is well again")
    after = begin(postgres_house, talks[0].place, 1.5, sounds)
    finish([after])
    check_booked(postgres_house, after, seen_by_agi=True)


@contextmanager
def away(cluster: Postgres, house: House) -> Iterator[None]:
    """PostgreSQL falls over, and comes back."""
    cluster.stop("immediate")
    try:
        assert ready(house) == 503
        yield
    finally:
        cluster.restart()


def call_around(house: House, outage: AbstractContextManager[None], sounds: Sounds) -> list[Talk]:
    """Calls that begin before, in and after an outage of a minute, and end before, in and after it."""
    with house.applying_once():
        places = [*(channel_place(house) for _ in range(6)), leased_place(house), leased_place(house)]
    talks: list[Talk] = []

    def call(seconds: float) -> Talk:
        talks.append(begin(house, places[len(talks)], seconds, sounds))
        return talks[-1]

    with books_gain(house, len(places)):
        await_talking([call(15), call(AWAY_SECONDS + 10)])
        with outage:
            began = time.monotonic()
            at(began, 2, lambda: (call(3), call(30)))
            at(began, 25, lambda: call(5))
            at(began, AWAY_SECONDS - 6, lambda: (call(2), call(12)))
            at(began, AWAY_SECONDS, lambda: None)
        call(2)
        finish(talks)
        for talk in talks:
            house.call_of(talk.caller, CATCH_UP_SECONDS)
    return talks


def at(began: float, seconds: float, what: Any) -> None:
    """Do it that many seconds after the beginning: the story is told in seconds."""
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    what()


def live(house: House) -> list[Any]:
    with house.database.read() as session:
        return list(live_calls(session, [house.company_id]))


def ready(house: House) -> int:
    try:
        with urllib.request.urlopen(f"{house.settings.web_url}/readyz", timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


class Browser:
    """A browser that keeps its cookies."""

    def __init__(self, address: str) -> None:
        self.address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(cookies)

    def get(self, path: str, form: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(form).encode() if form else None
        with self.opener.open(self.address + path, data, timeout=20) as answer:
            return str(answer.read().decode())

    def get_json(self, path: str) -> Any:
        return json.loads(self.get(path))


def log_in(house: House) -> Browser:
    """As a manager of the house's company, over HTTP."""
    with house.database.write() as session:
        user = people.add_user(session, "olga@pallets.example", "Olga", datetime.now(UTC))
        user.password_hash = HASHED
        people.give_role(session, user, session.get_one(Company, house.company_id), Role.MANAGER)
    browser = Browser(house.settings.web_url)
    token = csrf_of(browser.get("/login"))
    browser.get("/login", {"csrf": token, "email": "olga@pallets.example", "password": PASSWORD})
    return browser
