"""Recordings over the API: told of, fetched by range, deleted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.facts import Pallets
from support.rest import Program, furnished, program
from support.showroom import Told
from support.site import Site

from tracker.database import Database
from tracker.models import AuditEntry, Recording
from tracker.policy.rights import Scope

CALLS = (Told(3, Pallets.billboard, "+79161234567", talk=3), Told(9, Pallets.leaflet, "", "missed", wait=41))


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return furnished(sqlite, tmp_path, now, CALLS)


@pytest.fixture
def crm(site: Site) -> Program:
    return program(site, *Scope)


@pytest.fixture
def path(site: Site) -> str:
    return f"/calls/{site.app.config['KEYS'][0]}/recording"


def entries(site: Site) -> list[tuple[str, str]]:
    with site.database.read() as session:
        found = session.scalars(sa.select(AuditEntry).where(AuditEntry.action.startswith("recording.")))
        return [(it.actor, it.action) for it in found]


def test_a_recording_is_told_of_and_fetched_whole_and_by_range(site: Site, crm: Program, path: str) -> None:
    told = crm.get(path).json
    assert (told["state"], told["kinds"][0], told["pauses"]) == ("ready", "wav", [])
    whole = crm.get(f"{path}/audio", kind="wav")
    assert (whole.status_code, whole.mimetype, len(whole.data)) == (200, "audio/wav", told["bytes"])
    part = crm.get(f"{path}/audio", kind="wav", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert crm.get(f"{path}/audio", kind="wav", headers={"Range": "bytes=99999999-"}).status_code == 416
    kept = crm.get(f"{path}/audio", kind="wav", headers={"If-None-Match": whole.headers["ETag"]})
    assert kept.status_code == 304
    assert entries(site) == [("key:crm", "recording.download")]
    assert crm.get(f"{path}/audio", kind="ogg").status_code == 400


def test_a_call_without_sound_says_so(site: Site, crm: Program) -> None:
    path = f"/calls/{site.app.config['KEYS'][1]}/recording"
    assert crm.get(path).json["state"] == "none"
    assert crm.get(f"{path}/audio").json["error"]["id"] == "recording.missing"
    assert crm.delete(path).status_code == 404


def test_a_recording_is_deleted_with_its_files(site: Site, crm: Program, path: str) -> None:
    with site.database.read() as session:
        stored = session.scalars(sa.select(Recording.path).where(Recording.path.is_not(None))).one()
    file = site.settings.recordings_folder / str(stored)
    assert file.is_file()
    seen = crm.get(path).headers["ETag"]
    assert crm.delete(path, headers={"If-Match": seen}).status_code == 204
    assert not file.exists()
    assert crm.get(path).json["state"] == "deleted"
    assert crm.get(f"{path}/audio").status_code == 404
    assert crm.delete(path).status_code == 204
    assert entries(site) == [("key:crm", "recording.delete")]


def test_another_company_s_recordings_are_unknown(site: Site, path: str) -> None:
    rival = program(site, *Scope, company_id=2)
    assert [it.status_code for it in (rival.get(path), rival.get(f"{path}/audio"), rival.delete(path))] == [
        404, 404, 404,
    ]  # fmt: skip
