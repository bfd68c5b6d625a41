"""What deserves an alert, when it begins and when it is over.

Each rule gives a reading: bad, fine, or neither. What lies between the two, and a while of being fine, keep
an alert from flapping; how often in a row something has to look bad keeps a hiccup from becoming one.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


class AlertKind(enum.StrEnum):
    POOL_LOW = "pool_low"  # few numbers are free, or visitors got none
    MISSED_CALLS = "missed_calls"  # in a row, on a number or in a whole company
    SILENT_NUMBER = "silent_number"  # nobody calls a number that used to ring
    REPORT_UNSENT = "report_unsent"  # a saved report that should have been mailed
    TRUNK_DOWN = "trunk_down"  # a carrier does not answer, or does not let us log in
    NODE_AWAY = "node_away"  # an Asterisk or its call server is not seen
    AGI_FAILING = "agi_failing"  # calls go on without asking us
    DISK_FULL = "disk_full"
    BOOKS_BEHIND = "books_behind"  # the spool is not read
    RECORDINGS_FAILING = "recordings_failing"


# Of the installation, no company's own.
OF_INSTALLATION = frozenset(
    {
        AlertKind.TRUNK_DOWN,
        AlertKind.NODE_AWAY,
        AlertKind.AGI_FAILING,
        AlertKind.DISK_FULL,
        AlertKind.BOOKS_BEHIND,
        AlertKind.RECORDINGS_FAILING,
    }
)


class State(enum.StrEnum):
    BAD = "bad"
    UNSURE = "unsure"  # neither: an alert stays as it is
    FINE = "fine"


@dataclass(frozen=True)
class Thresholds:
    """From when on a company is told; 0 switches a rule off."""

    pool_free_percent: int = 10  # fewer of a pool's numbers are free
    pool_misses: int = 5  # visitors who got no number of their own within an hour
    missed_calls: int = 3  # in a row on one number
    missed_calls_company: int = 5  # in a row in the company
    silent_days: int = 7  # of a number that used to ring


LARGEST = Thresholds(100, 100_000, 1000, 1000, 365)

# How often in a row a turn (a minute) has to find it bad; once where nothing else is said.
PATIENCE = {
    AlertKind.TRUNK_DOWN: 2,
    AlertKind.NODE_AWAY: 2,
    AlertKind.AGI_FAILING: 2,
    AlertKind.BOOKS_BEHIND: 2,
}
# How long it has to be fine before it is over.
SETTLED = {
    AlertKind.POOL_LOW: timedelta(minutes=10),
    AlertKind.TRUNK_DOWN: timedelta(minutes=2),
    AlertKind.NODE_AWAY: timedelta(minutes=1),
    AlertKind.AGI_FAILING: timedelta(minutes=2),
    AlertKind.DISK_FULL: timedelta(minutes=5),
    AlertKind.BOOKS_BEHIND: timedelta(minutes=2),
    AlertKind.RECORDINGS_FAILING: timedelta(minutes=5),
}

NODE_SILENT = timedelta(seconds=60)
NODE_FRESH = timedelta(seconds=15)  # it writes every five
UNSEEN_CALLS = 3  # in a row without a question to the AGI
BEHIND_SECONDS, UP_TO_DATE_SECONDS = 60.0, 5.0
DAMAGED_AN_HOUR = 3
SLIP_SECONDS = 10.0  # who gives up sooner has missed nobody
ENOUGH_CALLS = 5  # fewer are no habit
UNSENT = timedelta(minutes=15)  # that a mail is tried in vain: to be put off at first is usual
SOME, ANSWER_LONGEST = 3, 120  # of what an alert can say of addresses and answers
SURELY_CALLS = 4.6  # calls to be expected, of which none came: one chance in a hundred


@dataclass(frozen=True)
class Reading:
    """How one thing stands. `subject` tells things of a kind apart, `name` is what people call it."""

    kind: AlertKind
    subject: str
    name: str
    state: State
    company_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subject}"


def _state(*, bad: bool, fine: bool) -> State:
    return State.BAD if bad else State.FINE if fine else State.UNSURE


# ---- of a company ----


@dataclass(frozen=True)
class PoolFacts:
    pool_id: int
    company_id: int
    name: str
    free: int
    size: int
    misses: int  # since the hour began
    misses_before: int  # in the hour before


def read_pool(it: PoolFacts, limit: Thresholds) -> Reading:
    """Low below the share; well again at twice that, or half-way to full if that is less."""
    percent = 100 * it.free / it.size if it.size else 100.0
    low = limit.pool_free_percent
    too_many = bool(limit.pool_misses) and it.misses >= limit.pool_misses
    still_many = bool(limit.pool_misses) and it.misses + it.misses_before >= limit.pool_misses
    well = percent >= min(2 * low, (100 + low) / 2)
    state = _state(bad=percent < low or too_many, fine=well and not still_many)
    detail = {"free": it.free, "size": it.size, "misses": it.misses}
    return Reading(AlertKind.POOL_LOW, f"{it.pool_id}", it.name, state, it.company_id, detail)


@dataclass(frozen=True)
class Line:
    """A number of a company, by their ids."""

    company_id: int
    number_id: int


@dataclass(frozen=True)
class LostCall:
    """A call that nobody took."""

    line: Line
    e164: str
    at: datetime


@dataclass(frozen=True)
class LostCalls:
    """Calls in a row that nobody took, up to now. `subject` is a number ("n12") or a company ("c1")."""

    subject: str
    company_id: int
    name: str
    count: int


def in_a_row(lost: Iterable[LostCall], taken_at: Mapping[Line, datetime]) -> list[LostCalls]:
    """Those since the last call that was taken on their number; those of a company if on several numbers.

    `taken_at` has the last call taken on each number that had one.
    """
    last: dict[int, datetime] = {}
    for line, at in taken_at.items():
        last[line.company_id] = max(at, last.get(line.company_id, at))
    numbers, companies = Counter[Line](), Counter[Line]()
    names = {}
    for it in lost:
        names[it.line] = it.e164
        numbers[it.line] += it.line not in taken_at or it.at > taken_at[it.line]
        companies[it.line] += it.line.company_id not in last or it.at > last[it.line.company_id]
    found = [
        LostCalls(f"n{line.number_id}", line.company_id, names[line], count)
        for line, count in numbers.items()
    ]
    for company_id in sorted({line.company_id for line in companies}):
        counts = [count for line, count in companies.items() if line.company_id == company_id and count]
        if len(counts) > 1:
            found.append(LostCalls(f"c{company_id}", company_id, "", sum(counts)))
    return found


def read_lost(it: LostCalls, at_least: int) -> Reading:
    """Over with the first call that is taken."""
    state = State.BAD if at_least and it.count >= at_least else State.FINE
    return Reading(AlertKind.MISSED_CALLS, it.subject, it.name, state, it.company_id, {"count": it.count})


def is_lost(outcome: str, wait_seconds: float | None) -> bool | None:
    """Whether nobody took a call that somebody should have; None for what says nothing either way."""
    if outcome == "gave_up":
        return True if (wait_seconds or 0.0) >= SLIP_SECONDS else None
    return outcome in {"missed", "busy", "failed"}


@dataclass(frozen=True)
class Habit:
    """A channel's number: its calls in the weeks before the last one, and how long it has been silent."""

    number_id: int
    company_id: int
    e164: str
    calls: int
    known: timedelta  # in which those calls came
    silent: timedelta


