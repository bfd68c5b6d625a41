"""`leaseline visit`: what came by the website, as a list, one by one, and as a file that leaves with you."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.command import Installation, make_ready
from support.recorded import settings_in
from support.visiting import Api, add_shop

from tracker.database import Database


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """A home in which two people visited a shop; one saw two pages and clicked, the other got no number."""
    installation = Installation(tmp_path / "home")
    make_ready(installation)
    database = Database(f"sqlite:///{tmp_path / 'home' / 'leaseline.db'}")
    with database.write() as session:
        shop = add_shop(session, datetime.now(UTC), numbers=1)
    api = Api(database, settings_in(tmp_path, secret_key="k" * 40), datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    ann = api.visitor(shop)
    ann.open("/?utm_source=news&utm_medium=email&utm_campaign==cmd()", title="@Shop")
    api.later(seconds=40)
    ann.page("/prices")
    ann.event("phone_click", number="+74951000000")
    api.later(seconds=1)
    api.visitor(shop).open("/second")
    database.close()
    return installation


def test_visits_are_listed_newest_first(here: Installation) -> None:
    second, first = here.json("visit", "list")
    assert (first["source"], first["campaign"], first["pages"]) == ("news", "=cmd()", 2)
    assert (first["numbers"], first["missed"], first["calls"]) == (["+74951000000"], None, 0)
    assert (second["numbers"], second["missed"]) == ([], "pool_empty")
    assert len(here.json("visit", "list", "--limit", "1")) == 1
    assert len(here.json("visit", "list", "--site", "shop")) == 2
    table = here.done("visit", "list").splitlines()
    assert table[0].split()[:3] == ["STARTED", "SITE", "SOURCE"]
    assert "+74951000000" in table[2]
    assert "site" in here.refused("visit", "list", "--site", "other")


def test_a_visit_shows_its_pages_clicks_and_numbers(here: Installation) -> None:
    thing = here.json("visit", "show", "1")
    assert [page["url"] for page in thing["pages"]] == [
        "https://shop.example/?utm_source=news&utm_medium=email&utm_campaign==cmd()",
        "https://shop.example/prices",
    ]
    assert [event["kind"] for event in thing["events"]] == ["phone_click"]
    assert [lease["shown"] for lease in thing["leases"]] == ["+74951000000"]
    assert thing["calls"] == []
    assert "phone_click" in here.done("visit", "show", "1")
    assert "no such visit" in here.refused("visit", "show", "99")


@pytest.mark.parametrize(("what", "count"), [("visits", 2), ("pages", 3), ("events", 1), ("leases", 1)])
def test_the_whole_history_leaves_as_csv_or_json(here: Installation, what: str, count: int) -> None:
    rows = [json.loads(line) for line in here.done("visit", "export", what, "--json").splitlines()]
    table = list(csv.DictReader(io.StringIO(here.done("visit", "export", what))))
    assert len(rows) == len(table) == count
    assert list(rows[0]) == list(table[0])
    assert here.done("visit", "export", what, "--since", "2026-11-21") == ""


def test_no_cell_of_an_export_is_a_formula(here: Installation) -> None:
    cells = [cell for row in csv.reader(io.StringIO(here.done("visit", "export", "visits"))) for cell in row]
    assert "'=cmd()" in cells
    pages = here.done("visit", "export", "pages")
    assert "'@Shop" in pages
    numbers = here.done("visit", "export", "leases")
    assert ",+74951000000," in numbers
