"""`leaseline sheets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import here, json_option, progress
from commands.printing import print_json

if TYPE_CHECKING:
    from tracker.sheet_maker import Checked

_NAMED = 5


@click.group("sheets")
def sheets_group() -> None:
    """Day sheets: what reports have counted of each day that is over. The worker makes them by itself.

    \b
    Examples:
      leaseline sheets make
      leaseline sheets check
    """


@sheets_group.command("make")
@click.option("--again", is_flag=True, help="Drop those there are first.")
def make_command(again: bool) -> None:
    """Make all sheets that are missing, at once; calls and the page go on meanwhile.

    \b
    Examples:
      leaseline sheets make
      leaseline sheets make --again
    """
    from tracker import sheet_maker
    from tracker.errors import Rejected

    database, made = here().database, 0
    if again:
        with database.write() as session:
            sheet_maker.forget_all(session)
    with database.read() as session:
        missing = len(sheet_maker.missing(session, here().now))
    with progress("Making sheets", missing) as bar:
        while True:
            turn = sheet_maker.take_turn(database, here().now)
            if turn.problem:
                raise Rejected("sheets.busy", f"Not all sheets were made: {turn.problem}", "Try again later")
            if not turn.days:
                break
            made += turn.days
            bar.update(turn.days)
    click.echo(f"Days that got their sheets: {made}." if made else "No sheet was missing.")


@sheets_group.command("check")
@json_option
def check_command(as_json: bool) -> None:
    """Count the calls of every day that has a sheet again, and compare.

    Ends with 1 when a sheet says something else than the calls do: that must never be.

    \b
    Example:
      leaseline sheets check
    """
    from tracker import sheet_maker
    from tracker.errors import Rejected

    checked, wrong = 0, []
    for each in sheet_maker.check(here().database):
        checked += 1
        if not each.agrees:
            wrong.append(_told(each))
    if as_json:
        print_json({"checked": checked, "different": wrong})
    elif not wrong:
        click.echo(f"Sheets checked: {checked}. All say what their calls say.")
    if wrong:
        named = ", ".join(f"{each['company']} {each['day']}" for each in wrong[:_NAMED])
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise Rejected(
            "sheets.different",
            f"{len(wrong)} of {checked} sheets say something else than their calls: {named}{more}",
            "`leaseline sheets make --again` makes them anew; please report it",
        )


def _told(it: Checked) -> dict[str, Any]:
    from zoneinfo import ZoneInfo

    from tracker.models import Company

    with here().database.read() as session:
        company = session.get_one(Company, it.day.company_id)
    day = it.day.time.since.astimezone(ZoneInfo(company.timezone)).date()
    return {"company": company.slug, "day": day.isoformat(), "kind": it.kind}
