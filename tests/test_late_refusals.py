"""Refusals that come into the books after the recording: nothing is kept, and the books say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.audio import tone, write_raw
from support.facts import CALLER, add_pallets, answered, ended, started
from support.recorded import age, finish_all, settings_in, spool_file

from recordings.finish import finish_pending
from recordings.workshop import Workshop
from tracker import unrecorded
from tracker.books import record, record_all
from tracker.database import Database
from tracker.models import AuditEntry, Call, Company, Recording, RecordingState, Wish, Withheld
from tracker.policy.facts import Doing, Passed, Taped
from tracker.policy.taping import Taping
from tracker.settings import Settings

SOON = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, recording_copies=())


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    ours = Workshop()
    yield ours
    ours.close()


def taped(at: datetime, what: Taping = Taping.REFUSED) -> Taped:
    return Taped("call-1", "main", at, 0, 0, what)


def passed(at: datetime) -> Passed:
    return Passed("call-1", "main", at, 7, 1, "ask", Doing.RECORDING, "refused")


def end_a_talk(database: Database, settings: Settings, now: datetime, content: bytes = b"") -> int:
    """A call that is over, with its sound in the spool; the company's id."""
    begun = now - timedelta(seconds=9)
    with database.write() as session:
        pallets = add_pallets(session, now)
        facts = (
            started(pallets.billboard, begun),
            answered(pallets.office_id, begun + SOON),
            ended(now - SOON * 2),
        )
        record_all(session, facts)
        session.get_one(Company, pallets.company_id).remember_refusals = True
    file = spool_file(settings, "call-1.raw")
    write_raw(file, tone(440, 2.0), tone(880, 2.0))
    if content:
        file.write_bytes(content)
    age(file, now - SOON * 2)
    return pallets.company_id


def found(database: Database) -> Recording:
    with database.read() as session:
        recording = session.scalars(sa.select(Recording).join(Call).where(Call.key == "call-1")).one()
        session.expunge(recording)
        return recording


def files(settings: Settings) -> list[Path]:
    folders = settings.recordings_folder, settings.spool / "recordings"
    return [path for folder in folders for path in folder.rglob("call-1*")]


@pytest.mark.parametrize("said", [taped, passed])
def test_a_refusal_that_comes_late_takes_the_recording_away(
    database: Database,
    settings: Settings,
    workshop: Workshop,
    now: datetime,
    said: Callable[[datetime], Taped | Passed],
) -> None:
    company_id = end_a_talk(database, settings, now)
    finish_all(database, settings, now, workshop)
    assert found(database).state is RecordingState.READY
    with database.write() as session:
        record(session, said(now - SOON * 8))
    recording = found(database)
    assert (recording.state, recording.withheld) == (RecordingState.DELETED, Withheld.REFUSED)
    assert recording.peaks is None
    finish_pending(database, settings, now, workshop=workshop)
    assert files(settings) == []
    assert found(database).retry_at is None
    with database.read() as session:
        (entry,) = unrecorded.of_company(session, session.get_one(Company, company_id))
        assert (entry.caller, entry.wish) == (CALLER, Wish.CALLER)
        wanted = sa.select(AuditEntry).where(AuditEntry.action == "recording.withdraw")
        assert session.scalars(wanted).one().detail == {"why": "refused"}


def test_a_refusal_that_comes_while_it_is_prepared_counts(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    end_a_talk(sqlite, settings, now)
    finish_pending(sqlite, settings, now, workshop=workshop)
    while not workshop.replies:
        workshop.collect(1)
    with sqlite.write() as session:
        record(session, passed(now - SOON * 8))
    finish_pending(sqlite, settings, now, workshop=workshop)
    recording = found(sqlite)
    assert (recording.state, recording.withheld) == (RecordingState.NONE, Withheld.REFUSED)
    assert files(settings) == []


def test_what_was_put_aside_as_damaged_goes_too(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    end_a_talk(sqlite, settings, now)
    file = spool_file(settings, "call-1.raw")
    file.unlink()
    age_of = now - SOON * 2
    file = spool_file(settings, "call-1.wav")
    file.write_bytes(b"no sound at all " * 9000)
    age(file, age_of)
    finish_all(sqlite, settings, now, workshop)
    assert found(sqlite).state is RecordingState.DAMAGED
    assert files(settings)
    with sqlite.write() as session:
        record(session, taped(now, Taping.FORBIDDEN))
    finish_pending(sqlite, settings, now, workshop=workshop)
    assert (found(sqlite).withheld, files(settings)) == (Withheld.FORBIDDEN, [])
