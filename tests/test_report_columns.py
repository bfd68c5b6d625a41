"""Reports out of day sheets say what reports out of the calls say: whatever changes, in whatever order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.journeys import Came, add_visit, add_visitor
from test_overview import NOW, USUAL, told
from test_reports import ReportBooks

from tracker import report_columns, sheet_maker, visit_columns
from tracker.column_shelf import MOST_BYTES, bytes_kept, keep, kept
from tracker.database import Database
from tracker.models import (
    Call,
    CallTag,
    Category,
    Channel,
    Company,
    DaySheet,
    Number,
    PageView,
    Sale,
    SheetColumn,
    Site,
    Tag,
    Target,
    Visit,
    Visitor,
)
from tracker.models.sheet_triggers import NAMES, VISIT_COLUMNS
from tracker.path_report import read_paths
from tracker.policy.call_words import Delay
from tracker.policy.columns import Column, joined, read, write
from tracker.policy.credit import Model
from tracker.policy.journeys import Goal
from tracker.policy.path_table import PathWish
from tracker.policy.report import ONLY, Report, Wish
from tracker.policy.report_words import CREDITED, Blank, By, Calendar, Weekday
from tracker.policy.spans import read_spans
from tracker.report_cells import Asked, Cells
from tracker.reports import read_report
from tracker.sheet_kinds import digest_of, digests
from tracker.walk_columns import read_walks

YEAR = {"since": "2026-01-01"}
MONTH = {"period": "30d"}
DAY = timedelta(days=1)


class ColumnBooks(ReportBooks):
    def make(self, most: int = 999) -> int:
        turn = sheet_maker.take_turn(self.database, NOW, most)
        assert turn.problem is None
        return turn.days

    def read(self, wish: Wish, words: Mapping[str, str], *, by_sheets: bool, compare: bool = False) -> Report:
        asked = {name: [word] for name, word in words.items()}
        with self.database.read() as session:
            company = session.get_one(Company, self.pallets.company_id)
            return read_report(session, company, wish, asked, NOW, compare=compare, by_sheets=by_sheets)

    def agrees(self, wish: Wish, words: Mapping[str, str], *, compare: bool = False) -> bool:
        told, counted = (self.read(wish, words, by_sheets=it, compare=compare) for it in (True, False))
        return told == counted

    def write(self, statement: Any) -> None:
        with self.database.write() as session:
            session.execute(statement)

    def say_elsewhere(self) -> None:
        """Let sheets tell another source than the calls do."""
        self.write(sa.update(SheetColumn).where(SheetColumn.name == "source").values(data=SOURCES))
        with self.database.write() as session:
            for sheet in session.scalars(
                sa.select(DaySheet).where(DaySheet.kind == report_columns.KIND.name)
            ):
                told = digests(sheet.data or "") | {"source": digest_of(SOURCES)}
                sheet.data = json.dumps(told)

    def missing(self) -> int:
        with self.database.read() as session:
            return len(sheet_maker.missing(session, NOW))


@pytest.fixture(params=["Europe/Berlin", "Asia/Kolkata"])
def books(request: pytest.FixtureRequest, database: Database) -> ColumnBooks:
    return ColumnBooks(database, ZoneInfo(request.param))


@pytest.fixture
def either(database: Database) -> ColumnBooks:
    """On each database, where the zone makes no difference."""
    return ColumnBooks(database, ZoneInfo("Europe/Berlin"))


@pytest.fixture
def lean(sqlite: Database) -> ColumnBooks:
    return ColumnBooks(sqlite, ZoneInfo("Europe/Berlin"))


parts = st.lists(st.sampled_from(list(By)), min_size=1, max_size=2, unique=True)
narrowed: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.dictionaries(
        st.sampled_from(ONLY), st.sampled_from(["m", "google", "Spring", "", "(not set)"]), max_size=2
    ),
)
changes = st.lists(
    st.sampled_from(["judge", "tag", "untag", "move", "delete", "classify", "rename", "make"]), max_size=6
)


def change(books: ColumnBooks, what: str, turn: int) -> None:
    """Something of some call, visit or name becomes another."""
    some = Call.id % 3 == turn % 3
    if what == "make":
        books.make(3)
    elif what == "judge":
        books.write(sa.update(Call).where(some).values(category=list(Category)[turn % 3], uncertain=True))
    elif what == "tag":
        new = sa.select(Call.id, sa.literal(books.tags[0])).where(
            some, ~sa.exists().where(CallTag.call_id == Call.id, CallTag.tag_id == books.tags[0])
        )
        books.write(sa.insert(CallTag).from_select(["call_id", "tag_id"], new))
    elif what == "untag":
        books.write(sa.delete(CallTag).where(CallTag.call_id % 2 == turn % 2))
    elif what == "move":
        books.write(sa.update(Call).where(some).values(started_at=NOW - timedelta(days=turn + 2)))
    elif what == "delete":
        books.write(sa.delete(CallTag).where(CallTag.call_id % 5 == turn))
        gone = sa.select(CallTag.call_id)
        books.write(sa.delete(Call).where(Call.id % 5 == turn, Call.id.not_in(gone), ~_sold()))
    elif what == "classify":
        books.write(
            sa.update(Visit).where(Visit.id % 3 == turn % 3).values(campaign=f"new {turn}", device="tv")
        )
    else:
        books.write(sa.update(Channel).values(campaign=f"renamed {turn}"))
        books.write(sa.update(Tag).where(Tag.id == books.tags[0]).values(name=f"tag {turn}"))


def _sold() -> Any:
    return sa.exists().where(Sale.call_id == Call.id)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(told, max_size=40),
    parts=parts,
    only=narrowed,
    words=st.sampled_from([MONTH, {"period": "today"}, {"period": "yesterday"}, YEAR]),
    happened=changes,
)
def test_reports_by_sheets_are_those_of_the_calls(
    books: ColumnBooks,
    told: list[dict[str, Any]],
    parts: list[By],
    only: dict[str, str],
    words: dict[str, str],
    happened: list[str],
) -> None:
    books.tell(told)
    books.spend(10, "yandex", medium="m", campaign="spring")
    books.make()
    wish = Wish(parts[0], parts[1] if len(parts) > 1 else None, only=only)
    assert books.agrees(wish, words, compare=True)
    for turn, what in enumerate(happened):
        change(books, what, turn)
    assert books.agrees(wish, words)
    assert all(each.agrees for each in sheet_maker.check(books.database))
    books.make()
    assert books.missing() == 0
    assert books.agrees(wish, words)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(told, max_size=30),
    parts=st.lists(st.sampled_from(sorted(CREDITED)), min_size=1, max_size=2, unique=True),
    only=narrowed,
    model=st.sampled_from(Model),
    moved=st.integers(1, 9),
)
def test_models_over_sheets_share_as_over_journeys(
    lean: ColumnBooks,
    told: list[dict[str, Any]],
    parts: list[By],
    only: dict[str, str],
    model: Model,
    moved: int,
) -> None:
    lean.tell(told)
    with lean.database.write() as session:  # several visitors, who come again
        owners = list(session.scalars(sa.select(Visitor.id)))
        while len(owners) < 4:
            owners.append(add_visitor(session, lean.pallets, f"visitor {len(owners)}", NOW).id)
        for place, visit in enumerate(session.scalars(sa.select(Visit).order_by(Visit.id))):
            visit.visitor_id = owners[place * moved % 4]
            visit.started_at = NOW - timedelta(hours=7 * (place * moved % 50))
        for place in range(2):
            lean.sell(session, Decimal(100 + place), visitor=owners[place], at=NOW - timedelta(days=place))
        for place, call in enumerate(session.scalars(sa.select(Call).order_by(Call.id).limit(6))):
            lean.sell(session, Decimal(7), call=call, at=NOW - timedelta(days=5 * place))
    lean.make()
    wish = Wish(parts[0], parts[1] if len(parts) > 1 else None, model=model, only=only)
    assert lean.agrees(wish, MONTH)
    assert lean.agrees(wish, {"period": "7d"})
    with lean.database.read() as session:
        company = session.get_one(Company, lean.pallets.company_id)
        found = [
            read_paths(session, company, PathWish(by, goal), {"period": ["30d"]}, NOW, by_sheets=it)
            for by in (By.CHANNEL, By.SOURCE)
            for goal in Goal
            for it in (True, False)
        ]
    assert found[::2] == found[1::2]


def many(count: int = 30) -> list[dict[str, Any]]:
    """Calls of as many days, from here and there."""
    return [USUAL | {"minutes": 1440 * (day + 1), "origin": day % 45} for day in range(count)]


def test_days_that_have_sheets_are_not_counted_again(lean: ColumnBooks) -> None:
    lean.tell(many())
    lean.make()
    lean.say_elsewhere()
    told = lean.read(Wish(By.SOURCE), YEAR, by_sheets=True)
    assert {line.labels: line.sums.calls for line in told.lines if line.sums.calls} == {("elsewhere",): 30}
    (sheet, *_) = [each for each in sheet_maker.check(lean.database) if each.kind == report_columns.KIND.name]
    assert not sheet.agrees


def test_columns_that_are_not_those_of_their_sheet_are_counted_again(lean: ColumnBooks) -> None:
    lean.tell(many())
    lean.make()
    lean.write(sa.update(SheetColumn).where(SheetColumn.name == "source").values(data=SOURCES))
    assert lean.agrees(Wish(By.SOURCE), YEAR)
    lean.write(
        sa.delete(SheetColumn).where(SheetColumn.name == "medium", SheetColumn.since_at < NOW - 9 * DAY)
    )
    assert lean.agrees(Wish(By.MEDIUM), YEAR)
    for name in ("device", "hour"):  # of all days
        lean.write(sa.delete(SheetColumn).where(SheetColumn.name == name))
        assert lean.agrees(Wish(By(name)), YEAR)
        assert lean.agrees(Wish(By(name)), MONTH)
    lean.write(sa.delete(SheetColumn))
    assert lean.agrees(Wish(By.COUNTRY), YEAR)


def test_what_was_kept_in_memory_is_not_told_when_it_has_changed(lean: ColumnBooks) -> None:
    lean.tell(many())
    lean.make()
    read_before = [lean.read(Wish(By.CATEGORY), YEAR, by_sheets=True) for _ in range(2)]
    assert read_before[0] == read_before[1]
    for turn in range(3):
        lean.write(sa.update(Call).where(Call.id % 7 == turn).values(category=Category.TARGET))
        assert lean.agrees(Wish(By.CATEGORY), YEAR)  # the day is counted anew
        lean.make()
        assert lean.agrees(Wish(By.CATEGORY), YEAR)  # it has a sheet again


def test_what_was_used_last_is_kept_the_longest_and_no_more_than_fits() -> None:
    quarter = MOST_BYTES // 4
    for name in "abcde":
        keep(("test", name), np.zeros(quarter // 8, np.int64))
        kept(("test", "a"))
    assert bytes_kept() <= MOST_BYTES
    assert [name for name in "abcde" if kept(("test", name)) is not None] == ["a", "c", "d", "e"]
    keep(("test", "huge"), np.zeros(quarter // 8 + 1, np.int64))
    assert kept(("test", "huge")) is None


SOURCES = write(Column.of_words(["elsewhere"]))  # of a day with one call


@pytest.mark.parametrize("names", [(Channel, "name"), (Channel, "source"), (Channel, "medium"),
    (Channel, "campaign"), (Channel, "keyword"), (Number, "e164"), (Site, "name"), (Tag, "name"),
    (Target, "name"), (Company, "timezone")], ids=lambda it: f"{it[0].__tablename__}.{it[1]}")  # fmt: skip
def test_a_name_that_is_changed_takes_the_companys_sheets_back(
    either: ColumnBooks, names: tuple[Any, str]
) -> None:
    model, column = names
    either.tell(many(9))
    either.make()
    value = "Asia/Tokyo" if column == "timezone" else "+4930999999" if column == "e164" else "new"
    one = sa.select(sa.func.max(model.id)).where(
        sa.true() if model is Company else model.company_id == either.pallets.company_id
    )
    either.write(sa.update(model).where(model.id == one.scalar_subquery()).values({column: value}))
    assert either.missing() > 0
    with either.database.read() as session:
        left = set(session.scalars(sa.select(DaySheet.kind)))
        assert set(session.scalars(sa.select(SheetColumn.kind))) <= {visit_columns.KIND.name}
    assert left == {"overview", visit_columns.KIND.name}
    assert column in NAMES[model.__tablename__][1]
    assert either.agrees(Wish(By.CHANNEL, By.TAG), MONTH)


def test_what_a_visit_is_told_by_takes_its_calls_days_back(either: ColumnBooks) -> None:
    either.tell([USUAL | {"minutes": 1440 * 3, "origin": 0}])
    with either.database.write() as session:
        other = add_visitor(session, either.pallets, "other", NOW)
        site = Site(company_id=either.pallets.company_id, name="Other", key="other", created_at=NOW)
        session.add(site)
        session.flush()
        ids = {"visitor_id": other.id, "site_id": site.id}
    either.make()
    for name in VISIT_COLUMNS:
        attribute = "group" if name == "channel_group" else name
        value = ids.get(name, NOW - timedelta(days=4) if name == "started_at" else "XX")
        either.write(sa.update(Visit).where(Visit.id == either.visits[0]).values({attribute: value}))
        assert either.missing(), name
        assert either.agrees(Wish(By.SOURCE, By.CAMPAIGN), MONTH)
        either.make()


def test_a_visit_that_comes_or_goes_takes_its_day_back(either: ColumnBooks) -> None:
    either.tell(many(5))
    either.make()
    with either.database.write() as session:
        visitor = add_visitor(session, either.pallets, "late", NOW)
        came = Came(0, "cpc", "google", "Paid Search", (("", "", 1),))
        visit = add_visit(session, either.pallets, visitor, came, NOW - timedelta(days=3))
        visit_id = visit.id
    assert either.missing() == 1
    either.make()
    either.write(sa.delete(PageView).where(PageView.visit_id == visit_id))
    assert either.missing() == 0
    either.write(sa.delete(Visit).where(Visit.id == visit_id))
    assert either.missing() == 1


def test_models_read_sheets_where_there_are_some(lean: ColumnBooks) -> None:
    lean.tell(many())
    lean.make()
    with lean.database.read() as session:
        company = session.get_one(Company, lean.pallets.company_id)
        zone = ZoneInfo(company.timezone)
        span, _ = read_spans({"period": ["30d"]}, zone, NOW)
        cells = Cells(session, [By.SOURCE], zone, span.since, span.until)
        walks = read_walks(Asked(session, company, Wish(By.SOURCE), cells, span), [])
        assert walks is not None


def test_of_too_many_days_without_sheets_the_database_counts_all(lean: ColumnBooks) -> None:
    lean.tell(many())
    lean.make(most=5)
    lean.say_elsewhere()
    assert lean.agrees(Wish(By.SOURCE), YEAR)


# ---- columns ----


words = st.one_of(
    st.text(max_size=4),
    st.integers(0, 23),
    st.integers(0, 6).map(Weekday),
    st.sampled_from(["2026-11", "2026-11-30"]).map(Calendar),
    st.sampled_from(Blank),
    st.sampled_from(Delay),
)


@given(st.lists(words))
def test_a_column_is_read_as_it_was_written(cells: list[Any]) -> None:
    column = read(write(Column.of_words(cells, range(len(cells)))))
    back = [column.words[code] for code in column.codes.tolist()]
    assert [(type(it), it) for it in back] == [(type(it), it) for it in cells]
    assert column.places is not None
    assert column.places.tolist() == list(range(len(cells)))


@given(st.lists(st.lists(words)))
def test_columns_are_joined_in_their_order(days: list[list[Any]]) -> None:
    columns = [Column.of_words(day, range(len(day))) for day in days]
    column = joined(columns, [len(day) for day in days])
    cells = [cell for day in days for cell in day]
    assert [column.words[code] for code in column.codes.tolist()] == cells
    assert len(column.words) == len({(type(it), it) for it in cells})
    if days:
        assert column.places is not None
        assert column.places.tolist() == list(range(len(cells)))


def test_many_words_have_wider_codes() -> None:
    for count, width in ((200, 1), (300, 2), (70_000, 4)):
        column = read(write(Column.of_words(map(str, range(count)))))
        assert column.codes.itemsize == width
        assert np.array_equal(column.codes, np.arange(count))


def test_callers_that_are_no_numbers_are_told_apart() -> None:
    told = [report_columns.number_of(it) for it in ("+79160000001", "79160000001", "sip:ann", None, "")]
    assert told[0] == 79160000001
    assert len(set(told)) == 5
    assert told[3] == 0
