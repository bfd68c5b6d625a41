"""`leaseline calls` on the terminal, and what doctor says about calls that were turned away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.command import PROGRAM, Installation, make_ready
from support.facts import Pallets, add_pallets, answered, ended, started
from support.journeys import tell_journeys

from tracker.books import record, record_all
from tracker.database import Database
from tracker.live import Sight, publish
from tracker.models import Call, Company, PageView, QuarantinedLine, Refusal, Visit, VisitEvent
from tracker.policy.facts import Presentation


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """A home with the present schema."""
    made = Installation(tmp_path)
    make_ready(made)
    return made


@pytest.fixture
def database(here: Installation) -> Iterator[Database]:
    """The database of that home."""
    opened = Database(f"sqlite:///{here.home / 'leaseline.db'}", wait_seconds=5)
    yield opened
    opened.close()


def test_calls_are_listed_newest_first_and_page_by_page(
    here: Installation, database: Database, now: datetime
) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        for minute in range(3):
            at, call = now + timedelta(minutes=minute), f"call-{minute}"
            taken, over = at + timedelta(seconds=4), at + timedelta(seconds=70)
            begun = (started(pallets.billboard, at, call), answered(pallets.office_id, taken, call))
            record_all(session, [*begun, ended(over, call)])
    page = json.loads(here.done("calls", "list", "--json", "--limit", "2"))
    assert [call["key"] for call in page["calls"]] == ["call-2", "call-1"]
    rest = json.loads(here.done("calls", "list", "--json", "--before", page["next"]))
    assert [call["key"] for call in rest["calls"]] == ["call-0"]
    head, newest, *_ = here.done("calls", "list").splitlines()
    assert head.split()[:4] == ["STARTED", "OUTCOME", "NUMBER", "SOURCE"]
    for sign in ("answered", "+74951234567", "Billboard", "0:04", "1:06", "call-2"):
        assert sign in newest
    shown = json.loads(here.done("calls", "show", "call-2", "--json"))
    assert [event["kind"] for event in shown["events"]] == ["started", "answered", "ended"]
    assert shown["earlier_count"] == 2


def test_a_call_is_shown_with_its_source_and_the_visitors_journey(
    here: Installation, database: Database, now: datetime
) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        tell_journeys(session, pallets, now)
        session.get_one(Company, pallets.company_id).timezone = "Europe/Moscow"
    shown = here.done("calls", "show", "certain")
    for line in (
        "channel group     Paid Search",
        "how sure          97 % sure",
        "device            phone",
        "  2026-11-20 14:52:59  Delivery to your yard  pallets.example/delivery  (0:33)",
        "  2026-11-20 14:54:50  Clicked the phone link  8 (495) 123-45-71",
        "  2026-11-20 14:55:06  office answered",
    ):
        assert line in shown.splitlines()
    assert "[First touch]" in shown
    assert "[Last touch, last non-direct touch]" in shown
    told = json.loads(here.done("calls", "show", "certain", "--json"))
    assert told["attribution"]["basis"] == "lease"
    assert told["visit"]["pages"][1]["title"] == "Prices"


def test_an_uncertain_call_is_marked_in_the_list_and_shows_its_candidates(
    here: Installation, database: Database, now: datetime
) -> None:
    with database.write() as session:
        tell_journeys(session, add_pallets(session, now), now)
    assert any("yandex ?" in line and "uncertain" in line for line in here.done("calls", "list").splitlines())
    shown = here.done("calls", "show", "uncertain")
    assert "how sure          Three candidates 56 %" in shown
    assert "27 %  vk.com social" in shown


def test_nothing_a_browser_sent_can_steer_the_terminal(
    here: Installation, database: Database, now: datetime
) -> None:
    hostile = "\x1b[2J\x07\u202eevil\n\rline"
    with database.write() as session:
        tell_journeys(session, add_pallets(session, now), now)
        visit = session.scalars(sa.select(Visit).join(Call).where(Call.key == "certain")).one()
        for name in ("landing_url", "referrer", "source", "campaign", "keyword", "browser", "language"):
            setattr(visit, name, hostile)
        visit.click_ids = {hostile: hostile}
        session.execute(sa.update(PageView).values(url=hostile, title=hostile))
        session.execute(sa.update(VisitEvent).values(detail={"name": hostile, "text": hostile}))
    for words in (("calls", "show", "certain"), ("calls", "list")):
        shown = here.done(*words)
        assert not any(letter in shown for letter in "\x1b\x07\u202e\r")
        assert not any(line.startswith("line") for line in shown.splitlines())


def test_a_withheld_caller_stays_withheld_on_the_terminal(
    here: Installation, database: Database, now: datetime
) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        record(
            session,
            started(pallets.billboard, now, presentation=Presentation.WITHHELD, caller="+79151112233"),
        )
    shown = (
        here.done("calls", "list")
        + here.done("calls", "list", "--json")
        + here.done("calls", "show", "call-1")
    )
    assert "9151112233" not in shown
    assert "withheld" in shown


def test_following_prints_each_state_once_and_the_end(here: Installation, database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        pallets = add_pallets(session, now)
        record(session, started(pallets.billboard, now))
        see(session, pallets, "ringing", now)
    with subprocess.Popen(
        [*PROGRAM, "calls", "follow", "--json"],
        env=here.process_environ(), stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            first = json.loads(process.stdout.readline())
            assert (first["state"], first["number"]) == ("ringing", pallets.billboard)
            with database.write() as session:
                record_all(session, [answered(pallets.office_id, now), ended(now + timedelta(seconds=9))])
                publish(session, Sight("main", True, None, None, []), now)
            assert json.loads(process.stdout.readline())["state"] == "answered"
        finally:
            process.terminate()


def test_calls_are_judged_again_since_a_day(here: Installation, database: Database, now: datetime) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        for days in range(3):
            record_all(session, [started(pallets.leased, now - timedelta(days=days), f"call-{days}")])
    since = f"{now - timedelta(days=1):%Y-%m-%d}"
    assert json.loads(here.done("calls", "judge", "--since", since, "--json")) == {"judged": 2}
    with database.read() as session:
        judged = sa.select(Call.key).where(Call.attributed_at.is_not(None))
        assert set(session.scalars(judged)) == {"call-0", "call-1", "call-2"}
    assert "Judged 0 calls" in here.done("calls", "judge", "--since", "2030-01-01")


def see(session: Session, pallets: Pallets, state: str, now: datetime) -> None:
    """The node says that call-1 is in this state."""
    at = now.isoformat()
    call = {
        "call": "call-1", "state": state, "since": at, "started": at,
        "did": pallets.billboard, "target": None,
    }  # fmt: skip
    publish(session, Sight("main", True, None, None, [call]), now)


def test_doctor_names_numbers_the_provider_sends_that_are_none_here(
    here: Installation, database: Database
) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        pallets = add_pallets(session, now)
        for key, did, age in (("a", "0049301\x1b[31m", 0), ("b", "0049301\x1b[31m", 1), ("c", "old", 30)):
            at = now - timedelta(hours=age)
            refusal = {"key": key, "at": at, "node": "main", "did": did, "reason": "unknown_number"}
            session.add(Refusal(trunk_id=pallets.trunk_id, **refusal))
        line = {"node": "main", "name": "calls-2026112012.jsonl", "offset": 0, "digest": "0", "line": "?"}
        session.add(QuarantinedLine(at=now, problem="it is no JSON", **line))
    (here.home / "spool" / "calls").mkdir(parents=True)
    found = {each["name"]: each for each in here.json_anyway("doctor")}
    told = found["refused calls"]
    assert told["message"] == "the provider sent 2 call(s) to 0049301?[31m, which is no number here"
    assert told["fix"] == "If it is yours: leaseline number add 0049301?[31m"
    assert found["spool lines"]["state"] == "warn"
    assert "it is no JSON" in found["spool lines"]["message"]


def test_what_calls_were_worth_is_said_from_the_terminal_as_well(
    here: Installation, database: Database, now: datetime
) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        for key in ("one", "two"):
            talk = answered(pallets.office_id, now, key), ended(now + timedelta(seconds=60), key)
            record_all(session, [started(pallets.billboard, now, key), *talk])
    assert here.done("calls", "category", "target", "one", "two") == "Changed 2 of 2 calls\n"
    assert here.done("calls", "category", "target", "one") == "It was so already\n"
    assert here.done("calls", "tag", "delivery", "one") == "Done\n"
    assert here.done("calls", "note", "one", "Call back", "--second", "2.5") == "Done\n"
    told = json.loads(here.done("calls", "category", "none", "two", "--json"))
    assert (told["changed"], told["calls"][0]["category"]) == (1, None)
    first = next(
        call for call in json.loads(here.done("calls", "list", "--json"))["calls"] if call["key"] == "one"
    )
    assert (first["category"], first["tags"]) == ("target", ["delivery"])
    assert here.done("calls", "list", "--category", "target", "--outcome", "answered").count("answered") == 1
    assert "No call is all of this" in here.done("calls", "list", "--category", "service")
    assert here.done("calls", "export", "--tag", "delivery").splitlines()[1].endswith(",one,in,,")
    assert json.loads(here.done("calls", "export", "--tag", "delivery", "--json"))["key"] == "one"
    assert "since is 'soon'" in here.refused("calls", "list", "--since", "soon")
    lines = here.done("calls", "show", "one").splitlines()
    assert "category          target" in lines
    assert lines[-1].split()[-1] == "ended"
    assert any(line.endswith("at 0:02: Call back") for line in lines)
    assert "There is no such call" in here.refused("calls", "category", "target", "one", "three")
    assert "The note is empty" in here.refused("calls", "note", "one", " ")
