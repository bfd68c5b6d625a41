"""Day sheets never say something else than the calls: whatever changes, in whatever order, beside whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from support.command import Installation, furnish
from support.facts import started

from tracker.books import record_all
from tracker.database import Database
from tracker.models import (
    Call,
    CallEvent,
    Category,
    Channel,
    Company,
    DaySheet,
    Number,
    Site,
    Target,
    TargetKind,
    Visit,
    Visitor,
    sheet_changes,
)
from tracker.models.sheet_triggers import CALL_COLUMNS
from tracker.overview import read_overview
from tracker.policy.facts import Direction, Outcome, Presentation, Spam
from tracker.policy.overview import Overview
from tracker.policy.sheets import MOST_GAPS, Gap, Interval, Sheet, days_over, plan
from tracker.policy.tally import Tally, known_as
from tracker.sheet_maker import check, missing, take_turn

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 10, 29, 11, 30, tzinfo=UTC)  # the clocks of Berlin went back on the 25th
DAYS = 10


class House:
    """Two companies whose days begin at different instants, with two of everything each."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as session:
            self.companies = [_company(session, "berlin", BERLIN), _company(session, "kolkata", KOLKATA)]
            self.ids = [company.id for company in self.companies]
            self.channels, self.numbers, self.targets = self._things(session)
            self.visits = self._visits(session)

    def _things(self, session: Session) -> tuple[list[int], list[int], list[int]]:
        kinds: tuple[list[Any], ...] = ([], [], [])
        for place in range(4):
            of = {"company_id": self.ids[place // 2], "created_at": NOW}
            name = f"Thing {place % 2}"
            kinds[0].append(Channel(name=name, source="x", **of))
            kinds[1].append(Number(e164=f"+4930100{place}", **of))
            kinds[2].append(Target(name=name, kind=TargetKind.PEER, host="192.0.2.1", **of))
        session.add_all([row for rows in kinds for row in rows])
        session.flush()
        channels, numbers, targets = ([row.id for row in rows] for rows in kinds)
        return channels, numbers, targets

    def _visits(self, session: Session) -> list[int]:
        site = Site(company_id=self.ids[0], name="s", key="k", created_at=NOW)
        visitor = Visitor(company_id=self.ids[0], key="v", created_at=NOW)
        session.add_all([site, visitor])
        session.flush()
        of = {"site_id": site.id, "visitor_id": visitor.id, "started_at": NOW, "medium": "m"}
        visits = [Visit(source=source, group="Direct", **of) for source in ("a", "b", "c")]
        session.add_all(visits)
        session.flush()
        return [visit.id for visit in visits]

    def empty(self) -> None:
        with self.database.write() as session:
            for table in (CallEvent, Call, DaySheet, sheet_changes):
                session.execute(sa.delete(table))
            session.execute(sa.update(Visit).values(group="Direct", source="x"))

    def row(self, told: dict[str, Any]) -> dict[str, Any]:
        """A call's columns; what it has of its company's is the first or second of it."""
        place = 2 * told["company"] + told["thing"]
        took, site = told["outcome"] is Outcome.ANSWERED, told["visit"] < 3
        return {
            "company_id": self.ids[told["company"]], "number_id": self.numbers[place],
            "visit_id": self.visits[told["visit"]] if site else None,
            "channel_id": self.channels[place] if told["visit"] == 3 else None,
            "target_id": self.targets[place] if took else None, "caller": told["caller"],
            "presentation": told["shown"], "repeat": told["repeat"], "outcome": told["outcome"],
            "category": told["category"], "started_at": NOW - timedelta(minutes=told["minutes"]),
            "wait_seconds": told["wait"], "talk_seconds": told["talk"] if took else None,
            "uncertain": told.get("uncertain", False), "basis": told.get("basis"),
            "direction": told.get("direction", Direction.IN),
        }  # fmt: skip

    def add(self, *calls: dict[str, Any]) -> None:
        with self.database.write() as session:
            have = session.scalar(sa.select(sa.func.coalesce(sa.func.max(Call.id), 0))) or 0
            keys = [{"key": f"call-{have + place}", "node": "main"} for place in range(len(calls))]
            rows = [self.row(each) | key for each, key in zip(calls, keys, strict=True)]
            session.execute(sa.insert(Call), rows)

    def make(self, most: int = 99) -> int:
        turn = take_turn(self.database, NOW, most)
        assert turn.problem is None
        return turn.days

    def overview(self, *, by_sheets: bool, zone: ZoneInfo = BERLIN, **words: str) -> Overview:
        asked = {name: [word] for name, word in words.items()}
        with self.database.read() as session:
            return read_overview(session, self.ids, asked, zone, NOW, by_sheets=by_sheets)

    def says_the_same(self, zone: ZoneInfo = BERLIN, **words: str) -> bool:
        told, counted = (self.overview(by_sheets=it, zone=zone, **words) for it in (True, False))
        return told == counted

    def holding(self) -> int:
        """Days whose sheets hold."""
        with self.database.read() as session:
            return len(days_of_all(self)) - len(missing(session, NOW))


def _company(session: Session, slug: str, zone: ZoneInfo) -> Company:
    company = Company(slug=slug, name=slug, default_region="DE", timezone=zone.key, created_at=NOW)
    session.add(company)
    session.flush()
    return company


def days_of_all(house: House) -> list[Interval]:
    """The days since each company's first call."""
    found: list[Interval] = []
    with house.database.read() as session:
        for company_id, zone in zip(house.ids, (BERLIN, KOLKATA), strict=True):
            first = session.scalar(
                sa.select(sa.func.min(Call.started_at)).where(Call.company_id == company_id)
            )
            found += days_over(first, NOW, zone) if first else []
    return found


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


quarters = st.integers(0, 900).map(lambda it: it / 4)  # so that sums of floats are exact
call = st.fixed_dictionaries(
    {
        "company": st.sampled_from([0, 0, 1]),
        "minutes": st.integers(0, DAYS * 1440),
        "thing": st.integers(0, 1),
        "visit": st.sampled_from([0, 0, 1, 3, 4]),
        "caller": st.sampled_from(["+79160000001", "79160000001", "+4930998877", None]),
        "direction": st.sampled_from([Direction.IN, Direction.IN, Direction.OUT]),
        "shown": st.sampled_from([Presentation.ALLOWED, Presentation.ALLOWED, Presentation.WITHHELD]),
        "repeat": st.booleans(),
        "outcome": st.sampled_from([None, *Outcome, *[Outcome.ANSWERED] * 6]),
        "category": st.sampled_from([None, *Category]),
        "wait": quarters,
        "talk": quarters,
    }
)
USUAL = {
    "company": 0, "minutes": 3 * 1440, "thing": 0, "visit": 4, "caller": "+4930998877", "repeat": False,
    "shown": Presentation.ALLOWED, "outcome": Outcome.ANSWERED, "category": None, "wait": 3.0, "talk": 9.0,
}  # fmt: skip
which = st.integers(0, 40)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("add"), call),
        st.tuples(st.just("change"), which, call),
        st.tuples(st.just("judge"), which, st.sampled_from([None, *Category])),
        st.tuples(st.just("delete"), which),
        st.tuples(st.just("ring"), which, st.integers(0, 3)),
        st.tuples(st.just("unring"), which),
        st.tuples(
            st.just("classify"), st.integers(0, 1), st.sampled_from([{"group": "Email"}, {"source": ""}])
        ),
        st.tuples(st.just("make"), st.sampled_from([2, 7, 99])),
    ),
    max_size=12,
)
wishes = st.sampled_from(
    [{"period": "7d"}, {"period": "today"}, {"period": "yesterday"}, {"since": "2026-10-25"},
     {"since": "2026-10-25", "until": "2026-10-25"}, {"since": "2026-10-22", "until": "2026-10-27"}]
)  # fmt: skip


