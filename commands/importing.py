"""What the imports of costs and of sales have in common: how a file is to be read, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from commands.printing import print_json

if TYPE_CHECKING:
    from tracker.policy.tables import BadRows

Command = TypeVar("Command", bound=Callable[..., Any])
DAY = click.DateTime(["%Y-%m-%d"])


def reading_options(command: Command) -> Command:
    """What the file does not say by itself."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing."),
        click.option(
            "--column", "columns", multiple=True, metavar="NAME=TITLE",
            help="The file's title of a column, where it is not found by itself; may be repeated.",
        ),
        click.option(
            "--dates", type=click.Choice(["day-first", "month-first"]), help="How 05/11/2026 is read."
        ),
        click.option("--decimal", type=click.Choice(["point", "comma"]), help="What begins the decimals."),
        click.option("--currency", help="Of amounts that name none; default: the company's."),
        click.option("--day", type=DAY, help="Of rows that name none."),
    ):  # fmt: skip
        command = option(command)
    return command


def wanted(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options as tracker.policy.cost_list.Wanted has them."""
    from tracker.companies import read_currency
    from tracker.policy.amounts import Mark
    from tracker.policy.dates import Order

    columns = [each.partition("=") for each in given["columns"]]
    if any(not name or not title for name, _, title in columns):
        raise click.BadParameter("give NAME=TITLE, such as amount=Spend", param_hint="--column")
    return {
        "given": read_currency(given["currency"]) if given["currency"] else None,
        "day": day_of(given["day"]),
        "mark": Mark(given["decimal"]) if given["decimal"] else None,
        "order": Order(given["dates"]) if given["dates"] else None,
        "columns": {name: title for name, _, title in columns},
    }


def day_of(at: datetime | None) -> date | None:
    """The day of an option."""
    return at.date() if at else None


def days_of(since: datetime | None, until: datetime | None, today: date) -> tuple[date, date]:
    """The days asked for: the present month's unless given."""
    last = day_of(until) or max(today, day_of(since) or today)
    return day_of(since) or last.replace(day=1), last


def tell_import(plan: Any, *, as_json: bool, dry_run: bool, warnings: Sequence[str]) -> None:
    """What an import did, or would do: JSON, or a line and what was left out."""
    counts = {"new": len(plan.new), "changed": len(plan.changed), "same": plan.same}
    if as_json:
        more = {"totals": plan.found.totals, "unused": list(plan.found.unused), "warnings": list(warnings)}
        print_json({**counts, "dry_run": dry_run, **more, "problems": []})
        return
    told = ", ".join(f"{number} {'the same' if name == 'same' else name}" for name, number in counts.items())
    click.echo(told + (" (nothing was stored)" if dry_run else ""))
    if plan.found.totals:
        click.echo(f"Left out: total rows: {plan.found.totals}", err=True)
    if plan.found.unused:
        click.echo(f"Left out: columns {', '.join(plan.found.unused)}", err=True)
    for each in warnings:
        click.echo(each, err=True)


def tell_bad_rows(bad: BadRows, *, as_json: bool) -> NoReturn:
    """Every bad row by its line and column; ends with 1."""
    if as_json:
        problems = [{"line": it.line, "column": it.column, "problem": it.problem} for it in bad.problems]
        click.echo(json.dumps({"problems": problems}, ensure_ascii=False, indent=2))
    else:
        for it in bad.problems:
            click.echo(f"line {it.line}, {it.column or 'the row'}: {it.problem}", err=True)
    raise click.ClickException(str(bad))
