"""`leaseline sale` and `leaseline rate`: what was sold, and what other currencies are worth."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.importing import DAY, days_of, reading_options, tell_bad_rows, tell_import, wanted
from commands.printing import print_json, print_rows, print_thing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker import sales
    from tracker.models import Company

COLUMNS = ("id", "at", "revenue", "profit", "currency", "status", "reference", "matched_by", "call")


@click.group("sale")
def sale_group() -> None:
    """Sales: what was sold, and which call or visitor it belongs to.

    \b
    Examples:
      leaseline sale add 20000 --profit 8700 --phone "+7 916 123-45-67" --reference 4711
      leaseline sale import orders.csv
    """


@sale_group.command("add")
@click.argument("revenue")
@click.option("--profit", help="Gross profit.")
@click.option(
    "--at", help="When, as 2026-11-05 or 2026-11-05T14:30, in the company's time zone; default: now."
)
@click.option("--currency", help="ISO 4217; default: the company's.")
@click.option("--call", help="The call it was sold on, by its key.")
@click.option("--phone", help="The buyer's telephone number.")
@click.option("--visitor", help="The website's visitor, as the script's cookie names him.")
@click.option("--reference", help="The order's number; may be there once.")
@click.option("--note", help="A note for people.")
@company_option
@json_option
def add(*, revenue: str, at: str | None, company: str | None, as_json: bool, **given: str | None) -> None:
    """Write down a sale; it belongs to the call, the caller or the visitor that is named.

    \b
    Examples:
      leaseline sale add 20000 --profit 8700 --phone "+7 916 123-45-67" --reference 4711
      leaseline sale add 99.90 --currency EUR --call 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b
    """
    from tracker import sales
    from tracker.costs import typed

    row = {name: text for name, text in given.items() if text}
    row |= {"revenue": revenue, "at": at or here().now.isoformat(timespec="seconds")}
    with changing(company) as (session, owner, by):
        row = typed(row, ("revenue", "profit"), owner.currency, owner.language)
        thing = sales.describe_sale(sales.add_sale(session, by, owner, row))
    print_thing(thing, as_json=as_json)


@sale_group.command("list")
@click.option("--since", type=DAY, help="From this day on; default: the month's first.")
@click.option("--until", type=DAY, help="Until this day, which is included; default: today.")
@click.option("--unmatched", is_flag=True, help="Only those that belong to no call and no visitor we know.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=500, show_default=True, help="How many at most."
)
@company_option
@json_option
def list_command(
    *,
    since: datetime | None,
    until: datetime | None,
    unmatched: bool,
    limit: int,
    company: str | None,
    as_json: bool,
) -> None:
    """List sales, the newest first.

    \b
    Examples:
      leaseline sale list
      leaseline sale list --since 2026-01-01 --unmatched --json
    """
    from tracker import sales

    with reading(company) as (session, owner):
        today = here().now.astimezone(ZoneInfo(owner.timezone)).date()
        days = days_of(since, until, today)
        found = sales.list_sales(session, [owner], *days, unmatched=unmatched, limit=limit)
        rows = [sales.describe_sale(each) for each in found]
    print_rows(
        rows, COLUMNS, as_json=as_json, empty="No sale in these days: `leaseline sale add`, `sale import`"
    )


@sale_group.command("import")
@click.argument("file", type=click.File("rb"))
@reading_options
@company_option
@json_option
def import_command(*, file: Any, dry_run: bool, company: str | None, as_json: bool, **given: Any) -> None:
    """Import sales from a CSV file, all of them or none; the same file again changes nothing.

    Columns: date, revenue, and as wanted profit, currency, reference, status (won or cancelled), call, phone,
    visitor, note; their titles in English, Russian, Ukrainian or Polish. A sale is known again by its
    reference: what the file says of it counts then. Every bad row is reported by its line, and then nothing
    is imported.

    \b
    Examples:
      leaseline sale import orders.csv
      leaseline sale import orders.csv --dry-run
      leaseline sale import crm.csv --column "revenue=Deal value" --dates day-first
    """
    from tracker import costs, imports, sale_matching, sales
    from tracker.policy.costs import Entered
    from tracker.policy.sale_list import read_sales
    from tracker.policy.tables import BadRows

    content, by = file.read(), here().by()

    def store(session: Session, owner: Company, plan: sales.SalePlan) -> None:
        sale_matching.match_again(session, by, owner, since=by.at - sale_matching.LATE)
        sales.carry_out(session, by, owner, plan, entered=Entered.FILE, name=file.name)

    try:
        with reading(company) as (session, owner):  # calls need not wait while a long list is read
            how = costs.wanted_of(session, owner, **wanted(given))
            found = read_sales(content, how, sales.place_of(owner, here().now))
        plan = imports.take(
            here().database,
            owner.id,
            lambda session, owner: sales.plan_import(session, owner, found),
            None if dry_run else store,
        )
    except BadRows as bad:
        tell_bad_rows(bad, as_json=as_json)
    warnings = []
    if plan.unmatched:
        warnings.append(
            f"Belong to no call and no visitor we know: {plan.unmatched}: `leaseline sale list --unmatched`"
        )
    if plan.found.unnamed:
        warnings.append(f"Without a reference, known again by day and buyer only: {plan.found.unnamed}")
    tell_import(plan, as_json=as_json, dry_run=dry_run, warnings=warnings)


@sale_group.command("cancel")
@click.argument("sale")
@click.option("--undo", is_flag=True, help="It was sold after all.")
@company_option
@json_option
def cancel(sale: str, undo: bool, company: str | None, as_json: bool) -> None:
    """Cancel a sale, by its id or its reference: it stays in the books and counts for nothing.

    \b
    Examples:
      leaseline sale cancel 4711
      leaseline sale cancel 4711 --undo
    """
    from tracker import sales
    from tracker.policy.sales import SaleStatus

    with changing(company) as (session, owner, by):
        found = sales.find_sale(session, [owner.id], sale)
        sales.set_status(session, by, found, SaleStatus.WON if undo else SaleStatus.CANCELLED)
        thing = sales.describe_sale(found)
    print_thing(thing, as_json=as_json)


@sale_group.command("match")
@company_option
@json_option
def match_command(company: str | None, as_json: bool) -> None:
    """Look once more for the calls and visitors that unmatched sales belong to.

    \b
    Example:
      leaseline sale match
    """
    from tracker import sale_matching

    with changing(company) as (session, owner, by):
        found = sale_matching.match_again(session, by, owner)
    if as_json:
        print_json({"matched": found})
    else:
        click.echo(f"Found: {found}")


@click.group("rate")
def rate_group() -> None:
    """Exchange rates: what one unit of another currency is in the company's own.

    \b
    Example:
      leaseline rate set USD 92.50 --from 2026-11-01
    """


@rate_group.command("set")
@click.argument("currency")
@click.argument("rate")
@click.option("--from", "from_day", type=DAY, required=True, help="From this day on, until the next rate.")
@company_option
@json_option
def set_rate(*, currency: str, rate: str, from_day: datetime, company: str | None, as_json: bool) -> None:
    """Set what one unit of a currency is from a day on; the same day's rate is replaced.

    \b
    Examples:
      leaseline rate set USD 92.50 --from 2026-11-01
      leaseline rate set PLN 0.2334 --from 2026-01-01 --json
    """
    from tracker import rates
    from tracker.policy.rates import read_rate

    with changing(company) as (session, owner, by):
        made = rates.set_rate(session, by, owner, currency, read_rate(rate), from_day=from_day.date())
        thing = rates.describe_rate(made)
    print_thing(thing, as_json=as_json)


@rate_group.command("list")
@company_option
@json_option
def list_rates(company: str | None, as_json: bool) -> None:
    """List exchange rates, by currency, the newest first.

    \b
    Example:
      leaseline rate list
    """
    from tracker import rates

    with reading(company) as (session, owner):
        rows = [rates.describe_rate(each) for each in rates.list_rates(session, owner)]
    print_rows(
        rows, ("currency", "from", "rate", "into"), as_json=as_json, empty="No rate yet: `leaseline rate set`"
    )


@rate_group.command("delete")
@click.argument("currency")
@click.option("--from", "from_day", type=DAY, required=True, help="The day from which it holds.")
@company_option
def delete_rate(currency: str, from_day: datetime, company: str | None) -> None:
    """Delete a rate; the one before it holds on.

    \b
    Example:
      leaseline rate delete USD --from 2026-11-01
    """
    from tracker import rates

    with changing(company) as (session, owner, by):
        rates.delete_rate(session, by, owner, currency, from_day.date())
    click.echo(f"The rate of {currency.upper()} from {from_day.date()} is deleted.")
