"""What nobody else will close: calls that a crash left open, facts whose call has come meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import cel
from tracker.books import adopt_waiting, record_all
from tracker.database import Database
from tracker.importer import behind_seconds
from tracker.models import Call, CallEvent, Node, WaitingFact
from tracker.policy.facts import Interrupted

_SETTLED = timedelta(
    seconds=15
)  # younger calls may not be in the live list yet, or their end not in the books
_FRESH = timedelta(seconds=15)  # the AMI listener writes its row every 5 s
_WAITS = timedelta(days=60)  # for a start, before a fact is given up


@dataclass(frozen=True)
class OpenCall:
    """A call that the books show as going on, on a node where it does not."""

    key: str
    linkedid: str | None
    last_fact_at: datetime
    latest_end_at: datetime | None  # Asterisk was gone by then


def reconcile(
    database: Database,
    node: str,
    now: datetime,
    *,
    spool: Path,
    cel_folder: Path,
    recordings: Path,
    call_max_seconds: int = 14400,
) -> int:
    """Closes the calls of a node that a crash left open; gives how many. Cheap when there is none.

    Waits until the spool has been read to its end: an end may be in it. `recordings` is where Asterisk writes
    its unfinished ones, which grow until the last second.
    """
    with database.read() as session:
        lost = lost_calls(session, node, now, call_max_seconds)
        if not lost or behind_seconds(session, spool, node, now) > 0:
            return 0
    signs = signs_of_life(lost, cel_folder, recordings)
    with database.write() as session:
        return close_interrupted(session, node, now, signs, call_max_seconds)


def close_interrupted(
    session: Session,
    node: str,
    now: datetime,
    signs: Mapping[str, datetime] | None = None,
    call_max_seconds: int = 14400,
) -> int:
    """Closes each lost call of the node at its last known sign of life; gives how many.

    `signs` are signs of life found outside the books, by call key.
    """
    lost = lost_calls(session, node, now, call_max_seconds)
    facts = [
        Interrupted(call.key, node, _last_alive(call, (signs or {}).get(call.key), now)) for call in lost
    ]
    record_all(session, facts)
    return len(facts)


def lost_calls(session: Session, node: str, now: datetime, call_max_seconds: int = 14400) -> list[OpenCall]:
    """The open calls of the node that cannot be going on.

    Asterisk was started after they began; or its fresh list of live calls does not have them; or they are
    older than any call can be.
    """
    rows = session.execute(
        sa.select(Call.key, Call.linkedid, Call.started_at, sa.func.max(CallEvent.at).label("last_fact_at"))
        .join(CallEvent, CallEvent.call_id == Call.id)
        .where(Call.node == node, Call.ended_at.is_(None), Call.started_at < now - _SETTLED)
        .group_by(Call.id, Call.key, Call.linkedid, Call.started_at)
    ).all()
    if not rows:
        return []
    seen = session.get(Node, node, populate_existing=True)
    oldest = now - timedelta(seconds=call_max_seconds + 600)
    live = _live_keys(seen, now)
    boot = seen.asterisk_started_at if seen else None
    return [
        OpenCall(row.key, row.linkedid, row.last_fact_at, boot if boot and row.started_at < boot else None)
        for row in rows
        if (boot is not None and row.started_at < boot)
        or (live is not None and row.key not in live)
        or row.started_at < oldest
    ]


def signs_of_life(calls: Sequence[OpenCall], cel_folder: Path, recordings: Path) -> dict[str, datetime]:
    """The last that Asterisk wrote about each call: its channel events, its recording."""
    events = cel.last_signs(cel_folder, [call.linkedid for call in calls if call.linkedid])
    signs = {}
    for call in calls:
        found = [events.get(call.linkedid or ""), _written_at(recordings / f"{call.key}.raw")]
        known = [sign for sign in found if sign is not None]
        if known:
            signs[call.key] = max(known)
    return signs


def tidy_waiting(session: Session, now: datetime) -> int:
    """Gives waiting facts to calls that have come, and gives up those that waited for two months."""
    adopted = adopt_waiting(session)
    session.execute(sa.delete(WaitingFact).where(WaitingFact.at < now - _WAITS))
    return adopted


def _live_keys(seen: Node | None, now: datetime) -> set[str] | None:
    """The calls that Asterisk has up; None when nobody can say."""
    if seen is None or not seen.ami_up or seen.seen_at < now - _FRESH:
        return None
    return {str(row.get("call")) for row in seen.live}


def _last_alive(call: OpenCall, sign: datetime | None, now: datetime) -> datetime:
    """The latest of what is known, but not after Asterisk's next start, nor in the future."""
    latest = min(call.latest_end_at or now, now)
    return max(call.last_fact_at, min(sign or call.last_fact_at, latest))


def _written_at(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
