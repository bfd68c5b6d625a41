"""`leaseline missed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import company_option, here, json_option, reading
from commands.printing import clock, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FIGURES = ("missed_callers", "called_back", "called_again", "waiting", "median", "p90")


@click.command("missed")
@click.option("--period", metavar="TEXT", help="today, yesterday, 7d, 30d or 90d.  [default: 30d]")
@click.option("--since", metavar="DAY", help="From this day on, as 2026-11-20, in the company's time zone.")
@click.option("--until", metavar="DAY", help="Until this day, which is included.")
@company_option
@json_option
def missed_command(
    period: str | None, since: str | None, until: str | None, company: str | None, as_json: bool
) -> None:
    """Show who called in vain, who was called back or called again, how long it took, and who still waits.

    A person who calls several times in vain is one missed caller. He is recovered by the first answered call
    with him afterwards, whoever made it. Times are h:mm:ss: half, and nine of ten, were recovered within.

    \b
    Examples:
      leaseline missed --period 7d
      leaseline missed --json | jq '.still_waiting[].caller'
    """
    from tracker.recovery import describe, read_recovery

    given = {"period": period, "since": since, "until": until}
    words = {name: [word] for name, word in given.items() if word is not None}
    with reading(company) as (session, owner):
        told = describe(read_recovery(session, owner, words, here().now))
    if as_json:
        print_json(told)
    else:
        click.echo("\n\n".join(_parts(told)))


def _parts(told: Mapping[str, Any]) -> Iterator[str]:
    from commands.printing import table

    yield f"Missed callers, {told['since']} to {told['until']}"
    if not told["missed_calls"]:
        yield "Nobody called in vain in these days."
        return
    titles = [name.replace("_", " ").upper() for name in _FIGURES]
    everybody = {**told, "source": "(all)"}
    rows = [_row("source", each) for each in (everybody, *told["by_source"])]
    yield table(["SOURCE", *titles], rows, ["source", *_FIGURES])
    if told["by_employee"]:
        rows = [_row("employee", each) for each in told["by_employee"]]
        yield table(["SPOKEN TO BY", *titles], rows, ["employee", *_FIGURES])
    if told["still_waiting"]:
        columns = ["caller", "since", "last_call_at", "calls", "tries", "source", "key"]
        names = [name.replace("_", " ").upper() for name in columns]
        yield table(names, told["still_waiting"], columns)
    yield (
        f"{told['missed_calls']} calls in vain of {told['missed_callers']} persons; besides "
        f"{told['unknown_callers']} without a number."
    )


def _row(name: str, each: Mapping[str, Any]) -> dict[str, Any]:
    times = {"median": clock(each["median_seconds"]), "p90": clock(each["p90_seconds"])}
    return {**each, name: each[name] or "(not known)", **times}
