"""Numbers and pools over the API: the same deeds as on the pages, the same words as on the command line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.rest import Program, program
from support.rest_checked import checked, cli, made, refused
from support.settings_page import two_companies
from support.site import Site

from tracker.database import Database
from tracker.models import AuditEntry
from tracker.policy.rights import Scope

FIRST, SECOND, THIRD = "+74951110001", "+74951110002", "+74951110003"


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


def test_a_number_lives_as_on_the_page(site: Site, crm: Program, tmp_path: Path) -> None:
    made(crm, "/pools", {"name": "Shop"})
    path = made(crm, "/numbers", {"number": "8 495 111-00-01", "pool": "Shop", "label": "main"})
    assert crm.get(path).json == cli(site, tmp_path, "number", "list", FIRST)[0]
    assert crm.get(f"{path}/story").json == cli(site, tmp_path, "number", "show", FIRST)
    moved = crm.patch(path, {"channel": "Leaflet", "label": "", "record": False}).json
    assert (moved["channel"], moved["pool"], moved["label"], moved["record"]) == (
        "Leaflet",
        None,
        None,
        False,
    )
    assert crm.patch(path, {"channel": "Leaflet"}).status_code == 200  # where it is already
    assert crm.patch(path, {"channel": ""}).json["channel"] is None
    retired = crm.post(f"{path}/retire", {"days": 30}).json
    assert (retired["state"], retired["quarantined_until"] is None) == ("quarantined", False)
    assert refused(crm.patch(path, {"pool": "Shop"})) == (400, "number.quarantined")
    assert crm.post(f"{path}/restore", {}).json["state"] == "active"
    assert refused(crm.delete(path)) == (400, "number.in_use")  # it was used earlier
    other = made(crm, "/numbers", {"number": SECOND})
    assert crm.delete(other).status_code == 204
    assert refused(crm.get(other)) == (404, "number.unknown")
    with site.database.read() as session:
        acted = sa.select(AuditEntry.action).where(AuditEntry.actor == "key:crm").order_by(AuditEntry.id)
        acts = list(session.scalars(acted))
    assert acts[:4] == ["pool.add", "number.add", "number.change", "number.move"]
    assert acts[-3:] == ["number.restore", "number.add", "number.delete"]


def test_numbers_are_found_by_what_they_are_and_do(crm: Program) -> None:
    made(crm, "/pools", {"name": "Shop"})
    made(crm, "/numbers", {"number": FIRST, "pool": "Shop"})
    made(crm, "/numbers", {"number": SECOND, "label": "spare"})

    def found(**words: Any) -> list[str]:
        return [it["number"] for it in crm.get("/numbers", **words).json["numbers"]]

    assert found(q="spare") == found(doing="unused") == [SECOND]
    assert found(pool="Shop") == found(doing="free", q="111000") == [FIRST]
    assert found(state="retired") == []
    assert refused(crm.get("/numbers", pool="Nowhere")) == (404, "pool.unknown")
    assert refused(crm.get("/numbers", pool="Shop", channel="Leaflet")) == (400, "number.place")


def test_many_numbers_are_added_together_or_none(crm: Program) -> None:
    body = {"numbers": [{"number": FIRST}, {"number": "12"}, {"number": FIRST}], "channel": "Leaflet"}
    answer = crm.post("/numbers/import", body)
    assert refused(answer) == (400, "number.list")
    assert [it["place"] for it in answer.json["problems"]] == ["body.numbers.1", "body.numbers.2"]
    assert crm.get("/numbers", q="111000").json["numbers"] == []
    body["numbers"] = [{"number": FIRST}, {"number": SECOND}]
    assert crm.post("/numbers/import", body).json == {"imported": [FIRST, SECOND]}
    assert {it["channel"] for it in crm.get("/numbers", q="111000").json["numbers"]} == {"Leaflet"}


def test_a_pool_lives_as_on_the_page(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/pools", {"name": "Shop", "hold_seconds": 600, "dynamic_for": ["paid search"]})
    told = cli(site, tmp_path, "pool", "show", "Shop")
    assert crm.get(f"{path}/standing").json == {name: told.pop(name) for name in ("now", "last_day")}
    assert crm.get(path).json == told
    assert told["dynamic_for"] == ["Paid Search"]
    seen = crm.get(path).headers["ETag"]
    changed = crm.patch(path, {"name": "Store", "dynamic_for": []}, headers={"If-Match": seen}).json
    assert (changed["name"], changed["dynamic_for"], changed["hold_seconds"]) == ("Store", [], 600)
    assert refused(crm.patch(path, {"name": "X"}, headers={"If-Match": seen})) == (412, "etag.outdated")
    assert refused(crm.patch(path, {"when_empty": "overflow"})) == (400, "pool.overflow")
    assert refused(crm.patch(path, {"longest_seconds": 10})) == (400, "pool.longest")
    assert crm.get("/pools").json["pools"][1:] == [crm.get(path).json]
    assert crm.delete(path).status_code == 204


def test_the_advice_is_the_page_s(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/pools", {"name": "Shop"})
    assert refused(crm.get(f"{path}/advice")) == (400, "pool.no_visits")
    told = cli(
        site, tmp_path, "pool", "advise", "Shop", "--visitors-per-hour", "2", "--minutes", "1"
    )  # fmt: skip
    assert crm.get(f"{path}/advice", visitors=2, minutes=1).json == told
    assert refused(crm.get(f"{path}/advice", visitors=100)) == (400, "pool.visitors")


def test_another_company_s_numbers_and_pools_are_unknown(site: Site, crm: Program) -> None:
    rival = checked(program(site, *Scope, company_id=2))
    pool = made(crm, "/pools", {"name": "Shop"})
    number = made(crm, "/numbers", {"number": FIRST})
    for path in (pool, f"{pool}/standing", f"{pool}/advice", number, f"{number}/story"):
        assert rival.get(path).status_code == 404
    for path in (pool, number):
        assert rival.patch(path, {}).status_code == 404
        assert rival.delete(path).status_code == 404
    assert refused(rival.post("/numbers", {"number": FIRST})) == (400, "number.duplicate")
    assert refused(rival.post("/numbers", {"number": SECOND, "pool": "Shop"})) == (404, "pool.unknown")
