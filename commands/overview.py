"""`leaseline overview`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commands.call_options import PERIODS
from commands.context import company_option, here, json_option, reading
from commands.printing import clock, print_json, table

if TYPE_CHECKING:
    from tracker.policy.overview import Overview


@click.command("overview")
@click.option("--period", metavar="TEXT", help=f"{PERIODS}.  [default: 30d]")
@click.option("--since", metavar="DAY", help="From this day on, as 2026-11-20, in the company's time zone.")
@click.option("--until", metavar="DAY", help="Until this day, which is included.")
@company_option
@json_option
def overview_command(
    period: str | None, since: str | None, until: str | None, company: str | None, as_json: bool
) -> None:
    """Show what the page's overview shows: the days' figures beside those of as many days before.

    \b
    Examples:
      leaseline overview
      leaseline overview --period 7d
      leaseline overview --since 2026-11-01 --until 2026-11-15 --json
    """
    from tracker.overview import read_overview
    from tracker.overview_export import describe

    given = {"period": period, "since": since, "until": until}
    words = {name: [word] for name, word in given.items() if word is not None}
    with reading(company) as (session, owner):
        found = read_overview(session, [owner.id], words, ZoneInfo(owner.timezone), here().now)
    if as_json:
        print_json(describe(found))
    else:
        click.echo("\n\n".join(_parts(found)))


def _parts(it: Overview) -> Iterable[str]:
    yield _totals(it)
    if it.lines:
        yield table(
            ["SOURCE", "CALLS", "TARGET", "TARGET SHARE", "MISSED", "MISSED SHARE"], _sources(it), "abcdef"
        )
    if it.employees:
        yield table(
            ["WHO", "ANSWERED", "RANG IN VAIN", "WAIT", "TALK", "TARGET SHARE"], _employees(it), "abcdef"
        )
    if it.numbers:
        yield table(
            ["NUMBER", "CHANNEL", "CALLS", "TARGET", "TARGET SHARE", "MISSED"], _numbers(it), "abcdef"
        )


def _totals(it: Overview) -> str:
    now, then = it.now, it.earlier
    until = dict(it.before.asks)["until"].replace("T", " ")
    rows = [
        ("calls", now.calls.count, then.calls.count),
        ("callers", it.callers.count, it.earlier_callers),
        ("for the first time", now.first.count, then.first.count),
        ("answered", _share(now.answered_share), _share(then.answered_share)),
        ("missed", now.missed.count, then.missed.count),
        ("target", now.target.count, then.target.count),
        ("target share", _share(now.target_share), _share(then.target_share)),
        ("not judged", now.unjudged.count, then.unjudged.count),
        ("wait", clock(it.times.wait), clock(it.earlier_times.wait)),
        ("9 of 10 waited", clock(it.times.wait_most), clock(it.earlier_times.wait_most)),
        ("talk", clock(it.times.talk_total), clock(it.earlier_times.talk_total)),
    ]
    titles = ["", f"{it.span.first} to {it.span.last}", f"{it.before.first} to {until}"]
    return table(titles, [_row(row) for row in rows], "abc")


def _sources(it: Overview) -> list[dict[str, Any]]:
    return [
        _row((
            "others" if line.origin is None else line.origin.word, line.figures.calls.count,
            line.figures.target.count, _share(line.figures.target_share), line.figures.missed.count,
            _share(line.figures.missed_share),
        ))
        for line in it.lines
    ]  # fmt: skip


def _employees(it: Overview) -> list[dict[str, Any]]:
    return [
        _row((each.name, each.answered.count, each.missed.count, clock(each.times.wait),
              clock(each.times.talk_total), _share(each.target_share)))
        for each in it.employees
    ]  # fmt: skip


def _numbers(it: Overview) -> list[dict[str, Any]]:
    return [
        _row((line.number.e164, line.number.channel, line.figures.calls.count, line.figures.target.count,
              _share(line.figures.target_share), line.figures.missed.count))
        for line in it.numbers
    ]  # fmt: skip


def _row(values: Iterable[Any]) -> dict[str, Any]:
    return dict(zip("abcdef", values, strict=False))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"
