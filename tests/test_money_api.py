"""Costs and sales told by programs: with a key for one company, all rows of a request or none."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.facts import add_pallets
from support.recorded import settings_in
from support.site import Site, csrf_token, log_in

from tracker import api_keys
from tracker.audit import By
from tracker.database import Database
from tracker.models import Company, Role

COST = {"day": "2026-11-05", "source": "google", "medium": "cpc", "campaign": "spring", "amount": "1200.50"}
SALE = {
    "at": "2026-11-05T14:30",
    "revenue": 20000,
    "profit": "8700",
    "phone": "+79161234567",
    "reference": 4711,
}


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    with sqlite.write() as session:
        add_pallets(session, now)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def key_of(site: Site, slug: str = "pallets", name: str = "crm") -> str:
    with site.database.write() as session:
        company = session.get_one(Company, 1 if slug == "pallets" else 2)
        return api_keys.add_key(session, By(site.now, "cli:root"), company, name)[1]


def tell(site: Site, what: str, body: Any, token: str, *, form: bool = False) -> Any:
    sent: dict[str, Any] = {"data" if form else "json": body}
    answer = site.app.test_client().post(f"/api/v1/{what}", headers=bearer(token), **sent)
    return answer.status_code, answer.json


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def listed(site: Site, what: str, token: str, days: str = "?since=2026-11-01&until=2026-11-30") -> Any:
    answer = site.app.test_client().get(f"/api/v1/{what}{days}", headers=bearer(token))
    assert answer.status_code == 200, answer.json
    return answer.json[what]


def test_costs_told_again_are_the_same_and_told_otherwise_are_changed(site: Site) -> None:
    token = key_of(site)
    assert tell(site, "costs", {"costs": [COST]}, token) == (200, {"new": 1, "changed": 0, "same": 0})
    assert tell(site, "costs", [COST], token) == (200, {"new": 0, "changed": 0, "same": 1})
    assert tell(site, "costs", COST | {"amount": 9}, token) == (200, {"new": 0, "changed": 1, "same": 0})
    assert [(it["amount"], it["source"], it["entered"]) for it in listed(site, "costs", token)] == [
        ("9", "google", "api")
    ]
    assert listed(site, "costs", token, "?since=2026-11-06&until=2026-11-30") == []


def test_sales_are_told_as_json_or_as_the_form_of_a_webhook(site: Site) -> None:
    token = key_of(site)
    assert tell(site, "sales", {"sales": [SALE]}, token) == (200, {"new": 1, "changed": 0, "same": 0})
    assert tell(site, "sales", SALE, token, form=True) == (200, {"new": 0, "changed": 0, "same": 1})
    assert tell(site, "sales", SALE | {"status": "cancelled"}, token)[1]["changed"] == 1
    (sale,) = listed(site, "sales", token, "?since=2026-11-01&unmatched=yes")
    assert (sale["reference"], sale["revenue"], sale["status"], sale["matched_by"]) == (
        "4711",
        "20000",
        "cancelled",
        None,
    )


def test_one_bad_row_refuses_the_whole_request_and_says_which(site: Site) -> None:
    token = key_of(site)
    status, body = tell(
        site, "costs", [COST, COST | {"day": "05/06/2026"}, COST | {"currency": "USD"}], token
    )
    assert (status, body["error"]["id"]) == (400, "rows.bad")
    assert [(it["row"], it["column"]) for it in body["problems"]] == [(2, "day"), (3, "currency")]
    assert listed(site, "costs", token) == []
    for wrong in ("{}", "[]", '"x"', "[1]", '{"costs": {}}'):
        assert tell(site, "costs", json.loads(wrong), token)[1]["error"]["id"] == "rows.malformed"


def test_a_key_opens_one_company_s_money_and_nothing_else(site: Site) -> None:
    ours, theirs = key_of(site), key_of(site, "rival")
    tell(site, "costs", [COST], ours)
    assert listed(site, "costs", theirs) == []
    client = site.app.test_client()
    assert client.get("/api/v1/costs?company=rival", headers=bearer(ours)).status_code == 404
    for path in ("/api/v1/calls", "/calls", "/settings"):
        answer = client.get(path, headers=bearer(ours) | {"Accept": "application/json"})
        assert answer.status_code == 401, path
    assert tell(site, "costs", [COST], "llk_wrong")[1]["error"]["id"] == "key.wrong"
    basic = {"Authorization": "Basic " + base64.b64encode(f"key:{ours}".encode()).decode()}
    assert client.get("/api/v1/costs", headers=basic).status_code == 200
    with site.database.write() as session:
        api_keys.revoke_key(session, By(site.now, "cli:root"), session.get_one(Company, 1), "crm")
    assert tell(site, "costs", [COST], ours)[0] == 401


def test_a_browser_needs_the_role_and_the_page_s_token(site: Site) -> None:
    admin, manager = (
        log_in(site, f"{role}@pallets.example", pallets=role) for role in (Role.ADMIN, Role.MANAGER)
    )
    assert manager.get("/api/v1/costs").status_code == 403
    assert manager.get("/api/v1/sales").status_code == 200
    assert admin.post("/api/v1/costs", json=[COST]).status_code == 403
    headers = {"X-CSRF-Token": csrf_token(admin)}
    assert admin.post("/api/v1/costs", json=[COST], headers=headers).status_code == 200
    both = log_in(site, "both@pallets.example", pallets=Role.ADMIN, rival=Role.ADMIN)
    assert both.get("/api/v1/costs", headers={"Accept": "application/json"}).json == {
        "error": {
            "id": "company.which",
            "message": "This is about one company",
            "fix": "Name it: ?company=NAME",
        }
    }
    assert both.get("/api/v1/costs?company=pallets").status_code == 200
