"""Money over the API: costs, sales, rents, rates listed, corrected and taken away; reports, the overview."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.facts import CALLER
from support.rest import Program, program
from support.rest_checked import checked, cli
from support.settings_page import actions, two_companies
from support.site import Site

from tracker.database import Database
from tracker.models import Company
from tracker.policy.report_words import By
from tracker.policy.rights import Scope

COST = {"day": "2026-11-05", "source": "google", "medium": "cpc", "campaign": "spring", "amount": "1200.50"}
SALE = {"at": "2026-11-05T14:30:00Z", "revenue": "20000", "phone": CALLER, "reference": "4711"}
NOVEMBER: dict[str, Any] = {"since": "2026-11-01", "until": "2026-11-30"}
RENT: dict[str, Any] = {"channel": "Billboard", "amount": "8000", "from": "2026-11-01"}


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    site = two_companies(sqlite, tmp_path, now)
    with sqlite.write() as session:
        for company_id in (1, 2):
            session.get_one(Company, company_id).currency = "EUR"
    return site


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


def pages(crm: Program, path: str, **words: Any) -> list[list[dict[str, Any]]]:
    """A list, page by page."""
    found: list[list[dict[str, Any]]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = crm.get(path, **words, **cursor).json
        found.append(page[path[1:]])
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def test_costs_are_told_listed_corrected_and_deleted(site: Site, crm: Program) -> None:
    rows = [COST | {"day": f"2026-11-0{day}"} for day in (5, 6, 7)]
    assert crm.post("/costs", {"costs": rows}).json == {"new": 3, "changed": 0, "same": 0}
    whole = crm.get("/costs", **NOVEMBER).json["costs"]
    assert [it["day"] for it in whole] == ["2026-11-07", "2026-11-06", "2026-11-05"]
    assert [len(each) for each in pages(crm, "/costs", limit=2, **NOVEMBER)] == [2, 1]
    path = f"/costs/{whole[0]['id']}"
    changed = crm.patch(path, {"amount": "5.10", "note": "less"}).json
    assert (changed["amount"], changed["note"]) == ("5.10", "less")
    assert crm.patch(path, {"amount": "5.123"}).json["error"]["id"] == "value.ambiguous"
    assert crm.patch(path, {"note": ""}).json["note"] is None
    assert crm.get(path).json == crm.get("/costs", **NOVEMBER).json["costs"][0]
    assert crm.delete(path).status_code == 204
    assert crm.get(path).status_code == crm.delete(path).status_code == 404
    assert actions(site)[-2:] == ["cost.change", "cost.delete"]


def test_sales_are_told_listed_cancelled_and_deleted(site: Site, crm: Program) -> None:
    rows = [SALE | {"reference": str(number)} for number in range(5)]  # all in one instant
    assert crm.post("/sales", rows).json["new"] == 5
    told = [it["reference"] for page in pages(crm, "/sales", limit=2, **NOVEMBER) for it in page]
    assert sorted(told) == ["0", "1", "2", "3", "4"]
    assert len(crm.get("/sales", unmatched="yes", **NOVEMBER).json["sales"]) == 5
    path = f"/sales/{crm.get('/sales', limit=1, **NOVEMBER).json['sales'][0]['id']}"
    assert crm.patch(path, {"status": "cancelled"}).json["status"] == "cancelled"
    assert crm.patch(path, {"status": "lost"}).status_code == 400
    assert crm.delete(path).status_code == 204
    assert crm.get(path).json["error"]["id"] == "sale.unknown"
    assert actions(site)[-2:] == ["sale.status", "sale.delete"]


def test_rents_and_rates_are_set_ended_and_taken_away(site: Site, crm: Program) -> None:
    rent = crm.post("/rents", RENT)
    path = rent.headers["Location"].removeprefix("/api/v1")
    assert (rent.json["amount"], rent.json["currency"], rent.json["until"]) == ("8000.0", "EUR", None)
    assert crm.patch(path, {"until": "2026-12-31"}).json["until"] == "2026-12-31"
    assert crm.patch(path, {"until": "2026-10-31"}).json["error"]["id"] == "rent.days"
    assert crm.get("/rents").json["rents"] == crm.get("/costs").json["rents"]
    assert crm.post("/rents", RENT | {"channel": "Nowhere"}).status_code == 404
    assert crm.post("/rents", RENT | {"currency": "USD"}).json["error"]["id"] == "rate.missing"
    rate = crm.post("/rates", {"currency": "usd", "rate": "0.92", "from": "2026-10-01"})
    assert crm.get("/rates").json["rates"] == [rate.json]
    assert crm.post("/rents", RENT | {"currency": "USD"}).status_code == 201
    assert crm.delete(f"/rates/{rate.json['id']}").status_code == 204
    assert crm.delete(path).status_code == 204
    assert crm.get(f"/rates/{rate.json['id']}").status_code == crm.get(path).status_code == 404
    assert actions(site)[-2:] == ["rate.delete", "rent.delete"]


def test_one_company_s_money_is_unknown_to_another_s_key(site: Site, crm: Program) -> None:
    crm.post("/costs", COST)
    crm.post("/sales", SALE)
    ids = {
        "costs": crm.get("/costs").json["costs"][0]["id"],
        "sales": crm.get("/sales", **NOVEMBER).json["sales"][0]["id"],
        "rents": crm.post("/rents", RENT).json["id"],
        "rates": crm.post("/rates", {"currency": "USD", "rate": "1", "from": "2026-10-01"}).json["id"],
    }
    rival = checked(program(site, *Scope, company_id=2))
    for what, number in ids.items():
        path = f"/{what}/{number}"
        assert rival.get(path).status_code == rival.delete(path).status_code == 404
        assert rival.get(f"/{what}", **(NOVEMBER if what in {"costs", "sales"} else {})).json[what] == []
        assert crm.get(path).status_code == 200


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "999999999999999999-1", "0-1", "9" * 60])
def test_a_cursor_that_is_none_is_refused(crm: Program, cursor: str) -> None:
    for path in ("/costs", "/sales"):
        answer = crm.get(path, cursor=cursor)
        if answer.status_code != 200:
            assert answer.json["error"]["id"] == "cursor.malformed"
    assert crm.get("/costs", cursor="x").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        RENT | {"from": 5}, RENT | {"from": "2026-13-01"}, RENT | {"from": "0001-01-01"},
        RENT | {"amount": 5}, RENT | {"amount": "1e3"}, RENT | {"amount": "9" * 12},
        RENT | {"currency": "???"}, {}, [], 5,
    ],
)  # fmt: skip
def test_a_rent_that_is_none_is_refused(crm: Program, body: Any) -> None:
    assert crm.post("/rents", body).status_code == 400
    assert crm.get("/rents").json["rents"] == []


SPAN: dict[str, Any] = {"since": "2026-11-01", "until": "2026-11-12"}
ASKED = ("--since", "2026-11-01", "--until", "2026-11-12")


@pytest.fixture
def sold(crm: Program) -> None:
    crm.post("/costs", COST)
    crm.post("/sales", SALE)


@pytest.mark.usefixtures("sold")
def test_a_report_has_its_shape_whatever_its_rows_are(crm: Program) -> None:
    for by in By:
        assert crm.get("/report", by=by.value, compare="yes", **SPAN).status_code == 200


@pytest.mark.usefixtures("sold")
def test_lists_and_reports_say_what_the_command_line_says(site: Site, crm: Program, tmp_path: Path) -> None:
    asked: tuple[dict[str, Any], ...] = (
        {"model": "linear", "against": "own"},
        {"split": "ad", "leads": "target"},
    )
    for words in asked:
        assert crm.get("/report", **words, **SPAN).status_code == 200
    assert crm.get("/costs", **SPAN).json["costs"] == cli(site, tmp_path, "cost", "list", *ASKED)
    assert crm.get("/sales", **SPAN).json["sales"] == cli(site, tmp_path, "sale", "list", *ASKED)
    report = crm.get("/report", by="campaign", **SPAN).json
    assert report["total"]["cost"] == "1200.50"
    assert report == cli(site, tmp_path, "report", "--by", "campaign", *ASKED)
    paths = crm.get("/paths", by="source", **SPAN).json
    assert paths["conversions"] == 1
    assert paths == cli(site, tmp_path, "paths", "--by", "source", *ASKED)
    assert crm.get("/overview", **SPAN).json == cli(site, tmp_path, "overview", *ASKED)


def test_days_that_cannot_be_told_of_are_refused(crm: Program) -> None:
    for path in ("/report", "/paths", "/overview"):
        assert crm.get(path, since="2027-01-01").json["error"]["id"] == "filter.future"
        assert crm.get(path, period="x" * 100).status_code == 400


@pytest.mark.usefixtures("sold")
def test_a_report_is_saved_run_scheduled_and_deleted(site: Site, crm: Program, tmp_path: Path) -> None:
    words = "by=campaign&since=2026-11-01&until=2026-11-12"
    made = crm.post("/saved-reports", {"name": "Campaigns", "words": words})
    path = made.headers["Location"].removeprefix("/api/v1")
    assert crm.get(f"{path}/run").json == crm.get("/report", by="campaign", **SPAN).json
    when = {"every": "month", "day": 1, "hour": 8, "to": ["boss@pallets.example"]}
    (schedule,) = crm.post(f"{path}/schedules", when).json["schedules"]
    assert crm.get("/saved-reports").json["saved_reports"] == cli(site, tmp_path, "saved", "list")
    assert crm.patch(path, {"name": "Ads"}).json["name"] == "Ads"
    assert crm.post(f"{path}/schedules", when | {"day": 0}).status_code == 400
    assert crm.post(f"{path}/schedules", when | {"to": ["nobody"]}).status_code == 400
    assert crm.post("/saved-reports", {"name": "Ads"}).json["error"]["id"] == "saved_report.duplicate"
    assert crm.post("/saved-reports", {"name": "X", "words": "by=colour"}).status_code == 400
    rival = checked(program(site, *Scope, company_id=2))
    for answer in (rival.get(path), rival.get(f"{path}/run"), rival.delete(path)):
        assert answer.json["error"]["id"] == "saved_report.unknown"
    assert crm.delete(f"{path}/schedules/{schedule['id']}").status_code == 204
    assert crm.delete(f"{path}/schedules/{schedule['id']}").status_code == 404
    assert crm.delete(path).status_code == 204
    assert crm.get(path).status_code == 404
    assert actions(site)[-2:] == ["report.unschedule", "report.delete"]
