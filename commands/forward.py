"""`leaseline forward`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, hint_if_not_live, json_option, reading
from commands.printing import print_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Company, Forwarding
    from tracker.scopes import Scope


def scope_options(command: Any) -> Any:
    """`--number`, `--channel`, `--pool`; none of them means the company's default."""
    for option in (
        click.option("--pool", help="For every number of this pool."),
        click.option("--channel", help="For every number of this channel."),
        click.option("--number", help="For this number only."),
    ):
        command = option(command)
    return command


@click.group("forward")
def forward_group() -> None:
    """Forwarding: who rings, in what order, how long.

    A number's own forwarding comes first, else its channel's or pool's, else the company's.

    \b
    Examples:
      leaseline forward set "Main line"
      leaseline forward set --channel Leaflet "Main line:15" Mobile:20
    """


@forward_group.command("set")
@click.argument("rings", nargs=-1, required=True, metavar="TARGET[:SECONDS]...")
@scope_options
@company_option
def set_command(
    rings: tuple[str, ...], number: str | None, channel: str | None, pool: str | None, company: str | None
) -> None:
    """Ring these targets one after the other; without a scope it is the company's default.

    \b
    Examples:
      leaseline forward set "Main line:20" Mobile
      leaseline forward set --number 84951234567 Reception:30
    """
    from tracker import forward, targets
    from tracker.scopes import scope_name

    with changing(company) as (session, owner, by):
        scope = find_scope(session, owner, number, channel, pool)
        wished = []
        for ring in rings:
            name, seconds = _read_ring(ring)
            wished.append((targets.get(session, owner, name), seconds))
        forward.set_rings(session, by, scope, wished)
        told = f"For {scope_name(scope)} ring: " + ", then ".join(
            f"{target.name} for {seconds} s" for target, seconds in wished
        )
    click.echo(told)
    hint_if_not_live()


@forward_group.command("show")
@company_option
@json_option
def show(company: str | None, as_json: bool) -> None:
    """Show who rings, scope by scope.

    \b
    Example:
      leaseline forward show
    """
    from tracker import forward

    with reading(company) as (session, owner):
        rows = [_describe(session, row) for row in forward.of_company(session, owner)]
    columns = ("scope", "name", "position", "target", "ring_seconds")
    print_rows(rows, columns, as_json=as_json, empty="No forwarding yet: `leaseline forward set TARGET`")


@forward_group.command("clear")
@scope_options
@company_option
def clear(number: str | None, channel: str | None, pool: str | None, company: str | None) -> None:
    """Forget what is set for a scope; the wider one counts again.

    \b
    Example:
      leaseline forward clear --channel Leaflet
    """
    from tracker import forward
    from tracker.scopes import scope_name

    with changing(company) as (session, owner, by):
        scope = find_scope(session, owner, number, channel, pool)
        forward.clear(session, by, scope)
        name = scope_name(scope)
    click.echo(f"Nothing is set for {name} any more.")
    hint_if_not_live()


def find_scope(
    session: Session, owner: Company, number: str | None, channel: str | None, pool: str | None
) -> Scope:
    """What the options of `scope_options` mean."""
    from tracker import numbers

    if sum(map(bool, (number, channel, pool))) > 1:
        raise click.UsageError("Give one of --number, --channel, --pool")
    if number:
        return numbers.get(session, owner, number)
    return numbers.find_place(session, owner, channel, pool) or owner


def _read_ring(text: str) -> tuple[str, int]:
    name, colon, seconds = text.rpartition(":")
    if not colon:
        return text, here().settings.ring_seconds
    if not seconds.isdigit():
        raise click.UsageError(f"{text!r} is no TARGET:SECONDS: give whole seconds after the colon")
    return name, int(seconds)


def _describe(session: Session, row: Forwarding) -> dict[str, Any]:
    from tracker.models import Channel, Number, Pool

    scope, name = "company", None
    if row.number_id and (number := session.get(Number, row.number_id)):
        scope, name = "number", number.e164
    elif row.channel_id and (channel := session.get(Channel, row.channel_id)):
        scope, name = "channel", channel.name
    elif row.pool_id and (pool := session.get(Pool, row.pool_id)):
        scope, name = "pool", pool.name
    return {
        "scope": scope,
        "name": name,
        "position": row.position,
        "target": row.target.name,
        "ring_seconds": row.ring_seconds,
    }
