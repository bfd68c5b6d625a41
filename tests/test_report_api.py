"""Reports told to programs: with the key of one company, by the words of the address."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.facts import add_pallets
from support.recorded import settings_in
from support.site import Site, log_in

from tracker import api_keys
from tracker.audit import By
from tracker.database import Database
from tracker.models import Company, Role

COST = {"day": "2026-11-05", "source": "google", "medium": "cpc", "campaign": "spring", "amount": "1200.50"}
DAYS = "since=2026-11-05&until=2026-11-05"


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    with sqlite.write() as session:
        add_pallets(session, now)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def key_of(site: Site, company_id: int) -> dict[str, str]:
    with site.database.write() as session:
        company = session.get_one(Company, company_id)
        token = api_keys.add_key(session, By(site.now, "cli:root"), company, "crm")[1]
    return {"Authorization": f"Bearer {token}"}


def report(site: Site, key: dict[str, str], words: str) -> Any:
    return site.app.test_client().get(f"/api/v1/report?{words}", headers=key)


def test_a_program_reads_its_companys_report(site: Site) -> None:
    mine, rivals = key_of(site, 1), key_of(site, 2)
    assert site.app.test_client().post("/api/v1/costs", headers=mine, json=COST).status_code == 200
    told = report(site, mine, f"by=campaign&split=medium&compare=yes&{DAYS}").json
    assert [(row["campaign"], row["medium"], row["cost"]) for row in told["rows"]] == [
        ("spring", "cpc", "1200.50")
    ]
    assert told["total"]["before"]["cost"] is None
    assert told["days"] == {"first": "2026-11-05", "last": "2026-11-05", "until": "2026-11-05"}
    assert report(site, mine, f"source=google&{DAYS}").json["total"]["cost"] == "1200.50"
    assert report(site, mine, f"source=yandex&{DAYS}").json["rows"] == []
    assert report(site, rivals, DAYS).json["rows"] == []


@pytest.mark.parametrize("words", ["by=colour", "split=x", "model=guess", "leads=all", "by=tag&model=first",
                                   "since=yesterday"])  # fmt: skip
def test_words_that_are_none_are_refused(site: Site, words: str) -> None:
    answer = report(site, key_of(site, 1), words)
    assert answer.status_code == 400
    assert answer.json["error"]["id"] in {"report.malformed", "filter.malformed"}


@pytest.mark.parametrize(
    "address", ["report?by=source&colour=red", "report?campain=spring", "paths?split=source"]
)
def test_words_that_no_report_has_are_refused_by_their_name(site: Site, address: str) -> None:
    answer = site.app.test_client().get(f"/api/v1/{address}", headers=key_of(site, 1))
    assert answer.status_code == 400
    name = address.replace("?", "&").rpartition("&")[2].partition("=")[0]
    assert answer.json is not None
    assert name in answer.json["error"]["message"]


def test_a_manager_may_and_a_listener_may_not(site: Site) -> None:
    ask = {"Accept": "application/json"}
    manager = log_in(site, "ann@pallets.example", pallets=Role.MANAGER)
    assert manager.get("/api/v1/report", headers=ask).status_code == 200
    listener = log_in(site, "bob@pallets.example", pallets=Role.LISTENER)
    assert listener.get("/api/v1/report", headers=ask).status_code == 403
