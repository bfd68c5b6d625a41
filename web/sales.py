"""What was sold, month by month, and on a call: by hand and out of files; cancelled, or sold after all."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import calls, costs, sale_matching, sales
from tracker.errors import Rejected
from tracker.models import Call, Company
from tracker.policy.costs import Entered
from tracker.policy.rights import Right
from tracker.policy.sale_list import read_sales
from tracker.policy.sales import SaleStatus
from web.calls import call_page
from web.house import house
from web.imports import Told, take_list
from web.languages import language
from web.money import company_meant, form_sent, having, month_asked, typed
from web.refusals import translated
from web.settings.forms import EMPTY, Form, attempt, text
from web.viewer import hand, viewer, wants_json

pages = Blueprint("sales", __name__)

RIGHT = Right.JUDGE
AMOUNTS = ("revenue", "profit")
FIELDS = {f"value.{why}": AMOUNTS for why in ("malformed", "ambiguous", "currency", "negative", "too_large")}


@pages.get("/sales")
def index() -> str:
    """The sales of a month; with `unmatched` those that belong to no call and no visitor."""
    return _page()


@pages.post("/sales")
def add() -> Response:
    """Writes down `revenue`, with `at`, `profit`, `phone`, `reference`, `note`."""

    def change() -> str:
        mine = company_meant(RIGHT)
        with house().database.write() as session:
            row = typed("at", *AMOUNTS, "currency", "phone", "reference", "note")
            form = form_sent(row)
            row = costs.typed(row, AMOUNTS, mine.currency, language())
            row.setdefault("at", hand().at.isoformat())
            company = session.get_one(Company, mine.id)
            sale = sales.add_sale(session, hand(), company, row, form=form)
            return f"/sales?month={sale.at.astimezone(viewer().zone):%Y-%m}"

    return attempt(change, _page, FIELDS)


@pages.post("/sales/import")
def import_() -> str:
    """Looks at the CSV `file`, or takes it (`do` is `import`)."""

    def read(session: Session, company: Company, content: bytes, how: dict[str, Any]) -> Any:
        wanted = costs.wanted_of(session, company, **how)
        return read_sales(content, wanted, sales.place_of(company, hand().at))

    def store(session: Session, company: Company, plan: Any) -> None:
        by = hand()
        sale_matching.match_again(session, by, company, since=by.at - sale_matching.LATE)
        sales.carry_out(session, by, company, plan, entered=Entered.FILE, name=text("name") or None)

    told = take_list(company_meant(RIGHT), read, sales.plan_import, store)
    return _page(told=told, sent=Form(request.form))


@pages.post("/sales/<sale>/status")
def set_status(sale: str) -> Response:
    """Cancels the sale (`status` is `cancelled`), or takes that back (`won`)."""
    with house().database.write() as session:
        found = sales.get_sale(session, viewer().company_ids, sale)
        viewer().need(RIGHT, found.company_id)
        wish = SaleStatus.CANCELLED if text("status") == "cancelled" else SaleStatus.WON
        sales.set_status(session, hand(), found, wish)
        call = found.call.key if found.call else None
    return redirect(f"/calls/{call}#sold" if text("back") == "call" and call else _back(), 303)


@pages.post("/calls/<key>/sales")
def sell(key: str) -> Response:
    """Marks a sale on the call: `revenue`, `profit`, `reference`; what is wrong is said beside the fields."""
    try:
        with house().database.write() as session:
            call = calls.find_call(session, viewer().company_ids, key)
            viewer().need(RIGHT, call.company_id)
            _sell(session, call)
    except Rejected as problem:
        if wants_json() or problem.id.split(".")[0] not in {"value", "sale", "rate"}:
            raise
        return make_response(call_page(key, sale_problem=translated(problem), sale_typed=request.form), 400)
    return redirect(f"/calls/{key}#sold", 303)


def _sell(session: Session, call: Call) -> None:
    row = typed(*AMOUNTS, "reference")
    form = form_sent({**row, "call": call.key})
    row = costs.typed(row, AMOUNTS, call.company.currency, language())
    row["at"] = hand().at.isoformat()
    sales.add_sale(session, hand(), call.company, row, call, form=form)


def _page(form: Form = EMPTY, told: Told | None = None, sent: Form = EMPTY) -> str:
    month, mine, unmatched = month_asked(), having(RIGHT), "unmatched" in request.args
    with house().database.read() as session:
        theirs = [session.get_one(Company, it.id) for it in mine]
        days = month.first, month.last
        rows = sales.list_sales(session, theirs, *days, unmatched=unmatched, limit=costs.MOST + 1)
        return render_template(
            "sales.html", month=month, companies=mine, by_id={it.id: it for it in mine}, form=form,
            told=told, sent=sent,
            rows=rows[: costs.MOST], more=len(rows) > costs.MOST, unmatched=unmatched,
        )  # fmt: skip


def _back() -> str:
    return f"/sales?month={month_asked().first:%Y-%m}"
