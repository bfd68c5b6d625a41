"""`leaseline cost`: what advertising cost."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.importing import DAY, days_of, reading_options, tell_bad_rows, tell_import, wanted
from commands.printing import print_json, print_rows, print_thing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker import costs
    from tracker.models import Company

COLUMNS = ("id", "day", "source", "medium", "campaign", "keyword", "channel", "amount", "currency", "entered")


@click.group("cost")
def cost_group() -> None:
    """Costs: what advertising cost, by day and source, or a channel by the month.

    \b
    Examples:
      leaseline cost add 2026-11-05 1200.50 --source google --medium cpc --campaign spring
      leaseline cost import google-ads.csv --source google --medium cpc
      leaseline cost rent add Billboard 8000 --from 2026-11-01
    """


@cost_group.command("add")
@click.argument("day", type=DAY)
@click.argument("amount")
@click.option("--source", help="Source, as visits have it: google, facebook, …")
@click.option("--medium", help="Medium: cpc, organic, …; default: whatever it is.")
@click.option("--campaign", help="Campaign.")
@click.option("--keyword", help="Keyword.")
@click.option("--content", help="The ad, as utm_content says it.")
@click.option("--channel", help="A static channel, instead of a source.")
@click.option("--currency", help="ISO 4217; default: the company's.")
@click.option("--note", help="A note for people.")
@click.option("--reference", help="Of the invoice; may be there once.")
@company_option
@json_option
def add(*, day: datetime, amount: str, company: str | None, as_json: bool, **given: str | None) -> None:
    """Write down what advertising cost on a day; the same twice is twice the cost.

    \b
    Examples:
      leaseline cost add 2026-11-05 1200.50 --source google --medium cpc --campaign spring
      leaseline cost add 2026-11-05 300 --channel Leaflet --note "5,000 copies"
    """
    from tracker import costs

    row = {name: text for name, text in given.items() if text}
    row |= {"day": day.date().isoformat(), "amount": amount}
    with changing(company) as (session, owner, by):
        row = costs.typed(row, ("amount",), owner.currency, owner.language)
        cost = costs.add_cost(session, by, owner, costs.wanted_of(session, owner), row)
        thing = costs.describe_cost(cost)
    print_thing(thing, as_json=as_json)


@cost_group.command("list")
@click.option("--since", type=DAY, help="From this day on; default: the month's first.")
@click.option("--until", type=DAY, help="Until this day, which is included; default: today.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=500, show_default=True, help="How many at most."
)
@company_option
@json_option
def list_command(
    since: datetime | None, until: datetime | None, limit: int, company: str | None, as_json: bool
) -> None:
    """List costs, the newest day first; rents are listed by `leaseline cost rent list`.

    \b
    Examples:
      leaseline cost list
      leaseline cost list --since 2026-10-01 --until 2026-10-31 --json
    """
    from zoneinfo import ZoneInfo

    from tracker import costs

    with reading(company) as (session, owner):
        today = here().now.astimezone(ZoneInfo(owner.timezone)).date()
        found = costs.list_costs(session, [owner.id], *days_of(since, until, today), limit)
        rows = [costs.describe_cost(each) for each in found]
    print_rows(
        rows, COLUMNS, as_json=as_json, empty="No cost in these days: `leaseline cost add`, `cost import`"
    )


@cost_group.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--source", help="Of rows that name none.")
@click.option("--medium", help="Of rows that name none.")
@reading_options
@company_option
@json_option
def import_command(
    *, file: Any, source: str | None, medium: str | None, dry_run: bool, company: str | None, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Import costs from a CSV file, all of them or none; the same file again changes nothing.

    Columns: day, amount, source or channel, and as wanted medium, campaign, keyword, content, currency, note,
    reference; their titles in English, Russian, Ukrainian or Polish, or as Google Ads and Yandex.Direct
    export them. A row is known again by its reference, else by its day and words: what it costs is corrected
    then. Every bad row is reported by its line, and then nothing is imported.

    \b
    Examples:
      leaseline cost import costs.csv
      leaseline cost import google-ads.csv --source google --medium cpc --dry-run
      leaseline cost import direct.csv --source yandex --medium cpc --column "campaign=№ кампании"
      leaseline cost import - --day 2026-11-30 --decimal comma < november.csv
    """
    from tracker import costs, imports
    from tracker.policy.cost_list import read_costs
    from tracker.policy.costs import Entered
    from tracker.policy.tables import BadRows

    content, by = file.read(), here().by()

    def store(session: Session, owner: Company, plan: costs.CostPlan) -> None:
        costs.carry_out(session, by, owner, plan, entered=Entered.FILE, name=file.name)

    try:
        with reading(company) as (session, owner):  # calls need not wait while a long list is read
            how = costs.wanted_of(session, owner, source=source, medium=medium, **wanted(given))
            found = read_costs(content, how)
        plan = imports.take(
            here().database,
            owner.id,
            lambda session, owner: costs.plan_import(session, owner, found),
            None if dry_run else store,
        )
    except BadRows as bad:
        tell_bad_rows(bad, as_json=as_json)
    warnings = []
    if plan.found.merged:
        warnings.append(f"Added together: rows of the same day and words: {plan.found.merged}")
    if plan.beside:
        warnings.append(
            f"Beside costs of the same day and source in other detail, perhaps twice: {plan.beside}"
        )
    tell_import(plan, as_json=as_json, dry_run=dry_run, warnings=warnings)


