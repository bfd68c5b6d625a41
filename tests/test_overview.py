"""The overview's figures on real books: each is as many calls as the list finds with its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from support.facts import Pallets, add_pallets, answered, ended, leg_ended, started
from support.journeys import Came, add_visit, add_visitor

from tracker import calls
from tracker.books import record_all
from tracker.call_search import narrow
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, Category, Channel, Company, Number, NumberUse
from tracker.overview import read_overview, read_today
from tracker.policy.call_filter import CallFilter, read_filter
from tracker.policy.facts import Outcome, Presentation
from tracker.policy.figures import Figure, total
from tracker.policy.overview import Overview
from tracker.policy.spans import Asks

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
# Mondays noon; the clocks of Berlin went back on 25 October 2026.
NOW = datetime(2026, 10, 26, 11, 30, tzinfo=UTC)
GROUPS = ("Paid Search", "Organic Search", "", "Referral")
SOURCES = ("google", "yandex", "(direct)", "", "a/b & c=d", "кто-то", "x", "y", "z", "w")


def every_figure(it: Overview) -> Iterator[Figure]:
    """All that the page shows as a number of calls."""
    for figures in (
        it.now,
        it.earlier,
        *(bar.figures for bar in it.bars),
        *(line.figures for line in it.lines),
    ):
        yield from figures.all()
    for figures in (*it.week.values(), *(line.figures for line in it.numbers)):
        yield from (figures.calls, figures.missed, figures.target)
    for employee in it.employees:
        yield from (employee.answered, employee.missed, employee.target)
    yield from it.answered.values()


class Books:
    """A company's calls, and how the list counts them."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self.database, self.zone = database, zone
        with database.write() as session:
            self.pallets = add_pallets(session, NOW)
            visitor = add_visitor(session, self.pallets, "somebody", NOW)
            self.visits = [
                add_visit(session, self.pallets, visitor, Came(0, "m", source, group, (("", "", 1),)), NOW).id
                for group in GROUPS
                for source in SOURCES
            ]
            numbers = session.scalars(sa.select(Number).order_by(Number.id))
            self.numbers = [number.id for number in numbers]

    def tell(self, told: Sequence[dict[str, Any]]) -> None:
        """Exactly these calls, and no other."""
        with self.database.write() as session:
            session.execute(sa.delete(Call))
            rows = [self.row(place, each) for place, each in enumerate(told)]
            if rows:
                session.execute(sa.insert(Call), rows)

    def row(self, place: int, told: dict[str, Any]) -> dict[str, Any]:
        origin = told["origin"]
        visit = self.visits[origin % len(self.visits)] if origin < len(self.visits) else None
        channels = (self.pallets.billboard_channel_id, self.pallets.leaflet_channel_id)
        channel = channels[origin % 2] if visit is None and origin % 3 else None
        targets = (self.pallets.office_id, self.pallets.mobile_id)
        took = told["outcome"] is Outcome.ANSWERED
        return {
            "key": f"call-{place}", "node": "main", "company_id": self.pallets.company_id,
            "number_id": self.numbers[told["number"]], "presentation": told["shown"],
            "caller": told["caller"] if told["shown"] is Presentation.ALLOWED else None,
            "repeat": told["repeat"], "visit_id": visit, "channel_id": channel,
            "started_at": NOW - timedelta(minutes=told["minutes"]), "outcome": told["outcome"],
            "wait_seconds": told["wait"] if told["outcome"] else None,
            "talk_seconds": told["talk"] if took else None, "category": told["category"],
            "target_id": targets[told["number"] % 2] if took or told["outcome"] is None else None,
        }  # fmt: skip

    def overview(self, **words: str) -> Overview:
        with self.database.read() as session:
            asked = {name: [word] for name, word in words.items()}
            return read_overview(session, [self.pallets.company_id], asked, self.zone, NOW)

    def found(self, asks: Asks) -> Sequence[Call]:
        """What the list shows for these words, as they stand in an address."""
        with self.database.read() as session:
            return calls.list_calls(session, [self.pallets.company_id], None, 500, self._filter(asks)).calls

    def _filter(self, asks: Asks) -> CallFilter:
        words: dict[str, list[str]] = {}
        for name, value in asks:
            words.setdefault(name, []).append(value)
        return read_filter(words, self.zone, NOW.astimezone(self.zone).date())

    def disagreements(self, overview: Overview) -> list[tuple[Figure, int]]:
        asked = {figure.asks: figure for figure in every_figure(overview)}
        with self.database.read() as session:
            # One that is missing makes the sums wrong: each call is in one bar and one line.
            counted = [(it, self.count(session, it.asks)) for it in asked.values() if it.count]
        return [(figure, count) for figure, count in counted if figure.count != count]

    def count(self, session: Session, asks: Asks) -> int:
        theirs = sa.select(Call).where(Call.company_id == self.pallets.company_id)
        wanted = narrow(theirs, self._filter(asks)).with_only_columns(sa.func.count())
        return session.scalar(wanted) or 0


