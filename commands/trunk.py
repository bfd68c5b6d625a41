"""`leaseline trunk`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import here, hint_if_not_live, json_option
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.models import Trunk
    from tracker.trunks import TrunkWish

COLUMNS = ("name", "kind", "host", "port", "transport", "username", "match", "caller_id")


@click.group("trunk")
def trunk_group() -> None:
    """Trunks: SIP carriers that bring calls.

    \b
    Examples:
      leaseline trunk add carrier --host sip.example.net --match 203.0.113.0/24
      leaseline trunk add carrier --host sip.example.net --username 4711 --password-file secret.txt
    """


def _wish_options(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option("--port", type=int, help="Port; default 5060, with TLS 5061."),
        click.option("--transport", type=click.Choice(["udp", "tcp"]), help="Default: udp."),
        click.option("--username", help="User name to register with at the carrier."),
        click.option("--password", help="Its password; other users of this machine may see it in `ps`."),
        click.option(
            "--password-file",
            type=click.Path(exists=True, dir_okay=False, allow_dash=True),
            help="File with the password; - reads it from standard input.",
        ),
        click.option(
            "--match", multiple=True, help="Address or network the carrier sends from; may be repeated."
        ),
        click.option(
            "--caller-id",
            type=click.Choice(["caller", "own"]),
            help="What it is shown when we ring out: the caller's number, or our own (default).",
        ),
        click.option(
            "--trust-asserted/--no-trust-asserted",
            default=None,
            help="Believe the carrier's P-Asserted-Identity (default), or only From.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _wish(host: str | None, given: dict[str, Any]) -> TrunkWish:
    from tracker.trunks import TrunkWish

    path = given.pop("password_file")
    if path:
        with click.open_file(path) as file:
            given["password"] = file.read().strip()
    given["match"] = given["match"] or None
    return TrunkWish(host=host, **given)


@trunk_group.command("add")
@click.argument("name")
@click.option("--host", required=True, help="The carrier's host name or address.")
@_wish_options
@json_option
def add(name: str, host: str, as_json: bool, **given: Any) -> None:
    """Add a carrier. With --username we register there; without, it is known by its address.

    \b
    Examples:
      leaseline trunk add carrier --host sip.example.net --match 203.0.113.7 --match 203.0.113.8
      leaseline trunk add voip --host sip.example.org --username 4711 --password-file - < secret.txt
    """
    from tracker import trunks

    wish = _wish(host, given)
    kind = "registration" if wish.username else "ip"
    with here().database.write() as session:
        thing = describe(trunks.add(session, here().by(), name, kind, wish))
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@trunk_group.command("change")
@click.argument("name")
@click.option("--host", help="New host name or address.")
@_wish_options
@json_option
def change(name: str, host: str | None, as_json: bool, **given: Any) -> None:
    """Change a carrier; what is not named stays.

    \b
    Example:
      leaseline trunk change carrier --match 203.0.113.0/24
    """
    from tracker import trunks

    with here().database.write() as session:
        trunk = trunks.change(session, here().by(), trunks.get(session, name), _wish(host, given))
        thing = describe(trunk)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@trunk_group.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List carriers.

    \b
    Example:
      leaseline trunk list --json
    """
    from tracker import trunks

    with here().database.read() as session:
        rows = [describe(trunk) for trunk in trunks.everyone(session)]
    print_rows(rows, COLUMNS, as_json=as_json, empty="No trunk yet: `leaseline trunk add`")


@trunk_group.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show a carrier.

    \b
    Example:
      leaseline trunk show carrier
    """
    from tracker import trunks

    with here().database.read() as session:
        print_thing(describe(trunks.get(session, name)), as_json=as_json)


@trunk_group.command("delete")
@click.argument("name")
def delete(name: str) -> None:
    """Delete a carrier nothing hangs on.

    \b
    Example:
      leaseline trunk delete carrier
    """
    from tracker import trunks

    with here().database.write() as session:
        trunks.delete(session, here().by(), trunks.get(session, name))
    click.echo(f"Trunk {name} is deleted.")
    hint_if_not_live()


def describe(trunk: Trunk) -> dict[str, Any]:
    """A trunk as JSON; its password is never shown."""
    return {
        "name": trunk.name,
        "kind": trunk.kind.value,
        "host": trunk.host,
        "port": trunk.port,
        "transport": trunk.transport.value,
        "username": trunk.username,
        "match": trunk.match,
        "caller_id": trunk.caller_id.value,
        "trust_asserted": trunk.trust_asserted,
        "endpoint": f"trunk-{trunk.id}",
        "created_at": trunk.created_at,
    }
