"""Costs and sales told and read by programs: each key its company's alone, all rows of a request or none."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.facts import CALLER, add_pallets
from support.recorded import settings_in
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker import api_keys
from tracker.audit import By
from tracker.database import Database
from tracker.models import ApiKey, AuditEntry, Company, Cost, Role, Sale
from tracker.policy.costs import Entered

SALE = {"at": "2026-11-05T14:30:00Z", "revenue": "20000", "profit": -1.5, "phone": CALLER, "reference": 4711}
COST = {"day": "2026-11-05", "source": "google", "amount": "5.10"}


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    with database.write() as session:
        add_pallets(session, now)
        session.get_one(Company, 1).currency = "RUB"
        session.add(Company(slug="rival", name="Rival", default_region="DE", currency="EUR", created_at=now))
    return Site(database, settings_in(tmp_path, secret_key="k" * 40), now)


def add_key(site: Site, company_id: int = 1, name: str = "crm") -> str:
    with site.database.write() as session:
        by = By(site.now, "cli:ann")
        return api_keys.add_key(session, by, session.get_one(Company, company_id), name)[1]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def tell(site: Site, token: str, path: str, told: Any) -> TestResponse:
    body = told if isinstance(told, str) else json.dumps(told)
    return site.app.test_client().post(
        path, data=body, content_type="application/json", headers=bearer(token)
    )


def count(site: Site, model: type[Any] = Sale) -> int:
    with site.database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_a_program_tells_and_reads_its_company_s_costs_and_sales(site: Site) -> None:
    key, program = add_key(site), site.app.test_client()
    assert tell(site, key, "/api/v1/sales", SALE).json == {"new": 1, "changed": 0, "same": 0}
    assert tell(site, key, "/api/v1/sales", {"sales": [SALE]}).json == {"new": 0, "changed": 0, "same": 1}
    assert tell(site, key, "/api/v1/costs", [COST]).json == {"new": 1, "changed": 0, "same": 0}
    (sale,) = program.get("/api/v1/sales?since=2026-11-01", headers=bearer(key)).json["sales"]  # type: ignore[index]
    assert (sale["revenue"], sale["profit"], sale["reference"], sale["entered"]) == (
        "20000", "-1.5", "4711", "api",
    )  # fmt: skip
    listed = program.get("/api/v1/costs", headers=bearer(key)).json
    assert listed is not None
    assert ([it["amount"] for it in listed["costs"]], listed["rents"], listed["more"]) == (["5.1"], [], False)
    with site.database.read() as session:
        told = session.scalars(sa.select(AuditEntry.actor).where(AuditEntry.action.like("%.import")))
        assert set(told) == {"key:crm"}


def test_a_webhook_that_knows_only_forms_and_passwords_is_understood(site: Site) -> None:
    basic = b64encode(f"key:{add_key(site)}".encode()).decode()
    form = {"at": "2026-11-05", "revenue": "7", "reference": "x"}
    answer = site.app.test_client().post(
        "/api/v1/sales", data=form, headers={"Authorization": f"Basic {basic}"}
    )
    assert answer.json == {"new": 1, "changed": 0, "same": 0}


def test_a_key_opens_its_company_s_money_and_nothing_else(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    key, rivals, program = add_key(site), add_key(site, 2), site.app.test_client()
    tell(site, key, "/api/v1/sales", SALE)
    assert program.get("/api/v1/sales", headers=bearer(rivals)).json["sales"] == []  # type: ignore[index]
    assert tell(site, key, "/api/v1/sales?company=rival", SALE).status_code == 404
    assert program.get("/api/v1/sales?company=rival", headers=bearer(key)).status_code == 404
    others = [program.get(path, headers=bearer(key)).status_code for path in ("/api/v1/calls", "/costs")]
    assert others == [403, 302]
    assert program.post("/sales", data={"revenue": "5"}, headers=bearer(key)).status_code in {302, 403}
    with site.database.write() as session:
        assert key not in {it.token_sha256 for it in session.scalars(sa.select(ApiKey))}
        api_keys.revoke_key(session, By(site.now, "cli:ann"), session.get_one(Company, 1), "crm")
    for wrong in (key, key[:-1], "", "llk_é", "x" * 5000):
        answer = tell(site, wrong, "/api/v1/sales", SALE)
        assert (answer.status_code, answer.json["error"]["id"]) == (401, "key.wrong"), wrong  # type: ignore[index]
    for header in ("Bearer", "Digest a=b", "nonsense", "Basic !"):
        headers = {"Authorization": header}
        assert program.get("/api/v1/sales", headers=headers).status_code == 401, header
    assert count(site) == 1
    assert key not in caplog.text


def test_a_browser_tells_what_its_role_may_with_its_page_s_token(site: Site) -> None:
    manager, listener = (
        log_in(site, f"{role}@pallets.example", pallets=role) for role in (Role.MANAGER, Role.LISTENER)
    )
    for who, path, status in (
        (manager, "/api/v1/sales", 200), (manager, "/api/v1/costs", 403), (listener, "/api/v1/sales", 403),
    ):  # fmt: skip
        row = SALE if path.endswith("sales") else COST
        assert who.post(path, json=row, headers={"X-CSRF-Token": csrf_token(who)}).status_code == status
        assert who.get(path).status_code == status
    forged = manager.post("/api/v1/sales", json=SALE | {"reference": "2"})
    assert (forged.status_code, forged.json["error"]["id"]) == (403, "form.forged")  # type: ignore[index]
    assert (count(site), count(site, Cost)) == (1, 0)


def test_one_bad_row_stops_all_of_a_request(site: Site) -> None:
    rows = [SALE, SALE | {"reference": "2", "revenue": "x"}, SALE | {"reference": "3", "currency": "USD"}]
    answer = tell(site, add_key(site), "/api/v1/sales", {"sales": rows})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["id"] == "rows.bad"
    assert [(it["row"], it["column"]) for it in answer.json["problems"]] == [(2, "revenue"), (3, "currency")]
    assert count(site) == 0


NONSENSE = [
    "", "{", "[]", "{}", "null", "7", '"x"', "[7]", '{"sales": null}', '{"sales": {}}', '{"sales": [[]]}',
    "[" * 100_000, '{"revenue": ' + "9" * 5000 + "}", json.dumps([SALE] * 5001),
    *(json.dumps(SALE | odd) for odd in (
        {"revenue": float("nan")}, {"revenue": float("inf")}, {"revenue": 1e300}, {"revenue": -1},
        {"revenue": "٥"}, {"revenue": "1e3"}, {"revenue": True}, {"revenue": 10**30}, {"profit": "-inf"},
        {"revenue": 0.00001}, {"at": "0001-01-01"}, {"at": "9999-12-31T23:59:59-14:00"}, {"at": 5},
        {"reference": "x" * 61}, {"note": "x" * 301}, {"note": ["x"]}, {"note": {"x": "y"}},
        {"call": "x" * 41}, {"status": "perhaps"}, {"currency": "\0"}, {"x\0": 1},
    )),
]  # fmt: skip


def test_nonsense_is_refused_and_nothing_of_it_kept(site: Site) -> None:
    key = add_key(site)
    for body in NONSENSE:
        answer = tell(site, key, "/api/v1/sales", body)
        assert answer.status_code == 400, (body[:200], answer.text)
        assert answer.json is not None
        assert answer.json["error"]["fix"]
    assert count(site) == 0
    unprintable = SALE | {"reference": "a\0b\ud800", "note": "c\0"}
    assert tell(site, key, "/api/v1/sales", unprintable).status_code == 200
    with site.database.read() as session:
        assert session.execute(sa.select(Sale.reference, Sale.note)).all() == [("ab", "c")]


def test_a_list_says_whether_there_is_more(site: Site, now: datetime) -> None:
    row = {
        "company_id": 1, "day": date(2026, 11, 5), "source": "x", "amount": Decimal(1), "currency": "RUB",
        "entered": Entered.API, "created_at": now, "changed_at": now,
    }  # fmt: skip
    with site.database.write() as session:
        session.execute(sa.insert(Cost), [row] * 5001)
    key, program = bearer(add_key(site)), site.app.test_client()
    found = program.get("/api/v1/costs", headers=key).json
    assert found is not None
    assert (len(found["costs"]), found["more"]) == (5000, True)
    fewer = program.get("/api/v1/costs?since=2026-11-06&until=2026-11-07", headers=key).json
    assert fewer == {"costs": [], "more": False, "next": None, "rents": []}
    last = program.get("/api/v1/costs", query_string={"cursor": found["next"]}, headers=key).json
    assert last is not None
    assert (len(last["costs"]), last["more"], last["next"]) == (1, False, None)


def test_a_text_that_no_database_can_hold_is_refused_as_any_other(site: Site) -> None:
    ann = log_in(site, "ann@pallets.example", pallets=Role.ADMIN)
    form = {"csrf": csrf_token(ann), "company": "pallets", "amount": "5", "from": "2026-11-01"}
    assert ann.post("/costs/rents", data=form | {"channel": "Bill\0board"}).status_code in {400, 404}
