"""Calls that a phone system reports over HTTP, in batches: a JSON list, or JSON a line.

Each good row is taken whatever the others are like; each bad one is answered by its place and the reason. The
same told again changes nothing, so whoever is unsure tells it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from tracker import reported_calls
from tracker.errors import Rejected, Said, say
from tracker.models import Company
from tracker.policy.cost_list import as_texts
from tracker.policy.reported_calls import COLUMNS, FoundCalls, read_rows, read_system
from tracker.policy.rights import Right, Scope
from tracker.policy.tables import BadCell
from tracker.reported_calls import Source, Taken
from web.house import house
from web.rest.operation import operation, the_company
from web.rest.reported_shapes import ReportedAsked, ReportedCalls, ReportedTaken
from web.viewer import by_program, hand, viewer

api = Blueprint("calls_api", __name__, url_prefix="/api/v1")

MOST_ROWS = 1_000
Row = Mapping[str, str] | Said


@api.post("/calls")
@operation(
    Scope.CALLS_REPORT,
    Right.ADMINISTER,
    query=ReportedAsked,
    body=ReportedCalls,
    answer=ReportedTaken,
    bare=True,
    also=("application/x-ndjson",),
)
def report() -> Response:
    """Takes calls that a phone system had: a list, `{"calls": […]}`, one row, or one row a line.

    Each good row is taken, whatever the others are like; each bad one stands in `problems`. Where none is
    good the answer is 400, with the same problems.
    """
    company, system = the_company(Right.ADMINISTER), read_system(request.args.get("system") or _key_name())
    rows = list(enumerate(_rows(), start=1))
    if not rows or len(rows) > MOST_ROWS:
        raise Rejected("rows.many", f"There are {len(rows)} rows", f"Send 1 to {MOST_ROWS} at once")
    database, by = house().database, hand()
    with database.read() as session:
        owner = session.get_one(Company, company)
        found = read_rows(rows, reported_calls.how_of(session, owner, by.at, zoned=True))
        source = Source(owner.id, owner.default_region, system, by)
    return _answer(found, reported_calls.take(database, source, found.lines))


def _answer(found: FoundCalls, taken: Taken) -> Response:
    left_out = dict(found.left_out) | ({"ours": taken.ours} if taken.ours else {})
    problems = [_problem(bad) for bad in found.problems]
    counts = {"new": taken.new, "changed": taken.changed, "same": taken.same, "left_out": left_out}
    told: dict[str, Any] = {**counts, "problems": problems}
    if not problems or found.lines or left_out:
        return jsonify(told)
    first = found.problems[0]
    told["error"] = {
        "id": "rows.bad",
        "message": f"Row {first.line}, {first.column or 'the row'}: {first.problem}; no row could be taken",
        "fix": "Mend the rows in `problems` and send them again",
    }
    response = jsonify(told)
    response.status_code = 400
    return response


def _problem(bad: BadCell) -> dict[str, Any]:
    return {"row": bad.line, "column": bad.column, "problem": bad.problem}


def _rows() -> Iterator[Row]:
    body = request.get_data(as_text=False)
    told = _parsed(body)
    if isinstance(told, dict):
        told = told.get("calls", [told])
    if told is not None and not isinstance(told, list):
        raise Rejected("rows.malformed", "This has no calls", "Send a JSON list of objects, or one a line")
    each = told if told is not None else map(_parsed, filter(bytes.strip, body.splitlines()))
    return map(_row, each)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _row(told: Any) -> Row:
    """The row's texts, or why it is none."""
    if not isinstance(told, dict):
        return say("it is no JSON object")
    if odd := [name for name, value in told.items() if isinstance(value, dict | list | bool)]:
        return say("%(column)s: is no text and no number", column=odd[0][:60])
    if strange := [name for name in told if name not in COLUMNS]:
        return say(
            "%(column)s is not known here: there are %(columns)s",
            column=strange[0][:60],
            columns=", ".join(COLUMNS),
        )
    return as_texts(told)


def _key_name() -> str:
    return viewer().email.removeprefix("key:") if by_program() else "web"
