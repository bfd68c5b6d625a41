"""Readings of what is a company's own: its pools, calls, silent numbers, reports and callbacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.policy.alerts import AlertKind, Reading, State, Thresholds, state_of
from tracker.policy.callback import PROMISE_SECONDS, CallbackReason, quantile

SLIP_SECONDS = 10.0  # who gives up sooner has missed nobody
ENOUGH_CALLS = 5  # fewer are no habit
UNSENT = timedelta(minutes=15)  # that a mail is tried in vain: to be put off at first is usual
SOME, ANSWER_LONGEST = 3, 120  # of what an alert can say of addresses and answers
SURELY_CALLS = 4.6  # calls to be expected, of which none came: one chance in a hundred
# A callback that ended so was not lost by us.
_BY_PEOPLE = frozenset(
    {CallbackReason.NO_ANSWER, CallbackReason.BUSY, CallbackReason.DECLINED, CallbackReason.CANCELLED}
)


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
    state = state_of(bad=percent < low or too_many, fine=well and not still_many)
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
    state = state_of(bad=odd and not young, fine=young)
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
    state = state_of(bad=bool(late), fine=not it.mails)
    detail = {
        "how": "given_up" if given_up else "waiting",
        "to": ", ".join(mail.to for mail in late[:SOME]) + (" …" if len(late) > SOME else ""),
        "answer": next((mail.answer or "" for mail in late), "")[:ANSWER_LONGEST],
        "company": it.company,
    }
    return Reading(AlertKind.REPORT_UNSENT, f"{it.report_id}", it.name, state, it.company_id, detail)


@dataclass(frozen=True)
class FailingDestination:
    """A destination that fails, or wants no more; `answer` is what it said last."""

    destination_id: int
    company_id: int
    company: str  # as commands call it
    name: str
    failing_since: datetime | None
    is_gone: bool
    waiting: int
    answer: str | None
    shut_out: bool = False  # its access has ended: a person has to connect it


def read_destination(it: FailingDestination, now: datetime) -> Reading:
    """Bad once it has failed for a while, or wants no more; over with the first call that it takes."""
    late = it.failing_since is not None and now - it.failing_since >= UNSENT
    detail = {
        "how": "gone" if it.is_gone else "shut_out" if it.shut_out else "failing",
        "count": it.waiting,
        "answer": (it.answer or "")[:ANSWER_LONGEST],
        "company": it.company,
    }
    state = state_of(bad=it.is_gone or late, fine=False)
    return Reading(
        AlertKind.DESTINATION_FAILING, f"{it.destination_id}", it.name, state, it.company_id, detail
    )


@dataclass(frozen=True)
class AskedBack:
    """A request due within the last hour, or still waiting.

    `waited`: seconds to the first ring, to its end, or till now. `lost`: it is over without a talk, for that
    reason.
    """

    waited: float
    lost: CallbackReason | None = None


@dataclass(frozen=True)
class AskedOnSite:
    """Who asked on a site to be called back."""

    site_id: int
    company_id: int
    name: str
    company: str  # as commands call it
    asked: list[AskedBack]


def read_callbacks(it: AskedOnSite, at_least: int) -> Reading:
    """Bad as long as so many of the last hour were late, or came to nothing that was not people's doing."""
    faults = Counter(fault for each in it.asked if (fault := _fault(each)))
    state = State.BAD if at_least and faults.total() >= at_least else State.FINE
    how = "lost" if faults["lost"] else "late"
    p95 = quantile([each.waited for each in it.asked], 0.95) or 0.0
    detail = {"how": how, "count": faults[how], "seconds": round(p95), "company": it.company}
    return Reading(AlertKind.CALLBACK_LATE, f"{it.site_id}", it.name, state, it.company_id, detail)


def _fault(it: AskedBack) -> str | None:
    if it.lost is CallbackReason.CANCELLED:
        return None
    if it.lost is not None and it.lost not in _BY_PEOPLE:
        return "lost"
    return "late" if it.waited > PROMISE_SECONDS else None
