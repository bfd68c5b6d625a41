"""Report data as Parquet files: exact types, what reports count, whole files, and little memory."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from support.command import Installation, furnish
from test_overview import BERLIN, NOW, USUAL
from test_reports import ReportBooks

from tracker.database import Database
from tracker.models import AuditEntry, Call, Company
from tracker.parquet_export import schema_of, write_files
from tracker.policy.report_words import By
from tracker.report_views import VIEWS

FILES = {f"{name.removeprefix('report_')}.parquet" for name in VIEWS}


@pytest.fixture
def books(database: Database) -> ReportBooks:
    return ReportBooks(database, BERLIN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def write(books: ReportBooks, folder: Path, company_id: int | None = None, **more: int) -> dict[str, int]:
    with books.database.read() as session:
        company = session.get_one(Company, company_id or books.pallets.company_id)
        return {made.path.name: made.rows for made in write_files(session, company, folder, **more)}


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / f"{name}.parquet").to_pylist()
    return rows


def test_files_say_what_reports_say(books: ReportBooks, folder: Path) -> None:
    books.tell([USUAL | {"minutes": 9 + place, "origin": place, "talk": 7.5} for place in range(48)])
    books.spend(12, "yandex", medium="cpc")
    made = write(books, folder)
    assert {path.name for path in folder.iterdir()} == FILES == made.keys()
    calls, sales, costs = (read(folder, name) for name in ("calls", "sales", "costs"))
    assert made["calls.parquet"] == len(calls) == 48
    report = books.report(By.SOURCE)
    counts = Counter(row["source"] for row in calls)
    assert counts == {
        (None if line.labels[0].startswith("(nothing") else line.labels[0]): line.sums.calls
        for line in report.lines
        if line.sums.calls
    }
    assert sum(row["revenue"] for row in sales) == report.whole.sums.revenue
    assert [type(row["revenue"]) for row in sales[:1]] == [Decimal]
    assert sum(row["amount"] for row in costs) == report.whole.sums.cost == 12
    at = min(row["started_at"] for row in calls)
    assert (at, at.utcoffset()) == (NOW - timedelta(minutes=56), timedelta())
    assert all(row["talk_seconds"] == 7.5 for row in calls)


def test_types_are_exact_and_columns_explain_themselves() -> None:
    types = {
        name: {field.name: field.type for field in schema_of(view)} for name, view in VIEWS.items()
    }  # fmt: skip
    assert types["report_sales"]["revenue"] == pa.decimal128(20, 4)
    assert types["report_calls"]["value"] == pa.decimal128(20, 4)
    assert types["report_calls"]["started_at"] == pa.timestamp("us", tz="UTC")
    assert types["report_costs"]["day"] == pa.date32()
    assert types["report_calls"]["is_uncertain"] == pa.bool_()
    for name, columns in types.items():
        assert columns["company_id"] == pa.int64(), name
        money = {"amount", "revenue", "profit", "value"} & columns.keys()
        assert not any(pa.types.is_floating(columns[each]) for each in money)
    field = schema_of(VIEWS["report_sales"]).field("profit")
    assert field.metadata[b"description"].decode() == "gross profit; null: nobody has said"


def test_rows_are_written_in_groups(books: ReportBooks, folder: Path) -> None:
    books.tell([USUAL | {"minutes": 9 + place} for place in range(35)])
    write(books, folder, group_rows=10)
    file = pq.ParquetFile(folder / "calls.parquet")
    assert [file.metadata.row_group(it).num_rows for it in range(file.num_row_groups)] == [10, 10, 10, 5]


def test_another_companys_rows_are_not_among_them(books: ReportBooks, folder: Path) -> None:
    books.tell([USUAL | {"minutes": 9}])
    with books.database.write() as session:
        rival = Company(slug="rival", name="Rival", default_region="DE", created_at=NOW)
        session.add(rival)
        session.flush()
        rival_id = rival.id
    assert set(write(books, folder, rival_id).values()) == {0}
    assert read(folder, "calls") == []


def test_a_file_that_cannot_be_finished_leaves_the_old_one(books: ReportBooks, folder: Path) -> None:
    books.tell([USUAL | {"minutes": 9}])
    write(books, folder)
    with books.database.write() as session:
        session.execute(sa.update(Call).values(value=Decimal(1)))
    (folder / "visits.parquet").unlink()
    (folder / "visits.parquet").mkdir()  # in the way
    with pytest.raises(OSError, match="visits"):
        write(books, folder)
    assert {path.name for path in folder.iterdir()} == FILES
    assert read(folder, "calls")[0]["value"] == 1


def test_the_command_writes_them_and_the_log_says_so(tmp_path: Path) -> None:
    here = Installation(tmp_path / "home")
    furnish(here)
    here.done("cost", "add", "2025-11-05", "5", "--source", "google")
    told = here.json("export", str(tmp_path / "data"))
    assert {Path(each["file"]).name: each["rows"] for each in told}["costs.parquet"] == 1
    assert read(tmp_path / "data", "costs")[0]["amount"] == Decimal("5.0000")
    assert "costs.parquet: 1 rows" in here.done("export", str(tmp_path / "data"))
    database = Database(f"sqlite:///{tmp_path / 'home' / 'leaseline.db'}")
    with database.read() as session:
        actions = session.scalars(sa.select(AuditEntry.action)).all()
    assert actions.count("data.export") == 2
    database.close()
