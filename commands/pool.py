"""`leaseline pool`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, json_option, reading
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Pool


@click.group("pool")
def pool_group() -> None:
    """Pools: numbers leased to a website's visitors.

    \b
    Example:
      leaseline pool add Website
    """


@pool_group.command("add")
@click.argument("name")
@click.option(
    "--hold-seconds",
    type=int,
    default=300,
    show_default=True,
    help="How long a number stays with a visitor who left.",
)
@company_option
@json_option
def add_pool(name: str, hold_seconds: int, company: str | None, as_json: bool) -> None:
    """Add a pool.

    \b
    Example:
      leaseline pool add Website --hold-seconds 600
    """
    from tracker import pools

    with changing(company) as (session, owner, by):
        thing = describe_pool(session, pools.add_pool(session, by, owner, name, hold_seconds=hold_seconds))
    print_thing(thing, as_json=as_json)


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
        rows = [describe_pool(session, each) for each in pools.pools_of(session, owner)]
    columns = ("name", "hold_seconds", "numbers")
    print_rows(rows, columns, as_json=as_json, empty="No pool yet: `leaseline pool add`")


@pool_group.command("show")
@click.argument("name")
@company_option
@json_option
def show_pool(name: str, company: str | None, as_json: bool) -> None:
    """Show a pool.

    \b
    Example:
      leaseline pool show Website
    """
    from tracker import pools

    with reading(company) as (session, owner):
        thing = describe_pool(session, pools.get_pool(session, owner, name))
    print_thing(thing, as_json=as_json)


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


def describe_pool(session: Session, pool: Pool) -> dict[str, Any]:
    """A pool as JSON, with how many numbers are in it."""
    from tracker.channels import numbers_in_use

    return {
        "name": pool.name,
        "hold_seconds": pool.hold_seconds,
        "numbers": numbers_in_use(session, pool),
        "created_at": pool.created_at,
    }
