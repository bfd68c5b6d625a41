"""Calls as they were really written down, told again: whole, cut, doubled, shuffled. The books end the same.

The traces in tests/support/call_traces are lines of the spool and rows of CEL of calls that an existing phone
system handed on (blind, attended; inside itself, or by REFER through us), parked, picked up, queued and held,
and of calls that went out.
"""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tracker.books import record_all
from tracker.cel import read_cel
from tracker.database import Database
from tracker.models import Call, Company, Number, Target, TargetKind
from tracker.policy.books import CallState, fold
from tracker.policy.facts import Direction, Fact, Outcome, Refused
from tracker.policy.spool import parse_line

TRACES = Path(__file__).parent / "support" / "call_traces"
NAMES = sorted(path.stem for path in TRACES.glob("*.jsonl"))
CLOSE = timedelta(milliseconds=150)  # what CEL says of an instant and what the dialplan does


@dataclass(frozen=True)
class Trace:
    """One call: its lines of the spool, and its rows of CEL."""

    lines: tuple[str, ...]
    cel: str

    def named(self, name: str) -> Trace:
        """The same call as if it were another."""
        first = json.loads(self.lines[0])
        told = {first["call"]: name, first["lid"].rpartition("-")[2]: f"{zlib.crc32(name.encode())}.1"}
        lines, cel = "\n".join(self.lines), self.cel
        for old, new in told.items():
            lines, cel = lines.replace(old, new), cel.replace(old, new)
        return Trace(tuple(lines.splitlines()), cel)

    @property
    def facts(self) -> list[Fact]:
        return [fact for line in self.lines if not isinstance(fact := parse_line(line.encode()), Refused)]


def trace(name: str) -> Trace:
    lines = (TRACES / f"{name}.jsonl").read_text().splitlines()
    return Trace(tuple(lines), (TRACES / f"{name}.csv").read_text())


def told(state: CallState | Call) -> tuple[object, ...]:
    """What people are told of a call."""
    return (
        state.outcome, state.answered_at, state.ended_at, state.wait_seconds, state.talk_seconds,
        state.target_id, state.hung_up_by, state.interrupted,
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_real_call_is_one_call_with_its_times(name: str) -> None:
    state = fold(trace(name).facts)
    out = name.startswith("out")
    assert state.started
    assert state.started.direction is (Direction.OUT if out else Direction.IN)
    assert state.outcome is (Outcome.BUSY if name == "out_busy" else Outcome.ANSWERED)
    assert state.target_id is not None
    assert (state.talk_seconds is None) is (name == "out_busy")


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_in_whatever_order_and_however_often_its_lines_come(name: str, data: st.DataObject) -> None:
    facts = trace(name).facts
    again = data.draw(st.lists(st.sampled_from(facts), max_size=8))
    assert told(fold(data.draw(st.permutations([*facts, *again])))) == told(fold(facts))


@pytest.fixture
def books(sqlite: Database) -> Database:
    """A company with every number and target of the traces."""
    dids = {json.loads(trace(name).lines[0])["did"] for name in NAMES}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with sqlite.write() as session:
        company = Company(slug="pallets", name="Pallets", default_region="RU", created_at=at)
        session.add(company)
        session.flush()
        session.add_all(Number(company_id=company.id, e164=did, created_at=at) for did in sorted(dids))
        kind = {"company_id": company.id, "kind": TargetKind.PEER, "host": "192.0.2.1", "created_at": at}
        session.add_all(Target(id=number, name=f"target {number}", **kind) for number in range(1, 20))
    return sqlite


def calls_by_key(database: Database) -> dict[str, Call]:
    with database.read() as session:
        return {call.key: call for call in session.scalars(sa.select(Call))}


def test_the_books_end_the_same_however_the_lines_came(books: Database) -> None:
    """All calls among each other, each line twice, a few at a time: eight times over."""
    chance = random.Random(6)
    several = {f"{name}-{turn}": trace(name).named(f"{name}-{turn}") for name in NAMES for turn in range(8)}
    lines = [fact for each in several.values() for fact in (*each.facts, *each.facts)]
    chance.shuffle(lines)
    while lines:
        some = [lines.pop() for _ in range(min(len(lines), chance.randint(1, 9)))]
        with books.write() as session:
            record_all(session, some)
    found = calls_by_key(books)
    assert found.keys() == several.keys()
    for key, call in found.items():
        assert told(call) == told(fold(several[key].facts))


def test_what_the_spool_has_lost_is_known_from_channel_events(books: Database, tmp_path: Path) -> None:
    """One line gone, all after it, all before it, or every line: CEL tells of the rest."""
    cut: dict[str, tuple[Trace, list[Fact]]] = {}
    for name in NAMES:
        count = len(trace(name).lines)
        for place in range(count):
            for how in ("without", "until", "from", "none"):
                key = f"{name}-{how}-{place}".replace("_", "-")
                each = trace(name).named(key)
                facts = each.facts
                kept = {
                    "without": facts[:place] + facts[place + 1 :], "until": facts[:place],
                    "from": facts[place:], "none": [],
                }[how]  # fmt: skip
                cut[key] = (each, kept)
    with books.write() as session:
        for _, kept in cut.values():
            record_all(session, kept)
    (tmp_path / "cel.csv").write_text("".join(each.cel for each, _ in cut.values()))
    read = read_cel(books, tmp_path, "house", datetime.now(UTC) + timedelta(days=3650))
    assert (read.problem, read.bad) == (None, 0)
    found = calls_by_key(books)
    assert found.keys() == cut.keys()
    for key, call in found.items():
        whole = fold(cut[key][0].facts)
        assert whole.started
        assert (call.direction, call.outcome) == (whole.started.direction, whole.outcome), key
        assert call.target_id == whole.target_id, key
        assert call.hung_up_by == whole.hung_up_by, key
        for name in ("answered_at", "ended_at"):
            mine, real = getattr(call, name), getattr(whole, name)
            assert (mine is None) == (real is None), key
            assert mine is None or abs(mine - real) < CLOSE, key
