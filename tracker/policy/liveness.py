"""Whether what was configured is live: how each node stands, put into one word for a person."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

AWAY_AFTER = timedelta(minutes=3)  # without a look of the worker's, which comes once a minute
LATE_AFTER = timedelta(seconds=20)  # a request is answered within seconds


class Live(enum.StrEnum):
    """How the configuration stands."""

    LIVE = "live"
    WAITING = "waiting"  # something was changed that the phone system does not know yet
    ASKED = "asked"  # somebody asked for it; the worker is at it
    REFUSED = "refused"  # it cannot be made live as it is
    AWAY = "away"  # no worker looks, so nobody knows


@dataclass(frozen=True)
class NodeSight:
    """What a node's worker saw. `behind`: something was changed since it looked."""

    looked_at: datetime
    behind: bool
    waiting: bool
    request_id: int
    live_at: datetime | None
    runs: bool
    restart: tuple[str, ...] = ()
    problem: str | None = None
    fix: str | None = None


@dataclass(frozen=True)
class Liveness:
    """`since`: since when it is so, where that is known. `late`: it takes longer than it should."""

    state: Live
    since: datetime | None = None
    problem: str | None = None
    fix: str | None = None
    runs: bool = True
    restart: tuple[str, ...] = ()
    late: bool = False

    @property
    def settled(self) -> bool:
        """Whether it stays as it is until somebody does something."""
        return self.state not in {Live.ASKED, Live.AWAY}


def read_liveness(
    nodes: Sequence[NodeSight], request_id: int, asked_at: datetime | None, now: datetime
) -> Liveness:
    """The nodes taken together; the one that stands worst is told. A node that is gone does not count."""
    present = [node for node in nodes if now - node.looked_at <= AWAY_AFTER]
    if not present:
        return Liveness(Live.AWAY, since=max((node.looked_at for node in nodes), default=None))
    if asked_at is not None and any(node.request_id < request_id for node in present):
        return Liveness(Live.ASKED, since=asked_at, late=now - asked_at > LATE_AFTER)
    if refused := next((node for node in present if node.problem and not node.behind), None):
        return Liveness(Live.REFUSED, problem=refused.problem, fix=refused.fix)
    if any(node.behind or node.waiting for node in present):
        return Liveness(Live.WAITING)
    since = [node.live_at for node in present if node.live_at is not None]
    restart = tuple(sorted({name for node in present for name in node.restart}))
    return Liveness(
        Live.LIVE, since=max(since, default=None), runs=all(node.runs for node in present), restart=restart
    )
