"""A number as JSON, the same on the command line and in the API: what it is, and its story."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from tracker import numbers
from tracker.calls import describe as describe_call
from tracker.models import Number, NumberUse
from tracker.number_states import who_rings
from tracker.numbers import Listed


def describe(listed: Listed) -> dict[str, Any]:
    """A number with its present use."""
    number = listed.number
    return {
        "id": number.id,
        "number": number.e164,
        "state": number.state.value,
        "quarantined_until": number.quarantined_until,
        "channel": listed.channel.name if listed.channel else None,
        "pool": listed.pool.name if listed.pool else None,
        "label": number.label,
        "record": number.record,
        "created_at": number.created_at,
    }


def present(session: Session, number: Number) -> dict[str, Any]:
    """The same of one number by itself."""
    open_use = next((use for use in numbers.uses(session, number) if use.until_at is None), None)
    return describe(_listed(number, open_use))


def story(session: Session, number: Number) -> dict[str, Any]:
    """A number with its history, who rings for it and its last calls."""
    uses = numbers.uses(session, number)
    who = who_rings(session, [number.id])[number.id]
    rings = [{"target": target.name, "ring_seconds": seconds} for target, seconds in who.rings]
    return {
        **describe(_listed(number, next((use for use in uses if use.until_at is None), None))),
        "plan": who.plan.name if who.plan else None,
        "rings": rings,
        "uses": [_use(use) for use in uses],
        "last_calls": [describe_call(call) for call in numbers.last_calls(session, number)],
    }


def _listed(number: Number, use: NumberUse | None) -> Listed:
    return Listed(number, use.channel if use else None, use.pool if use else None)


def _use(use: NumberUse) -> dict[str, Any]:
    return {
        "channel": use.channel.name if use.channel else None,
        "pool": use.pool.name if use.pool else None,
        "from_at": use.from_at,
        "until_at": use.until_at,
    }
