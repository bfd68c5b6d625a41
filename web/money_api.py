"""Costs, sales and reports for programs: told as JSON, or as a form by some CRMs' webhooks; listed as JSON.

The same row told again changes nothing, so whoever is unsure tells it again. Either all rows of a request are
taken or none. A program shows an API key; a logged-in browser needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.orm import Session

from tracker import costs, imports, path_report, recovery, rents, reports, sale_matching, sales
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy import mapped_rows
from tracker.policy.cost_list import told_costs
from tracker.policy.costs import Entered
from tracker.policy.dates import Dates
from tracker.policy.path_table import read_path_wish
from tracker.policy.report_wish import SPAN_WORDS, WORDS, spans_of
from tracker.policy.rights import Right, Scope
from tracker.policy.sale_list import told_sales
from tracker.policy.tables import BadRows, Unreadable
from tracker.report_export import describe
from web.house import house
from web.rest.operation import operation, the_company
from web.viewer import hand, viewer

api = Blueprint("money_api", __name__, url_prefix="/api/v1")

MOST_ROWS = 5_000
Plan = Callable[[Session, Company], Any]
Store = Callable[[Session, Company, Any], None]


@api.post("/costs")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, bare=True)
def tell_costs() -> Response:
    """Takes `{"costs": [{"day": …, "source": …, "amount": …}, …]}`, or one such row by itself."""

    rows = _rows("costs")

    def plan(session: Session, company: Company) -> Any:
        return costs.plan_import(session, company, told_costs(rows, costs.wanted_of(session, company)))

    def store(session: Session, company: Company, plan: Any) -> None:
        costs.carry_out(session, hand(), company, plan, entered=Entered.API)

    return _taken(Right.ADMINISTER, plan, store)


@api.post("/sales")
@operation(Scope.MONEY_WRITE, Right.JUDGE, bare=True)
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


@api.get("/costs")
@operation(Scope.MONEY_READ, Right.ADMINISTER, bare=True)
def list_costs() -> dict[str, Any]:
    """The costs of the days `since` to `until`, both included, and all rents."""
    with _reading(Right.ADMINISTER) as (session, company):
        found = costs.list_costs(session, [company.id], *_days(), limit=MOST_ROWS + 1)
        due = rents.list_rents(session, [company.id])
        return {
            "costs": [costs.describe_cost(each) for each in found[:MOST_ROWS]],
            "more": len(found) > MOST_ROWS,
            "rents": [rents.describe_rent(each) for each in due],
        }


@api.get("/sales")
@operation(Scope.MONEY_READ, Right.JUDGE, bare=True)
def list_sales() -> dict[str, Any]:
    """The sales of the days `since` to `until`, both included; with `unmatched=yes` those of nobody known."""
    with _reading(Right.JUDGE) as (session, company):
        only = request.args.get("unmatched") == "yes"
        found = sales.list_sales(session, [company], *_days(), unmatched=only, limit=MOST_ROWS + 1)
        told = [sales.describe_sale(each) for each in found[:MOST_ROWS]]
        return {"sales": told, "more": len(found) > MOST_ROWS}


@api.get("/report")
@operation(Scope.REPORTS_READ, Right.JUDGE, bare=True)
def report() -> dict[str, Any]:
    """What the words of the address ask for, as `leaseline report --json` has it."""
    words = _words({*WORDS, "company"})
    with _reading(Right.JUDGE) as (session, company):
        return describe(reports.read_asked(session, company, words, house().clock()))


@api.get("/paths")
@operation(Scope.REPORTS_READ, Right.JUDGE, bare=True)
def list_paths() -> dict[str, Any]:
    """The paths to sales or target calls, as `leaseline paths --json` has them: `by`, `goal`, `top`, days."""
    asked = _words({"by", "goal", "top", "company", *SPAN_WORDS})
    wish, words = read_path_wish(asked), spans_of(asked)
    with _reading(Right.JUDGE) as (session, company):
        return path_report.describe(path_report.read_paths(session, company, wish, words, house().clock()))


@api.get("/missed")
@operation(Scope.REPORTS_READ, Right.JUDGE, bare=True)
def list_missed() -> dict[str, Any]:
    """Missed callers and what became of them, as `leaseline missed --json` has it, in these days."""
    words = spans_of(_words({"company", *SPAN_WORDS}))
    with _reading(Right.JUDGE) as (session, company):
        return recovery.describe(recovery.read_recovery(session, company, words, house().clock()))


def _words(known: Collection[str]) -> dict[str, str]:
    """The words of the address. Raises Rejected report.malformed: one that is none would be asked in vain."""
    if unknown := request.args.keys() - known:
        raise Rejected(
            "report.malformed",
            "%(name)s is no word of this address",
            "Give one of %(words)s",
            name=min(unknown)[:20],
            words=sorted(known),
        )
    return request.args.to_dict()


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


@contextmanager
def _reading(right: Right) -> Iterator[tuple[Session, Company]]:
    company_id = the_company(right)
    with house().database.read() as session:
        yield session, session.get_one(Company, company_id)


def _days() -> tuple[date, date]:
    today = house().clock().astimezone(viewer().zone).date()
    since, until = (request.args.get(name, "") for name in ("since", "until"))
    try:
        last = Dates(()).day(until) if until else today
        return Dates(()).day(since) if since else last.replace(day=1), last
    except Unreadable as why:
        raise Rejected("filter.malformed", str(why), "Give since and until as 2026-11-30") from None
