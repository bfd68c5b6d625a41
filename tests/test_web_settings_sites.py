"""Settings in the page: pools with their rules and advice, sites with their numbers and snippet."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.facts import Pallets
from support.settings_page import HERE, actions, admin, done, field, refused, send, two_companies
from support.site import Site as House

from commands.pool import add_pool
from tracker.database import Database
from tracker.models import Pool, Site, Swap, WhenEmpty

RULE = {"hold_seconds": "300", "idle_seconds": "600", "longest_seconds": "14400", "cooldown_seconds": "0",
        "paid_percent": "0", "when_empty": "real", "overflow_number": ""}  # fmt: skip


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> House:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def ann(site: House) -> FlaskClient:
    return admin(site)


def pool(house: House, name: str = "Website") -> Pool:
    with house.database.read() as session:
        return session.scalars(sa.select(Pool).where(Pool.name == name)).one()


# ---- pools ----


def test_a_pool_is_added_changed_and_deleted(site: House, ann: FlaskClient) -> None:
    at = done(send(ann, f"{HERE}/pools/add", name="Ads", dynamic_for="Paid Search", **RULE))
    assert list(pool(site, "Ads").dynamic_for) == ["Paid Search"]
    form = RULE | {"hold_seconds": "150", "when_empty": "overflow", "overflow_number": "8 495 123-45-67"}
    done(send(ann, at, name="Ads 2", release_after_call="yes", **form))
    changed = pool(site, "Ads 2")
    assert (changed.hold_seconds, changed.release_after_call, changed.when_empty) == (
        150, True, WhenEmpty.OVERFLOW,
    )  # fmt: skip
    assert list(changed.dynamic_for) == []
    assert 'value="+74951234567"' in ann.get(at).text
    done(send(ann, at, name="Ads 2", **RULE))
    assert pool(site, "Ads 2").overflow_number_id is None
    assert done(send(ann, at, do="delete")) == f"{HERE}/pools"
    assert actions(site)[-4:] == ["pool.add", "pool.change", "pool.change", "pool.delete"]


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("name", "Website", "already"),
        ("hold_seconds", "-1", "no time to hold"),
        ("hold_seconds", "long", "no whole number"),
        ("idle_seconds", "5", "60 to 86400"),
        ("longest_seconds", "60", "sign of life"),
        ("cooldown_seconds", "99999999", "rest a number"),
        ("paid_percent", "101", "no share"),
        ("when_empty", "never", "not known"),
        ("overflow_number", "8 495 123-45-71", "leased to visitors"),
        ("overflow_number", "12", "12"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_beside_its_field(
    ann: FlaskClient,
    name: str,
    typed: str,
    words: str,
) -> None:
    html = refused(send(ann, f"{HERE}/pools/add", **{"name": "Ads"} | RULE | {name: typed}), name, words)
    assert name == "name" or 'value="Ads"' in html


def test_overflow_needs_a_number(ann: FlaskClient) -> None:
    form = RULE | {"when_empty": "overflow"}
    refused(send(ann, f"{HERE}/pools/1", name="Website", **form), "overflow_number", "no overflow number")


def test_a_group_that_is_none_is_refused(ann: FlaskClient) -> None:
    answer = send(ann, f"{HERE}/pools/1", name="Website", dynamic_for="Telepathy", **RULE)
    assert answer.status_code == 400
    assert "no channel group" in answer.text


def test_a_pool_with_numbers_is_not_deleted(ann: FlaskClient) -> None:
    refused(send(ann, f"{HERE}/pools/1", do="delete"), "", "is used by 2 numbers")


def test_rules_are_explained_as_on_the_command_line(ann: FlaskClient) -> None:
    html = unescape(ann.get(f"{HERE}/pools/add").text)
    for option in add_pool.params:
        words = str(getattr(option, "help", None))
        if option.name in {*RULE, "release_after_call"} - {"overflow_number"}:
            assert re.sub(r"\s+\[usual.*", "", words) in html, option.name


def test_a_pool_says_what_its_numbers_do(ann: FlaskClient) -> None:
    html = ann.get(f"{HERE}/pools").text
    assert re.findall(r'data-name="(\w+)">(\d+)', html) == [
        ("Numbers", "2"), ("Leased", "1"), ("Resting", "0"), ("Free", "1"),
    ]  # fmt: skip
    assert "123-45-71" in ann.get(f"{HERE}/pools/1").text


def test_advice_comes_from_what_is_expected_or_from_visits(ann: FlaskClient) -> None:
    path = f"{HERE}/pools/1/advice"
    assert "22 numbers are needed" in ann.get(f"{path}?target=1&visitors=100&minutes=3").text
    assert "1 number is needed" in ann.get(path).text
    for query, words in (
        ("target=much", "no share"),
        ("target=200", "no share to aim at"),
        ("visitors=many&minutes=3", "no numbers"),
        ("visitors=100&minutes=0", "cannot be worked with"),
    ):
        assert words in unescape(ann.get(f"{path}?{query}").text), query


# ---- sites ----


def test_a_site_is_added_with_its_number_and_gets_its_line(site: House, ann: FlaskClient) -> None:
    form = {"name": "Shop", "domains": "shop.example\n*.shop.example", "number": "8 495 999-99-99"}
    at = done(send(ann, f"{HERE}/sites/add", pool="1", **form))
    with site.database.read() as session:
        shop = session.scalars(sa.select(Site).where(Site.name == "Shop")).one()
        assert (shop.domains, [each.e164 for each in shop.swaps]) == (
            ["shop.example", "*.shop.example"], ["+74959999999"],
        )  # fmt: skip
    html = unescape(ann.get(at).text)
    assert f'/s/{shop.key}.js"></script>' in html
    assert "integrity=" in html


def test_a_sites_words_and_numbers_are_changed(site: House, ann: FlaskClient) -> None:
    at = f"{HERE}/sites/1"
    done(send(ann, at, do="change", name="Our site", domains="a.example, b.example", needs_consent="yes"))
    done(send(ann, at, do="swap", number="8 495 999-99-99", pool="1", region="kz", alias="PALLETS"))
    with site.database.read() as session:
        found = session.get_one(Site, 1)
        assert (found.name, found.domains, found.needs_consent) == (
            "Our site", ["a.example", "b.example"], True,
        )  # fmt: skip
        swap = session.scalars(sa.select(Swap).where(Swap.region == "KZ")).one()
        assert (swap.e164, swap.alias) == ("+74959999999", "PALLETS")
    assert "PALLETS" in ann.get(at).text
    done(send(ann, at, do="leave", swap=str(swap.id)))
    assert "PALLETS" not in ann.get(at).text
    refused(send(ann, at, do="leave", swap=str(swap.id)), "", "not swapped any more")
    assert actions(site)[-3:] == ["site.change", "site.number.add", "site.number.delete"]


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("name", "pallets.example", "already"),
        ("domains", "https://shop.example", "is no domain"),
        ("domains", " ", "No domain"),
        ("number", Pallets.leased, "leased to visitors"),
        ("number", "1", "1"),
    ],
)
def test_a_site_that_cannot_be_is_refused(
    ann: FlaskClient,
    name: str,
    typed: str,
    words: str,
) -> None:
    form = {"name": "Shop", "domains": "shop.example", "number": "", "pool": "1"}
    refused(send(ann, f"{HERE}/sites/add", **form | {name: typed}), name, words)


def test_a_swap_that_cannot_be_is_refused_in_its_own_form(ann: FlaskClient) -> None:
    at = f"{HERE}/sites/1"
    refused(send(ann, at, do="swap", number=Pallets.real, pool="1"), "number", "swapped on")
    html = refused(
        send(ann, at, do="swap", number="8 495 999-99-99", pool="1", region="XX"), "region", "no country"
    )
    assert 'value="pallets.example"' in field(html, "name")
    refused(send(ann, at, do="delete"), "", "is used by 1 visit")
    refused(send(ann, at, do="dance"), "", "what to do")


def test_a_site_nobody_visited_is_deleted(ann: FlaskClient, now: datetime) -> None:
    at = done(send(ann, f"{HERE}/sites/add", name="Shop", domains="shop.example"))
    assert "swaps no number" in ann.get(HERE).text
    assert done(send(ann, at, do="delete")) == f"{HERE}/sites"
