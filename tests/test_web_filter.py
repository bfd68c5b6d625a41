"""The list narrowed in the page: its address is the view, its CSV is exactly what is shown."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.recorded import settings_in
from support.showroom import DAY, Showroom, furnish
from support.site import Site

from tracker.database import Database
from tracker.models import AuditEntry, Call, Company, Number


@pytest.fixture
def house(sqlite: Database, tmp_path: Path, now: datetime) -> tuple[Site, Showroom, FlaskClient]:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, tuple(replace(call, sound=False) for call in DAY))
    site = Site(sqlite, settings, now)
    return site, room, site.log_in("ann@pallets.example", 1)


def rows(browser: FlaskClient, path: str) -> list[dict[str, str]]:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")  # so that Excel reads UTF-8
    return list(csv.DictReader(io.StringIO(answer.text[1:])))


def test_the_list_shows_what_its_address_asks_for(house: tuple[Site, Showroom, FlaskClient]) -> None:
    ann = house[2]
    html = ann.get("/calls?outcome=missed&period=30d").text
    assert html.count('<tr class="call"') == 2
    assert 'aria-label="Without Missed"' in html
    assert 'href="/calls?period=30d"' in html  # the chip that takes "Missed" away
    assert 'data-now="/calls/now?period=30d&amp;outcome=missed"' in html
    assert ann.get("/calls/now?period=30d&outcome=missed").text.count('<tr class="call"') == 2
    assert "No such calls" in ann.get("/calls?q=zzz").text
    older = ann.get("/calls?outcome=answered&before=1-1").text
    assert 'href="/calls?outcome=answered"' in older  # back to the newest of the same view


def test_words_without_a_field_are_told_and_stay(house: tuple[Site, Showroom, FlaskClient]) -> None:
    words = "kind=static&delay=under-1m&without=ad&without=tag&country=RU&device=phone&landing=a.example/b"
    html = house[2].get(f"/calls?{words}").text
    for wish in (
        "A channel&#39;s number", "Within a minute of coming", "Without an ad", "Without a tag",
        "Visitor&#39;s country: Russia", "Device: Phone", "Landing page: a.example/b",
    ):  # fmt: skip
        assert f'aria-label="Without {wish}"' in html
    for name, value in (
        ("kind", "static"),
        ("without", "ad"),
        ("without", "tag"),
        ("landing", "a.example/b"),
    ):
        assert f'<input type="hidden" name="{name}" value="{value}">' in html


def test_the_api_takes_the_same_words(house: tuple[Site, Showroom, FlaskClient]) -> None:
    ann = house[2]
    found = ann.get("/api/v1/calls?outcome=missed&outcome=busy").json
    assert found
    assert [call["outcome"] for call in found["calls"]] == ["missed", "busy", "missed"]


@pytest.mark.parametrize("path", ["/calls", "/calls.csv", "/calls/now"])
def test_a_filter_that_cannot_be_meant_is_refused(
    house: tuple[Site, Showroom, FlaskClient], path: str
) -> None:
    answer = house[2].get(f"{path}?since=soon", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json
    assert answer.json["error"]["id"] == "filter.malformed"


def test_hostile_words_are_shown_as_words(house: tuple[Site, Showroom, FlaskClient]) -> None:
    tags = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    for text in (*tags, "' OR 1=1 --", "%%%", "x\x00", "_" * 500):
        answer = house[2].get("/calls", query_string=dict.fromkeys(("q", "channel", "source", "tag"), text))
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text
        assert '<tr class="call"' not in answer.text


def test_the_csv_is_what_is_filtered_and_is_written_down(house: tuple[Site, Showroom, FlaskClient]) -> None:
    site, _, ann = house
    everything, missed = rows(ann, "/calls.csv"), rows(ann, "/calls.csv?outcome=missed")
    assert len(everything) == len(DAY)
    assert [row["outcome"] for row in missed] == ["missed", "missed"]
    first = everything[0]
    assert first["started"] == "2026-11-20 14:56:00+03:00"
    assert (first["caller"], first["caller_name"]) == ("+74957654321", "ООО «Ромашка»")
    assert first["number"] == "+74951234571"
    withheld = next(row for row in everything if row["outcome"] == "gave_up")
    assert (withheld["caller"], withheld["caller_name"]) == ("withheld", "")
    with site.database.read() as session:
        wanted = sa.select(AuditEntry.detail).where(AuditEntry.action == "call.export")
        assert [it["filter"] for it in session.scalars(wanted)] == ["", "?outcome=missed"]


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_csv_is_a_formula(house: tuple[Site, Showroom, FlaskClient], text: str) -> None:
    site, room, ann = house
    with site.database.write() as session:
        session.execute(sa.update(Call).where(Call.key == room.keys[0]).values(caller_name=text))
        session.execute(sa.update(Number).values(label=text))
    row = rows(ann, "/calls.csv")[0]
    assert row["caller_name"].startswith("'")
    assert row["label"].startswith("'")


def test_a_rivals_choices_and_calls_are_not_offered(
    house: tuple[Site, Showroom, FlaskClient], now: datetime
) -> None:
    site = house[0]
    with site.database.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    eve = site.log_in("eve@rival.example", 2)
    assert rows(eve, "/calls.csv") == []
    html = eve.get("/calls?channel=x").text
    for name in ("Billboard", "Berlin bus", "pallets.example", "office"):
        assert name not in html
