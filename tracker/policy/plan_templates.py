"""Plans to begin with, made of the targets that a company has. The words are the caller's to translate."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tracker.errors import Rejected
from tracker.policy.plan import Cause, Place


class Template(enum.StrEnum):
    HOURS = "hours"  # open: they ring, closed: voicemail
    TURN = "turn"  # one after the other
    MENU = "menu"  # the caller chooses
    OFFICE = "office"  # all of it


@dataclass(frozen=True)
class Heard:
    """What callers hear in it, in the company's language."""

    leave_a_message: str
    sales_or_service: str
    welcome: str
    recorded: str
    type_code: str


def document_for(template: Template, targets: Sequence[str], heard: Heard) -> dict[str, Any]:
    """The document; where there is one target only it rings for all, where there is none an invented one."""
    first, second = (*targets, *targets, "Reception", "Reception")[:2]
    box = {"kind": "voicemail", "say": heard.leave_a_message}
    ring = {"kind": "ring", "targets": [f"{first}:25"], "then": "box"}
    turn = {"kind": "ring", "targets": list(dict.fromkeys((f"{first}:20", f"{second}:25"))), "then": "box"}
    hours = {
        "kind": "hours",
        "open": {"mon-fri": "09:00-18:00", "sat": "10:00-14:00"},
        "holidays": ["01-01", "12-25"],
        "closed": "box",
    }
    menu = {
        "kind": "menu",
        "say": heard.sales_or_service,
        "keys": {"1": "sales", "2": "service"},
        "then": "sales",
    }
    service = {**ring, "targets": [f"{second}:25"]}
    steps: dict[Template, dict[str, Any]] = {
        Template.HOURS: {"hours": {**hours, "then": "sales"}, "sales": turn, "box": box},
        Template.TURN: {"sales": turn, "box": box},
        Template.MENU: {"menu": menu, "sales": ring, "service": service, "box": box},
        Template.OFFICE: {
            "hours": {**hours, "then": "menu"},
            "menu": menu,
            "sales": {**turn, "busy": "box"},
            "service": service,
            "box": box,
        },
    }
    found = steps[template]
    return {"start": next(iter(found)), "steps": found}


def new_step(kind: str, then: Place, target: str, plan: str, heard: Heard) -> dict[str, Any]:
    """A step of that kind to begin with, which goes on to `then`; where it goes over to a plan, to that one.

    Raises Rejected plan.kind.
    """
    steps: dict[str, dict[str, Any]] = {
        "hours": {"open": {"mon-fri": "09:00-18:00"}, "then": then},
        "ring": {"targets": [f"{target}:25"], "then": then},
        "last": {"then": then},
        "responsible": {"then": then},
        "say": {"say": heard.welcome, "then": then},
        "menu": {"say": heard.sales_or_service, "keys": {"1": then, "2": then}, "then": then},
        "code": {"say": heard.type_code, "then": then},
        "branch": {"by": "caller", "cases": {"repeat": then}, "then": then},
        "consent": {"say": heard.recorded, "then": then},
        "voicemail": {"say": heard.leave_a_message},
        "plan": {"plan": plan},
        "hangup": {"cause": Cause.BUSY.value},
    }
    if kind not in steps:
        raise Rejected("plan.kind", "There is no such kind of step", "Choose one of those on the page")
    return {"kind": kind, **steps[kind]}