def happen(house: House, what: tuple[Any, ...]) -> None:
    """One thing that somebody does to the books, or the maker's turn."""
    kind, *given = what
    if kind == "make":
        house.make(*given)
        return
    if kind == "add":
        house.add(*given)
        return
    with house.database.write() as session:
        if kind == "classify":
            session.execute(sa.update(Visit).where(Visit.id == house.visits[given[0]]).values(**given[1]))
            return
        ids = session.scalars(sa.select(Call.id).order_by(Call.id)).all()
        if ids:
            _touch(house, session, ids[given[0] % len(ids)], kind, given[1:])


def _touch(house: House, session: Session, call_id: int, kind: str, given: list[Any]) -> None:
    mine, its = Call.id == call_id, CallEvent.call_id == call_id
    if kind == "change":
        session.execute(sa.update(Call).where(mine).values(**house.row(given[0])))
    elif kind == "judge":
        session.execute(sa.update(Call).where(mine).values(category=given[0]))
    elif kind == "ring":
        count = session.scalar(sa.select(sa.func.count()).select_from(CallEvent)) or 0
        detail = {"target_id": house.targets[given[0]], "rang_at": "2026-10-20T10:00:00"}
        row = {"call_id": call_id, "kind": "leg_ended", "at": NOW, "detail": detail, "digest": f"d{count}"}
        session.execute(sa.insert(CallEvent), [row])
    else:
        session.execute(sa.delete(CallEvent).where(its))
        if kind == "delete":
            session.execute(sa.delete(Call).where(mine))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(call, min_size=1, max_size=30),
    happened=happenings,
    words=wishes,
    zone=st.sampled_from([BERLIN, KOLKATA]),
)
def test_the_overview_by_sheets_is_that_of_the_calls(
    house: House,
    calls: list[dict[str, Any]],
    happened: list[tuple[Any, ...]],
    words: dict[str, str],
    zone: ZoneInfo,
) -> None:
    house.empty()
    house.add(*calls)
    house.make()
    for what in happened:
        happen(house, what)
    assert house.says_the_same(zone, **words)
    assert all(each.agrees for each in check(house.database))
    house.make()
    assert house.says_the_same(zone, **words)
    assert house.holding() == len(days_of_all(house))


