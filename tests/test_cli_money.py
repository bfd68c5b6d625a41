"""`leaseline cost`, `sale`, `rate` and `key` as people and scripts use them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Installation, furnish

T3 = (
    "источник;расход\nКонтекстная реклама;50\N{NO-BREAK SPACE}000\nSEO;25 000\n"
    "Социальные сети;35 000,00\nBillboard;8 000\n"
)
ORDERS = "date;revenue;profit;phone;order\n20.11.2025;20 000;8 700;8 (916) 123-45-67;1\n21.11.2025;100;;;2\n"


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path / "home")
    furnish(installation)
    return installation


def file(folder: Path, text: str) -> str:
    path = folder / "list.csv"
    path.write_text(text, encoding="cp1251")
    return str(path)


def test_costs_are_imported_once_however_often(here: Installation, tmp_path: Path) -> None:
    words = ("cost", "import", file(tmp_path, T3), "--day", "2026-11-30")
    assert "4 new, 0 changed, 0 the same (nothing was stored)" in here.done(*words, "--dry-run")
    assert here.json(*words)["new"] == 4
    assert here.done(*words) == "0 new, 0 changed, 4 the same\n"
    rows = here.json("cost", "list", "--since", "2026-11-01", "--until", "2026-11-30")
    assert {row["source"]: row["amount"] for row in rows} == {
        "контекстная реклама": "50000", "seo": "25000", "социальные сети": "35000", "Billboard": "8000",
    }  # fmt: skip
    here.done("cost", "change", str(rows[0]["id"]), "--amount", "1 200,50")
    assert here.done("cost", "delete", str(rows[0]["id"])) == "1 cost deleted.\n"
    assert len(here.json("cost", "list", "--since", "2026-11-01", "--until", "2026-11-30")) == 3


def test_bad_rows_are_told_by_line_and_nothing_is_kept(here: Installation, tmp_path: Path) -> None:
    path = file(tmp_path, "day;source;amount\n2026-11-05;google;5\n2026-11-05;google;x\n")
    told = here.run("cost", "import", path)
    assert told.exit_code == 1
    assert told.stderr.splitlines() == [
        "line 3, amount: 'x' is no amount of money", "leaseline: 1 bad row; nothing was imported",
    ]  # fmt: skip
    (problem,) = here.json_anyway("cost", "import", path)["problems"]
    assert problem == {"line": 3, "column": "amount", "problem": "'x' is no amount of money"}
    assert here.json("cost", "list", "--since", "2026-11-01", "--until", "2026-11-30") == []


def test_sales_are_added_imported_cancelled_and_listed(here: Installation, tmp_path: Path) -> None:
    told = here.run("sale", "import", file(tmp_path, ORDERS), "--day", "2025-11-20")
    assert told.stdout == "2 new, 0 changed, 0 the same\n"
    assert "Belong to no call and no visitor we know: 2" in told.stderr
    here.done("sale", "add", "99,90", "--profit", "-1", "--at", "2025-11-22T14:30", "--reference", "3")
    assert here.json("sale", "cancel", "3")["status"] == "cancelled"
    rows = here.json("sale", "list", "--since", "2025-11-01", "--until", "2025-11-30", "--unmatched")
    assert [(row["reference"], row["revenue"], row["profit"]) for row in rows] == [
        ("3", "99.9", "-1"), ("2", "100", None), ("1", "20000", "8700"),
    ]  # fmt: skip
    assert here.json("sale", "match") == {"matched": 0}
    assert "no such sale" in here.refused("sale", "cancel", "77")


def test_other_currencies_need_a_rate_and_rents_a_channel(here: Installation) -> None:
    cost = ("cost", "add", "2026-11-05", "5", "--source", "google", "--currency", "usd")
    assert "There is no rate of USD for 2026-11-05" in here.refused(*cost)
    here.done("rate", "set", "usd", "92,5", "--from", "2026-11-01")
    assert here.json(*cost)["currency"] == "USD"
    assert [row["rate"] for row in here.json("rate", "list")] == ["92.5"]
    assert "is no rate" in here.refused("rate", "set", "usd", "0", "--from", "2026-11-01")
    rent = here.json("cost", "rent", "add", "Billboard", "8000", "--from", "2026-11-01")
    assert here.json("cost", "rent", "end", str(rent["id"]), "--until", "2026-12-31")["until"] == "2026-12-31"
    assert "no channel 'Bus'" in here.refused("cost", "rent", "add", "Bus", "8000", "--from", "2026-11-01")
    here.done("cost", "rent", "delete", str(rent["id"]))
    here.done("rate", "delete", "usd", "--from", "2026-11-01")


def test_a_key_is_shown_once(here: Installation) -> None:
    token = here.json("key", "add", "crm")["key"]
    assert token.startswith("llk_")
    assert token not in here.done("key", "list")
    assert "There is a key 'crm' already" in here.refused("key", "add", "crm")
    here.done("key", "revoke", "crm")
    assert here.json("key", "list")[0]["revoked_at"]


def test_a_number_larger_than_any_is_refused_in_one_sentence(here: Installation) -> None:
    for words in (("cost", "delete", "9" * 20), ("cost", "change", "9" * 40, "--note", "x"),
                  ("cost", "rent", "delete", "9" * 20), ("alerts", "show", "9" * 20)):  # fmt: skip
        told = here.run(*words)
        assert (told.exit_code, "larger than the books can hold" in told.stderr) == (1, True), words
