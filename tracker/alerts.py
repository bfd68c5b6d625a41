"""Alerts as they are kept: begun and ended once, seen by people, with a message to everybody concerned.

A turn is one transaction: alerts, and the messages about them. Several workers may take turns at the same
moment: that an alert begins once is the database's word (uq_alerts_open), that it ends once is one statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker import once, outbox
from tracker.alert_facts import NAMES, thresholds_of
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Alert, Company, News
from tracker.policy import alerts as policy
from tracker.policy.alerts import LARGEST, AlertKind, Going, Reading, Thresholds

HISTORY = timedelta(days=30)
MOST = 200  # of a history


@dataclass(frozen=True)
class Turn:
    """What a turn changed, and how often in a row each thing has been found bad: for the next turn."""

    begun: int
    ended: int
    streaks: Mapping[str, int]


@dataclass(frozen=True)
class Seer:
    """Whose alerts are asked for: those of companies, and of the installation for who runs it."""

    company_ids: Collection[int]
    installation: bool = False

    def sees(self) -> sa.ColumnElement[bool]:
        theirs = Alert.company_id.in_(list(self.company_ids))
        return sa.or_(theirs, Alert.company_id.is_(None)) if self.installation else theirs


# ---- the worker's ----


def take_turn(
    session: Session,
    readings: Iterable[Reading],
    complete: Collection[AlertKind],
    streaks: Mapping[str, int],
    now: datetime,
) -> Turn:
    """Begin, go on with and end alerts by these readings; each begin and end with its messages."""
    rows = {row.key: row for row in session.scalars(sa.select(Alert).where(Alert.ended_at.is_(None)))}
    going = [Going(row.key, row.kind, row.fine_since) for row in rows.values()]
    verdict = policy.judge(going, readings, streaks, now, complete=complete)
    begun = sum(_begin(session, reading, now) for reading in verdict.begun)
    ended = sum(_end(session, rows[key], now) for key in verdict.ended)
    for reading, fine_since in verdict.going_on:
        _go_on(rows[reading.key], reading, fine_since)
    return Turn(begun, ended, verdict.streaks)


def _begin(session: Session, reading: Reading, now: datetime) -> bool:
    """False where another worker has begun it in the same moment."""
    row = {
        "company_id": reading.company_id, "kind": reading.kind, "key": reading.key,
        "name": reading.name[:200], "detail": dict(reading.detail), "begun_at": now,
    }  # fmt: skip
    statement = (
        once.insert(session, Alert)
        .values(row)
        .on_conflict_do_nothing(index_elements=["key"], index_where=sa.text("ended_at IS NULL"))
        .returning(Alert.id)
    )
    alert_id = session.connection().execute(statement).scalar_one_or_none()
    if alert_id is not None:
        outbox.announce(session, alert_id, reading.company_id, News.BEGUN, now)
    return alert_id is not None


def _end(session: Session, alert: Alert, now: datetime) -> bool:
    statement = sa.update(Alert).where(Alert.id == alert.id, Alert.ended_at.is_(None)).values(ended_at=now)
    ended = session.connection().execute(statement).rowcount == 1
    if ended:
        outbox.announce(session, alert.id, alert.company_id, News.ENDED, now)
    return ended


def _go_on(alert: Alert, reading: Reading, fine_since: datetime | None) -> None:
    if alert.fine_since != fine_since:
        alert.fine_since = fine_since
    if reading.state is policy.State.BAD and alert.detail != reading.detail:
        alert.detail = dict(reading.detail)


# ---- people's ----


def going_on(session: Session, who: Seer) -> Sequence[Alert]:
    """The alerts that are not over, the newest first. One statement."""
    wanted = sa.select(Alert).where(Alert.ended_at.is_(None), who.sees()).options(joinedload(Alert.company))
    return session.scalars(wanted.order_by(Alert.begun_at.desc(), Alert.id.desc())).all()


def history(session: Session, who: Seer, now: datetime) -> Sequence[Alert]:
    """The alerts of the last 30 days that are over, the newest first."""
    wanted = (
        sa.select(Alert)
        .where(Alert.ended_at.is_not(None), Alert.begun_at > now - HISTORY, who.sees())
        .options(joinedload(Alert.company))
        .order_by(Alert.begun_at.desc(), Alert.id.desc())
    )
    return session.scalars(wanted.limit(MOST)).all()


def get_alert(session: Session, who: Seer, alert_id: int) -> Alert:
    """One of them. Raises Rejected `alert.unknown`."""
    alert = session.scalar(
        sa.select(Alert).where(Alert.id == alert_id, who.sees()).options(joinedload(Alert.company))
    )
    if alert is None:
        raise Rejected("alert.unknown", "There is no such alert", "See them with `leaseline alerts list`")
    return alert


def mark_seen(session: Session, by: By, alert: Alert, name: str) -> None:
    """A person has seen it; the first who says so stays."""
    if alert.seen_at is None:
        alert.seen_at, alert.seen_by = by.at, name[:200]
        by.note(session, "alert.seen", alert.company_id, subject=alert.key, detail={"name": alert.name})


def change_threshold(session: Session, by: By, company: Company, name: str, value: int | None) -> Thresholds:
    """From when on the company is told; None gives the usual value back. Raises Rejected alert.threshold."""
    if name not in NAMES:
        raise Rejected(
            "alert.threshold",
            "%(name)r is no threshold",
            "Choose %(names)s",
            name=name,
            names=NAMES,
        )
    largest: int = getattr(LARGEST, name)
    if value is not None and not 0 <= value <= largest:
        raise Rejected(
            "alert.threshold",
            "%(name)s cannot be %(value)s",
            "Give 0 (never) to %(largest)s",
            name=name,
            value=value,
            largest=largest,
        )
    kept: dict[str, Any] = {key: each for key, each in company.alert_thresholds.items() if key != name}
    company.alert_thresholds = kept if value is None else kept | {name: value}
    by.note(session, "alert.threshold", company.id, subject=name, detail={"value": value})
    return thresholds_of(company.alert_thresholds)
