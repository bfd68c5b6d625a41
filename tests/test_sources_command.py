"""`leaseline source`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import Installation, ready

FORUM = ("--referrer", "^https://forum[.]example/", "--source", "forum", "--medium", "community")


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """A home with one company."""
    installation = ready(tmp_path / "home")
    installation.done("company", "add", "pallets", "--region", "RU")
    return installation


def test_a_rule_decides_what_the_test_says(here: Installation) -> None:
    words = (
        "source",
        "test",
        "https://shop.example/?utm_term=oak",
        "--referrer",
        "https://forum.example/t/1",
    )
    assert here.json(*words)["source"] == "forum.example"
    here.done("source", "rule", "add", *FORUM)
    told = here.json(*words)
    assert (told["medium"], told["source"], told["keyword"], told["group"]) == (
        "community",
        "forum",
        "oak",
        "Unassigned",
    )
    assert told["because"].startswith("rule 1: ")
    assert "parameters  utm_term=oak" in here.done(*words)


def test_rules_are_listed_moved_and_deleted(here: Installation) -> None:
    here.done("source", "rule", "add", *FORUM)
    promo = ("--landing", "[?&]promo=radio", "--source", "Radio", "--medium", "offline", "--at", "1")
    assert here.json("source", "rule", "add", *promo)["position"] == 1
    assert [row["source"] for row in here.json("source", "rule", "list")] == ["Radio", "forum"]
    assert here.json("source", "rule", "move", "2", "1")["source"] == "forum"
    assert "promo=radio" in here.done("source", "rule", "delete", "2")
    assert [row["source"] for row in here.json("source", "rule", "list")] == ["forum"]
    assert "1 to 1" in here.refused("source", "rule", "delete", "2")


def test_a_dangerous_pattern_is_refused_in_one_line(here: Installation) -> None:
    bad = ("source", "rule", "add", "--landing", "(a+)+$", "--source", "x", "--medium", "y")
    assert "repeats something" in here.refused(*bad)


def test_a_rule_has_one_pattern(here: Installation) -> None:
    for given in ((), ("--landing", "a", "--referrer", "b")):
        result = here.run("source", "rule", "add", *given, "--source", "x", "--medium", "y")
        assert result.exit_code == 2
        assert "only one of them" in result.stderr


def test_lists_are_imported_and_forgotten(here: Installation, tmp_path: Path) -> None:
    engines = tmp_path / "SearchEngines.yml"
    engines.write_text("Seek:\n  - urls: ['seek.{}']\n    params: [words]\n")
    friends = tmp_path / "Socials.yml"
    friends.write_text("Club:\n  - club.example\n")
    done = here.json("source", "import-referrers", str(engines), str(friends))
    assert [(each["kind"], each["added"]) for each in done["imported"]] == [("social", 1), ("search", 1)]
    words = ("source", "test", "/", "--referrer", "https://www.seek.de/?words=oak")
    assert [here.json(*words)[name] for name in ("source", "keyword")] == ["seek", "oak"]
    assert here.done("source", "forget-referrers") == "2 imported hosts are dropped.\n"
    assert here.json(*words)["source"] == "seek.de"


def test_bad_entries_are_named_and_nothing_is_imported(here: Installation, tmp_path: Path) -> None:
    file = tmp_path / "list.yml"
    file.write_text("Club:\n  - club example\nPub:\n  - pub.example\n")
    words = ("source", "import-referrers", str(file), "--kind", "social")
    result = here.run(*words)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "list.yml: Club: 'club example' is no host",
        "leaseline: 1 bad entry; nothing was imported",
    ]
    assert json.loads(here.run(*words, "--json").stdout)["problems"][0]["name"] == "Club"
    assert here.json("source", "test", "/", "--referrer", "https://pub.example/")["medium"] == "referral"
