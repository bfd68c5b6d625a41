"""Settings in the page: a company's own rules on sources, and the box to try an address in."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.settings_page import HERE, actions, admin, done, refused, send, two_companies
from support.site import Site

from tracker.database import Database
from tracker.models import SourceRule

AT = f"{HERE}/sources"
RULE = {
    "do": "add",
    "part": "referrer",
    "pattern": "forum[.]example",
    "source": "forum",
    "medium": "referral",
}


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


def order(site: Site) -> list[str]:
    with site.database.read() as session:
        rules = sa.select(SourceRule.source).where(SourceRule.company_id == 1)
        return list(session.scalars(rules.order_by(SourceRule.position)))


def test_rules_are_added_put_in_order_and_deleted(site: Site, ann: FlaskClient) -> None:
    done(send(ann, AT, **RULE))
    done(send(ann, AT, **RULE | {"part": "landing", "pattern": "promo=radio", "source": "radio"}))
    assert order(site) == ["forum", "radio"]
    done(send(ann, AT, do="up-2"))
    assert order(site) == ["radio", "forum"]
    done(send(ann, AT, do="down-1"))
    assert order(site) == ["forum", "radio"]
    done(send(ann, AT, do="delete-1"))
    assert order(site) == ["radio"]
    assert actions(site)[-2:] == ["source.rule.move", "source.rule.delete"]
    assert "1 rule of your own" in ann.get(HERE).text


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("pattern", "(a+)+$", "(a+)+$"),
        ("pattern", "(", "("),
        ("part", "moon", "not known"),
        ("source", "", "cannot be used"),
        ("medium", "m" * 300, "cannot be used"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_as_typed(
    ann: FlaskClient, name: str, typed: str, words: str
) -> None:
    html = refused(send(ann, AT, **RULE | {name: typed}), name, words)
    assert name == "source" or 'value="forum"' in html


@pytest.mark.parametrize("do", ["up-1", "delete-4", "down-x", "dance"])
def test_a_place_that_is_not_there_is_refused(ann: FlaskClient, do: str) -> None:
    refused(send(ann, AT, do=do), "")


def test_an_address_is_tried_as_a_real_visit(site: Site, ann: FlaskClient) -> None:
    query = {"url": "https://shop.example/", "referrer": "https://forum.example/thread"}
    before = unescape(ann.get(AT, query_string=query).text)
    assert "<b>forum</b>" not in before
    done(send(ann, AT, **RULE))
    html = unescape(ann.get(AT, query_string=query).text)
    assert re.search(r"<b>forum</b> / referral", html)
    assert "Because" in html
    html = ann.get(AT, query_string={"url": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in html
