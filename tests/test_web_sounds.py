"""Sounds in a real Chromium: words are spoken, a file uploaded, an announcement and a whisper set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect
from support.audio import tone, write_wav
from support.browser import axe, browser, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import P, Told, furnish

from tracker.models import Call, Company, Consent, Prompt, Recording, RecordingState, Unrecorded, Withheld

HERE = "/settings/pallets/sounds"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("sounds")
    with books_in(folder) as (settings, database):
        furnish(database, settings, datetime.now(UTC), (Told(5, P.billboard, "+79160000001", talk=30),))
        with database.write() as session:
            recording = session.scalars(sa.select(Recording)).one()
            recording.pauses = [[12.0, 41.0]]
        with serving(settings) as url:
            yield Served(url, database)


def test_an_admin_says_what_is_heard(
    browser: Browser,  # noqa: F811
    served: Served,
    tmp_path: Path,
) -> None:
    page = served.open(browser, "phone")
    page.goto(HERE)
    expect(page.get_by_text("No prompt yet")).to_be_visible()
    form = page.get_by_role("form", name="Have words spoken")
    form.get_by_label("Name").fill("Consent")
    form.get_by_label("Words").fill("Разговор записывается. Если вы против, нажмите девять.")
    form.get_by_label("Language").select_option("ru")
    form.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    form = page.get_by_role("form", name="Upload a sound file")
    (tmp_path / "hostile.mp3").write_bytes(b"#EXTM3U\n/etc/passwd\n")
    form.get_by_label("Name").fill("Jingle")
    form.get_by_label("File").set_input_files(tmp_path / "hostile.mp3")
    form.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("This is no sound file that can be read")).to_be_visible()
    form.get_by_label("File").set_input_files(write_wav(tmp_path / "jingle.wav", tone(600, 1)))
    form.get_by_role("button", name="Add it").click()
    length = page.get_by_label("Listen: Jingle").evaluate(
        """it => new Promise(done => {
            it.onloadedmetadata = () => done(it.duration);
            it.preload = "auto";
            it.load();
        })"""
    )
    assert length == pytest.approx(1.0, abs=0.05)

    part = page.get_by_role("region", name="Before the recording")
    part.get_by_label("Prompt").select_option("Consent")
    part.get_by_label("And then").select_option("refusable")
    part.get_by_role("button", name="Save").click()
    expect(part.get_by_text("A key is needed")).to_be_visible()
    part.get_by_label("Key").fill("9")
    part.get_by_role("button", name="Save").click()
    expect(part.get_by_text("All numbers")).to_be_visible()

    form = page.get_by_role("form", name="What employees hear and may do")
    form.get_by_label("Whisper").fill("Call from {sauce}")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("There is nothing called {sauce} to say")).to_be_visible()
    form.get_by_label("Whisper").fill("Call from {source}, {keyword}")
    form.get_by_label("Codes of the phone stop the recording").check()
    form.get_by_role("button", name="Save").click()

    part = page.get_by_role("region", name="Never recorded")
    part.get_by_label("Caller").fill("8 916 123-45-67")
    part.get_by_role("button", name="Never record").click()
    expect(part.get_by_text("a person, here or on the command line")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="Remove").first.click()
    expect(page.get_by_text("is used by 1 announcement")).to_be_visible()

    with served.database.read() as session:
        company = session.scalars(sa.select(Company).where(Company.slug == "pallets")).one()
        assert (company.whisper, company.recording_codes) == ("Call from {source}, {keyword}", True)
        assert [it.name for it in session.scalars(sa.select(Prompt).order_by(Prompt.id))] == [
            "Consent",
            "Jingle",
        ]
        assert session.scalars(sa.select(Consent.key)).all() == ["9"]
        assert session.scalars(sa.select(Unrecorded.caller)).all() == ["+79161234567"]


def test_a_calls_page_says_why_nothing_was_recorded_and_what_was_left_out(
    browser: Browser,  # noqa: F811
    served: Served,
) -> None:
    page = served.open(browser)
    with served.database.read() as session:
        page.goto(f"/calls/{session.scalars(sa.select(Call.key)).one()}")
    expect(page.get_by_text("Paused by an employee at 0:12, for 0:41")).to_be_visible()
    with served.database.write() as session:
        recording = session.scalars(sa.select(Recording)).one()
        recording.state, recording.withheld = RecordingState.NONE, Withheld.REFUSED
    page.reload()
    expect(page.get_by_text("Not recorded: the caller refused it by a key.")).to_be_visible()
