"""Whether what was changed is live, over the API, and making it so."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from tracker import applying
from tracker.policy.rights import Right, Scope
from web.house import house
from web.rest.operation import Asked, operation
from web.rest.shapes import Query, Shape
from web.viewer import viewer

api = Blueprint("rest_live_settings", __name__, url_prefix="/api/v1")


class LiveSettings(Shape):
    """How the configuration of the phone system stands, of the whole installation."""

    state: Annotated[
        Literal["live", "waiting", "asked", "refused", "away"],
        Field(
            description="`waiting`: something was changed since. `asked`: the worker is at it. `refused`: "
            "it cannot be made live as it is. `away`: no worker looks, so nobody knows"
        ),
    ]
    since: datetime | None
    problem: Annotated[
        str | None, Field(description="Why it was refused; null also where that may be another company's")
    ]
    fix: str | None
    runs: Annotated[bool, Field(description="Whether the phone system runs")]
    restart: Annotated[list[str], Field(description="What takes effect with its next start only")]
    late: Annotated[bool, Field(description="Whether it takes longer than it should")]


@api.get("/live-settings")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=LiveSettings)
def show_live(asked: Asked[Query, None]) -> dict[str, Any]:
    """Whether everything that was changed is live."""
    return _described(asked)


@api.post("/live-settings")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, answer=LiveSettings, status=202)
def make_live(asked: Asked[Query, None]) -> dict[str, Any]:
    """Has the worker make live what was changed; ask again until `state` is `live` or `refused`."""
    applying.ask(asked.session, asked.by, asked.company)
    return _described(asked)


def _described(asked: Asked[Query, None]) -> dict[str, Any]:
    it = applying.liveness(asked.session, house().clock())
    mine = [each.id for each in viewer().narrowed(None).having(Right.ADMINISTER)]
    # What is wrong may be another company's entry, and names it.
    tells = applying.companies_beside(asked.session, mine) == 0
    return {
        "state": it.state.value,
        "since": it.since,
        "problem": it.problem if tells else None,
        "fix": it.fix if tells else None,
        "runs": it.runs,
        "restart": list(it.restart),
        "late": it.late,
    }