USUAL = {
    "number": 0, "origin": 40, "caller": "+4930998877", "shown": Presentation.ALLOWED, "repeat": False,
    "outcome": Outcome.ANSWERED, "category": None, "wait": 3.0, "talk": 9.0,
}  # fmt: skip

told = st.fixed_dictionaries(
    {
        "minutes": st.integers(0, 62 * 1440),
        "number": st.integers(0, 3),
        "origin": st.integers(0, 47),
        "caller": st.sampled_from(["+79160000001", "+79160000002", "+4930998877", "101"]),
        "shown": st.sampled_from([Presentation.ALLOWED, Presentation.ALLOWED, Presentation.WITHHELD]),
        "repeat": st.booleans(),
        "outcome": st.sampled_from([None, *Outcome, *[Outcome.ANSWERED] * 4]),
        "category": st.sampled_from([None, None, *Category]),
        "wait": st.integers(0, 90).map(float),
        "talk": st.integers(0, 900).map(float),
    }
)
many = st.lists(told, max_size=60)
wishes = st.sampled_from(
    [{"period": "30d"}, {"period": "7d"}, {"period": "today"}, {"since": "2026-10-25", "until": "2026-10-25"},
     {"since": "2026-09-01"}, {"since": "2026-06-01", "until": "2026-10-20"}]
)  # fmt: skip


@pytest.fixture(params=["Europe/Berlin", "Asia/Kolkata"])
def books(request: pytest.FixtureRequest, database: Database) -> Books:
    return Books(database, ZoneInfo(request.param))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=many, words=wishes)
