"""`leaseline key`: what programs get in with."""

from __future__ import annotations

import click

from commands.context import changing, company_option, json_option, reading
from commands.printing import print_rows, print_thing
from tracker.policy.rights import Scope, read_scopes


@click.group("key")
def key_group() -> None:
    """Keys with which programs use one company's API, each for what it was made for.

    \b
    Examples:
      leaseline key add crm
      leaseline key add pbx --for calls
      leaseline key add warehouse --for read
    """


@key_group.command("add")
@click.argument("name")
@click.option(
    "--for",
    "words",
    multiple=True,
    default=["money"],
    show_default=True,
    metavar="SCOPE",
    help="What it opens; may be repeated. money: costs, sales and reports. calls: the report of calls by a"
    " phone system. read: everything, to read. Or one of " + ", ".join(Scope) + ".",
)
@company_option
@json_option
def add(name: str, words: tuple[str, ...], company: str | None, as_json: bool) -> None:
    """Make a key and print it, this once.

    \b
    Examples:
      leaseline key add crm
      leaseline key add pbx --for calls
      leaseline key add crm --for calls:read --for money:write
    """
    from tracker import api_keys

    with changing(company) as (session, owner, by):
        key, token = api_keys.add_key(session, by, owner, name, read_scopes(words))
        thing = {"name": key.name, "for": sorted(key.scopes), "key": token}
    print_thing(thing, as_json=as_json)


@key_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List keys, without their text; when each was used last, to the hour.

    \b
    Example:
      leaseline key list
    """
    from tracker import api_keys

    with reading(company) as (session, owner):
        rows = [api_keys.describe_key(each) for each in api_keys.list_keys(session, owner)]
    columns = ("name", "scopes", "created_at", "used_at", "revoked_at")
    print_rows(rows, columns, as_json=as_json, empty="No key yet: `leaseline key add`")


@key_group.command("revoke")
@click.argument("name")
@company_option
def revoke(name: str, company: str | None) -> None:
    """Let nobody in with a key any more.

    \b
    Example:
      leaseline key revoke crm
    """
    from tracker import api_keys

    with changing(company) as (session, owner, by):
        api_keys.revoke_key(session, by, owner, name)
    click.echo(f"Key {name} is revoked.")
