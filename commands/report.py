"""`leaseline report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commands.call_options import PERIODS
from commands.context import company_option, here, json_option, reading
from commands.printing import print_csv, print_json

if TYPE_CHECKING:
    from tracker.policy.report import Report

BY = (
    "source", "medium", "channel", "campaign", "ad", "keyword", "landing", "site", "number", "kind", "delay",
    "caller", "region", "country", "device", "month", "day", "hour", "weekday", "employee", "category", "tag",
)  # fmt: skip
MODELS = ("first", "last", "last_non_direct", "linear", "position", "decay", "data_driven")


@click.command("report")
@click.option("--by", type=click.Choice(BY), default="source", show_default=True, help="What the rows are.")
@click.option("--split", type=click.Choice(BY), help="What each row is split by.")
@click.option("--period", metavar="TEXT", help=f"{PERIODS}.  [default: 30d]")
@click.option("--since", metavar="DAY", help="From this day on, as 2026-11-20, in the company's time zone.")
@click.option("--until", metavar="DAY", help="Until this day, which is included.")
@click.option("--only", multiple=True, metavar="WORD=TEXT", help="Of this source, medium, campaign, keyword.")
@click.option(
    "--model",
    type=click.Choice(MODELS),
    help="How several origins share in target calls and sales; without it, they are the call's own source's.",
)
@click.option(
    "--against", type=click.Choice([*MODELS, "own"]),
    help="The same by this model beside (own: the call's own source).",
)  # fmt: skip
@click.option(
    "--leads", type=click.Choice(["calls", "target"]), default="calls", show_default=True,
    help="What counts as a lead: every call, or target calls.",
)  # fmt: skip
@click.option("--compare", is_flag=True, help="Beside as many days before.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--xlsx", metavar="FILE", help="Write an Excel workbook there.")
@company_option
@json_option
def report_command(
    *, by: str, split: str | None, period: str | None, since: str | None, until: str | None,
    only: tuple[str, ...], model: str | None, against: str | None, leads: str, compare: bool, as_csv: bool,
    xlsx: str | None, company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show which advertisement earned money: calls, sales and costs by source, campaign, keyword and more.

    A sale counts in the days in which it was made. ROMI is (gross profit - cost) / cost: a loss begins below
    0 %. ROAS is revenue / cost. What follows from the figures stands below the table.

    \b
    Examples:
      leaseline report
      leaseline report --by campaign --since 2026-11-01 --until 2026-11-30 --compare
      leaseline report --by keyword --only campaign=spring
      leaseline report --by source --split medium --model position
      leaseline report --model first --against last
      leaseline report --by keyword --period 90d --csv > keywords.csv
      leaseline report --by campaign --period last_month --xlsx campaigns.xlsx
    """
    from tracker.reports import read_asked

    if compare and against:
        raise click.UsageError("Beside stand the days before or another model: --compare or --against")
    given = {
        "by": by, "split": split, "period": period, "since": since, "until": until, "model": model,
        "against": against, "leads": leads, "compare": "yes" if compare else None,
    }  # fmt: skip
    words = {name: word for name, word in given.items() if word is not None}
    with reading(company) as (session, owner):
        found = read_asked(session, owner, _words(only) | words, here().now)
    title = " / ".join(found.wish.parts)
    tell(found, as_json=as_json, as_csv=as_csv, xlsx=xlsx, title=title, company=owner.name)


def tell(found: Report, *, as_json: bool, as_csv: bool, xlsx: str | None, title: str, company: str) -> None:
    """The report as a program, a spreadsheet or a person wants it."""
    from commands.report_table import text_of
    from tracker import report_workbook
    from tracker.policy.tongue import Tongue
    from tracker.report_export import describe, flat

    if xlsx is not None:
        with click.open_file(xlsx, "wb") as out:
            report_workbook.write(found, out, Tongue(), title, company)
    elif as_json:
        print_json(describe(found))
    elif as_csv:
        print_csv(flat(found))
    else:
        click.echo(text_of(found))


def _words(only: tuple[str, ...]) -> dict[str, str]:
    from tracker.policy.report import ONLY

    pairs = [each.partition("=") for each in only]
    if bad := [name for name, sign, _ in pairs if not sign]:
        raise click.BadParameter(f"{bad[0]!r} is no WORD=TEXT, as campaign=spring", param_hint="--only")
    words = {name.strip(): text.strip() for name, _, text in pairs}
    if unknown := words.keys() - set(ONLY):
        raise click.BadParameter(
            f"no report is narrowed by {', '.join(sorted(unknown))}: give one of {', '.join(ONLY)}",
            param_hint="--only",
        )
    return words
