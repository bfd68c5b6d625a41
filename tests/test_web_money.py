"""The pages of costs and sales: by hand, by list, on a call; each role and company its own."""

from __future__ import annotations

import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.recorded import settings_in
from support.showroom import Told, furnish
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker.database import Database
from tracker.models import Company, Cost, Role, Sale

LIST = "день;источник;расход\n05.11.2026;SEO;25 000\n05.11.2026;google;1 200,50\nИтого;;26 200,50\n"


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, (Told(5, "+74951234567", "+79160000001", talk=3),))
    with sqlite.write() as session:
        session.get_one(Company, 1).currency = "RUB"
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    site = Site(sqlite, settings, now)
    site.app.config.update(KEY=room.keys[0])
    return site


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return log_in(site, "ann@pallets.example", pallets=Role.ADMIN)


def send(browser: FlaskClient, path: str, **form: Any) -> TestResponse:
    data = {"csrf": csrf_token(browser), "company": "pallets", "do": "add", **form}
    return browser.post(path, data=data, content_type="multipart/form-data")


def listed(text: str, name: str = "costs.csv") -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), name


def count(site: Site, model: type[Any]) -> int:
    with site.database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_a_list_is_looked_at_then_taken_without_choosing_it_again(site: Site, ann: FlaskClient) -> None:
    page = send(ann, "/costs/import", file=listed(LIST), do="check").text
    assert "Nothing is stored yet." in page
    assert "New: 2, changed: 0, the same: 0" in page
    assert "1 total row was left out" in page
    assert count(site, Cost) == 0
    carried = re.search(r'name="carried" value="([^"]+)"', page)
    assert carried
    page = send(ann, "/costs/import", carried=carried[1], name="costs.csv", do="import").text
    assert "Imported." in page
    assert "26,200.50" in page
    assert count(site, Cost) == 2
    assert (
        "New: 0, changed: 0, the same: 2" in send(ann, "/costs/import", file=listed(LIST), do="import").text
    )


def test_a_list_with_mistakes_shows_each_by_its_line_and_stores_nothing(site: Site, ann: FlaskClient) -> None:
    bad = LIST.replace("25 000", "much").replace("google", '"goo,gle"')
    page = send(ann, "/costs/import", file=listed(bad), do="import").text
    assert "1 value cannot be read; nothing was imported." in page
    assert "&#39;much&#39; is no amount of money" in page
    assert count(site, Cost) == 0
    for nothing in ({}, {"carried": "x"}, {"carried": "é"}, {"file": listed("PK\x03\x04")}):
        assert 'role="alert"' in send(ann, "/costs/import", do="import", **nothing).text


def test_a_cost_is_added_and_deleted_by_hand(site: Site, ann: FlaskClient) -> None:
    assert send(ann, "/costs", day="2026-11-05", source="google", amount="1,200.50").status_code == 303
    refused = send(ann, "/costs", day="2026-11-05", source="google", amount="many")
    assert (refused.status_code, "is no amount of money" in refused.text) == (400, True)
    assert 'value="many"' in refused.text
    page = ann.get("/costs?month=2026-11").text
    number = re.search(r'name="cost" value="(\d+)"', page)
    assert number
    assert send(ann, "/costs/delete", cost=number[1]).status_code == 303
    assert count(site, Cost) == 0


def test_rents_and_rates_are_set_in_the_page(site: Site, ann: FlaskClient) -> None:
    since = {"from": "2026-11-01"}
    assert send(ann, "/costs/rents", channel="Billboard", amount="8000", **since).status_code == 303
    assert send(ann, "/costs/rates", currency="usd", rate="92.5", **since).status_code == 303
    assert (
        send(ann, "/costs", day="2026-11-05", source="google", amount="2", currency="USD").status_code == 303
    )
    page = ann.get("/costs").text
    assert "8,185.00" in page
    assert send(ann, "/costs/rents/1", until="2026-11-15", do="end").status_code == 303
    assert "4,185.00" in ann.get("/costs").text
    assert send(ann, "/costs/rents/1", do="delete").status_code == 303
    assert send(ann, "/costs/rents/1", do="delete").status_code == 404


