"""Which calls are up right now: what a node's AMI listener publishes, and what pages read.

The listener sees channels; who called, and whether the number may be shown, is in the books. So a row never
carries the caller: a withheld number cannot leak through the live list.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.models import Call, Node, Number, Target
from tracker.policy.facts import Presentation

# Our own AMI user, and the only events it is sent (`eventfilter` in manager.conf). FullyBooted tells when
# Asterisk was started: it follows a login by itself, but not one before the end of the start, which has to
# wait for the event.
AMI_USER = "leaseline"
AMI_EVENTS = ("FullyBooted", "NewAccountCode", "DialState", "BridgeEnter", "BridgeLeave", "Hangup")

# The user that places callbacks, and what it is sent of them.
CALLBACK_USER = "leaseline-callbacks"
CALLBACK_EVENTS = ("FullyBooted", "OriginateResponse", "DialState", "Hangup")

# Where the dialplan dials a target: the extension is the target's id. It names a target reached over a
# trunk, whose channel only names the trunk.
TARGETS_CONTEXT = "leaseline-targets"

HEARTBEAT_SECONDS = 5
STALE_SECONDS = 4 * HEARTBEAT_SECONDS  # a node not heard of for so long has no live calls


@dataclass(frozen=True)
class Sight:
    """What a listener knows of its Asterisk. `calls` hold: call, state, since, started, did, target."""

    node: str
    ami_up: bool
    asterisk_version: str | None
    asterisk_started_at: datetime | None
    calls: list[dict[str, Any]]


@dataclass(frozen=True)
class LiveCall:
    """A call that is up. `caller` is None while it is withheld or not in the books yet."""

    call: str  # our key
    company_id: int
    node: str
    state: str  # arriving, ringing, talking
    since: datetime
    started_at: datetime
    did: str  # E.164
    caller: str | None
    target: int | None  # the one that rings or talks
    target_name: str | None


def publish(session: Session, sight: Sight, now: datetime) -> None:
    """Put what a node's listener sees where the pages look."""
    session.merge(
        Node(
            name=sight.node,
            seen_at=now,
            ami_up=sight.ami_up,
            asterisk_version=sight.asterisk_version,
            asterisk_started_at=sight.asterisk_started_at,
            live=sight.calls,
        )
    )


def live_calls(session: Session, company_ids: Collection[int], now: datetime | None = None) -> list[LiveCall]:
    """The calls of these companies that are up, the oldest first. At most four statements."""
    fresh = (now or datetime.now(UTC)) - timedelta(seconds=STALE_SECONDS)
    seen = [
        (node.name, row)
        for node in session.scalars(sa.select(Node).where(Node.seen_at >= fresh))
        for row in node.live
    ]
    if not seen:
        return []
    books = _in_the_books(session, [row["call"] for _, row in seen])
    owners = _owners(session, [row["did"] for _, row in seen if row["call"] not in books])
    targets = _target_names(session, [row["target"] for _, row in seen if row["target"]])
    found = [_live_call(node, row, books.get(row["call"]), owners, targets) for node, row in seen]
    wanted = [call for call in found if call is not None and call.company_id in company_ids]
    return sorted(wanted, key=lambda call: call.started_at)


def agi_answers(host: str, port: int, seconds: float = 1.0) -> bool:
    """Whether the FastAGI server holds a session: connecting alone would not show that it works."""
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(b"agi_network: yes\nagi_network_script: ping\n\n")
            answer = connection.recv(64)
            connection.sendall(b"200 result=0\n")
    except OSError:
        return False
    return answer == b"NOOP\n"


def _in_the_books(session: Session, keys: list[str]) -> dict[str, Call]:
    found = session.scalars(sa.select(Call).where(Call.key.in_(keys)).options(joinedload(Call.number)))
    return {call.key: call for call in found}


def _owners(session: Session, dids: Iterable[str]) -> dict[str, int]:
    wanted = set(dids)
    if not wanted:
        return {}
    rows = session.execute(sa.select(Number.e164, Number.company_id).where(Number.e164.in_(wanted)))
    return {row.e164: row.company_id for row in rows}


def _target_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    wanted = set(ids)
    if not wanted:
        return {}
    rows = session.execute(sa.select(Target.id, Target.name).where(Target.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def _live_call(
    node: str, row: dict[str, Any], call: Call | None, owners: dict[str, int], targets: dict[int, str]
) -> LiveCall | None:
    if call is not None and call.ended_at is not None:
        return None
    company_id = call.company_id if call is not None else owners.get(row["did"])
    if company_id is None:
        return None
    since = datetime.fromisoformat(row["since"])
    if call is not None and call.answered_at is not None and row["state"] == "talking":
        since = max(
            since, call.answered_at
        )  # after a restart of the listener only the books know the instant
    return LiveCall(
        call=row["call"],
        company_id=company_id,
        node=node,
        state=row["state"],
        since=since,
        started_at=call.started_at if call is not None else datetime.fromisoformat(row["started"]),
        did=call.number.e164 if call is not None else row["did"],
        caller=call.caller if call is not None and call.presentation is Presentation.ALLOWED else None,
        target=row["target"],
        target_name=targets.get(row["target"] or 0),
    )