def test_every_figure_is_as_many_calls_as_its_words_find(
    books: Books, told: list[dict[str, Any]], words: dict[str, str]
) -> None:
    books.tell(told)
    overview = books.overview(**words)
    assert books.disagreements(overview) == []
    now = overview.now.counts
    assert total(it.figures.counts for it in overview.bars)[:12] == now[:12]
    assert total(it.figures.counts for it in overview.lines)[:10] == now[:10]
    assert total(it.counts for it in overview.week.values())[:12] == now[:12]
    assert now.calls == len(books.found(overview.now.asks))
    assert overview.callers.count == len({call.caller for call in books.found(overview.callers.asks)})
    assert sum(it.count for it in overview.answered.values()) == now.answered
    assert now.unjudged == overview.answered[None].count


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(told, min_size=1, max_size=60))
def test_times_are_those_of_the_calls_answered(books: Books, told: list[dict[str, Any]]) -> None:
    books.tell(told)
    overview = books.overview(period="30d")
    answered = sorted(call.wait_seconds or 0.0 for call in books.found(overview.now.answered.asks))
    talks = sorted(call.talk_seconds or 0.0 for call in books.found(overview.now.answered.asks))
    if not answered:
        assert (overview.times.wait, overview.times.wait_most) == (None, None)
        return
    assert overview.times.wait == answered[(len(answered) - 1) // 2]
    assert overview.times.wait_most == answered[-(-9 * len(answered) // 10) - 1]
    assert (overview.times.talk, overview.times.talk_total) == (talks[(len(talks) - 1) // 2], sum(talks))


def test_today_is_compared_with_yesterday_until_the_same_minute(books: Books) -> None:
    # Berlin's clocks went back the day before: half past twelve was 24 hours ago.
    books.tell([USUAL | {"minutes": minutes} for minutes in (1, 24 * 60 - 5, 24 * 60 + 5, 24 * 60 + 6)])
    with books.database.read() as session:
        today, yesterday = read_today(session, [books.pallets.company_id], books.zone, NOW)
    assert today.calls.count == len(books.found(today.asks)) == 1
    assert yesterday.calls.count == len(books.found(yesterday.asks)) == 2


def test_who_rang_in_vain_is_told_by_employee(books: Books) -> None:
    at = NOW - timedelta(hours=2)
    office, mobile = books.pallets.office_id, books.pallets.mobile_id
    with books.database.write() as session:
        record_all(session, [
            started(Pallets.billboard, at, "one"), leg_ended(office, at + timedelta(seconds=9), "one"),
            leg_ended(office, at + timedelta(seconds=19), "one", position=2),
            answered(mobile, at + timedelta(seconds=24), "one", position=3),
        ended(at + timedelta(seconds=90), "one"),
            started(Pallets.billboard, at, "off"),
            leg_ended(mobile, at + timedelta(seconds=9), "off", rang_at=None, status="CHANUNAVAIL"),
        ])  # fmt: skip
    overview = books.overview(period="7d")
    told = {it.name: (it.answered.count, it.missed.count) for it in overview.employees}
    assert told == {"mobile": (1, 0), "office": (0, 1)}
    assert books.disagreements(overview) == []


def test_another_companys_calls_are_counted_nowhere(books: Books) -> None:
    books.tell([])
    with books.database.write() as session:
        other = add_pallets_of_another(session)
        record_all(session, [started("+4930111", NOW - timedelta(hours=1), "theirs")])
        assert session.scalars(sa.select(Call.company_id)).one() == other
    overview = books.overview(period="7d")
    assert overview.now.calls.count == 0
    assert {it.number.e164 for it in overview.numbers} == {Pallets.billboard, Pallets.leaflet}
    with books.database.read() as session:
        nobody = read_overview(session, [], {}, books.zone, NOW)
    assert nobody.now.calls.count == 0


def add_pallets_of_another(session: Session) -> int:
    company = Company(slug="other", name="Other", default_region="DE", created_at=NOW)
    session.add(company)
    session.flush()
    channel = Channel(company_id=company.id, name="Theirs", source="x", medium="offline", created_at=NOW)
    number = Number(company_id=company.id, e164="+4930111", created_at=NOW)
    session.add_all([channel, number])
    session.flush()
    session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=NOW - timedelta(days=9)))
    session.flush()
    return int(company.id)


def test_statements_are_as_many_for_many_calls_as_for_none(books: Books) -> None:
    counted = []
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(books.database.engine, "before_cursor_execute", note)
    for amount in (0, 200):
        books.tell([USUAL | {"minutes": place * 60, "origin": place % 48} for place in range(amount)])
        seen.clear()
        books.overview(period="30d")
        counted.append(len([each for each in seen if each.startswith("SELECT")]))
    sa.event.remove(books.database.engine, "before_cursor_execute", note)
    assert counted[0] == counted[1] <= 12


@pytest.mark.parametrize(
    ("words", "problem"),
    [({"since": "2026-11-01"}, "filter.future"), ({"since": "2020-01-01"}, "filter.too_long"),
     ({"period": "year"}, "filter.malformed"), ({"since": "x"}, "filter.malformed")],
)  # fmt: skip
def test_days_that_cannot_be_shown_are_refused(sqlite: Database, words: dict[str, str], problem: str) -> None:
    with sqlite.read() as session, pytest.raises(Rejected) as refused:
        read_overview(session, [1], {name: [word] for name, word in words.items()}, BERLIN, NOW)
    assert refused.value.id == problem
