"""The worker's part in making changes live: compare, apply when somebody asked, write down how it stands.

A request is answered once its result is stored. A crash before that has it applied again, which changes
nothing that is so already; calls that are up go on either way.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from commands.context import Here
    from dialplan.apply import Applied
    from tracker.errors import Rejected
    from tracker.models import ApplyRequest, NodeConfiguration
    from tracker.worker import Job

log = logging.getLogger("leaseline.worker")

EVERY_SECONDS = 1.0
BY_ITSELF = ("blocked.conf",)
LOOK_EVERY = timedelta(minutes=1)  # settings and files change without an entry in the audit log


def applying_jobs(opened: Here) -> Sequence[Job]:
    """What was changed is compared with what is live, and applied when somebody asked for it."""
    from tracker.worker import Job

    return (Job("configuration", EVERY_SECONDS, lambda: take_turn(opened)),)


@dataclass(frozen=True)
class _Due:
    """Why there is something to do: the newest change, and the request to answer, if one was made."""

    audit_id: int
    request: ApplyRequest | None
    before: NodeConfiguration | None


def take_turn(opened: Here) -> None:
    """Answer the newest request, or look anew where something was changed or a minute is over."""
    due = _due(opened)
    if due is None:
        return
    applied, problem = _apply(opened, due.request) if due.request else _compare(opened)
    if due.request is None and applied is not None and applied.changed == BY_ITSELF:
        applied, problem = _apply_by_itself(opened)
    with opened.database.write() as session:
        session.merge(_seen(opened, due, applied, problem))


def _due(opened: Here) -> _Due | None:
    from tracker import applying
    from tracker.models import NodeConfiguration

    with opened.database.read() as session:
        before = session.get(NodeConfiguration, opened.settings.node)
        known = before.audit_id if before else 0
        newest, request = applying.newest_change(session, known), applying.newest_request(session)
        session.expunge_all()
    asked = request is not None and (before is None or before.request_id < request.id)
    if before and not asked and newest == known and opened.now - before.looked_at < LOOK_EVERY:
        return None
    return _Due(newest, request if asked else None, before)


def _apply(opened: Here, request: ApplyRequest) -> tuple[Applied | None, Rejected | None]:
    from commands.live import run_apply
    from tracker.audit import By
    from tracker.errors import Rejected

    try:
        applied = run_apply(
            opened, by=By(opened.now, request.actor, request.client), company_id=request.company_id
        )
    except Rejected as problem:
        log.warning("what %s asked to be made live was refused: %s", request.actor, problem)
        return None, problem
    log.info("made live for %s: %d files changed", request.actor, len(applied.changed))
    return applied, None


def _apply_by_itself(opened: Here) -> tuple[Applied | None, Rejected | None]:
    """What Asterisk keeps of unwanted callers goes live unasked: they are blocked already."""
    from commands.live import run_apply
    from tracker.audit import By
    from tracker.errors import Rejected

    try:
        run_apply(opened, by=By(opened.now, "worker"))
    except Rejected as problem:
        log.warning("the block list could not be made live: %s", problem)
        return None, problem
    return _compare(opened)


def _compare(opened: Here) -> tuple[Applied | None, Rejected | None]:
    from commands.live import run_apply
    from tracker.errors import Rejected

    try:
        return run_apply(opened, dry=True), None
    except Rejected as problem:
        return None, problem


def _seen(opened: Here, due: _Due, applied: Applied | None, problem: Rejected | None) -> NodeConfiguration:
    """How it stands now."""
    from dialplan.apply import running
    from dialplan.render import place_of
    from tracker.models import NodeConfiguration

    place, before = place_of(opened.settings), due.before
    dry = due.request is None
    waiting = list(applied.changed) if applied and dry else []
    told = (problem.message, problem.fix) if problem else _still_refused(due, waiting)
    return NodeConfiguration(
        node=opened.settings.node,
        looked_at=opened.now,
        audit_id=due.audit_id,
        request_id=due.request.id if due.request else before.request_id if before else 0,
        waiting=waiting,
        live_at=_since(place.parts),
        runs=running(place),
        restart=_restart(opened, before, applied.restart if applied and not dry else ()),
        problem=told[0][:2000] if told else None,
        fix=told[1][:1000] if told else None,
        endpoints=_endpoints(opened),
    )


def _still_refused(due: _Due, waiting: Sequence[str]) -> tuple[str, str] | None:
    """What Asterisk did not take stays refused until something is changed; only trying it shows that."""
    before = due.before
    if due.request or not waiting or before is None or not before.problem:
        return None
    return (before.problem, before.fix or "") if before.audit_id == due.audit_id else None


def _since(current: Path) -> datetime | None:
    """Since when the configuration in force is."""
    try:
        return datetime.fromtimestamp(current.lstat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _restart(opened: Here, before: NodeConfiguration | None, new: Sequence[str]) -> list[str]:
    """Files that wait for Asterisk's next start: those of before, unless it came meanwhile."""
    from tracker.models import Node

    with opened.database.read() as session:
        node = session.get(Node, opened.settings.node)
        started_at = node.asterisk_started_at if node else None
    over = before is None or (started_at is not None and before.live_at and started_at > before.live_at)
    return sorted({*(() if over or before is None else before.restart), *new})


def _endpoints(opened: Here) -> dict[str, str]:
    """What Asterisk says of each trunk and target; nothing where it cannot be asked."""
    from commands.watching import endpoints, trunks_seen
    from dialplan.apply import running
    from dialplan.render import place_of
    from tracker.errors import Rejected

    if not running(place_of(opened.settings)):
        return {}
    try:
        found = endpoints(opened)
    except Rejected:
        return {}
    barred = (it.trunk_id for it in trunks_seen(opened, found) or () if it.problem == "unregistered")
    return found | {f"trunk-{trunk_id}": "Unregistered" for trunk_id in barred}
