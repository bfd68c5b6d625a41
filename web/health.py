"""For machines that watch: alive, ready, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tracker.call_words import IS_COUNTED
from tracker.models import (
    Call,
    Lease,
    MissCount,
    Node,
    PageView,
    QuarantinedLine,
    Recording,
    Refusal,
    Visit,
)
from web.house import house
from web.public import public

health = Blueprint("health", __name__)

FRESH = timedelta(seconds=15)  # the agi process writes its node's row every five


@dataclass(frozen=True)
class Part:
    """One thing the product needs, whether it is well, and why not."""

    ok: bool
    reason: str


@health.get("/healthz")
@public
def healthz() -> Response:
    """This process answers."""
    return Response("ok\n", mimetype="text/plain")


@health.get("/readyz")
@public
def readyz() -> Response:
    """Each part by name; 503 when one of them is not well."""
    parts = _parts(house().settings.node, house().clock())
    ready = all(part.ok for part in parts.values())
    shown = {name: {"ok": part.ok, "reason": part.reason} for name, part in parts.items()}
    response = jsonify(ready=ready, **shown)
    response.status_code = 200 if ready else 503
    return response


def _parts(node: str, now: datetime) -> dict[str, Part]:
    try:
        with house().database.read() as session:
            row = session.get(Node, node)
    except SQLAlchemyError as error:
        unknown = Part(False, "unknown: the database does not answer")
        return {
            "database": Part(False, f"does not answer: {error.__class__.__name__}"),
            "agi": unknown, "ami": unknown, "asterisk": unknown,
        }  # fmt: skip
    return {"database": Part(True, "answers"), **_node_parts(row, now)}


def _node_parts(row: Node | None, now: datetime) -> dict[str, Part]:
    if row is None:
        never = Part(False, "has never been seen: start it with `leaseline up`")
        return {"agi": never, "ami": never, "asterisk": never}
    age = now - row.seen_at
    if age >= FRESH:
        silent = f"unknown: the agi process has been silent for {int(age.total_seconds())} s"
        return {
            "agi": Part(False, f"silent for {int(age.total_seconds())} s"),
            "ami": Part(False, silent), "asterisk": Part(False, silent),
        }  # fmt: skip
    if not row.ami_up:
        cut = Part(False, "the manager interface does not answer")
        return {"agi": Part(True, "alive"), "ami": cut, "asterisk": cut}
    started = row.asterisk_started_at
    asterisk = Part(started is not None, "up" if started else "its start time is not known yet")
    return {"agi": Part(True, "alive"), "ami": Part(True, "connected"), "asterisk": asterisk}


@health.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus text. Figures only, of the whole installation: nothing that names a caller or a company."""
    with house().database.read() as session:
        lines = [*_figures(session, house().clock())]
    return Response("\n".join(lines) + "\n", mimetype="text/plain", content_type="text/plain; version=0.0.4")


def _figures(session: Session, now: datetime) -> Iterator[str]:
    counted = sa.func.count()
    outcomes = session.execute(
        sa.select(Call.outcome, counted).where(Call.ended_at.is_not(None), IS_COUNTED).group_by(Call.outcome)
    )
    yield from _gauge(
        "calls_total", "counter", "Calls in the books that are over, by outcome",
        [(f'{{outcome="{word or "unknown"}"}}', count) for word, count in outcomes],
    )  # fmt: skip
    open_ = session.scalar(sa.select(counted).select_from(Call).where(Call.ended_at.is_(None)))
    yield from _gauge("calls_open", "gauge", "Calls that the books hold open", [("", open_ or 0)])
    states = session.execute(sa.select(Recording.state, counted).group_by(Recording.state))
    yield from _gauge(
        "recordings", "gauge", "Recordings, by state",
        [(f'{{state="{state.value}"}}', count) for state, count in states],
    )  # fmt: skip
    for name, about, table in (
        ("quarantined_lines_total", "Spool lines that could not be understood", QuarantinedLine),
        ("refusals_total", "Calls turned away before they became one", Refusal),
    ):
        yield from _gauge(
            name, "counter", about, [("", session.scalar(sa.select(counted).select_from(table)) or 0)]
        )
    yield from _visit_figures(session)
    nodes = session.scalars(sa.select(Node).order_by(Node.name)).all()
    alive = [(f'{{node="{it.name}"}}', int(it.ami_up and now - it.seen_at < FRESH)) for it in nodes]
    yield from _gauge("node_up", "gauge", "1 when the node's Asterisk is connected", alive)
    live = [(f'{{node="{it.name}"}}', len(it.live)) for it in nodes]
    yield from _gauge("calls_live", "gauge", "Calls up at this moment, as AMI sees them", live)


def _visit_figures(session: Session) -> Iterator[str]:
    """Of the website side. Visits and pages by their highest id: counting millions of rows would be felt."""
    for name, about, table in (
        ("visits_total", "Visits of websites", Visit),
        ("page_views_total", "Pages opened in visits", PageView),
    ):
        yield from _gauge(
            name, "counter", about, [("", session.scalar(sa.select(sa.func.max(table.id))) or 0)]
        )
    open_ = sa.select(sa.func.count()).select_from(Lease).where(Lease.until_at.is_(None))
    yield from _gauge(
        "leases_open", "gauge", "Numbers leased to a visit now", [("", session.scalar(open_) or 0)]
    )
    reasons = session.execute(
        sa.select(MissCount.reason, sa.func.sum(MissCount.count)).group_by(MissCount.reason)
    )
    yield from _gauge(
        "misses_total", "counter", "Requests answered without a number of the visitor's own, by reason",
        [(f'{{reason="{reason}"}}', int(count)) for reason, count in reasons],
    )  # fmt: skip


def _gauge(name: str, kind: str, about: str, values: list[tuple[str, int]]) -> Iterator[str]:
    yield f"# HELP leaseline_{name} {about}"
    yield f"# TYPE leaseline_{name} {kind}"
    for labels, value in values:
        yield f"leaseline_{name}{labels} {value}"
