"""Sites: names, domains that may speak to us, the numbers that are swapped."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.command import Installation, ready
from support.config import billboard, by, pallets, website

from tracker import companies, numbers, sites
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Site, Swap, Visit, Visitor


def test_a_site_is_found_by_its_key_with_its_swaps_and_their_pools(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        pool = website(session, now, company)
        site = sites.add(session, by(now), company, "Shop", domains=["shop.example"], needs_consent=True)
        sites.add_swap(session, by(now), site, "8 495 765-43-21", pool, alias="1-800-PALLETS")
        sites.add_swap(session, by(now), site, "+49 30 901820", pool, region="de")
        key = site.key
    with database.read() as session:
        found = sites.by_key(session, key)
        nobody = sites.by_key(session, "none-such")
    assert found is not None
    assert nobody is None
    # The session is closed: everything that is asked for was loaded.
    assert [(each.e164, each.region, each.alias, each.pool.name) for each in found.swaps] == [
        ("+74957654321", "", "1-800-PALLETS", "Website"),
        ("+4930901820", "DE", None, "Website"),
    ]
    assert found.needs_consent
    assert len(key) == 12


@pytest.mark.parametrize(
    ("domains", "host", "accepted"),
    [
        (["shop.example"], "shop.example", True),
        (["shop.example"], "www.shop.example", True),
        (["www.shop.example"], "shop.example", True),
        (["shop.example"], "SHOP.example.", True),
        (["shop.example"], "shop.example:8443", True),
        (["shop.example"], "m.shop.example", False),
        (["shop.example"], "shop.example.evil.test", False),
        (["shop.example"], "evilshop.example", False),
        (["*.shop.example"], "m.shop.example", True),
        (["*.shop.example"], "a.b.shop.example", True),
        (["*.shop.example"], "shop.example", False),
        (["*.shop.example"], "evilshop.example", False),
        (["a.example", "b.example"], "b.example", True),
        (["127.0.0.1"], "127.0.0.1:8099", True),
        (["localhost"], "localhost", True),
        (["магазин.рф"], "xn--80aaalcd4bc3e.xn--p1ai", False),
        (["магазин.рф"], "магазин.рф".encode("idna").decode(), True),
        (["shop.example"], "", False),
        (["shop.example"], "null", False),
        ([], "shop.example", False),
    ],
)
def test_only_pages_of_its_domains_speak_for_a_site(domains: list[str], host: str, accepted: bool) -> None:
    assert sites.accepts(Site(domains=sites.read_domains(domains)), host) is accepted


@pytest.mark.parametrize(
    "text", ["https://shop.example", "shop.example/x", "shop.example:8080", "*", "", "a b"]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        sites.read_domains([text])
    assert refused.value.id == "site.domain"


def test_a_domain_named_twice_is_kept_once() -> None:
    assert sites.read_domains(["Shop.example", "shop.example", "*.shop.example"]) == [
        "shop.example",
        "*.shop.example",
    ]


def test_the_same_number_may_be_swapped_for_each_region_once(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        pool = website(session, now, company)
        site = sites.add(session, by(now), company, "Shop")
        sites.add_swap(session, by(now), site, "8 495 765-43-21", pool)
        sites.add_swap(session, by(now), site, "8 495 765-43-21", pool, region="KZ")
        with pytest.raises(Rejected, match="swapped on 'Shop' already") as refused:
            sites.add_swap(session, by(now), site, "+7 495 765 43 21", pool)
        assert refused.value.id == "swap.duplicate"
        assert [each.position for each in site.swaps] == [1, 2]


def test_a_number_that_is_leased_cannot_stand_on_the_pages(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        pool = website(session, now, company)
        site = sites.add(session, by(now), company, "Shop")
        numbers.add(session, by(now), company, "8 495 123-00-01", place=pool)
        numbers.add(session, by(now), company, "8 495 123-00-02", place=billboard(session, now, company))
        with pytest.raises(Rejected, match="in pool 'Website'"):
            sites.add_swap(session, by(now), site, "8 495 123-00-01", pool)
        sites.add_swap(session, by(now), site, "8 495 123-00-02", pool)


def test_a_pool_of_another_company_is_refused(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        other = companies.add(session, by(now), "other", "Other", "DE")
        pool = website(session, now, other)
        site = sites.add(session, by(now), company, "Shop")
        with pytest.raises(Rejected, match="another company's"):
            sites.add_swap(session, by(now), site, "8 495 765-43-21", pool)


def test_a_swap_is_found_by_number_and_region_and_deleted(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        site = sites.add(session, by(now), company, "Shop")
        pool = website(session, now, company)
        sites.add_swap(session, by(now), site, "8 495 765-43-21", pool)
        sites.add_swap(session, by(now), site, "8 495 765-43-21", pool, region="KZ")
        with pytest.raises(Rejected, match=r"\+74957654321, \+74957654321 KZ"):
            sites.get_swap(session, site, "8 495 765-43-22")
        sites.delete_swap(session, by(now), sites.get_swap(session, site, "8 495 765-43-21", region="kz"))
        assert [each.region for each in site.swaps] == [""]
        assert session.scalar(sa.select(sa.func.count()).select_from(Swap)) == 1


def test_a_change_says_what_was_changed(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        site = sites.add(session, by(now), company, "Shop", domains=["shop.example"])
        sites.add(session, by(now), company, "Blog")
        sites.change(
            session, by(now), company, site, name="Big shop", domains=["big.example"], needs_consent=True
        )
        with pytest.raises(Rejected, match="already"):
            sites.change(session, by(now), company, site, name="Blog")
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "site.change")).one()
        assert entry.detail == {"name": "Big shop", "domains": ["big.example"], "needs_consent": True}
        assert [each.name for each in sites.listed(session, company)] == ["Big shop", "Blog"]


def test_a_site_without_visits_is_deleted_with_its_swaps(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        site = sites.add(session, by(now), company, "Shop")
        sites.add_swap(session, by(now), site, "8 495 765-43-21", website(session, now, company))
        sites.delete(session, by(now), site)
    with database.read() as session:
        assert session.scalars(sa.select(Site)).all() == []
        assert session.scalars(sa.select(Swap)).all() == []


def test_a_site_with_visits_stays(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        site = sites.add(session, by(now), company, "Shop")
        visitor = Visitor(company_id=company.id, key="v", created_at=now)
        session.add(visitor)
        session.flush()
        session.add(
            Visit(visitor_id=visitor.id, site_id=site.id, started_at=now, medium="(none)", source="(direct)")
        )
        with pytest.raises(Rejected, match="1 visit"):
            sites.delete(session, by(now), site)


def test_the_snippet_is_one_line_of_one_origin(sqlite: Database, now: datetime) -> None:
    site = Site(key="AbCdEf123_-x")
    assert (
        sites.snippet(site, "https://calls.example/")
        == '<script async src="https://calls.example/s/AbCdEf123_-x.js"></script>'
    )


# ---- the commands ----


def test_adding_a_site_tells_what_belongs_on_its_pages(tmp_path: Path) -> None:
    here = ready(tmp_path, LEASELINE_WEB_URL="https://calls.example/leaseline")
    here.done("company", "add", "pallets", "--region", "RU")
    here.done("pool", "add", "Website")
    words = ("site", "add", "Shop", "--domain", "shop.example", "--pool", "Website", "--needs-consent")
    said = here.run(*words, "--number", "8 495 765-43-21", "--number", "8 800 200-00-00")
    shown = here.json("site", "show", "Shop")
    assert said.exit_code == 0
    assert said.stderr == ""
    tag = f'<script async src="https://calls.example/leaseline/s/{shown["key"]}.js"></script>'
    assert shown["snippet"] == tag
    assert said.stdout.count(tag) == 2
    assert "script-src https://calls.example; connect-src https://calls.example" in said.stdout
    assert "Google Tag Manager" in said.stdout
    assert 'integrity="sha384-' in said.stdout
    assert [(each["number"], each["pool"]) for each in shown["numbers"]] == [
        ("+74957654321", "Website"),
        ("+78002000000", "Website"),
    ]
    assert said.stdout.rstrip() in here.done("site", "show", "Shop", "--snippet")


def test_a_site_that_cannot_be_added_whole_is_not_added(tmp_path: Path) -> None:
    here = ready(tmp_path)
    here.done("company", "add", "pallets", "--region", "RU")
    words = ("site", "add", "Shop", "--domain", "shop.example", "--number")
    assert "There is no pool" in here.refused(*words, "8 495 765-43-21", "--pool", "Website")
    here.done("pool", "add", "Website")
    assert "not a telephone number" in here.refused(*words, "12", "--pool", "Website")
    assert here.json("site", "list") == []
    assert here.run(*words, "8 495 765-43-21").exit_code == 2


def test_who_would_not_reach_the_script_is_hinted_at(tmp_path: Path) -> None:
    here = ready(tmp_path)
    here.done("company", "add", "pallets", "--region", "RU")
    words = ("site", "add", "Shop", "--domain", "shop.example")
    assert "Only this machine reaches http://127.0.0.1:8080" in here.run(*words).stderr
    plain = Installation(tmp_path, {"LEASELINE_WEB_URL": "http://calls.example"})
    assert "Pages with https refuse" in plain.run("site", "show", "Shop", "--snippet").stderr


def test_a_sites_numbers_are_added_listed_and_deleted_by_command(tmp_path: Path) -> None:
    here = ready(tmp_path)
    for words in (
        ("company", "add", "pallets", "--region", "RU"),
        ("pool", "add", "Website"),
        ("site", "add", "Shop", "--domain", "shop.example"),
        ("site", "number", "add", "Shop", "8 495 765-43-21", "--pool", "Website", "--alias", "8-800-PALLETS"),
        ("site", "number", "add", "Shop", "8 495 765-43-21", "--pool", "Website", "--region", "kz"),
        ("site", "number", "delete", "Shop", "8 495 765-43-21"),
        ("site", "change", "Shop", "--domain", "a.example", "--domain", "*.b.example", "--needs-consent"),
    ):
        here.done(*words)
    assert here.json("site", "number", "list", "Shop") == [
        {"id": 2, "number": "+74957654321", "pool": "Website", "region": "KZ", "alias": None}
    ]
    (site,) = here.json("site", "list")
    assert (site["domains"], site["needs_consent"]) == (["a.example", "*.b.example"], True)
    here.done("site", "delete", "Shop")
    assert "leaseline site add" in here.done("site", "list")


def test_a_channel_may_stand_in_for_a_pool(tmp_path: Path) -> None:
    here = ready(tmp_path)
    here.done("company", "add", "pallets", "--region", "RU")
    shown = here.done("channel", "add", "Ads", "--shown-to", "Paid Search", "--json")
    assert json.loads(shown)["shown_to"] == "Paid Search"
    here.done("channel", "change", "Ads", "--shown-to", "")
    assert here.json("channel", "show", "Ads")["shown_to"] is None