def test_days_that_have_sheets_are_read_from_them(house: House) -> None:
    house.add(*({**USUAL, "minutes": 60 + day * 1440} for day in range(DAYS)))
    assert house.make(most=4) == 4
    assert house.holding() == 4
    assert house.make() == DAYS - 1 - 4  # today is not over
    assert house.make() == 0
    with house.database.write() as session:
        session.execute(sa.update(DaySheet).values(data=Tally().dumps()))
    assert house.overview(by_sheets=True, period="7d").now.calls.count == 1
    assert house.overview(by_sheets=False, period="7d").now.calls.count == 7
    assert not any(each.agrees for each in check(house.database))


CHANGED = {
    **USUAL, "company": 1, "thing": 1, "visit": 1, "minutes": 2 * 1440, "caller": None, "repeat": True,
    "shown": Presentation.WITHHELD, "category": Category.TARGET, "wait": 4.0, "talk": 5.0,
    "uncertain": True, "basis": "repeat", "direction": Direction.OUT,
}  # fmt: skip


def test_whatever_a_sheet_tells_takes_it_back_when_it_changes(house: House) -> None:
    house.add({**USUAL, "visit": 0}, {**USUAL, "visit": 0}, {**USUAL, "visit": 3})
    fresh = house.row(CHANGED) | {"outcome": Outcome.BUSY, "channel_id": house.channels[2]}
    fresh["spam"] = Spam.PERSON
    fresh["company_id"] = fresh.pop("company_id")  # the last: what goes before belongs to the first company
    values: list[dict[str, Any]] = [{name: value} for name, value in fresh.items()]
    events: list[tuple[Any, ...]] = [
        ("ring", 0, 0), ("unring", 0), ("classify", 0, {"group": "Email"}),
        ("classify", 0, {"source": "q"}), ("add", USUAL), ("delete", 2)
    ]  # fmt: skip
    unheld = []
    changes: list[Any] = [*events, *values]
    for each in changes:
        assert house.make() or each == events[0]
        assert house.holding() == len(days_of_all(house))
        if isinstance(each, tuple):
            happen(house, each)
        else:
            with house.database.write() as session:
                session.execute(sa.update(Call).where(Call.id == 1).values(**each))
        assert house.says_the_same(period="7d")
        if house.holding() == len(days_of_all(house)):
            unheld.append(each)
    assert unheld == []
    assert {name for value in values for name in value} == set(CALL_COLUMNS)


