"""What `/metrics` tells: figures of the books, read now, and what the processes said of themselves.

Another source of figures is a function that takes a session and an instant and yields pairs of a metric's
name and a sample, and one line in `_SOURCES`; its metrics stand in tracker.policy.metrics.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import process_figures
from tracker.call_totals import CallTotals
from tracker.call_words import HAS_CALLED
from tracker.callback_figures import promise_of
from tracker.deliveries import WAITING
from tracker.models import (
    Alert,
    AlertMessage,
    Call,
    CallbackState,
    Company,
    Delivery,
    Destination,
    Lease,
    MessageMail,
    MissCount,
    Node,
    PageView,
    Pool,
    QuarantinedLine,
    Recording,
    RecordingState,
    Refusal,
    ReportMail,
    Trunk,
    Visit,
)
from tracker.policy.alerts import AlertKind
from tracker.policy.delivering import NOT_SENT
from tracker.policy.exposition import Family, Sample
from tracker.policy.installation_alerts import NODE_FRESH
from tracker.policy.metrics import ALL, NAMED
from tracker.stock import stocks

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
QUEUES: dict[str, Any] = {"alerts": AlertMessage, "reports": ReportMail, "messages": MessageMail}

Found = Iterator[tuple[str, Sample]]


def gather(session: Session, totals: CallTotals, now: datetime, *, named: bool) -> list[Family]:
    """Every metric with what it is now; with `named` also those that name companies, pools and carriers."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    for source in (_calls(totals), *_SOURCES, *(_NAMES if named else ())):
        for name, sample in source(session, now):
            samples[name].append(sample)
    return [Family(metric, samples[metric.name]) for metric in ALL if named or metric.name not in NAMED]


def _of(name: str, value: float | None, *labels: str) -> tuple[str, Sample]:
    return f"leaseline_{name}", Sample(labels, 0 if value is None else value)


def _calls(totals: CallTotals) -> Callable[[Session, datetime], Found]:
    def calls(session: Session, now: datetime) -> Found:
        slugs = {it.id: it.slug for it in session.execute(sa.select(Company.id, Company.slug))}
        by_company = totals.read(session, now)
        by_outcome: Counter[str] = Counter()
        for (company_id, outcome), count in sorted(by_company.items()):
            by_outcome[outcome] += count
            if company_id in slugs:
                yield _of("company_calls_total", count, slugs[company_id], outcome)
        for outcome, count in sorted(by_outcome.items()):
            yield _of("calls_total", count, outcome)

    return calls


def _books(session: Session, _now: datetime) -> Found:
    yield _of("calls_open", _count(session, Call, Call.ended_at.is_(None)))
    yield _of("quarantined_lines_total", _count(session, QuarantinedLine))
    yield _of("refusals_total", _count(session, Refusal))
    kinds = dict(_groups(session, Alert.kind, Alert.ended_at.is_(None)))
    for kind in AlertKind:
        yield _of("alerts_open", kinds.get(kind, 0), kind)


def _recordings(session: Session, now: datetime) -> Found:
    states = dict(_groups(session, Recording.state))
    for state in RecordingState:
        yield _of("recordings", states.get(state, 0), state)
    pending = sa.select(Recording.call_id).where(Recording.state == RecordingState.PENDING)
    oldest = session.scalar(sa.select(sa.func.min(Call.ended_at)).where(Call.id.in_(pending)))
    yield _of("recording_pending_seconds", _age(oldest, now))


def _visitors(session: Session, now: datetime) -> Found:
    """Visits and pages by their highest id: counting millions of rows would be felt."""
    yield _of("visits_total", session.scalar(sa.select(sa.func.max(Visit.id))))
    yield _of("page_views_total", session.scalar(sa.select(sa.func.max(PageView.id))))
    yield _of("leases_open", _count(session, Lease, Lease.until_at.is_(None)))
    reasons = sa.select(MissCount.reason, sa.func.sum(MissCount.count)).group_by(MissCount.reason)
    for reason, count in session.execute(reasons):
        yield _of("misses_total", int(count), reason)
    for it in stocks(session, None, now):
        for state in ("leased", "free", "resting", "quarantined"):
            yield _of("pool_numbers", getattr(it, state), str(it.pool_id), state)


def _queues(session: Session, now: datetime) -> Found:
    for queue, model in QUEUES.items():
        waiting = model.sent_at.is_(None), model.given_up_at.is_(None)
        row = session.execute(sa.select(sa.func.count(), sa.func.min(model.created_at)).where(*waiting)).one()
        yield _of("queue_messages", row[0], queue)
        yield _of("queue_age_seconds", _age(row[1], now), queue)
        yield _of("queue_given_up", _count(session, model, model.given_up_at > now - DAY), queue)


