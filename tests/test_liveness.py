"""Whether what was configured is live: nodes, requests and time put into one word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tracker.policy.liveness import Live, NodeSight, read_liveness

NOW = datetime(2026, 11, 20, 14, 31, tzinfo=UTC)
SINCE = NOW - timedelta(hours=2)


def sight(seconds: float = 5, **more: Any) -> NodeSight:
    plain: dict[str, Any] = {
        "behind": False,
        "waiting": False,
        "request_id": 0,
        "live_at": SINCE,
        "runs": True,
    }
    return NodeSight(NOW - timedelta(seconds=seconds), **plain | more)


REFUSED: dict[str, Any] = {"problem": "number x: rings nothing", "fix": "Correct it"}


@pytest.mark.parametrize(
    ("nodes", "request_id", "state"),
    [
        ([], 0, Live.AWAY),
        ([sight(181)], 0, Live.AWAY),
        ([sight(179)], 0, Live.LIVE),
        ([sight(behind=True)], 0, Live.WAITING),
        ([sight(waiting=True)], 0, Live.WAITING),
        ([sight(waiting=True)], 1, Live.ASKED),
        ([sight(request_id=1)], 1, Live.LIVE),
        ([sight(request_id=1, **REFUSED)], 1, Live.REFUSED),
        ([sight(request_id=1, behind=True, **REFUSED)], 1, Live.WAITING),  # corrected meanwhile
        ([sight(request_id=1), sight(request_id=0)], 1, Live.ASKED),
        ([sight(request_id=1), sight(request_id=1, waiting=True)], 1, Live.WAITING),
        ([sight(request_id=1), sight(9999, request_id=0)], 1, Live.LIVE),  # a node that is gone
    ],
)
def test_the_worst_of_the_nodes_is_told(nodes: list[NodeSight], request_id: int, state: Live) -> None:
    asked = NOW - timedelta(seconds=3) if request_id else None
    assert read_liveness(nodes, request_id, asked, NOW).state is state


def test_live_says_since_when_and_what_is_left_to_do() -> None:
    nodes = [sight(), sight(live_at=NOW - timedelta(hours=1), runs=False, restart=("rtp.conf",))]
    found = read_liveness(nodes, 0, None, NOW)
    assert (found.since, found.runs, found.restart) == (NOW - timedelta(hours=1), False, ("rtp.conf",))
    assert found.settled


def test_a_request_that_nobody_answers_is_late() -> None:
    for seconds, late in ((19, False), (21, True)):
        found = read_liveness([sight()], 1, NOW - timedelta(seconds=seconds), NOW)
        assert (found.state, found.late, found.settled) == (Live.ASKED, late, False)
