"""Costs and sales as programs tell them: as JSON, or as a form by some CRMs' webhooks.

The same row told again changes nothing, so whoever is unsure tells it again. Either all rows of a request are
taken or none. A program shows an API key; a logged-in browser needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.orm import Session

from tracker import costs, imports, sale_matching, sales
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy import mapped_rows
from tracker.policy.cost_list import told_costs
from tracker.policy.costs import Entered
from tracker.policy.rights import Right, Scope
from tracker.policy.sale_list import told_sales
from tracker.policy.tables import BadRows
from web.house import house
from web.rest.costs import CostsTold, Taken
from web.rest.operation import operation, the_company
from web.rest.sales import SaleMapping, SalesTaken, SalesTold
from web.viewer import hand

api = Blueprint("money_api", __name__, url_prefix="/api/v1")

MOST_ROWS = 5_000
Plan = Callable[[Session, Company], Any]
Store = Callable[[Session, Company, Any], None]


@api.post("/costs")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, body=CostsTold, answer=Taken, bare=True, forms=True)
def tell_costs() -> Response:
    """Takes `{"costs": [{"day": …, "source": …, "amount": …}, …]}`, or one such row by itself."""

    rows = _rows("costs")

    def plan(session: Session, company: Company) -> Any:
        return costs.plan_import(session, company, told_costs(rows, costs.wanted_of(session, company)))

    def store(session: Session, company: Company, plan: Any) -> None:
        costs.carry_out(session, hand(), company, plan, entered=Entered.API)

    return _taken(Right.ADMINISTER, plan, store)


@api.post("/sales")
@operation(
    Scope.MONEY_WRITE,
    Right.JUDGE,
    query=SaleMapping,
    body=SalesTold,
    answer=SalesTaken,
    bare=True,
    forms=True,
)
def tell_sales() -> Response:
    """Takes `{"sales": [{"at": …, "revenue": …, "reference": …}, …]}`, one such row, or what `map.…` maps."""

    by, query = hand(), request.args
    left_out: int | None = None
    if mapped_rows.is_mapped(query):
        rows, left_out = _mapped(mapped_rows.read_mapping(query.to_dict()))
    else:
        rows = _rows("sales")

    def plan(session: Session, company: Company) -> Any:
        found = told_sales(rows, costs.wanted_of(session, company), sales.place_of(company, by.at))
        return sales.plan_import(session, company, found)

    def store(session: Session, company: Company, plan: Any) -> None:
        sale_matching.match_again(session, by, company, since=by.at - sale_matching.LATE)
        sales.carry_out(session, by, company, plan, entered=Entered.API)

    return _taken(Right.JUDGE, plan, store, left_out)


def _taken(right: Right, plan: Plan, store: Store, left_out: int | None = None) -> Response:
    try:
        taken = imports.take(house().database, the_company(right), plan, store)
    except BadRows as bad:
        return _refused(bad)
    more = {} if left_out is None else {"left_out": left_out}
    return jsonify(new=len(taken.new), changed=len(taken.changed), same=taken.same, **more)


def _refused(bad: BadRows) -> Response:
    first = bad.problems[0]
    error = {
        "id": "rows.bad",
        "message": f"Row {first.line}, {first.column}: {first.problem}; nothing was stored",
        "fix": "Mend the rows in `problems` and send all of them again",
    }
    problems = [{"row": it.line, "column": it.column, "problem": it.problem} for it in bad.problems]
    response = jsonify(error=error, problems=problems)
    response.status_code = 400
    return response


def _mapped(its: mapped_rows.Mapped) -> tuple[list[Mapping[str, Any]], int]:
    """What somebody else's message says, in our words, and how many rows of it are no sales."""
    told = _json() if request.is_json else mapped_rows.unfolded(request.form)
    rows, left_out = mapped_rows.mapped_rows(told, its)
    return (_checked(rows, "sales") if rows else []), left_out


def _rows(what: str) -> list[Mapping[str, Any]]:
    told: Any = _json() if request.is_json else request.form.to_dict()
    rows = told.get(what, [told] if told else None) if isinstance(told, dict) else told
    return _checked(rows, what)


def _checked(rows: Any, what: str) -> list[Mapping[str, Any]]:
    """Rows of texts and numbers. Raises Rejected rows.malformed, rows.many."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Rejected("rows.malformed", f"This has no {what}", f'Send {{"{what}": [{{…}}, …]}} as JSON')
    if len(rows) > MOST_ROWS:
        raise Rejected("rows.many", f"There are {len(rows)} rows", f"Send {MOST_ROWS} at most at once")
    for number, row in enumerate(rows, start=1):
        if odd := [name for name, value in row.items() if isinstance(value, dict | list | bool)]:
            raise Rejected(
                "rows.malformed", f"Row {number}, {odd[0][:60]}: is no text and no number", "Give one or null"
            )
    return rows


def _json() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:  # lists in lists in lists
        return None
