"""Calls as a workbook: read back from its XML, as a spreadsheet would."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.command import Installation, make_ready
from support.facts import add_pallets, answered, ended, started
from support.recorded import settings_in
from support.showroom import DAY, Showroom, add_company, furnish, place
from support.site import Site
from support.workbook import MAIN, Book, as_date

from tracker import call_workbook
from tracker.books import record_all
from tracker.call_export import COLUMNS
from tracker.database import Database
from tracker.models import AuditEntry, Call, Company, Number
from tracker.policy.call_filter import CallFilter
from tracker.policy.facts import Outcome

EVERY = CallFilter()

HOSTILE = (
    '=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "{=1+1}", "http://evil.example",
    "internal:Sheet2!A1", "00123", "1e5", "TRUE", "<r></t></is></c><c r='A9'><f>1+1</f></c></r>", "<r>x</r>",
    "_x003D_1", "\ufffe\uffff", "]]>", "&lt;", "  spaces  ", "two\nlines", "\U0001f600 \u202egnp",
)  # fmt: skip


Make = Callable[..., tuple[call_workbook.Written, Book]]


@pytest.fixture
def books(sqlite: Database, now: datetime) -> tuple[Database, int, list[str]]:
    with sqlite.write() as session:
        pallets = add_company(session, now, "pallets")
        return sqlite, pallets.company_id, place(session, pallets, now, DAY)


@pytest.fixture
def make(books: tuple[Database, int, list[str]], tmp_path: Path) -> Make:
    database, company_id, _ = books

    def made(by: CallFilter = EVERY, **more: Any) -> tuple[call_workbook.Written, Book]:
        out = io.BytesIO()
        with database.read() as session:
            done = call_workbook.write(session, [company_id], by, out, tmp_path, **more)
        return done, Book(out.getvalue())

    return made


def test_each_cell_is_of_its_own_kind(books: tuple[Database, int, list[str]], make: Make) -> None:
    database, _, keys = books
    with database.write() as session:
        worth = {"value": Decimal("1200.5"), "category": "target"}
        session.execute(sa.update(Call).where(Call.key == keys[0]).values(worth))
    done, book = make()
    rows = book.rows()
    assert (done.calls, done.sheets, len(rows), book.names) == (len(DAY), 1, len(DAY), ["Calls"])
    assert list(rows[0]) == list(COLUMNS)
    first = rows[0]
    assert as_date(first["started"]) == datetime.fromisoformat("2026-11-20T14:56")  # Moscow's clock
    assert (first["caller"], first["number"]) == ("+74957654321", "+74951234571")  # text, with their +
    assert (first["wait_seconds"], first["talk_seconds"]) == (6.0, 96.0)
    assert (first["value"], first["currency"], rows[1]["value"]) == (1200.5, "EUR", None)
    assert (first["outcome"], first["category"], first["repeat"]) == ("answered", "target", True)
    withheld = next(row for row in rows if row["outcome"] == "gave_up")
    assert (withheld["caller"], withheld["caller_name"]) == ("withheld", None)


def test_the_sheet_is_ready_to_be_used(make: Make) -> None:
    sheet = make()[1].sheet()
    pane = sheet.find(f".//{MAIN}pane")
    assert pane is not None
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    chosen = sheet.find(f"{MAIN}autoFilter")
    assert chosen is not None
    assert chosen.get("ref") == f"A1:AE{len(DAY) + 1}"
    assert len(sheet.findall(f".//{MAIN}col")) > 5  # widths


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_a_caller_is_named_is_a_formula_a_link_or_markup(
    books: tuple[Database, int, list[str]], make: Make, text: str
) -> None:
    with books[0].write() as session:
        session.execute(sa.update(Call).values(caller_name=text, heard_of=text))
        session.execute(sa.update(Number).values(label=text))
    _, book = make(CallFilter(outcomes=frozenset({Outcome.MISSED})))
    sheet = book.sheet()
    for tag in ("f", "hyperlink", "r"):
        assert sheet.findall(f".//{MAIN}{tag}") == []
    rows = book.rows()
    assert len(rows) == 2
    assert [len(row) for row in rows] == [len(COLUMNS)] * 2
    for column in ("caller_name", "heard_of", "label"):
        assert unescaped(rows[0][column]) in {text, "'" + text}


def unescaped(text: str) -> str:
    """As Excel reads what XML cannot say."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_calls_beyond_a_sheet_go_on_in_the_next_and_the_first_says_so(make: Make) -> None:
    done, book = make(sheet_rows=8)  # a header, six calls, the line that says where the others are
    assert (done.calls, done.sheets) == (len(DAY), 3)
    assert book.names == ["Calls", "Calls 2", "Calls 3"]
    sheets = [book.rows(number) for number in (1, 2, 3)]
    assert sheets[0].pop()["started"] == "Older calls: sheet Calls 2"
    assert sheets[1].pop()["started"] == "Older calls: sheet Calls 3"
    keys = [row["key"] for sheet in sheets for row in sheet]
    assert len(keys) == len(set(keys)) == len(DAY)


