"""Webhooks for receivers of their own mind: headers, forms, addresses with places for values."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from support.standin import StandIn
from support.standins.webhook import SECRET, is_signed
from support.told import Told

from tracker.destination_trial import sample_call
from tracker.destinations.fields import HIDDEN
from tracker.destinations.flat import LONGEST, NAMES, fill, flatten
from tracker.destinations.kind import Parcel
from tracker.destinations.webhook import payload
from tracker.errors import Rejected
from tracker.models import Company, Visit
from tracker.policy.delivering import Event
from tracker.policy.facts import Presentation

URL = "https://crm.example/call?from={caller}&kw={source_keyword}"


def set_up(told: Told, server: StandIn, **values: str) -> None:
    url = f"{server.url}{values.pop('way', '/calls')}"
    told.change({"url": url, **values})


def test_headers_of_ones_own_go_along_and_are_never_shown(told: Told) -> None:
    with told.pointing("webhook", events=["call.completed"]) as (server, _):
        set_up(told, server, headers="X-Api-Key: k3y-0f-shop | X-Shop: berlin")
        told.call("one")
        told.send()
        shown = repr(told.try_out())
    assert server.asked[0].headers["x-api-key"] == "k3y-0f-shop"
    assert server.asked[0].headers["x-shop"] == "berlin"
    assert is_signed(server.asked[0], SECRET)
    assert "k3y" not in shown
    assert "berlin" not in shown
    assert HIDDEN in shown
    assert "k3y" not in repr(told.destination().options)


@pytest.mark.parametrize(
    "text",
    [
        "X-Key",
        "X-Key:abc",
        "Host: x",
        "content-length: 1",
        "webhook-id: 1",
        "X: a\r\nY: b",
        "X: ключ",
        "X: a | ",
    ],
)
def test_headers_that_would_break_a_request_are_refused(told: Told, text: str) -> None:
    with pytest.raises(Rejected, match="headers cannot be"):
        told.add("webhook", {"url": "https://crm.example/", "headers": text})


def test_a_form_has_every_name_at_every_call(told: Told) -> None:
    with told.pointing("webhook", events=["call.completed"]) as (server, _):
        set_up(told, server, format="form")
        told.call("one")
        told.call("two", static=True, presentation=Presentation.WITHHELD)
        told.send()
        one, two = (parse_qs(asked.body.decode(), keep_blank_values=True) for asked in server.asked)
    assert set(one) == set(two) == set(NAMES)
    assert (one["key"], one["caller"], two["caller"]) == (["one"], ["+4915112345678"], [""])
    assert one["event"] == ["call.completed"]
    assert two["source_channel"] == ["Billboard"]
    assert is_signed(server.asked[0], SECRET)


def test_an_address_with_places_is_got_with_values_escaped(told: Told) -> None:
    with told.pointing("webhook", events=["call.completed"]) as (server, _):
        set_up(told, server, format="get", way="/calls?from={caller}&kw={source_keyword}&x=1")
        with told.database.write() as session:
            session.execute(sa.update(Visit).values(keyword="euro & pallets?#/../ü"))
        told.call("one")
        told.call("two", presentation=Presentation.WITHHELD)
        told.send()
        one, two = server.asked
    assert (one.method, one.path, one.body) == ("GET", "/calls", b"")
    assert one.query == {"from": "+4915112345678", "kw": "euro & pallets?#/../ü", "x": "1"}
    assert "from" not in two.query
    assert all(each.sent_at for each in told.deliveries())


@given(st.text())
def test_no_value_leads_an_address_elsewhere(value: str) -> None:
    filled = fill(URL, dict.fromkeys(NAMES, value))
    parts = urlsplit(filled)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "crm.example", "/call", "")
    got = parse_qs(parts.query, keep_blank_values=True)
    short = value[:LONGEST].encode(errors="replace").decode()
    assert got == {"from": [short], "kw": [short]}
    assert filled.isascii()
    assert filled.isprintable()


@pytest.mark.parametrize(
    ("url", "form", "why"),
    [
        ("https://{company}.example/", "get", "before the question mark"),
        ("https://crm.example/{caller}?a=1", "get", "before the question mark"),
        ("https://crm.example/?a={password}", "get", "none: password"),
        ("https://crm.example/?a={caller", "get", "none: { }"),
        ("https://crm.example/?a={caller}", "json", "Set format to get"),
    ],
)
def test_places_stand_only_where_they_can(told: Told, url: str, form: str, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        told.add("webhook", {"url": url, "format": form})


def test_what_a_call_has_has_a_name_in_forms(now: datetime) -> None:
    owner = Company(
        slug="x", name="X", default_region="DE", timezone="Europe/Berlin", language="de", currency="EUR"
    )
    data = payload(Parcel("key", Event.COMPLETED, 0, now, sample_call(owner, "https://x.example", now)))[
        "data"
    ]
    flat = flatten("call.completed", "", data)
    for name, value in data.items():
        within = value if isinstance(value, dict) and name != "visit" else {}
        assert name in flat or all(f"{name}_{each}" in flat for each in within) or name == "visit"
    assert flat["visit_click_ids_gclid"]
    assert flat["recording_seconds"] == "60.0"
