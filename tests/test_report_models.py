"""Two models side by side: on the page, in files, to programs, in mails, to strangers, in the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.couriers import Clock, mail_settings, send
from support.earnings import bring_by_yandex, tell_earnings
from support.facts import add_pallets
from support.mailed_reports import OLGA, next_of, parts, scheduled
from support.receivers import mailbox
from support.recorded import settings_in
from support.report_page import read_table
from support.site import Site, csrf_token, log_in
from support.workbook import Book
from test_report_tables import DAYS, here  # noqa: F401  (here is a fixture)

from tracker import saved_reports
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Company, Role
from tracker.policy.report import Wish
from tracker.policy.report_wish import read_against, read_wish
from tracker.policy.report_words import By as Rows
from tracker.report_sender import ReportSender

WORDS = {"by": "source", "model": "first", "against": "last"}
QUERY = "by=source&model=first&against=last"


@pytest.fixture
def books(database: Database, now: datetime) -> Database:
    """A month in which google closed one sale that yandex had begun."""
    with database.write() as session:
        tell_earnings(session, add_pallets(session, now), now)
        bring_by_yandex(session)
    return database


@pytest.fixture
def ann(books: Database, tmp_path: Path, now: datetime) -> FlaskClient:
    site = Site(books, settings_in(tmp_path, secret_key="k" * 40), now)
    return log_in(site, "ann@pallets.example", pallets=Role.ADMIN)


def saved(books: Database, now: datetime, **words: str) -> int:
    with books.write() as session:
        company = session.get_one(Company, 1)
        return saved_reports.save(session, By(now, OLGA), company, "Doors", WORDS | words).id


def listed(text: str) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")))
    return {row["source"]: row for row in rows}


# ---- what is asked ----


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, None),
        ({"against": " "}, None),
        ({"against": "last"}, "last"),
        ({"model": "first", "against": "own"}, None),
        ({"against": "last-non-direct"}, "last_non_direct"),
    ],
)
def test_a_model_is_put_beside_by_its_word(words: Mapping[str, str], expected: str | None) -> None:
    found = read_against(words, read_wish(words))
    assert (found and found.model) == expected
    assert (found is None) == (not words.get("against", "").strip())


@pytest.mark.parametrize("words", [{"against": "x"}, {"model": "first", "against": "first"},
                                   {"against": "own"}, {"by": "tag", "against": "first"}])  # fmt: skip
def test_what_cannot_stand_beside_is_refused_also_when_it_is_saved(
    sqlite: Database, now: datetime, words: dict[str, str]
) -> None:
    with pytest.raises(Rejected) as refused:
        read_against(words, Wish(Rows(words.get("by", "source")), model=read_wish(words).model))
    assert refused.value.id == "report.malformed"
    with sqlite.write() as session:
        add_pallets(session, now)
        with pytest.raises(Rejected):
            saved_reports.save(session, By(now, OLGA), session.get_one(Company, 1), "Doors", words)


# ---- where it is told ----


def test_the_page_its_csv_and_programs_say_the_same(ann: FlaskClient) -> None:
    shown = read_table(ann.get(f"/reports?{QUERY}").text).rows
    rows = listed(ann.get(f"/reports.csv?{QUERY}").text)
    told = ann.get(f"/api/v1/report?{QUERY}").json
    assert told is not None
    for name, mine, theirs in (("yandex", 7, 6), ("google", 28, 29), ("vk.com", 1, 1)):
        (row,) = (each for each in told["rows"] if each["source"] == name)
        assert (row["orders"], row["against"]["orders"], row["before"]) == (mine, theirs, None)
        assert (rows[name]["orders"], rows[name]["orders_against"]) == (str(mine), str(theirs))
        assert rows[name]["romi_percent_against"] in {str(row["against"]["romi_percent"]), ""}
        assert shown[name]["Orders"].text.strip("~") == str(mine)
    assert (rows["google"]["model"], rows["google"]["against"]) == ("first", "last")
    assert (told["model"], told["against"], told["before"]) == ("first", "last", None)
    assert "calls_against" not in rows["google"]  # calls stand where they came from, by any model


def test_another_report_has_none_of_it(ann: FlaskClient) -> None:
    told: Any = ann.get("/api/v1/report?by=source&model=first").json
    assert told["against"] is None
    assert all(row["against"] is None for row in told["rows"])
    assert not [
        name for name in listed(ann.get("/reports.csv?by=source").text)["google"] if "against" in name
    ]


def test_the_workbook_has_columns_of_both(ann: FlaskClient) -> None:
    book = Book(ann.get(f"/reports.xlsx?{QUERY}").data)
    rows = {row["Source"]: row for row in book.rows()}
    assert (rows["yandex"]["Orders"], rows["yandex"]["By “Last touch”: Orders"]) == (7, 6)
    assert (rows["google"]["Orders"], rows["google"]["By “Last touch”: Orders"]) == (28, 29)
    assert [name for name in rows["google"] if name.startswith("By “Last touch”: Net profit, ")]
    assert "By “Last touch”: Calls" not in rows["google"]
    assert {"Beside it", "First touch", "Last touch"} <= set(book.shared)


def test_the_mail_has_both_where_they_differ(books: Database, now: datetime, tmp_path: Path) -> None:
    clock = Clock(next_of(books, scheduled(books, saved(books, now), now)))
    with mailbox() as box:
        send(ReportSender(books, mail_settings(tmp_path, box), clock))
    ((_, letter),) = box.letters
    text, page, workbook = parts(letter)
    for said in (text, page):
        assert "Two models side by side: “First touch” and “Last touch”" in said
    (line,) = (each for each in text.splitlines() if each.startswith("yandex"))
    assert " 7  (6) " in line
    assert "The figures in brackets, where they differ, are by the model “Last touch”." in text
    (line,) = (each for each in text.splitlines() if each.startswith("vk.com"))
    assert "(" not in line
    assert ">7<br><span" in page
    assert "The smaller figures, where they differ, are by the model “Last touch”." in page
    rows = {row["Source"]: row for row in Book(workbook.get_content()).rows()}
    assert rows["yandex"]["By “Last touch”: Orders"] == 6


def test_whoever_has_a_link_and_who_lists_saved_reports_see_both(
    ann: FlaskClient, books: Database, now: datetime
) -> None:
    report_id = saved(books, now, period="30d")
    with books.write() as session:
        report = saved_reports.get_report(session, [1], report_id)
        token = saved_reports.make_link(session, By(now, OLGA), report, days=7)
    stranger = ann.application.test_client().get(f"/shared/reports/{token}").text
    assert "The smaller figures, where they differ, are by the model “Last touch”." in stranger
    assert read_table(stranger).rows["yandex"]["Orders"].inside[1] == "6"
    assert "Source · 30 days · First touch · beside it “Last touch”" in ann.get("/reports/saved").text
    assert csrf_token(ann)


def test_the_command_line_tells_both(here: Any) -> None:  # noqa: F811
    words = ("--model", "first", "--against", "linear", "--by", "source")
    told = here.done("report", *words, *DAYS)
    assert "ORDERS BY LINEAR" in told
    assert "ROMI BY LINEAR" in told
    assert "Beside it stands what the model linear says." in told
    row = here.json("report", *words, *DAYS)["rows"][0]
    rows = listed(here.done("report", *words, "--csv", *DAYS))
    assert rows[row["source"]]["target_against"] == str(row["against"]["target"])
    here.done("saved", "add", "Doors", "by=source&model=first&against=own&since=2025-11-01&until=2025-11-30")
    assert "ORDERS BY OWN" in here.done("saved", "show", "Doors")
    assert here.run("report", *words, "--compare").exit_code == 2
    assert here.run("report", "--only", "tag=loud").exit_code == 2
    assert "stands beside itself" in here.refused("report", "--against", "own")
