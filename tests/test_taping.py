"""Whether a call is recorded, what is left out, what is whispered: as tables and as services."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.config import by, pallets
from support.recorded import settings_in

from tracker import companies, consents, prompts, unrecorded
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import ConsentMode
from tracker.policy.prompts import Words
from tracker.policy.spool import BadLine, parse_line
from tracker.policy.taping import Taping, Withheld, pauses, withheld
from tracker.policy.whisper import Known, read_whisper, whisper

NOON = datetime.fromisoformat("2026-12-01T12:00:00+00:00")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("said", "listed", "reason"),
    [
        ((), False, None),
        ((), True, Withheld.LISTED),
        ((Taping.TOLD,), False, None),
        ((Taping.AGREED, Taping.PAUSED, Taping.RESUMED), False, None),
        ((Taping.REFUSED,), True, Withheld.REFUSED),
        ((Taping.SILENT,), False, Withheld.NOT_AGREED),
        ((Taping.UNASKED,), False, Withheld.NOT_ASKED),
        ((Taping.AGREED, Taping.FORBIDDEN), False, Withheld.FORBIDDEN),
    ],
)
def test_the_strictest_word_decides(said: tuple[Taping, ...], listed: bool, reason: Withheld | None) -> None:
    assert withheld([(NOON, what) for what in said], listed=listed) is reason


@pytest.mark.parametrize(
    ("told", "left_out"),
    [
        ([], []),
        ([(10, "paused"), (15, "resumed")], [[10.0, 5.0]]),
        ([(15, "resumed"), (10, "paused")], [[10.0, 5.0]]),
        ([(10, "paused"), (12, "paused"), (15, "resumed"), (16, "resumed")], [[10.0, 5.0]]),
        ([(10, "paused"), (15, "resumed"), (20, "paused"), (30, "resumed")], [[10.0, 5.0], [15.0, 10.0]]),
        ([(50, "paused")], [[50.0, 10.0]]),
        ([(-5, "paused"), (3, "resumed"), (70, "paused")], [[0.0, 3.0]]),
    ],
)
def test_a_pause_stands_where_the_recording_was_cut(
    told: list[tuple[float, str]], left_out: list[list[float]]
) -> None:
    found = pauses([(at(seconds), Taping(what)) for seconds, what in told], NOON, at(60))
    assert found == left_out


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (Known(), None),
        (Known(source="google"), "Call from google"),
        (
            Known(source="google", keyword="euro pallets", again=True),
            "Call from google, euro pallets, calls again",
        ),
        (Known(keyword="<speak>|rm -rf /; $(id)_"), "speak rm -rf id"),
        (Known(source="x" * 300), f"Call from {'x' * 60}"),
    ],
)
def test_what_is_not_known_is_not_whispered(known: Known, said: str | None) -> None:
    found = whisper("Call from {source}, {keyword}, {again}", "en", known)
    assert found == (Words("en", said, kept=False) if said else None)


def test_a_whisper_has_only_places_that_there_are() -> None:
    assert read_whisper(" Звонок,  {source} ", "ru") == "Звонок, {source}"
    with pytest.raises(Rejected, match=r"\{channel\}, \{source\}"):
        read_whisper("Call from {caller}", "en")


def test_lines_about_the_recording_are_read_strictly() -> None:
    line = '{"e":"taped","call":"k","node":"main","t":1796052275.5,"n":"","target":"","what":"%s"}'
    assert getattr(parse_line((line % "told").encode()), "what", None) is Taping.TOLD
    with pytest.raises(BadLine, match="none of told"):
        parse_line((line % "sung").encode())


def test_consent_is_a_companys_or_a_numbers(sqlite: Database, tmp_path: Path, now: datetime) -> None:
    settings = settings_in(tmp_path)
    with sqlite.write() as session:
        company = pallets(session, now)
        said = prompts.add(session, by(now), company, "Said", prompts.ready_words(settings, "en", "Hello"))
        with pytest.raises(Rejected, match="A key is needed"):
            consents.set_consent(session, by(now), company, said, "required", key="#")
        consents.set_consent(session, by(now), company, said, "refusable", key="9")
        consents.set_consent(session, by(now), company, said, "tell", key="9")
        (found,) = consents.of_company(session, company)
        assert (found.mode, found.key) == (ConsentMode.TELL, None)
        assert consents.for_dialplan(session) == {-company.id: f"tell:{said.digest}:"}
        with pytest.raises(Rejected, match="1 announcement"):
            prompts.remove(session, by(now), said)
        consents.clear(session, by(now), company)
        prompts.remove(session, by(now), said)


def test_who_is_never_recorded_stands_on_the_companys_list(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        other = companies.add(session, by(now), "other", "Other", "DE")
        unrecorded.add(session, by(now), company, "8 916 000-00-01")
        with pytest.raises(Rejected, match="already"):
            unrecorded.add(session, by(now), company, "+79160000001")
        assert unrecorded.is_listed(session, company.id, "+79160000001", now)
        assert not unrecorded.is_listed(session, company.id, "+79160000001", now - timedelta(days=1))
        assert not unrecorded.is_listed(session, other.id, "+79160000001", now)
        unrecorded.remove(session, by(now), company, "+7 916 000 00 01")
        assert not unrecorded.of_company(session, company)