def test_what_no_sheet_tells_leaves_them_as_they_are(house: House) -> None:
    house.add(USUAL, {**USUAL, "visit": 0})
    house.make()
    days = house.holding()
    with house.database.write() as session:
        session.execute(sa.update(Call).values(attributed_at=NOW, heard_of="a friend", category=None))
        session.execute(sa.update(Visit).values(seen_at=NOW, source=Visit.source))
    assert house.holding() == days > 0


def test_a_company_that_moves_gets_the_days_of_its_new_clocks(house: House) -> None:
    house.add(*({**USUAL, "minutes": 60 + day * 1440} for day in range(DAYS)))
    house.make()
    with house.database.write() as session:
        session.execute(sa.update(Company).values(timezone="America/New_York"))
    assert house.says_the_same(period="7d")
    assert house.make() > 0
    with house.database.read() as session:
        since = set(session.scalars(sa.select(DaySheet.since_at)))
    assert {at.astimezone(ZoneInfo("America/New_York")).hour for at in since} == {0}
    assert house.says_the_same(period="7d")


# ---- beside others ----


@pytest.fixture
def shared(postgres: Any) -> Iterator[House]:
    """Books into which several write at once."""
    database = Database(postgres.books(), wait_seconds=5)
    yield House(database)
    database.close()


@contextmanager
def making(house: House) -> Iterator[threading.Thread]:
    """The maker at work, from when it has begun its sheets to their end."""
    turns: list[Any] = []
    maker = threading.Thread(target=lambda: turns.append(take_turn(house.database, NOW, patience_seconds=30)))
    maker.start()
    begun = sa.select(sa.exists().where(DaySheet.draft.is_not(None)))
    while maker.is_alive():
        with house.database.read() as session:
            if session.scalar(begun):
                break
    yield maker
    maker.join(30)
    assert turns
    assert turns[0].days


def test_who_writes_while_a_sheet_is_made_takes_it_back(shared: House) -> None:
    shared.add(USUAL)
    with making(shared), shared.database.write() as writer:
        writer.execute(sa.update(Call).values(category=Category.TARGET))
    assert shared.says_the_same(period="7d")
    shared.make()
    assert shared.says_the_same(period="7d")
    assert shared.overview(by_sheets=True, period="7d").now.target.count == 1


def test_what_somebody_was_writing_when_a_sheet_was_begun_is_in_it(shared: House) -> None:
    """He gives a visit its source, and cannot see yet that a call is put down to it."""
    shared.add(USUAL)
    with Session(shared.database.engine) as writer:
        writer.execute(sa.update(Visit).values(source="late"))
        with shared.database.write() as session:
            session.execute(sa.update(Call).values(visit_id=shared.visits[0]))
        with making(shared) as maker:
            maker.join(0.3)
            assert maker.is_alive()  # it waits for him
            writer.commit()
    assert shared.holding() == len(days_of_all(shared))
    assert shared.says_the_same(period="7d")
    (line,) = shared.overview(by_sheets=True, period="7d").lines
    assert line.origin is not None
    assert line.origin.name == "late"


