"""An order of targets as a form has it: arranged by buttons, read back as it was typed.

Each button only shows the order anew; nothing is stored before it is saved. So it works without a script,
and a half-made order never rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from sqlalchemy.orm import Session

from tracker import targets
from tracker.errors import Rejected
from tracker.models import Company
from web.house import row_id
from web.settings.forms import text


@dataclass(frozen=True)
class Step:
    """A target in the order being made; the seconds as they were typed."""

    target_id: int
    name: str
    seconds: str


def typed(session: Session, owner: Company) -> list[Step]:
    """The order in the form; targets that are gone meanwhile, or another company's, are left out."""
    names = {each.id: each.name for each in targets.of_company(session, owner)}
    pairs = zip(request.form.getlist("target"), request.form.getlist("seconds"), strict=False)
    return [
        Step(row_id(target), names[row_id(target)], seconds.strip())
        for target, seconds in pairs
        if row_id(target) in names
    ]


def arranged(session: Session, owner: Company, do: str) -> list[Step]:
    """The order in the form after a button: up-2, down-1, remove-3, add."""
    verb, _, at = do.partition("-")
    place, order = row_id(at) - 1, typed(session, owner)
    if verb == "add":
        wanted = row_id(text("new_target"))
        new = next((each for each in targets.of_company(session, owner) if each.id == wanted), None)
        return order + ([Step(new.id, new.name, text("new_seconds"))] if new else [])
    if not 0 <= place < len(order):
        return order
    step = order.pop(place)
    if verb in {"up", "down"}:
        order.insert(max(0, place + (-1 if verb == "up" else 1)), step)
    elif verb != "remove":
        order.insert(place, step)
    return order


def seconds_of(step: Step) -> int:
    """Raises Rejected forward.seconds for what is no whole number."""
    if not step.seconds.isascii() or not step.seconds.isdigit():
        raise Rejected(
            "forward.seconds",
            "%(seconds)r is no time to ring",
            "Give 1 to 300 whole seconds",
            seconds=step.seconds[:20],
        )
    return int(step.seconds[:9])


def choices(session: Session, owner: Company) -> Sequence[tuple[int, str]]:
    """The company's targets, for the choice of who rings next."""
    return [(each.id, each.name) for each in targets.of_company(session, owner)]
