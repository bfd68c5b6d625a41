"""`leaseline paths`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commands.context import company_option, here, json_option, reading
from commands.printing import print_csv, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tracker.policy.path_table import PathTable

BY = ("channel", "source", "campaign")


@click.command("paths")
@click.option("--by", type=click.Choice(BY), default="channel", show_default=True, help="What the steps are.")
@click.option(
    "--goal", type=click.Choice(["sale", "target_call"]),
    help="What the paths lead to.  [default: sales, or target calls where nothing was sold]",
)  # fmt: skip
@click.option("--period", metavar="TEXT", help="today, yesterday, 7d, 30d or 90d.  [default: 30d]")
@click.option("--since", metavar="DAY", help="From this day on, as 2026-11-20, in the company's time zone.")
@click.option("--until", metavar="DAY", help="Until this day, which is included.")
@click.option("--top", type=click.IntRange(1, 500), default=20, show_default=True, help="So many paths.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@company_option
@json_option
def paths_command(
    *, by: str, goal: str | None, period: str | None, since: str | None, until: str | None, top: int,
    as_csv: bool, company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show the paths that led to sales or target calls, and which origins helped without being last.

    A step is a visit, or a call to a channel's number, of the same person in the 90 days before; the same
    origin twice running is told once. Assisted: on the path, but not its end. An origin that assisted more
    than once for each time it was last rather prepares sales than closes them.

    \b
    Examples:
      leaseline paths --period 90d
      leaseline paths --by source --goal target_call --top 50
      leaseline paths --by campaign --csv > paths.csv
    """
    from tracker.path_report import describe, flat, read_paths
    from tracker.policy.journeys import Goal
    from tracker.policy.path_table import PathWish
    from tracker.policy.report_words import By

    wish = PathWish(By(by), Goal(goal) if goal else None, top)
    given = {"period": period, "since": since, "until": until}
    words = {name: [word] for name, word in given.items() if word is not None}
    with reading(company) as (session, owner):
        found = read_paths(session, owner, wish, words, here().now)
    if as_json:
        print_json(describe(found))
    elif as_csv:
        print_csv(flat(found))
    else:
        click.echo("\n\n".join(_parts(found)))


def _parts(found: PathTable) -> Iterator[str]:
    from commands.printing import table
    from tracker.path_report import describe, flat

    goal = "sales" if found.has_money else "target calls"
    yield f"Paths to {goal}, {found.span.first} to {found.span.last}, money in {found.currency}"
    if not found.conversions:
        yield f"No {goal} in these days. Mark calls and sales first, or choose other days."
        return
    columns = ["path", "conversions", "share_percent", *_money(found), "median_touches", "median_days"]
    titles = ["PATH", goal.upper(), "SHARE %", *map(str.upper, _money(found)), "TOUCHES", "DAYS"]
    yield table(titles, list(flat(found)), columns)
    by = found.wish.by.value
    rows = [_origin(by, each) for each in describe(found)["origins"]]
    columns = [by, "first", "last", "assisted", "ratio"]
    yield table([*map(str.upper, columns[:-1]), "ASSISTED PER LAST"], rows, columns)
    yield (
        f"{found.conversions} {goal} of {found.persons} persons; of {found.known} the path is known, "
        f"{found.several} led over several origins. Touches and days are medians."
    )


def _origin(by: str, each: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: each[name]["conversions"] for name in ("first", "last", "assisted")}
    return {by: each[by] or "(none)", **counts, "ratio": each["assisted_per_last"]}


def _money(found: PathTable) -> list[str]:
    return ["revenue"] if found.has_money else []