def test_who_writes_for_too_long_is_not_waited_for(shared: House) -> None:
    shared.add(USUAL)
    with shared.database.write() as writer:
        writer.execute(sa.update(Visit).values(source="slow"))
        assert "writing" in str(take_turn(shared.database, NOW, patience_seconds=0.05).problem)
    assert shared.holding() == 0
    assert shared.make() == 3


# ---- the command ----


def test_the_command_makes_sheets_and_checks_them(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    furnish(here)
    database = Database(f"sqlite:///{tmp_path / 'leaseline.db'}")
    with database.write() as session:
        record_all(session, [started("+74951234567", datetime.now(UTC) - timedelta(days=2))])
    assert "got their sheets: 2" in here.done("sheets", "make")
    assert "No sheet was missing" in here.done("sheets", "make")
    assert here.json("sheets", "check") == {"checked": 6, "different": []}
    with database.write() as session:
        first = sa.select(sa.func.min(DaySheet.since_at)).scalar_subquery()
        session.execute(sa.update(DaySheet).where(DaySheet.since_at == first).values(data=Tally().dumps()))
    database.close()
    assert "3 of 6 sheets" in (told := here.refused("sheets", "check"))
    assert f"pallets {datetime.now(ZoneInfo('Europe/Moscow')).date() - timedelta(days=2)}" in told
    here.done("sheets", "make", "--again")
    assert "All say what their calls say" in here.done("sheets", "check")


# ---- policy ----


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25),
     ("Asia/Kolkata", "2026-10-25", 24), ("Australia/Lord_Howe", "2026-10-04", 23.5)],
)  # fmt: skip
def test_a_day_is_as_long_as_its_clocks_make_it(zone: str, day: str, hours: float) -> None:
    first = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    found = days_over(first, first + timedelta(days=3), ZoneInfo(zone))
    assert len(found) == 3
    assert found[0].until - found[0].since == timedelta(hours=hours)
    assert all(one.until == other.since for one, other in pairwise(found))


def at(hour: float) -> datetime:
    return NOW + timedelta(hours=hour)


def sheet(company_id: int, since: float, until: float) -> Sheet:
    return Sheet(company_id, Interval(at(since), at(until)), "")


@pytest.mark.parametrize(
    ("sheets", "used", "gaps"),
    [
        ([], 0, [((1, 2), 0, 72)]),
        ([sheet(1, 0, 24), sheet(2, 0, 24)], 2, [((1, 2), 24, 72)]),
        ([sheet(1, 24, 48)], 1, [((1,), 0, 24), ((2,), 0, 72), ((1,), 48, 72)]),
        ([sheet(1, -1, 23), sheet(1, 23, 48), sheet(2, 50, 74)], 1,
         [((1,), 0, 23), ((2,), 0, 72), ((1,), 48, 72)]),
        # Of two that overlap, as of two time zones, one.
        ([sheet(1, 0, 24), sheet(1, 2, 26), sheet(1, 24, 48), sheet(2, 0, 72)], 3, [((1,), 48, 72)]),
        ([sheet(1, 0, 72), sheet(2, 0, 72)], 2, []),
    ],
)  # fmt: skip
def test_what_no_sheet_covers_is_counted(sheets: list[Sheet], used: int, gaps: list[Any]) -> None:
    found = plan([2, 1], Interval(at(0), at(72)), sheets)
    assert len(found.sheets) == used
    assert found.gaps == [Gap(whose, Interval(at(since), at(until))) for whose, since, until in gaps]


def test_of_too_many_gaps_one_is_made() -> None:
    every_other = [sheet(1, hour, hour + 1) for hour in range(1, 2 * MOST_GAPS + 2, 2)]
    whole = Interval(at(0), at(2 * MOST_GAPS + 2))
    assert plan([1], whole, every_other).gaps == (Gap((1,), whole),)


@given(st.text(alphabet="+0123456789a٣", max_size=20), st.text(alphabet="+0123456789a٣", max_size=20))
def test_no_two_callers_become_one(one: str, other: str) -> None:
    assert (known_as(one) == known_as(other)) == (one == other)
