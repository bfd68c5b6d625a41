"""What the books know that may deserve an alert, of companies and of the installation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import HAS_CALLED, IS_COUNTED
from tracker.callback_figures import asked_lately
from tracker.deliveries import WAITING
from tracker.models import (
    Call,
    Company,
    Delivery,
    Destination,
    MissCount,
    Node,
    Number,
    NumberState,
    NumberUse,
    Recording,
    RecordingState,
    SavedReport,
)
from tracker.policy.alerts import AlertKind, Reading, Thresholds
from tracker.policy.company_alerts import (
    FailingDestination,
    Habit,
    Line,
    LostCall,
    PoolFacts,
    UnsentMail,
    UnsentReport,
    in_a_row,
    is_lost,
    read_callbacks,
    read_destination,
    read_habit,
    read_lost,
    read_pool,
    read_unsent,
)
from tracker.policy.facts import Outcome
from tracker.policy.installation_alerts import (
    Machine,
    NodeFacts,
    RecordingFacts,
    of_machine,
    read_agi,
    read_node,
    read_recordings,
)
from tracker.policy.leasing import Miss
from tracker.report_schedules import unsent
from tracker.stock import HOUR, stocks

DAY = timedelta(days=1)
FORGOTTEN = timedelta(days=7)  # a node unseen for so long was taken away
HABIT = timedelta(weeks=12)  # how far back calls count as a habit
STUCK = timedelta(minutes=15)
STUCK_TRIES = 3
NAMES = tuple(each.name for each in fields(Thresholds))


def thresholds_of(kept: Mapping[str, int]) -> Thresholds:
    """A company's thresholds, the usual ones where it has none of its own."""
    return Thresholds(**{name: int(kept[name]) for name in NAMES if name in kept})


@dataclass(frozen=True)
class Owner:
    """A company and from when on it is told."""

    name: str
    limits: Thresholds


def read_all(
    session: Session, machine: Machine, now: datetime, *, disk_low_mb: int
) -> tuple[list[Reading], Collection[AlertKind]]:
    """Everything a turn reads, and the kinds of which that is all there is. A fixed number of statements."""
    owners = {
        row.id: Owner(row.name, thresholds_of(row.alert_thresholds))
        for row in session.execute(sa.select(Company.id, Company.name, Company.alert_thresholds))
    }
    nodes = _nodes(session, now)
    own = next((it for it in nodes if it.name == machine.node), None)
    readings = [
        *(read_pool(it, owners[it.company_id].limits) for it in _pools(session, now)),
        *_lost(session, owners, now),
        *read_reports(session, now),
        *(
            read_callbacks(it, owners[it.company_id].limits.callbacks_late)
            for it in asked_lately(session, now)
        ),
        *(read_destination(it, now) for it in _destinations(session)),
        *(read_node(it, now) for it in nodes),
        *([read_agi(own, now, answers=machine.agi_answers)] if own else []),
        *(read_recordings(it) for it in _recordings(session, [it.name for it in nodes], now)),
        *of_machine(machine, disk_low_mb),
    ]
    complete = {
        AlertKind.POOL_LOW, AlertKind.MISSED_CALLS, AlertKind.REPORT_UNSENT, AlertKind.CALLBACK_LATE,
        AlertKind.DESTINATION_FAILING, AlertKind.NODE_AWAY,
    }  # fmt: skip
    return readings, complete | ({AlertKind.TRUNK_DOWN} if machine.trunks is not None else set())


def read_habits(session: Session, now: datetime) -> list[Reading]:
    """How silent the channels' numbers are: looks at months of calls, so not every minute."""
    limits = {
        row.id: thresholds_of(row.alert_thresholds)
        for row in session.execute(sa.select(Company.id, Company.alert_thresholds))
    }
    return [read_habit(it, limits[it.company_id].silent_days) for it in _habits(session, now)]


def _destinations(session: Session) -> Iterator[FailingDestination]:
    """Those that fail, want no more or do not let us in; who is paused is so because a person wants it."""
    waiting = (
        sa.select(sa.func.count())
        .where(Delivery.destination_id == Destination.id, WAITING)
        .correlate(Destination)
        .scalar_subquery()
    )
    wanted = (
        sa.select(Destination, Company.slug, waiting)
        .join(Company, Company.id == Destination.company_id)
        .where(
            sa.or_(
                Destination.failures > 0,
                Destination.disabled_at.is_not(None),
                Destination.disconnected_at.is_not(None),
            )
        )
        .where(Destination.paused_at.is_(None))
    )
    for it, slug, count in session.execute(wanted):
        gone = it.disabled_at is not None
        answer = it.disabled_because if gone else it.answer
        since = it.disconnected_at or it.failing_since
        shut_out = it.disconnected_at is not None
        yield FailingDestination(
            it.id, it.company_id, slug, it.name, since, gone, count, answer, shut_out=shut_out
        )


def read_reports(session: Session, now: datetime) -> list[Reading]:
    """The saved reports whose newest mails have not all gone out; there is no reading of others."""
    mails: dict[SavedReport, list[UnsentMail]] = defaultdict(list)
    for it in unsent(session):
        given_up = it.given_up_at is not None
        mails[it.schedule.report].append(UnsentMail(it.address, it.answer, it.created_at, given_up))
    facts = (
        UnsentReport(report.id, report.company_id, report.company.slug, report.name, theirs)
        for report, theirs in mails.items()
    )
    return [read_unsent(it, now) for it in facts]


