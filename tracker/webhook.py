"""A webhook: one POST of JSON, signed, to an address that was looked at first (tracker.outside)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracker.outside import Reply, Trouble, ask
from tracker.policy.telling import Answer

READ = 2000  # bytes of an answer that anybody looks at
GONE = 410


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[str]) -> Answer:
    """Send it; never raises for what the other side does. `allowed` are networks of the house."""
    try:
        reply = ask(
            "POST", url, body, {"Content-Type": "application/json", **headers}, allowed=allowed, read=READ
        )
    except Trouble as trouble:
        return Answer(False, str(trouble), final=trouble.final)
    return read(reply)


def read(reply: Reply) -> Answer:
    """What an answer means: taken, to be tried again, or never again."""
    return Answer(reply.ok, reply.shown(), gone=reply.status == GONE)
