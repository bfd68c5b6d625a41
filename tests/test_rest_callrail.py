"""Reading calls as a connector written for CallRail's API v3 reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.rest import furnished
from support.showroom import DAY
from support.site import Site

from tracker import api_keys
from tracker.audit import By
from tracker.database import Database
from tracker.models import AuditEntry, Call, Company
from tracker.policy.rights import Scope
from web.rest.callrail_words import SHOWN


class Connector:
    """Pages through everything, as connectors do: the account, then its calls."""

    def __init__(self, site: Site, *scopes: Scope, company_id: int = 1) -> None:
        with site.database.write() as session:
            company = session.get_one(Company, company_id)
            name = f"etl-{len(scopes)}-{company_id}"
            _, self.key = api_keys.add_key(session, By(site.now, "cli:root"), company, name, scopes)
        self.browser = site.app.test_client()

    def get(self, path: str, **words: Any) -> Any:
        headers = {"Authorization": f'Token token="{self.key}"'}
        return self.browser.get(f"/callrail/v3{path}", headers=headers, query_string=words)

    def account(self) -> str:
        (account,) = self.get("/a.json").json["accounts"]
        return f"/a/{account['id']}"

    def calls(self, **words: Any) -> list[dict[str, Any]]:
        account, page, found = self.account(), 1, []
        while True:
            told = self.get(f"{account}/calls.json", page=page, per_page=4, **words)
            assert told.status_code == 200, told.json
            found += told.json["calls"]
            if page >= told.json["total_pages"]:
                assert len(found) == told.json["total_records"]
                return found
            page += 1


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return furnished(sqlite, tmp_path, now)


@pytest.fixture
def etl(site: Site) -> Connector:
    return Connector(site, Scope.CALLS_READ)


def test_every_call_is_read_once_newest_first_with_callrail_s_fields(site: Site, etl: Connector) -> None:
    found = etl.calls()
    assert len(found) == len(DAY)
    assert all(tuple(it) == SHOWN for it in found)
    begun = [datetime.fromisoformat(it["start_time"]) for it in found]
    assert begun == sorted(begun, reverse=True)
    with site.database.read() as session:
        keys = {it.key.replace("-", "") for it in session.scalars(sa.select(Call))}
    assert {it["id"].removeprefix("CAL") for it in found} == keys
    for it in found:
        assert isinstance(it["answered"], bool)
        assert it["duration"] is None or isinstance(it["duration"], int)
        assert "" not in it.values()
    assert [it["id"] for it in etl.calls(order="asc")] == [it["id"] for it in reversed(found)]


def test_one_call_and_the_fields_that_are_asked_for(etl: Connector) -> None:
    first = etl.calls(fields="source_name,tags,nothing_known")[0]
    assert {"source_name", "tags", "nothing_known"} <= set(first)
    assert first["nothing_known"] is None
    told = etl.get(f"{etl.account()}/calls/{first['id']}.json", fields="source_name,tags,nothing_known").json
    assert told == first


def test_pages_may_be_relative(etl: Connector) -> None:
    whole = [it["id"] for it in etl.calls()]
    answer = etl.get(f"{etl.account()}/calls.json", relative_pagination="true", per_page=5).json
    found = [it["id"] for it in answer["calls"]]
    while answer["has_next_page"]:
        path, _, words = answer["next_page"].partition("/callrail/v3")[2].partition("?")
        answer = etl.get(path, **dict(each.split("=") for each in words.split("&"))).json
        found += [it["id"] for it in answer["calls"]]
    assert answer["next_page"] is None
    assert found == whole
    newest_first = etl.get(f"{etl.account()}/calls.json", relative_pagination="true", order="desc").json
    assert [it["id"] for it in newest_first["calls"]] == whole


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ({"answer_status": "answered"}, lambda it: it["answered"]),
        ({"answer_status": "missed"}, lambda it: not it["answered"]),
        ({"direction": "inbound"}, lambda it: it["direction"] == "inbound"),
        ({"direction": "outbound"}, lambda it: it["direction"] == "outbound"),
    ],
)
def test_calls_are_filtered(etl: Connector, words: dict[str, str], fits: Any) -> None:
    whole = etl.calls()
    assert [it["id"] for it in etl.calls(**words)] == [it["id"] for it in whole if fits(it)]


def test_days_and_trackers_narrow_too(etl: Connector) -> None:
    whole = etl.calls()
    days = sorted({it["start_time"][:10] for it in whole})
    found = etl.calls(start_date=days[0], end_date=days[0])
    assert {it["start_time"][:10] for it in found} == {days[0]}
    assert etl.calls(start_date="2019-01-01", end_date="2019-01-02") == []
    for until in (
        f"{days[0]}T23:59:59.999",
        f"{days[0]} 23:59:59.999",
        f"{days[0].replace('-', '')}T235959.999",
    ):
        assert etl.calls(start_date=days[0], end_date=until) == found
    assert len(etl.calls(date_range="all_time")) == len(whole)
    for it in etl.get(f"{etl.account()}/trackers.json").json["trackers"]:
        theirs = etl.calls(tracker_id=it["id"])
        assert {each["tracking_phone_number"] for each in theirs} <= {it["tracking_number"]}


@pytest.mark.parametrize(
    "words",
    [
        {"page": "0"}, {"per_page": "many"}, {"sort": "mood"}, {"order": "up"}, {"date_range": "ever"},
        {"start_date": "yesterday"}, {"colour": "red"}, {"lead_status": "hot"}, {"answer_status": "maybe"},
        {"start_date": "0001-01-01"}, {"end_date": "9999-12-31"},
        {"end_date": "20261127"}, {"start_date": "20261127"}, {"end_date": "2026-W48-5"},
        {"end_date": "2026-11-27T"}, {"end_date": "2026-11-27x10:00"},
        {"relative_pagination": "true", "order": "asc"},
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_callrail_s_shape(etl: Connector, words: dict[str, str]) -> None:
    answer = etl.get(f"{etl.account()}/calls.json", **words)
    assert answer.status_code in {200, 400}
    if "01-01" not in json.dumps(words) and "12-31" not in json.dumps(words):
        assert answer.status_code == 400
        assert isinstance(answer.json["error"], str)
        assert set(answer.json) == {"error"}


def test_a_last_day_is_whole_where_the_clocks_go_back(site: Site, etl: Connector) -> None:
    with site.database.write() as session:
        session.get_one(Company, 1).timezone = "Europe/Warsaw"
        call = session.scalars(sa.select(Call).where(Call.company_id == 1)).first()
        assert call is not None
        call.started_at = datetime(2025, 10, 26, 22, 30, tzinfo=UTC)  # 23:30 of a day of 25 hours
    day = {"start_date": "2025-10-26", "end_date": "2025-10-26"}
    assert [it["start_time"] for it in etl.calls(**day)] == ["2025-10-26T23:30:00.000+01:00"]


def test_a_wrong_key_and_another_s_account_are_refused(site: Site, etl: Connector) -> None:
    rival = Connector(site, Scope.CALLS_READ, company_id=2)
    assert rival.calls() == []
    assert rival.get(f"{etl.account()}/calls.json").status_code == 404
    call = etl.calls()[0]["id"]
    assert rival.get(f"{rival.account()}/calls/{call}.json").status_code == 404
    rival.key = "llk_none"
    answer = rival.get("/a.json")
    assert (answer.status_code, isinstance(answer.json["error"], str)) == (401, True)


def test_the_sound_needs_a_key_for_it_and_is_written_down(site: Site, etl: Connector) -> None:
    heard = Connector(site, Scope.CALLS_READ, Scope.RECORDINGS_READ)
    (call, *_) = [it for it in heard.calls() if it["recording"]]
    path = call["recording"].partition("/callrail/v3")[2]
    assert etl.get(path).status_code == 403
    sound = heard.get(heard.get(path).json["url"].partition("/callrail/v3")[2])
    assert sound.status_code == 200
    assert sound.mimetype.startswith("audio/")
    with site.database.read() as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "recording.play")).one()
    assert entry.actor.startswith("key:")
    (mute, *_) = [it for it in heard.calls() if not it["recording"]]
    assert heard.get(f"{heard.account()}/calls/{mute['id']}/recording.json").status_code == 404


def test_what_else_connectors_ask(etl: Connector) -> None:
    account = etl.account()
    assert etl.get(f"{account}.json").json["name"] == "Pallets"
    (company,) = etl.get(f"{account}/companies.json").json["companies"]
    assert (company["name"], company["status"]) == ("Pallets", "active")
    assert etl.calls(company_id=company["id"]) == etl.calls()
    assert etl.get(f"{account}/calls.json", company_id="COM1").status_code == 404
    tags = [it["name"] for it in etl.get(f"{account}/tags.json").json["tags"]]
    assert tags == sorted(tags)