def read_habit(it: Habit, silent_days: int) -> Reading:
    """Silent for those days, and long enough that chance cannot explain it."""
    weeks = max(it.known / timedelta(weeks=1), 1.0)
    weekly, days = it.calls / weeks, it.silent.days
    expected = weekly * (it.silent / timedelta(weeks=1))
    young = not silent_days or days < silent_days
    odd = it.calls >= ENOUGH_CALLS and expected >= SURELY_CALLS
    state = _state(bad=odd and not young, fine=young)
    detail = {"days": days, "weekly": round(weekly, 1)}
    return Reading(AlertKind.SILENT_NUMBER, f"{it.number_id}", it.e164, state, it.company_id, detail)


@dataclass(frozen=True)
class UnsentMail:
    """A report's mail that has not gone out; `answer` is what the last try came to, if there was one."""

    to: str
    answer: str | None
    created_at: datetime
    is_given_up: bool


@dataclass(frozen=True)
class UnsentReport:
    """A saved report, and those of its newest mails that have not gone out."""

    report_id: int
    company_id: int
    company: str  # as commands call it
    name: str
    mails: Sequence[UnsentMail]


def read_unsent(it: UnsentReport, now: datetime) -> Reading:
    """Bad once a mail is given up, or was tried in vain for a while; over when all have gone out."""
    given_up = [mail for mail in it.mails if mail.is_given_up]
    late = given_up or [mail for mail in it.mails if mail.answer and now - mail.created_at >= UNSENT]
    state = _state(bad=bool(late), fine=not it.mails)
    detail = {
        "how": "given_up" if given_up else "waiting",
        "to": ", ".join(mail.to for mail in late[:SOME]) + (" …" if len(late) > SOME else ""),
        "answer": next((mail.answer or "" for mail in late), "")[:ANSWER_LONGEST],
        "company": it.company,
    }
    return Reading(AlertKind.REPORT_UNSENT, f"{it.report_id}", it.name, state, it.company_id, detail)


# ---- of the installation ----


@dataclass(frozen=True)
class TrunkSight:
    """What Asterisk says of a trunk; `problem` is None when it is well, else "silent" or "unregistered"."""

    trunk_id: int
    name: str
    problem: str | None


@dataclass(frozen=True)
class Machine:
    """What a worker sees of its own machine. None where it could not look."""

    node: str
    disk_free_mb: int | None = None
    behind_seconds: float | None = None
    agi_answers: bool | None = None
    trunks: tuple[TrunkSight, ...] | None = None


