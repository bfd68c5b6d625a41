"""Sales as shops and CRMs tell them: where each thing stands, which statuses count, a wrong address."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from support.facts import CALLER, add_pallets
from support.recorded import settings_in
from support.site import Site

from tracker import api_keys
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import ApiKey, Company, Sale
from tracker.policy.mapped_rows import mapped_rows, read_mapping, unfolded

SHOP = {
    "map.reference": "id", "map.revenue": "total", "map.phone": "billing.phone", "map.at": "date_created",
    "map.status": "status", "won": "processing, Completed", "cancelled": "refunded",
}  # fmt: skip
ORDER = {
    "id": 727, "status": "completed", "total": "29.35", "date_created": "2026-11-05T14:30:00",
    "billing": {"phone": CALLER, "first_name": "Ann"},
}  # fmt: skip
CRM = {
    "map.rows": "leads.status", "map.reference": "id", "map.revenue": "price", "map.at": "updated_at",
    "map.status": "status_id", "won": "142", "cancelled": "143",
}  # fmt: skip
FORM = {
    "leads[status][0][id]": "17", "leads[status][0][status_id]": "142", "leads[status][0][price]": "900",
    "leads[status][0][updated_at]": "1793889000", "leads[status][1][id]": "18",
    "leads[status][1][status_id]": "7", "account[subdomain]": "shop",
}  # fmt: skip


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    with sqlite.write() as session:
        add_pallets(session, now)
        session.get_one(Company, 1).currency = "EUR"
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def tell(site: Site, query: dict[str, str], **more: Any) -> Any:
    with site.database.write() as session:
        by = By(site.now, "cli:ann")
        name = f"crm{session.scalar(sa.select(sa.func.count()).select_from(ApiKey))}"
        token = api_keys.add_key(session, by, session.get_one(Company, 1), name)[1]
    address = f"/api/v1/sales?{urlencode(query)}"
    return site.app.test_client().post(address, headers={"Authorization": f"Bearer {token}"}, **more)


def sales_of(site: Site) -> list[Sale]:
    with site.database.read() as session:
        return list(session.scalars(sa.select(Sale).order_by(Sale.id)))


def test_a_shop_s_order_is_a_sale_and_its_refund_takes_it_back(site: Site) -> None:
    assert tell(site, SHOP, json=ORDER).json == {"new": 1, "changed": 0, "same": 0, "left_out": 0}
    (it,) = sales_of(site)
    assert (it.reference, str(it.revenue), it.phone, it.status) == ("727", "29.35", CALLER, "won")
    assert tell(site, SHOP | {"map.note": "status"}, json=ORDER | {"status": "refunded"}).json["changed"] == 1
    assert sales_of(site)[0].status == "cancelled"


def test_a_crm_s_form_is_unfolded_and_other_steps_of_a_deal_are_left_out(site: Site) -> None:
    assert tell(site, CRM, data=FORM).json == {"new": 1, "changed": 0, "same": 0, "left_out": 1}
    (it,) = sales_of(site)
    assert (it.reference, it.at.year, int(it.revenue)) == ("17", 2026, 900)


def test_a_message_of_other_statuses_alone_is_taken_and_kept_nowhere(site: Site) -> None:
    for message in ({"json": ORDER | {"status": "pending"}}, {"data": {"webhook_id": "1"}}):  # a ping
        answer = tell(site, SHOP, **message)
        assert answer.json == {"new": 0, "changed": 0, "same": 0, "left_out": 1}
    assert sales_of(site) == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({**SHOP, "map.colour": "x"}, "mapping.unknown"),
        ({name: path for name, path in SHOP.items() if name != "map.at"}, "mapping.missing"),
        ({**SHOP, "map.rows": "orders"}, "rows.malformed"),
        ({**SHOP, "map.reference": "billing"}, "rows.malformed"),
        ({**SHOP, "map.revenue": "nowhere"}, "rows.bad"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(site: Site, query: dict[str, str], problem: str) -> None:
    answer = tell(site, query, json=ORDER)
    assert (answer.status_code, answer.json["error"]["id"]) == (400, problem)
    assert sales_of(site) == []


def test_milliseconds_lists_and_places_in_them() -> None:
    its = read_mapping({"map.reference": "ids.1", "map.revenue": "v", "map.at": "t"})
    rows, left_out = mapped_rows([{"ids": ["a", "b"], "v": 3, "t": 1793889000123}], its)
    assert left_out == 0
    assert rows == [{"reference": "b", "revenue": 3, "at": "2026-11-05T14:30:00+00:00"}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab01", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@given(
    JSON,
    st.dictionaries(st.text("ab01[]", max_size=12), st.text(max_size=3), max_size=4),
    st.text("ab01.", max_size=8),
)
def test_no_message_breaks_it(told: Any, form: dict[str, str], path: str) -> None:
    its = read_mapping({f"map.{name}": path or "a" for name in ("reference", "revenue", "at", "status")})
    for message in (told, unfolded(form)):
        with suppress(Rejected):
            mapped_rows(message, its)


def test_a_path_may_choose_of_a_list_and_of_several_places() -> None:
    words = {
        "map.reference": "id", "map.revenue": "total", "map.at": "at",
        "map.phone": "billing.phone|meta.[key=Phone].value|customer.phone",
    }  # fmt: skip
    its = read_mapping(words)
    order: dict[str, Any] = {"id": 1, "total": 5, "at": "2026-11-05", "customer": {"phone": "3"}}

    def phone(**more: Any) -> Any:
        return mapped_rows(order | more, its)[0][0]["phone"]

    assert phone() == "3"
    assert phone(billing={"phone": "1"}) == "1"
    assert phone(billing={"phone": ""}, meta=[{"key": "x"}, 7, {"key": "phone", "value": "2"}]) == "2"
    assert phone(meta={"0": {"key": "Phone", "value": "2"}}) == "2"  # a form's list
