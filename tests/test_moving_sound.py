"""Recordings by link: fetched over https within limits, finished like our own; what does not come is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.audio import tone
from support.command import ready
from support.media import Page, media, mp3, wav

from recordings import fetching
from recordings.workshop import Workshop
from tracker import moving
from tracker.audit import By
from tracker.database import Database
from tracker.download import DownloadError, Limits, Login, download
from tracker.models import Call, Company, Recording, RecordingState
from tracker.package_export import sha256_of
from tracker.policy.moved import FileRow
from tracker.policy.vendor_files import flat
from tracker.policy.vendors import vendor_of
from tracker.settings import Settings, read_settings

HERE = ("127.0.0.0/8", "::1/128")
LIMITS = Limits(2_000_000, 2.0)
TOKEN = Login({"Authorization": "Token token=hush"}, ("localhost",))


def row(number: int, link: str) -> dict[str, Any]:
    return {
        "id": f"CAL{number}", "answered": True, "customer_phone_number": f"+120255501{number:02}",
        "tracking_phone_number": "+12025550199", "duration": 10, "recording": link,
        "start_time": f"2026-03-02T14:{number:02}:00-05:00", "source": "Leaflet",
    }  # fmt: skip


def to(where: str) -> tuple[tuple[str, str]]:
    return (("Location", where),)


def settings_of(home: Path) -> Settings:
    return read_settings({"LEASELINE_HOME": str(home), "LEASELINE_WEBHOOK_NETWORKS": ",".join(HERE)})


def test_recordings_come_within_limits_and_stay_like_our_own(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    settings, vendor = settings_of(tmp_path), vendor_of("callrail")
    sound = wav(tone(440, 3.0), tone(1000, 3.0))
    with media(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", server.certificate)
        port = server.url.rpartition(":")[2]
        server.pages = {
            "/wav": Page(200, sound),
            "/elsewhere": Page(200, sound),
            "/mp3": Page(200, mp3(wav(tone(440, 2.0)))),
            "/sent-on": Page(302, headers=to(f"https://127.0.0.1:{port}/elsewhere")),
            "/recording.json": Page(200, json.dumps({"url": f"{server.url}/wav"}).encode(),
                                    (("Content-Type", "application/json"),)),
            "/page": Page(200, b"<html>log in", (("Content-Type", "text/html; charset=utf-8"),)),
            "/large": Page(200, b"x" * 2_100_000),
            "/noise": Page(200, b"this is no sound at all"),
            "/round": Page(302, headers=to("/round")),
            "/inside": Page(302, headers=to("https://169.254.169.254/latest/meta-data/")),
            "/plain": Page(302, headers=to("http://localhost/x")),
        }  # fmt: skip
        names = ["wav", "mp3", "sent-on", "recording.json", "page", "large", "noise", "round", "inside",
                 "plain", "gone"]  # fmt: skip
        rows = [FileRow(at, flat(row(at, f"{server.url}/{name}"))) for at, name in enumerate(names)]
        with sqlite.write() as session:
            company = Company(slug="pallets", name="Pallets", default_region="US", created_at=now)
            session.add(company)
            session.flush()
            company_id = company.id
            found = moving.look(
                session, company, vendor, [moving.File("x", rows)], moving.Wanted(now)
            )  # fmt: skip
        moving.take(sqlite, company_id, vendor, found, By(now, "cli:ann"))
        workshop = Workshop()
        how = fetching.Fetching(sqlite, settings, workshop, now, TOKEN, LIMITS)
        try:
            wanted = fetching.wanted(sqlite, company_id, "callrail")
            told = {call.url.rpartition("/")[2]: problem for call, problem in fetching.fetch_all(how, wanted)}
            assert [name for name in names if told[name] is None] == [
                "wav", "mp3", "sent-on", "recording.json",
            ]  # fmt: skip
            again = fetching.wanted(sqlite, company_id, "callrail")
            assert [call.url.rpartition("/")[2] for call in again] == names[4:]
        finally:
            workshop.close()
        shown = dict(server.asked)
        assert shown["/elsewhere"] is None  # another host
        assert {str(shown[f"/{name}"]) for name in names} == {"Token token=hush"}
    assert str(told["page"]) == "it is a page, and no sound: does one have to log in?"
    assert str(told["large"]) == "it is larger than 2 MB"
    assert str(told["noise"]).startswith("it is no sound that can be read")
    assert str(told["round"]) == "it is sent on too often"
    assert "169.254.169.254 is an address that nothing is ever sent to" in str(told["inside"])
    assert str(told["plain"]) == "it is not fetched over plain http"
    assert str(told["gone"]) == "it was answered 404 Not Found"
    with sqlite.read() as session:
        kept = session.execute(
            sa.select(Recording, Call.started_at)
            .join(Call)
            .where(Recording.state == RecordingState.READY)
            .order_by(Call.started_at)
        ).all()
        for recording, _ in kept:
            assert str(recording.path).startswith("pallets/2026/03/02/")
            assert sha256_of(settings.recordings_folder / str(recording.path)) == recording.sha256
        seconds = [round(recording.seconds or 0) for recording, _ in kept]
        assert (seconds, [len(kept[0][0].copies)]) == ([3, 2, 3, 3], [len(settings.recording_copies)])
    assert list(tmp_path.glob(".fetch-*")) == []


def test_only_hosts_that_are_named_are_shown_what_lets_one_in_and_nobody_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with media(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", server.certificate)
        server.pages = {"/a": Page(200, b"sound"), "/slow": Page(200, trickles=True)}
        download(f"{server.url}/a", tmp_path / "a", LIMITS, HERE, Login(TOKEN.headers, ("example.com",)))
        assert (server.asked, (tmp_path / "a").read_bytes()) == ([("/a", None)], b"sound")
        with pytest.raises(DownloadError, match=r"broke off|could not be fetched"):
            download(f"{server.url}/slow", tmp_path / "b", Limits(1000, 0.5), HERE)
        with pytest.raises(DownloadError, match="inside the house"):
            download(f"{server.url}/a", tmp_path / "c", LIMITS, ())
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(DownloadError, match="certificate is not valid"):
            download(f"{server.url}/a", tmp_path / "d", LIMITS, HERE)
    for url in ("http://localhost/a", "file:///etc/passwd", "https://u:p@localhost/", "nonsense"):
        with pytest.raises(DownloadError):
            download(url, tmp_path / "e", LIMITS, HERE)


def test_the_command_fetches_recordings_and_tells_those_that_do_not_come(tmp_path: Path) -> None:
    here = ready(tmp_path / "home")
    here.done("company", "add", "pallets", "--region", "US")
    file = tmp_path / "calls.json"
    file.write_text(json.dumps([row(1, "https://127.0.0.1:9009/x"), row(2, "")]))
    login = tmp_path / "login"
    login.write_text("Authorization: Token token=hush\n")
    told = here.json_anyway("import", "callrail", str(file), "--recordings", "--login-file", str(login))
    assert (told["new"], told["recordings"]) == (2, 0)
    assert [(it["reference"], it["column"]) for it in told["rows_not_taken"]] == [("CAL1", "recording_url")]
    assert "inside the house" in told["rows_not_taken"][0]["reason"]
    login.write_text("hush")
    assert (
        here.run("import", "callrail", str(file), "--recordings", "--login-file", str(login)).exit_code == 2
    )
