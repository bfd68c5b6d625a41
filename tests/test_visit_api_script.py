"""The script of a site: what is in it, how long it is kept, and that no page breaks by it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from support.recorded import settings_in
from support.visiting import REAL, Api, Shop, add_shop
from werkzeug.test import TestResponse

from tracker.database import Database
from tracker.models import Site, Swap
from tracker.sites import by_key
from web.assets import FOLDER, Assets
from web.house import House
from web.script import NAME, integrity, text_of


@pytest.fixture
def shop(sqlite: Database, now: datetime) -> Shop:
    with sqlite.write() as session:
        return add_shop(session, now)


@pytest.fixture
def api(sqlite: Database, shop: Shop, tmp_path: Path, now: datetime) -> Api:
    assert shop
    return Api(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


@pytest.fixture
def built() -> Assets:
    assets = Assets.read()
    assert NAME in assets.names, "cd web && npm run build"
    return assets


def get(api: Api, name: str, **headers: str) -> TestResponse:
    return api.app.test_client().get(f"/s/{name}.js", headers=headers)


def test_the_script_carries_its_sites_configuration(api: Api, shop: Shop, built: Assets) -> None:
    answer = get(api, shop.key)
    assert answer.status_code == 200
    assert answer.content_type == "text/javascript; charset=utf-8"
    source = (FOLDER / built.names[NAME]).read_text()
    assert source.count("__CONFIG__") == 1
    before, after = source.split("__CONFIG__")
    config = answer.text.removeprefix(before).removesuffix(after)
    assert json.loads(config) == {
        "k": "key-shop",
        "n": [{"e": REAL, "v": ["74957654321", "84957654321", "4957654321"]}],
        "d": ["shop.example"],
    }


def test_the_script_is_small_and_everybody_may_load_it(api: Api, shop: Shop, built: Assets) -> None:
    assert built
    answer = get(api, shop.key, **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == get(api, shop.key).data
    assert len(answer.data) <= 3072
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_a_browser_that_has_it_is_sent_nothing(api: Api, shop: Shop, built: Assets) -> None:
    assert built
    tag = get(api, shop.key).headers["ETag"]
    for packing in ("gzip", "identity"):
        again = get(api, shop.key, **{"If-None-Match": tag, "Accept-Encoding": packing})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Cache-Control"] == "public, max-age=300"


def test_a_version_is_for_ever_until_the_configuration_changes(
    api: Api, shop: Shop, sqlite: Database, built: Assets
) -> None:
    with sqlite.read() as session:
        site = by_key(session, shop.key)
        assert site is not None
        text, sri = text_of(site, built), integrity(site)
    answer = get(api, f"{shop.key}.{text.version}")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert sri == "sha384-" + base64.b64encode(hashlib.sha384(answer.data).digest()).decode()
    with sqlite.write() as session:
        session.get_one(Site, shop.site_id).domains = ["shop.example", "*.shop.example"]
    api.later(seconds=6)
    gone = get(api, f"{shop.key}.{text.version}")
    assert gone.status_code == 404
    assert "*.shop.example" in get(api, shop.key).text


def test_a_vanity_spelling_cannot_end_the_script(
    api: Api, shop: Shop, sqlite: Database, built: Assets
) -> None:
    assert built
    with sqlite.write() as session:
        swap = session.query(Swap).one()
        swap.alias = "</script><b>\u2028'\"*/"
    assert "</script>" not in get(api, shop.key).text
    assert "\u2028" not in get(api, shop.key).text


@pytest.mark.parametrize("name", ["nobody", "key-shop.0", "..", "a.b.c", "x" * 500, "*%2A"])
def test_an_unknown_script_is_a_comment(api: Api, name: str) -> None:
    answer = get(api, name)
    assert answer.status_code == 404
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.text.startswith("/* Leaseline: ")
    assert answer.text.index("*/") == len(answer.text) - 3


def test_a_script_that_was_not_built_is_a_comment_too(api: Api, shop: Shop) -> None:
    home: House = api.app.extensions["leaseline"]
    api.app.extensions["leaseline"] = replace(home, assets=Assets({}))
    answer = get(api, shop.key)
    assert answer.status_code == 503
    assert answer.text.startswith("/* Leaseline: The script for websites is not built")


def test_the_script_is_served_while_the_database_is_away(
    api: Api, shop: Shop, sqlite: Database, built: Assets, tmp_path: Path
) -> None:
    assert built
    before = get(api, shop.key).data
    sqlite.close()
    (tmp_path / "books.db").rename(tmp_path / "gone.db")
    (tmp_path / "books.db").mkdir()  # no database can be opened there
    api.later(seconds=60)
    assert get(api, shop.key).data == before
    assert get(api, "other").status_code == 503