def _pools(session: Session, now: datetime) -> Iterator[PoolFacts]:
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    counted = (
        sa.select(MissCount.pool_id, MissCount.hour_at, sa.func.sum(MissCount.count))
        .where(MissCount.hour_at >= hour - HOUR, MissCount.reason == Miss.POOL_EMPTY)
        .group_by(MissCount.pool_id, MissCount.hour_at)
    )
    misses = {(pool_id, hour_at): int(count) for pool_id, hour_at, count in session.execute(counted)}
    for it in stocks(session, None, now):
        if it.size:
            now_and_before = misses.get((it.pool_id, hour), 0), misses.get((it.pool_id, hour - HOUR), 0)
            yield PoolFacts(it.pool_id, it.company_id, it.name, it.free, it.size, *now_and_before)


def _lost(session: Session, owners: Mapping[int, Owner], now: datetime) -> Iterator[Reading]:
    """The calls in a row, up to now, that nobody took in the last day."""
    since = now - DAY
    newest = sa.func.max(Call.started_at).label("at")
    taken = (
        sa.select(Call.number_id, Call.company_id, newest)
        .where(
            Call.company_id.in_(list(owners)), Call.started_at > since, Call.outcome.in_(_TAKEN), IS_COUNTED
        )
        .group_by(Call.number_id, Call.company_id)
    )
    taken_at = {Line(row.company_id, row.number_id): row.at for row in session.execute(taken)}
    for it in in_a_row(_untaken(session, list(owners), since), taken_at):
        owner = owners[it.company_id]
        whole = it.subject.startswith("c")
        limit = owner.limits.missed_calls_company if whole else owner.limits.missed_calls
        yield read_lost(replace(it, name=owner.name) if whole else it, limit)


_TAKEN = (Outcome.ANSWERED, Outcome.REFUSED)


def _untaken(session: Session, company_ids: Sequence[int], since: datetime) -> list[LostCall]:
    columns = Call.number_id, Call.company_id, Number.e164, Call.started_at, Call.outcome, Call.wait_seconds
    wanted = (
        sa.select(*columns)
        .join(Number, Number.id == Call.number_id)
        .where(Call.company_id.in_(company_ids), Call.started_at > since)
        .where(Call.outcome.is_not(None), Call.outcome.not_in(_TAKEN), IS_COUNTED)
    )
    return [
        LostCall(Line(row.company_id, row.number_id), row.e164, row.started_at)
        for row in session.execute(wanted)
        if row.outcome and is_lost(row.outcome, row.wait_seconds)
    ]


def _nodes(session: Session, now: datetime) -> list[NodeFacts]:
    """The nodes of the last week, with how many of their newest calls in the last hour did not ask."""
    lately = (
        Call.company_id.in_(sa.select(Company.id)),  # so that the index by company and time serves
        Call.started_at > now - HOUR,
        Call.ended_at.is_not(None),
        HAS_CALLED,  # whom we call nobody asks the AGI about
    )
    newest = sa.select(Call.node, sa.func.max(Call.started_at)).group_by(Call.node)
    asked_at = dict(_pairs(session, newest.where(*lately, Call.seen_by_agi)))
    unasked: dict[str, int] = defaultdict(int)
    for node, at in _pairs(session, sa.select(Call.node, Call.started_at).where(*lately, ~Call.seen_by_agi)):
        unasked[node] += node not in asked_at or at > asked_at[node]
    wanted = sa.select(Node.name, Node.seen_at, Node.ami_up).where(Node.seen_at > now - FORGOTTEN)
    rows = session.execute(wanted.order_by(Node.name))
    return [NodeFacts(row.name, row.seen_at, row.ami_up, unasked[row.name]) for row in rows]


def _recordings(session: Session, nodes: Sequence[str], now: datetime) -> list[RecordingFacts]:
    counted = (
        sa.select(Call.node, sa.func.count())
        .join(Recording, Recording.call_id == Call.id)
        .group_by(Call.node)
    )
    late = sa.or_(Call.ended_at < now - STUCK, Recording.tries >= STUCK_TRIES)
    stuck = dict(_pairs(session, counted.where(Recording.state == RecordingState.PENDING, late)))
    lately = Recording.state == RecordingState.DAMAGED, Call.ended_at > now - HOUR
    damaged = dict(_pairs(session, counted.where(*lately)))
    return [
        RecordingFacts(node, stuck.get(node, 0), damaged.get(node, 0))
        for node in sorted({*nodes, *stuck, *damaged})
    ]


def _pairs(session: Session, wanted: sa.Select[Any, Any]) -> Iterator[tuple[Any, Any]]:
    return (tuple(row) for row in session.execute(wanted))


def _habits(session: Session, now: datetime) -> Iterator[Habit]:
    """Channels' numbers with their calls of the last weeks, since they came into the channel."""
    wanted = (
        sa.select(
            Number.id,
            Number.company_id,
            Number.e164,
            sa.func.count(),
            sa.func.min(Call.started_at),
            sa.func.max(Call.started_at),
        )
        .join(NumberUse, NumberUse.number_id == Number.id)
        .join(Call, sa.and_(Call.number_id == Number.id, Call.started_at >= NumberUse.from_at))
        .where(NumberUse.channel_id.is_not(None), NumberUse.until_at.is_(None))
        .where(Number.state == NumberState.ACTIVE, Call.started_at > now - HABIT, IS_COUNTED)
        .group_by(Number.id, Number.company_id, Number.e164)
    )
    for number_id, company_id, e164, calls, first, last in session.execute(wanted):
        yield Habit(number_id, company_id, e164, calls, last - first, now - last)
