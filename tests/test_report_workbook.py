"""A report as a workbook: numbers are numbers, words are text and no formula, and it says how to read it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from support.workbook import MAIN, Book

from tracker.policy.figures import Counts
from tracker.policy.report import Coverage, Days, Grouped, Report, Wish, Won, assemble
from tracker.policy.report_text import advice
from tracker.policy.report_words import Blank, By, Weekday
from tracker.policy.spans import Span
from tracker.policy.tongue import Tongue
from tracker.report_mail import Told, html, text
from tracker.report_workbook import bytes_of

HOSTILE = (
    '=HYPERLINK("http://evil.example")', "+79160000001", "-2+3", "@SUM(A1)", "00123", "<r>x</r>", "]]>",
    "<script>alert(1)</script>",
)  # fmt: skip
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30), FIRST, FIRST, (("period", "last_month"),))
TOLD = Told(
    company="Pallets", name="<b>Spring</b>", page="https://calls.example/reports?by=source&period=30d",
    stop="https://calls.example/reports/saved", who="Olga", times="Every day: 08:00", zone="UTC",
    file="a.xlsx",
)  # fmt: skip


def report(wish: Wish, *keys: tuple[object, ...], compare: bool = False) -> Report:
    """Rows of these words, each with ten calls, an order and a cost of 700 for a profit of 200.50."""
    rows = tuple(keys)
    days = Days(
        calls={key: Grouped(Counts(calls=10, answered=9, target=4), 8) for key in rows},  # type: ignore[misc]
        won={key: Won(1, Decimal(500), Decimal("200.50")) for key in rows},  # type: ignore[misc]
        costs={key: Decimal(700) for key in rows},  # type: ignore[misc]
        everything=Grouped(Counts(calls=10 * len(rows), answered=9 * len(rows), target=4 * len(rows)), 8),
        earned=Won(len(rows), Decimal(500 * len(rows)), Decimal("200.50") * len(rows)),
        coverage=Coverage(calls=10, attributed=7, uncertain=1, answered=9, judged=4, orders=1, matched=1),
    )
    return assemble(wish, "EUR", (NOVEMBER, days), (NOVEMBER, days) if compare else None)


def test_figures_are_numbers_with_their_units_above_and_a_total_below() -> None:
    found = report(
        Wish(By.SOURCE, By.WEEKDAY), ("google", Weekday(0)), (Blank.UNKNOWN, Weekday(6)), compare=True
    )
    book = Book(bytes_of(found, Tongue(), "Spring", "Pallets"))
    assert book.names == ["Report", "How to read it"]
    first, second, total = book.rows()
    assert (first["Source"], first["Weekday"]) == ("google", "Monday")
    assert (second["Source"], second["Weekday"]) == ("(nothing known)", "Sunday")
    assert (total["Source"], total["Calls"], total["Orders"]) == ("Total", 20, 2)
    assert first["Cost, EUR"] == 700
    assert first["Gross profit, EUR"] == 200.5
    assert first["ROMI, %"] == -0.713571  # a share, shown in per cent
    assert first["Share of calls, %"] == 0.5
    assert first["Before: Cost, EUR"] == 700
    pane = book.sheet().find(f".//{MAIN}pane")
    assert pane is not None
    assert (pane.get("xSplit"), pane.get("ySplit"), pane.get("state")) == ("2", "1", "frozen")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_word_is_a_formula_a_link_or_a_number(name: str) -> None:
    book = Book(bytes_of(report(Wish(By.KEYWORD), (name,)), Tongue(), name, name))
    for part in (1, 2):
        assert list(book.sheet(part).iter(f"{MAIN}f")) == []
        assert list(book.sheet(part).iter(f"{MAIN}hyperlink")) == []
    assert book.rows()[0]["Keyword"].removeprefix("'") == name


def test_what_nobody_knows_is_an_empty_cell() -> None:
    days = Days(
        {("google",): Grouped(Counts(calls=1))}, {}, {}, Grouped(Counts(calls=1)), Won(), Coverage(calls=1)
    )
    (row, _) = Book(bytes_of(assemble(Wish(By.SOURCE), "EUR", (NOVEMBER, days)), Tongue(), "x", "y")).rows()
    assert row["Calls"] == 1
    assert row["Cost, EUR"] is row["ROMI, %"] is row["Cost per order, EUR"] is None


def test_the_second_sheet_says_how_to_read_the_first() -> None:
    book = Book(bytes_of(report(Wish(By.SOURCE), ("google",)), Tongue(), "Spring", "Pallets"))
    said = " ".join(book.shared)
    assert "1 Nov 2026 – 30 Nov 2026" in said
    assert "“google” cost €499.50 more than it brought" in said or "“google” cost €500 more" in said
    assert "Coverage: 7 of 10 calls have a source, 1 of them uncertain; 30.0 % have none." in said
    assert "A sale is the origin’s that its call came from." in said
    assert "95 times in 100" in said
    assert "ROMI from" in said


def test_of_many_losing_rows_the_first_are_named_and_the_others_counted() -> None:
    found = report(Wish(By.SOURCE), *((f"source {place:02}",) for place in range(30)))
    said = advice(found, Tongue())
    assert len([each for each in said if "more than it brought" in each]) == 5
    assert "Further rows that cost more than they brought: 25." in said


def test_a_mail_shows_twenty_rows_and_no_markup_of_anybody_else_s() -> None:
    found = report(Wish(By.KEYWORD), *((f"{HOSTILE[place % 8]} {place}",) for place in range(30)))
    told, page = text(found, TOLD, Tongue()), html(found, TOLD, Tongue())
    assert "Rows that are not shown here: 10." in told
    assert page.count("<tr>") - page.count('presentation"') == 22  # the head, twenty rows, the total
    assert "<script" not in page
    assert "<b>Spring" not in page
    assert "&lt;b&gt;Spring&lt;/b&gt;" in page
    assert 'href="https://calls.example/reports?by=source&amp;period=30d"' in page
    for outside in ("<img", "url(", "<link", "<style", "@import"):
        assert outside not in page