@dataclass(frozen=True)
class NodeFacts:
    """A node as the books know it. `unseen` counts its newest calls that did not ask the AGI."""

    name: str
    seen_at: datetime
    ami_up: bool
    unseen: int = 0


@dataclass(frozen=True)
class RecordingFacts:
    node: str
    stuck: int  # wait for long, or have failed several times
    damaged: int  # in the last hour


def read_trunk(it: TrunkSight) -> Reading:
    state = _state(bad=it.problem is not None, fine=True)
    return Reading(
        AlertKind.TRUNK_DOWN, f"{it.trunk_id}", it.name, state, None, {"how": it.problem or "silent"}
    )


def read_node(it: NodeFacts, now: datetime) -> Reading:
    """Its call server is silent, or has lost sight of Asterisk."""
    silent = now - it.seen_at
    fresh = silent < NODE_FRESH
    cut = silent < NODE_SILENT and not it.ami_up
    state = _state(bad=silent >= NODE_SILENT or cut, fine=fresh)
    how = "unconnected" if cut else "silent"
    return Reading(AlertKind.NODE_AWAY, it.name, it.name, state, None, {"how": how})


def read_agi(it: NodeFacts, now: datetime, *, answers: bool | None) -> Reading:
    """The server is there, and calls go on without it. Is it not there at all, `read_node` says so."""
    there = now - it.seen_at < NODE_SILENT
    failing = answers is False or it.unseen >= UNSEEN_CALLS
    state = _state(bad=there and failing, fine=there and bool(answers) and not it.unseen)
    how = "calls" if it.unseen >= UNSEEN_CALLS else "silent"
    detail = {"how": how, "count": it.unseen}
    return Reading(AlertKind.AGI_FAILING, it.name, it.name, state, None, detail)


def read_disk(node: str, free_mb: int, low_mb: int) -> Reading:
    state = _state(bad=free_mb < low_mb, fine=free_mb >= low_mb * 1.25)
    return Reading(AlertKind.DISK_FULL, node, node, state, None, {"free_mb": free_mb})


def read_books(node: str, behind_seconds: float) -> Reading:
    state = _state(bad=behind_seconds >= BEHIND_SECONDS, fine=behind_seconds <= UP_TO_DATE_SECONDS)
    detail = {"seconds": round(behind_seconds)}
    return Reading(AlertKind.BOOKS_BEHIND, node, node, state, None, detail)


def read_recordings(it: RecordingFacts) -> Reading:
    state = _state(bad=bool(it.stuck) or it.damaged >= DAMAGED_AN_HOUR, fine=not it.damaged)
    how = "stuck" if it.stuck else "damaged"
    detail = {"how": how, "count": it.stuck or it.damaged}
    return Reading(AlertKind.RECORDINGS_FAILING, it.node, it.node, state, None, detail)


def of_machine(it: Machine, low_mb: int) -> list[Reading]:
    """The readings of what a worker could look at on its own machine."""
    found = [read_trunk(each) for each in it.trunks or ()]
    if it.disk_free_mb is not None:
        found.append(read_disk(it.node, it.disk_free_mb, low_mb))
    if it.behind_seconds is not None:
        found.append(read_books(it.node, it.behind_seconds))
    return found


# ---- begin and end ----


@dataclass(frozen=True)
class Going:
    """An alert that has begun and is not over."""

    key: str
    kind: AlertKind
    fine_since: datetime | None  # since when it has looked fine, without a break


@dataclass(frozen=True)
class Verdict:
    """What a turn does: alerts that begin and end, those that go on as they look now, and the streaks."""

    begun: tuple[Reading, ...]
    going_on: tuple[tuple[Reading, datetime | None], ...]  # with since when each looks fine
    ended: tuple[str, ...]
    streaks: Mapping[str, int]  # how often in a row each was found bad


def judge(
    going: Iterable[Going],
    readings: Iterable[Reading],
    streaks: Mapping[str, int],
    now: datetime,
    *,
    complete: Collection[AlertKind] = (),
) -> Verdict:
    """What begins, goes on and ends. Of `complete` kinds, what has no reading is there no more."""
    known = {each.key: each for each in going}
    found = {each.key: each for each in readings}
    bad = {key: streaks.get(key, 0) + 1 for key, it in found.items() if it.state is State.BAD}
    begun = [
        found[key]
        for key, count in bad.items()
        if key not in known and count >= PATIENCE.get(found[key].kind, 1)
    ]
    going_on, ended = [], []
    for key, alert in known.items():
        if key not in found:
            ended += [key] if alert.kind in complete else []
            continue
        since = _fine_since(alert, found[key], now)
        if since is not None and now - since >= SETTLED.get(alert.kind, timedelta()):
            ended.append(key)
        else:
            going_on.append((found[key], since))
    return Verdict(tuple(begun), tuple(going_on), tuple(ended), bad)


def _fine_since(alert: Going, reading: Reading, now: datetime) -> datetime | None:
    return (alert.fine_since or now) if reading.state is State.FINE else None
