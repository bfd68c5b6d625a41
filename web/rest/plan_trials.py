"""Plans tried out over the API before they ring, and the trials that are kept beside them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import plan_cases
from tracker.errors import Rejected
from tracker.policy.plan_cases import Case, read_case, way
from tracker.policy.plan_trial import Trial
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.rest.operation import Asked, Made, operation
from web.rest.plans import find_plan
from web.rest.shapes import Id, Line, Name, Query, Shape

api = Blueprint("rest_plan_trials", __name__, url_prefix="/api/v1")

Seconds = Annotated[float, Field(ge=0, le=86_400)]


class TrialWish(Shape):
    """A call that is not made: when it comes and what everybody does."""

    at: Annotated[
        Line | None, Field(description="By the company's clocks: `2026-12-01 09:30`; none: now")
    ] = None
    targets: Annotated[
        dict[Name, list[Line]],
        Field(description="What each does, one call after the other: `answers:5`, `busy`, `declines`,"
                          " `unreachable`, `does not answer`"),
    ] = Field(default_factory=dict)  # fmt: skip
    keys: Annotated[list[Line], Field(max_length=100, description="What the caller presses")] = Field(
        default_factory=list
    )
    known: Annotated[
        dict[Name, Line] | None, Field(description="`source`, `caller` …; null: Leaseline does not answer")
    ] = Field(default_factory=dict)
    taken: Annotated[
        dict[Name, Annotated[int, Field(ge=0, le=10_000)]], Field(description="Calls a target has already")
    ] = Field(default_factory=dict)
    last: Annotated[Name | None, Field(description="Who spoke with this caller last")] = None
    visitor: Annotated[bool, Field(description="A number of his own is shown to the caller")] = False
    gives_up: Annotated[Seconds | None, Field(description="The caller hangs up after so long")] = None
    turn: Annotated[int, Field(ge=0, le=10_000, description="Whose turn it is where targets take turns")] = 0
    chance: Annotated[float, Field(ge=0, lt=1, description="The die where targets have weights")] = 0
    listens: Annotated[Seconds, Field(description="How long each prompt lasts")] = 0


class KeptTrialWish(TrialWish):
    """A trial that is kept and run again on every change; one of that name is replaced."""

    name: Name


class TrialEvent(Shape):
    """So many seconds after the call came in; `about`: the target, the key, the way that was taken."""

    seconds: float
    plan: str
    place: str
    what: str
    about: str


class TrialOut(Shape):
    """The call's way; the last of the events says how it ended."""

    events: list[TrialEvent]


class KeptTrialOut(Shape):
    id: Id
    trial: str
    as_expected: Annotated[bool, Field(description="Whether the call goes the way that was kept")]
    way: list[str]


class KeptTrials(Shape):
    trials: list[KeptTrialOut]


@api.post("/plans/<plan>/try")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, body=TrialWish, answer=TrialOut)
def try_plan(asked: Asked[Query, TrialWish], plan: str) -> dict[str, Any]:
    """Tries a plan out by a virtual clock; nobody is called and nothing is kept."""
    return _told(plan_cases.try_out(asked.session, find_plan(asked, plan), _case(asked.body)))


@api.get("/plans/<plan>/trials")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=KeptTrials)
def list_trials(asked: Asked[Query, None], plan: str) -> dict[str, Any]:
    """The trials that are kept beside a plan, run now."""
    found = find_plan(asked, plan)
    ids = {it.name: it.id for it in found.cases}
    return {
        "trials": [
            {
                "id": ids[it.name],
                "trial": it.name,
                "as_expected": it.as_expected,
                "way": way(it.trial),
            }
            for it in plan_cases.results(asked.session, found)
        ]
    }


@api.post("/plans/<plan>/trials")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=KeptTrialWish, answer=TrialOut, status=201)
def keep_trial(asked: Asked[Query, KeptTrialWish], plan: str) -> Made:
    """Keeps a trial beside a plan, with the way that the call takes now."""
    found = find_plan(asked, plan)
    kept = plan_cases.keep(asked.session, asked.by, found, asked.body.name, _case(asked.body))
    return Made(_told(kept.trial), f"/api/v1/plans/{found.id}/trials")


@api.delete("/plans/<plan>/trials/<trial>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204)
def forget_trial(asked: Asked[Query, None], plan: str, trial: str) -> None:
    """Forgets a trial that is kept beside a plan."""
    found = find_plan(asked, plan)
    name = next((it.name for it in found.cases if it.id == row_id(trial)), None)
    if name is None:
        raise Rejected("plan_case.unknown", "There is no such trial", "See the list")
    plan_cases.forget(asked.session, asked.by, found, name)


def _case(wish: TrialWish) -> Case:
    told = wish.model_dump(exclude={"name"})
    return read_case(told | {"at": wish.at or house().clock().isoformat()})


def _told(trial: Trial) -> dict[str, Any]:
    return {"events": [asdict(it) for it in trial.events]}
