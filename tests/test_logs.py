"""Logs as text and as JSON, and the call that a line is about."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.facts import Pallets
from support.recorded import settings_in
from support.showroom import Told, furnish
from support.site import Site, csrf_token

from commands.logs import lines_of_call
from tracker import logs
from tracker.database import Database

KEY = "1795176000.12-123456"
log = logging.getLogger("leaseline.tests")


@contextmanager
def logged(folder: Path, kind: str, log: logging.Logger = log) -> Iterator[StringIO]:
    """What is logged meanwhile, as a process of ours writes it."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(settings_in(folder, log_format=kind), "worker"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        log.removeHandler(handler)


def test_a_line_of_text_names_its_call_and_its_figures(tmp_path: Path) -> None:
    with logged(tmp_path, "text") as written:
        log.info("of nobody")
        log.info("the recording is ready", extra=logs.of(KEY, seconds=1.5))
        with logs.about(KEY):
            log.warning("late by %d s", 3)
        log.info("of nobody again")
    said = [line.split(" ", 2)[2] for line in written.getvalue().splitlines()]
    assert said == [
        "INFO leaseline.tests of nobody",
        f"INFO leaseline.tests call={KEY} the recording is ready seconds=1.5",
        f"WARNING leaseline.tests call={KEY} late by 3 s",
        "INFO leaseline.tests of nobody again",
    ]


def test_a_line_of_json_is_one_object_whatever_is_in_it(tmp_path: Path) -> None:
    with logged(tmp_path, "json") as written, logs.about(KEY):
        log.info("two\nlines, Ünïcode", extra=logs.of(seconds=1.5, message="not in the way", odd=Path("x")))
        try:
            raise ValueError("no\nluck")
        except ValueError:
            log.exception("broken")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first.pop("at").endswith("+00:00")
    assert first == {
        "level": "info", "process": "worker", "node": "main", "logger": "leaseline.tests", "call": KEY,
        "message": "two\nlines, Ünïcode", "seconds": 1.5, "odd": "x",
    }  # fmt: skip
    assert second["error"].startswith("Traceback")
    assert (second["level"], second["call"]) == ("error", KEY)


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 41, "a\ncall=other", "ünï"])
def test_what_is_no_key_of_ours_is_not_logged_as_one(tmp_path: Path, key: str | None) -> None:
    """A stranger who reaches the call server chooses what stands where the key should be."""
    with logged(tmp_path, "text") as written, logs.about(key):
        log.info("asked")
    assert "call=" not in written.getvalue()


def test_calls_at_the_same_time_are_told_apart(tmp_path: Path) -> None:
    async def serve(key: str) -> None:
        with logs.about(key):
            for _ in range(3):
                await asyncio.sleep(0)
                log.info("of %s", key)

    async def all_of_them() -> None:
        await asyncio.gather(*(serve(f"call-{number}") for number in range(5)))

    with logged(tmp_path, "text") as written:
        asyncio.run(all_of_them())
    lines = written.getvalue().splitlines()
    assert len(lines) == 15
    assert all(line.endswith(f"call={line.rsplit(' ', 1)[1]} of {line.rsplit(' ', 1)[1]}") for line in lines)


def test_what_people_do_with_a_call_is_a_line_about_it(
    sqlite: Database, tmp_path: Path, now: datetime
) -> None:
    """Who it was stands in the audit log."""
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, (Told(3, Pallets.billboard, "+79161234567", talk=4, sound=False),))
    ann = Site(sqlite, settings, now).log_in("ann@pallets.example", room.pallets.company_id)
    key = room.keys[0]
    form = {"category": "target", "csrf": csrf_token(ann)}
    with logged(tmp_path, "text", logging.getLogger("web")) as written:
        assert ann.post(f"/calls/{key}/category", data=form).status_code == 303
        assert ann.post("/calls/bulk", data=form | {"key": key}).status_code == 303
    (line,) = written.getvalue().splitlines()
    assert line.endswith(f"INFO web.followed call={key} POST /calls/<key>/category: 303")


def test_a_statement_that_fails_does_not_tell_what_it_was_about(sqlite: Database) -> None:
    """Errors go to the logs, callers' numbers do not."""
    with sqlite.read() as session, pytest.raises(sa.exc.OperationalError) as error:
        session.execute(sa.text("SELECT * FROM nowhere WHERE caller = :caller"), {"caller": "+491511234567"})
    assert "1511234567" not in str(error.value)


def test_one_call_is_read_from_all_logs_in_the_order_of_time(tmp_path: Path) -> None:
    agi, worker = tmp_path / "agi.log", tmp_path / "worker.log"
    agi.write_text(f"2026-11-30 12:00:01,500 INFO leaseline.agi call={KEY} third\n")
    (tmp_path / "agi.log.1").write_text(
        f"2026-11-30 11:59:59,000 INFO leaseline.agi call={KEY} first\n"
        f"2026-11-30 11:59:59,100 INFO leaseline.agi call={KEY}2 of another\n"
    )
    worker.write_text(json.dumps({"at": "2026-11-30T12:00:01.250+00:00", "call": KEY, "message": "second"}))
    found = lines_of_call([agi, worker], KEY)
    assert [path.stem for path, _ in found] == ["agi", "worker", "agi"]
    assert [word in line for word, (_, line) in zip(("first", "second", "third"), found, strict=True)] == [
        True
    ] * 3