def test_nothing_is_left_behind(make: Make, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    assert make(CallFilter(outcomes=frozenset({Outcome.BUSY})))[0].calls == 1
    assert set(tmp_path.iterdir()) == before


@pytest.fixture
def house(sqlite: Database, tmp_path: Path, now: datetime) -> tuple[Site, Showroom, FlaskClient]:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, tuple(replace(call, sound=False) for call in DAY))
    site = Site(sqlite, settings, now)
    return site, room, site.log_in("ann@pallets.example", 1)


def test_the_page_sends_exactly_what_is_filtered_and_writes_it_down(
    house: tuple[Site, Showroom, FlaskClient], tmp_path: Path, now: datetime
) -> None:
    site, _, ann = house
    before = set(tmp_path.iterdir())
    answer = ann.get("/calls.xlsx?outcome=missed")
    assert answer.status_code == 200
    assert answer.content_type.endswith("spreadsheetml.sheet")
    assert re.fullmatch('attachment; filename="calls-[0-9-]+.xlsx"', answer.headers["Content-Disposition"])
    assert answer.content_length == len(answer.data)
    assert answer.headers["Cache-Control"] == "no-store"
    assert [row["outcome"] for row in Book(answer.data).rows()] == ["missed", "missed"]
    assert set(tmp_path.iterdir()) == before
    with site.database.write() as session:
        wanted = sa.select(AuditEntry.detail).where(AuditEntry.action == "call.export")
        assert list(session.scalars(wanted)) == [{"filter": "?outcome=missed", "format": "xlsx"}]
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    assert Book(site.log_in("eve@rival.example", 2).get("/calls.xlsx").data).rows() == []
    assert ann.get("/calls.xlsx?since=soon").status_code == 400
    assert 'href="/calls.xlsx?outcome=missed"' in ann.get("/calls?outcome=missed").text


def test_the_command_writes_a_file_whole_or_not_at_all(tmp_path: Path, now: datetime) -> None:
    here = Installation(tmp_path / "home")
    make_ready(here)
    database = Database(f"sqlite:///{here.home / 'leaseline.db'}", wait_seconds=5)
    with database.write() as session:
        pallets = add_pallets(session, now)
        talk = answered(pallets.office_id, now, "one"), ended(now + timedelta(seconds=60), "one")
        record_all(session, [started(pallets.billboard, now, "one"), *talk])
        session.execute(sa.update(Call).values(value=Decimal("49.9")))
    database.close()
    files = tmp_path / "files"
    files.mkdir()
    book, lines = files / "calls.xlsx", files / "calls.csv"
    said = here.done("calls", "export", "--format", "xlsx", "-o", str(book), "--value-from", "49,90")
    assert said == f"{book}: 1 call\n"
    assert [row["key"] for row in Book(book.read_bytes()).rows()] == ["one"]
    here.done("calls", "export", "-o", str(lines))
    assert lines.read_text("utf-8-sig") == here.done("calls", "export").removeprefix("\ufeff")
    assert json.loads(here.done("calls", "export", "--json"))["value"] == "49.9"
    assert sorted(files.iterdir()) == [lines, book]
    misused = here.run("calls", "export", "--format", "xlsx")
    assert (misused.exit_code, "give -o FILE" in misused.stderr) == (2, True)
    nowhere = str(files / "none" / "calls.xlsx")
    assert "is no folder" in here.refused("calls", "export", "--format", "xlsx", "-o", nowhere)
    assert "value_from is 'much'" in here.refused("calls", "list", "--value-from", "much")
    listed = json.loads(here.done("calls", "list", "--value-to", "50", "--json"))["calls"]
    assert [(call["value"], call["currency"]) for call in listed] == [("49.9", "EUR")]
    assert "No call is all of this" in here.done("calls", "list", "--value-from", "50")