def _destinations(session: Session, now: datetime) -> Found:
    failed = sa.and_(Delivery.given_up_at > now - DAY, Delivery.why.not_in(NOT_SENT))
    due = sa.case((sa.and_(WAITING, Delivery.due_at <= now), Delivery.due_at))
    wanted = (
        sa.select(
            Delivery.destination_id, sa.func.count().filter(WAITING), sa.func.min(due),
            sa.func.count().filter(failed),
        )
        .where(sa.or_(WAITING, failed))
        .group_by(Delivery.destination_id)
    )  # fmt: skip
    lags = {row[0]: row for row in session.execute(wanted)}
    for it in session.scalars(sa.select(Destination).order_by(Destination.id)):
        _, waiting, since, given_up = lags.get(it.id, (it.id, 0, None, 0))
        shut_out = it.disabled_at is not None or it.disconnected_at is not None
        yield _of("destination_up", not it.failures and not shut_out, str(it.id))
        yield _of("destination_waiting", waiting, str(it.id))
        yield _of("destination_age_seconds", _age(since, now), str(it.id))
        yield _of("destination_failed", given_up, str(it.id))


def _callbacks(session: Session, now: datetime) -> Found:
    companies = session.scalars(sa.select(Company.id)).all()
    kept = promise_of(session, companies, now - DAY, now)
    for state in CallbackState:
        yield _of("callbacks", kept.states.get(state, 0), state)
    for party, waits in (("employee", kept.employee), ("visitor", kept.visitor)):
        for share, seconds in (("0.5", waits.p50_seconds), ("0.95", waits.p95_seconds)):
            yield _of("callback_wait_seconds", math.nan if seconds is None else seconds, party, share)


def _nodes(session: Session, now: datetime) -> Found:
    nodes = session.scalars(sa.select(Node).order_by(Node.name)).all()
    lately = (
        Call.company_id.in_(sa.select(Company.id)),  # so that the index by company and time serves
        Call.started_at > now - HOUR,
        Call.ended_at.is_not(None),
        HAS_CALLED,
    )
    unasked = dict(_groups(session, Call.node, *lately, ~Call.seen_by_agi))
    for it in nodes:
        fresh = now - it.seen_at < NODE_FRESH
        yield _of("node_up", it.ami_up and fresh, it.name)
        yield _of("calls_live", len(it.live) if fresh else 0, it.name)
        yield _of("calls_unasked", unasked.get(it.name, 0), it.name)
        if it.asterisk_started_at:
            yield _of("asterisk_start_timestamp_seconds", it.asterisk_started_at.timestamp(), it.name)


def _processes(session: Session, now: datetime) -> Found:
    """A process that is silent says nothing of the present; that it is silent is said."""
    for row in process_figures.read_all(session, now):
        fresh = now - row.at < process_figures.FRESH
        yield _of("process_up", fresh, row.node, row.process)
        yield _of("process_seen_timestamp_seconds", row.at.timestamp(), row.node, row.process)
        if fresh:
            yield from process_figures.samples_of(row)


_SOURCES = (_books, _recordings, _visitors, _queues, _destinations, _callbacks, _nodes, _processes)


# ---- with the token only ----


def _pool_names(session: Session, _now: datetime) -> Found:
    wanted = sa.select(Pool.id, Company.slug, Pool.name).join(Company).order_by(Pool.id)
    for pool_id, slug, name in session.execute(wanted):
        yield _of("pool_info", 1, str(pool_id), slug, name)


def _trunk_names(session: Session, _now: datetime) -> Found:
    wanted = sa.select(Trunk.id, Trunk.name).where(Trunk.retired_at.is_(None)).order_by(Trunk.id)
    for trunk_id, name in session.execute(wanted):
        yield _of("trunk_info", 1, str(trunk_id), name)


def _destination_names(session: Session, _now: datetime) -> Found:
    wanted = sa.select(Destination, Company.slug).join(Company, Company.id == Destination.company_id)
    for it, slug in session.execute(wanted.order_by(Destination.id)):
        yield _of("destination_info", 1, str(it.id), slug, it.kind, it.name)


_NAMES = (_pool_names, _destination_names, _trunk_names)


def _count(session: Session, table: Any, *which: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(table).where(*which)) or 0


def _groups(session: Session, by: Any, *which: sa.ColumnElement[bool]) -> Iterator[tuple[Any, int]]:
    wanted = sa.select(by, sa.func.count()).where(*which).group_by(by)
    return ((word, count) for word, count in session.execute(wanted))


def _age(since: datetime | None, now: datetime) -> float:
    if since is None:
        return 0.0
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    return max(0.0, (now - since).total_seconds())
