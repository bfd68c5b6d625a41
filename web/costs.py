"""What advertising cost, month by month: by hand, out of files, by channels' rents; and exchange rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import channels, cost_sums, costs, rates, rents
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy.cost_list import read_costs
from tracker.policy.costs import Entered, Rent
from tracker.policy.dates import Dates
from tracker.policy.money import read_amount
from tracker.policy.rates import read_rate
from tracker.policy.rights import Right
from tracker.policy.tables import Unreadable
from web.house import house, row_id
from web.imports import Told, take_list
from web.languages import language
from web.money import company_meant, form_sent, having, month_asked, typed
from web.refusals import translated
from web.settings.forms import EMPTY, Form, attempt, text
from web.viewer import hand, viewer

pages = Blueprint("costs", __name__)

RIGHT = Right.ADMINISTER
FIELDS = {
    "cost.malformed": (), "value.malformed": ("amount",), "value.ambiguous": ("amount",),
    "value.currency": ("amount",), "value.negative": ("amount",), "value.too_large": ("amount",),
    "rate.malformed": ("rate",), "company.currency": ("currency",),
}  # fmt: skip


@pages.get("/costs")
def index() -> str:
    """The costs of a month, and the rents of channels."""
    return _page()


@pages.post("/costs")
def add() -> Response:
    """Writes down `amount` for `day` and `source` (`medium`, `campaign`, `keyword`), or for `channel`."""

    def change() -> str:
        mine = company_meant(RIGHT)
        with house().database.write() as session:
            company = session.get_one(Company, mine.id)
            row = typed(
                "day", "source", "medium", "campaign", "keyword", "channel", "amount", "currency", "note"
            )
            form = form_sent(row)
            row = costs.typed(row, ["amount"], mine.currency, language())
            wanted = costs.wanted_of(session, company)
            cost = costs.add_cost(session, hand(), company, wanted, row, form=form)
            return f"/costs?month={cost.day:%Y-%m}"

    return attempt(change, _page, FIELDS)


@pages.post("/costs/delete")
def delete() -> Response:
    """Deletes the costs named by each `cost`."""

    def change() -> str:
        mine = company_meant(RIGHT)
        ids = [row_id(each) for each in request.form.getlist("cost")]
        with house().database.write() as session:
            costs.delete_costs(session, hand(), session.get_one(Company, mine.id), ids)
        return _back()

    return attempt(change, _page, FIELDS)


@pages.post("/costs/import")
def import_() -> str:
    """Looks at the CSV `file`, or takes it (`do` is `import`); `source`, `medium` of rows that name none."""

    def read(session: Session, company: Company, content: bytes, how: dict[str, Any]) -> Any:
        words = {"source": text("source") or None, "medium": text("medium") or None}
        return read_costs(content, costs.wanted_of(session, company, **words, **how))

    def store(session: Session, company: Company, plan: Any) -> None:
        costs.carry_out(session, hand(), company, plan, entered=Entered.FILE, name=text("name") or None)

    told = take_list(company_meant(RIGHT), read, costs.plan_import, store)
    return _page(told=told, sent=Form(request.form))


@pages.post("/costs/rents")
def add_rent() -> Response:
    """A rent of `channel`: `amount` a month, `from` a day on `until` another or with no end yet."""

    def change() -> str:
        mine = company_meant(RIGHT)
        with house().database.write() as session:
            company = session.get_one(Company, mine.id)
            amount = read_amount(text("amount"), mine.currency, language())
            first, last = _day("from"), _day("until") if text("until") else None
            rent = Rent(amount, mine.currency, first, last)
            rents.add_rent(
                session, hand(), company, channels.get_channel(session, company, text("channel")), rent
            )
        return _back()

    return attempt(change, _page, FIELDS)


@pages.post("/costs/rents/<rent>")
def change_rent(rent: str) -> Response:
    """Ends the rent with the day `until` (empty: no end yet), or deletes it (`do` is `delete`)."""

    def change() -> str:
        mine = company_meant(RIGHT)
        with house().database.write() as session:
            found = rents.find_rent(session, session.get_one(Company, mine.id), row_id(rent))
            if text("do") == "delete":
                rents.delete_rent(session, hand(), found)
            else:
                rents.end_rent(session, hand(), found, _day("until") if text("until") else None)
        return _back()

    return attempt(change, _page, FIELDS)


@pages.post("/costs/rates")
def set_rate() -> Response:
    """Sets what one unit of `currency` is in the company's, `from` a day on: `rate`."""

    def change() -> str:
        mine = company_meant(RIGHT)
        with house().database.write() as session:
            company, rate = session.get_one(Company, mine.id), read_rate(text("rate"))
            rates.set_rate(session, hand(), company, text("currency"), rate, from_day=_day("from"))
        return _back()

    return attempt(change, _page, FIELDS)


def _page(form: Form = EMPTY, told: Told | None = None, sent: Form = EMPTY) -> str:
    month, mine = month_asked(), having(RIGHT)
    ids = [it.id for it in mine]
    with house().database.read() as session:
        rows = costs.list_costs(session, ids, month.first, month.last, costs.MOST + 1)
        companies = [session.get_one(Company, it) for it in ids]
        return render_template(
            "costs.html", month=month, companies=mine, by_id={it.id: it for it in mine}, form=form,
            told=told, sent=sent,
            rows=rows[: costs.MOST], more=len(rows) > costs.MOST, rents=rents.list_rents(session, ids),
            rates=[(it, each) for it in companies for each in rates.list_rates(session, it)],
            totals=[(it, *_total(session, it, month.first, month.last)) for it in companies],
            channels=[each for it in companies for each in channels.channels_of(session, it)],
            words=costs.describe_cost, day=house().clock().astimezone(viewer().zone).date(),
        )  # fmt: skip


def _total(
    session: Session, company: Company, first: date, last: date
) -> tuple[Decimal | None, Rejected | None]:
    """What the month cost, rents included; or why nobody can say."""
    try:
        return cost_sums.total_between(session, company, first, last), None
    except Rejected as problem:
        return None, translated(problem)


def _day(name: str) -> date:
    try:
        return Dates(()).day(text(name))
    except Unreadable as why:
        raise Rejected("file.day", why.said, "Give it as 2026-11-30") from None


def _back() -> str:
    return f"/costs?month={month_asked().first:%Y-%m}"