def test_a_sale_is_marked_on_its_call_and_cancelled_there(site: Site, ann: FlaskClient) -> None:
    call = f"/calls/{site.app.config['KEY']}"
    assert (
        send(ann, f"{call}/sales", revenue="20,000.00", profit="-8.70", reference="4711").status_code == 303
    )
    page = ann.get(call).text
    assert "20,000.00" in page
    assert "4711" in page
    refused = send(ann, f"{call}/sales", revenue="much")
    assert (refused.status_code, "sold-problem" in refused.text) == (400, True)
    assert send(ann, f"{call}/sales", revenue="5", reference="4711").status_code == 400  # that order is there
    assert send(ann, "/sales/1/status", status="cancelled", back="call").headers["Location"] == f"{call}#sold"
    assert "Sold after all" in ann.get(call).text
    assert send(ann, "/sales/1/status", status="won").status_code == 303


def test_sales_are_added_and_imported_and_those_of_nobody_listed(site: Site, ann: FlaskClient) -> None:
    assert send(ann, "/sales", revenue="5", phone="89160000001", at="2026-11-20").status_code == 303
    text = "date,revenue,order\n2026-11-19,7,x-1\n"
    page = send(ann, "/sales/import", file=listed(text), do="import").text
    assert "1 new sale belongs to no call and no visitor we know." in page
    everyone, nobodys = ann.get("/sales").text, ann.get("/sales?unmatched").text
    call = ">8 (916) 000-00-01</a>"
    assert (call in everyone, "x-1" in everyone) == (True, True)
    assert (call in nobodys, "x-1" in nobodys) == (False, True)


def test_each_role_and_company_has_its_own_money(site: Site, ann: FlaskClient) -> None:
    send(ann, "/costs", day="2026-11-05", source="Secret source", amount="5")
    send(ann, "/sales", revenue="5", reference="Secret order")
    manager = log_in(site, "max@pallets.example", pallets=Role.MANAGER)
    listener = log_in(site, "lea@pallets.example", pallets=Role.LISTENER)
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    people = manager, listener, eve
    assert [who.get("/sales").status_code for who in people] == [200, 403, 200]
    assert [who.get("/costs").status_code for who in people] == [403, 403, 200]
    assert "secret" not in (eve.get("/costs").text + eve.get("/sales").text).lower()
    for path in ("/costs", "/costs/delete", "/costs/import", "/costs/rents", "/sales", "/sales/import"):
        assert send(eve, path, cost="1", do="import", file=listed(LIST)).status_code == 404, path
    assert send(eve, "/sales/1/status", status="cancelled").status_code == 404
    assert send(eve, "/costs/delete", company="rival", cost="1").status_code == 404
    assert send(manager, "/costs/import", file=listed(LIST), do="import").status_code == 403
    assert send(listener, f"/calls/{site.app.config['KEY']}/sales", revenue="5").status_code == 403
    assert (count(site, Cost), count(site, Sale)) == (1, 1)


def test_who_may_only_listen_sees_no_money_on_a_call_either(site: Site, ann: FlaskClient) -> None:
    call = f"/calls/{site.app.config['KEY']}"
    send(ann, f"{call}/sales", revenue="20,000.00", profit="8.70", reference="4711")
    listener = log_in(site, "lea@pallets.example", pallets=Role.LISTENER)
    assert "4711" in ann.get(call).text
    page = listener.get(call)
    assert (page.status_code, "20,000" in page.text, "4711" in page.text) == (200, False, False)


def test_a_double_click_stores_a_sale_and_a_cost_once(site: Site, ann: FlaskClient) -> None:
    call = f"/calls/{site.app.config['KEY']}"
    sold, spent = {"revenue": "5"}, {"day": "2026-11-05", "source": "google", "amount": "5"}
    forms = ("/sales", "/sales", sold), (call, f"{call}/sales", sold), ("/costs", "/costs", spent)
    for page, path, form in forms:
        first, second = (re.findall(r'name="once" value="([^"]+)"', ann.get(page).text)[0] for _ in range(2))
        sent = [send(ann, path, once=each, **form).status_code for each in (first, first, second)]
        assert sent == [303, 303, 303]
    assert (count(site, Sale), count(site, Cost)) == (4, 2)
    assert "form:" not in ann.get("/sales").text + ann.get(call).text + ann.get("/costs").text
