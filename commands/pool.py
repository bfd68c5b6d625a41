"""`leaseline pool`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from commands.context import changing, company_option, here, hint_if_not_live, json_option, reading
from commands.pool_advise import advise_command
from commands.printing import print_csv, print_rows, print_thing

Command = TypeVar("Command", bound=Callable[..., Any])

WHEN_EMPTY = ("real", "source", "overflow", "code")  # tracker.models.WhenEmpty
RULES = (
    click.option(
        "--hold-seconds", type=int, help="How long a number stays with a visitor who left.  [usual: 300]"
    ),
    click.option("--idle-seconds", type=int, help="How long it stays without a sign of life.  [usual: 600]"),
    click.option("--longest-seconds", type=int, help="How long one lease may last.  [usual: 14400]"),
    click.option(
        "--cooldown-seconds",
        type=int,
        help="How long a number rests before another visitor may have it.  [usual: 0]",
    ),
    click.option(
        "--release-after-call/--keep-after-call",
        default=None,
        help="Whether a visitor's call ends his lease.  [usual: keep]",
    ),
    click.option(
        "--paid-percent", type=int, help="Share of the numbers kept for visits from paid ads.  [usual: 0]"
    ),
    click.option(
        "--dynamic-for",
        multiple=True,
        metavar="GROUP",
        help="Only visitors of this channel group get numbers of their own, others see the source's number;"
        " may be repeated.",
    ),
    click.option(
        "--when-empty",
        type=click.Choice(WHEN_EMPTY),
        help="What is shown when no number is free: the company's own number, the source's, the overflow"
        " number, or the own number with a visitor code.  [usual: real]",
    ),
    click.option("--overflow-number", metavar="NUMBER", help="The number for `overflow`."),
)


def rule_options(command: Command) -> Command:
    """The options that `add` and `change` have in common."""
    for option in reversed(RULES):
        command = option(command)
    return command


@click.group("pool")
def pool_group() -> None:
    """Pools: numbers leased to a website's visitors.

    \b
    Examples:
      leaseline pool add Website
      leaseline pool advise --visitors-per-hour 100 --minutes 3
    """


pool_group.add_command(advise_command)


@pool_group.command("add")
@click.argument("name")
@rule_options
@company_option
@json_option
def add_pool(name: str, company: str | None, as_json: bool, **rules: Any) -> None:
    """Add a pool.

    \b
    Examples:
      leaseline pool add Website --hold-seconds 600
      leaseline pool add Ads --dynamic-for "Paid Search" --when-empty source
    """
    from tracker import pools

    with changing(company) as (session, owner, by):
        thing = pools.describe(session, pools.add_pool(session, by, owner, name, **_given(rules)))
    print_thing(thing, as_json=as_json)


@pool_group.command("change")
@click.argument("name")
@click.option("--name", "new_name", help="New name.")
@click.option(
    "--dynamic-for-all", is_flag=True, help="Visitors of every channel group get own numbers again."
)
@rule_options
@company_option
@json_option
def change_pool(
    name: str, new_name: str | None, dynamic_for_all: bool, company: str | None, as_json: bool, **rules: Any
) -> None:
    """Change a pool's rules; what is not given stays.

    \b
    Examples:
      leaseline pool change Website --hold-seconds 150 --cooldown-seconds 60
      leaseline pool change Website --when-empty overflow --overflow-number "8 495 123-45-67"
    """
    from tracker import pools

    wish = _given(rules) | ({"dynamic_for": []} if dynamic_for_all else {})
    with changing(company) as (session, owner, by):
        pool = pools.get_pool(session, owner, name)
        pools.change_pool(session, by, owner, pool, name=new_name, **wish)
        thing = pools.describe(session, pool)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@pool_group.command("list")
@company_option
@json_option
def list_pools(company: str | None, as_json: bool) -> None:
    """List pools.

    \b
    Example:
      leaseline pool list
    """
    from tracker import pools

    with reading(company) as (session, owner):
        rows = [pools.describe(session, each) for each in pools.pools_of(session, owner)]
    columns = ("name", "numbers", "hold_seconds", "idle_seconds", "cooldown_seconds", "when_empty")
    print_rows(rows, columns, as_json=as_json, empty="No pool yet: `leaseline pool add`")


@pool_group.command("show")
@click.argument("name")
@company_option
@json_option
def show_pool(name: str, company: str | None, as_json: bool) -> None:
    """Show a pool: its rules, what its numbers do now, who went without one in the last 24 hours.

    \b
    Example:
      leaseline pool show Website
    """
    from tracker import pools
    from tracker.coverage import last_day

    with reading(company) as (session, owner):
        pool = pools.get_pool(session, owner, name)
        now = asdict(pools.standing(session, pool, here().now))
        thing = pools.describe(session, pool) | {"now": now, "last_day": last_day(session, pool, here().now)}
    if not as_json:
        day = thing["last_day"]
        thing["now"] = [f"{count} {word}" for word, count in now.items() if word != "numbers"]
        thing["last_day"] = _in_words(day)
    print_thing(thing, as_json=as_json)


@pool_group.command("history")
@click.argument("name")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Leases that ran then or later, UTC.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for spreadsheets.")
@company_option
@json_option
def history(name: str, since: datetime | None, as_csv: bool, company: str | None, as_json: bool) -> None:
    """Every lease of a pool, oldest first: which number, for which visit, from when to when, what ended it.

    \b
    Examples:
      leaseline pool history Website --since 2026-11-01
      leaseline pool history Website --csv > leases.csv
    """
    from tracker import pools

    with reading(company) as (session, owner):
        pool = pools.get_pool(session, owner, name)
        found = pools.history(session, pool, since.replace(tzinfo=UTC) if since else None)
        rows = (asdict(each) for each in found)
        if as_csv:
            print_csv(rows)
            return
        zone = ZoneInfo("UTC" if as_json else owner.timezone)
        listed = [row | {name: _at(row[name], zone) for name in ("from_at", "until_at")} for row in rows]
    columns = ("from_at", "until_at", "number", "visit", "source", "campaign", "keyword", "ended_by")
    print_rows(listed, columns, as_json=as_json, empty=f"No lease of {name} yet")


@pool_group.command("delete")
@click.argument("name")
@company_option
def delete_pool(name: str, company: str | None) -> None:
    """Delete a pool that never had a number.

    \b
    Example:
      leaseline pool delete Website
    """
    from tracker import pools

    with changing(company) as (session, owner, by):
        pools.delete_pool(session, by, pools.get_pool(session, owner, name))
    click.echo(f"Pool {name} is deleted.")


def _at(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone) if at else None


def _given(rules: dict[str, Any]) -> Any:
    """The options that were typed; a repeatable one that was not is an empty tuple."""
    return {key: value for key, value in rules.items() if value is not None and value != ()}


def _in_words(day: dict[str, Any]) -> str:
    if day["share"] is None and not day["missed"]:
        return "no visits"
    share = "-" if day["share"] is None else f"{day['share']:.1%}"
    misses = ", ".join(f"{reason} {count}" for reason, count in day["missed"].items())
    return f"{day['own_number']} of {day['visits']} visits had a number of their own ({share})" + (
        f"; without: {misses}" if misses else ""
    )