@cost_group.command("change")
@click.argument("id", type=int)
@click.option("--amount", help="The right amount, in the cost's currency.")
@click.option("--note", help='A note; "" removes it.')
@company_option
@json_option
def change(*, id: int, amount: str | None, note: str | None, company: str | None, as_json: bool) -> None:  # noqa: A002
    """Correct a cost's amount or note.

    \b
    Example:
      leaseline cost change 17 --amount 1150
    """
    from tracker import costs
    from tracker.policy.money import read_amount

    with changing(company) as (session, owner, by):
        cost = costs.find_cost(session, owner, id)
        wish = read_amount(amount, cost.currency, owner.language) if amount is not None else None
        costs.change_cost(session, by, cost, amount=wish, note=note)
        thing = costs.describe_cost(cost)
    print_thing(thing, as_json=as_json)


@cost_group.command("delete")
@click.argument("ids", type=int, nargs=-1, required=True)
@company_option
@json_option
def delete(ids: tuple[int, ...], company: str | None, as_json: bool) -> None:
    """Delete costs by their ids, all or none; the audit log keeps what they were.

    \b
    Example:
      leaseline cost delete 17 18
    """
    from tracker import costs
    from tracker.policy.entries import count_of

    with changing(company) as (session, owner, by):
        count = costs.delete_costs(session, by, owner, ids)
    if as_json:
        print_json({"deleted": count})
    else:
        click.echo(f"{count_of(count, 'cost')} deleted.")


@cost_group.group("rent")
def rent_group() -> None:
    """Rents: what a channel costs a month, spread over its days to the last coin.

    \b
    Examples:
      leaseline cost rent add Billboard 8000 --from 2026-11-01
      leaseline cost rent end 1 --until 2026-12-31
    """


@rent_group.command("add")
@click.argument("channel")
@click.argument("amount")
@click.option("--from", "from_day", type=DAY, required=True, help="The first day on which it is due.")
@click.option("--until", type=DAY, help="The last, which is included; default: no end yet.")
@click.option("--currency", help="ISO 4217; default: the company's.")
@click.option("--note", help="A note for people.")
@company_option
@json_option
def add_rent(
    *, channel: str, amount: str, from_day: datetime, until: datetime | None, currency: str | None,
    note: str | None, company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Say what a channel costs a month.

    \b
    Examples:
      leaseline cost rent add Billboard 8000 --from 2026-11-01
      leaseline cost rent add Billboard 120.50 --currency EUR --from 2026-11-10 --until 2027-03-31
    """
    from tracker import channels, rents
    from tracker.companies import read_currency
    from tracker.policy.costs import Rent
    from tracker.policy.money import read_amount

    with changing(company) as (session, owner, by):
        code = read_currency(currency) if currency else owner.currency
        due = Rent(
            read_amount(amount, code, owner.language), code, from_day.date(), until.date() if until else None
        )
        found = channels.get_channel(session, owner, channel)
        thing = rents.describe_rent(rents.add_rent(session, by, owner, found, due, note=note))
    print_thing(thing, as_json=as_json)


@rent_group.command("list")
@company_option
@json_option
def list_rents(company: str | None, as_json: bool) -> None:
    """List rents, by channel.

    \b
    Example:
      leaseline cost rent list
    """
    from tracker import rents

    with reading(company) as (session, owner):
        rows = [rents.describe_rent(each) for each in rents.list_rents(session, [owner.id])]
    columns = ("id", "channel", "amount", "currency", "from", "until", "note")
    print_rows(rows, columns, as_json=as_json, empty="No rent yet: `leaseline cost rent add`")


@rent_group.command("end")
@click.argument("id", type=int)
@click.option(
    "--until", type=DAY, help="The last day, which is included; without it the rent has no end again."
)
@company_option
@json_option
def end_rent(*, id: int, until: datetime | None, company: str | None, as_json: bool) -> None:  # noqa: A002
    """Say until when a rent is due.

    \b
    Example:
      leaseline cost rent end 1 --until 2026-12-31
    """
    from tracker import rents

    with changing(company) as (session, owner, by):
        rent = rents.find_rent(session, owner, id)
        rents.end_rent(session, by, rent, until.date() if until else None)
        thing = rents.describe_rent(rent)
    print_thing(thing, as_json=as_json)


@rent_group.command("delete")
@click.argument("id", type=int)
@company_option
def delete_rent(id: int, company: str | None) -> None:  # noqa: A002
    """Delete a rent that never was due; end one that was.

    \b
    Example:
      leaseline cost rent delete 1
    """
    from tracker import rents

    with changing(company) as (session, owner, by):
        rents.delete_rent(session, by, rents.find_rent(session, owner, id))
    click.echo(f"Rent {id} is deleted.")
