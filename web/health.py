"""For machines that watch: alive, ready, and figures for Prometheus."""

from __future__ import annotations

import hmac
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from tracker.errors import Rejected
from tracker.metrics import gather
from tracker.models import Node
from tracker.policy.exposition import CONTENT_TYPE, Family, Sample, text_of
from tracker.policy.metrics import METRICS
from web.house import house
from web.public import public

log = logging.getLogger(__name__)
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
    """Prometheus text: figures of the whole installation. What names a company is for the token's holder."""
    asked, named = house(), _is_known()
    base = [Family(METRICS["leaseline_build_info"], [Sample((version("leaseline"),), 1)])]
    try:
        with asked.database.read() as session:
            began = time.perf_counter()
            session.execute(sa.select(1))
            seconds = time.perf_counter() - began
            found = gather(session, asked.totals, asked.clock(), named=named)
    except SQLAlchemyError as error:
        log.warning("the figures of the books are left out: %s", error.__class__.__name__)
        return _told([*base, _database(up=False)])
    took = Family(METRICS["leaseline_database_read_seconds"], [Sample((), seconds)])
    return _told([*base, _database(up=True), took, *found])


def _database(*, up: bool) -> Family:
    return Family(METRICS["leaseline_database_up"], [Sample((), up)])


def _told(families: list[Family]) -> Response:
    return Response(text_of(families), content_type=CONTENT_TYPE)


def _is_known() -> bool:
    """Whether the token was shown. Raises Rejected `metrics.token` where one is set and was not."""
    token = house().settings.metrics_token
    if not token:
        return False
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(shown.encode(), token.encode()):
        raise Rejected(
            "metrics.token",
            "These figures are for who shows the token",
            "Send Authorization: Bearer and the value of the setting metrics_token",
        )
    return True
