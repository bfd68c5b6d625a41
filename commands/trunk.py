"""`leaseline trunk`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import here, hint_if_not_live, json_option
from commands.printing import print_rows, print_thing
from commands.trunk_test import test_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.trunks import TrunkWish

COLUMNS = ("name", "kind", "host", "port", "transport", "srtp", "username", "match", "state")


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
        click.option("--transport", type=click.Choice(["udp", "tcp", "tls"]), help="Default: udp."),
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
            type=click.Choice(["caller", "own", "rpid", "diversion"]),
            help="What it is shown when we ring out (docs/integrator.md); default: own.",
        ),
        click.option(
            "--trust-asserted/--no-trust-asserted",
            default=None,
            help="Believe the carrier's P-Asserted-Identity (default), or only From.",
        ),
        *_MANNERS,
    )
    for option in reversed(options):
        command = option(command)
    return command


_MANNERS = (
    click.option("--country", help="Its country (DE, GB, …), for numbers in national form; '' for none."),
    click.option(
        "--did-in",
        metavar="uri|to|header:NAME",
        help="Where it writes the number dialled; default: the request itself.",
    ),
    click.option(
        "--dial-as",
        type=click.Choice(["plus", "digits", "national"]),
        help="How it wants numbers: +4930…, 4930…, 030…; default: plus.",
    ),
    click.option(
        "--srtp", type=click.Choice(["off", "optional", "required"]), help="Encrypted sound; default: off."
    ),
    click.option(
        "--tls-verify/--no-tls-verify", default=None, help="Check its certificate (default), or believe any."
    ),
    click.option(
        "--tls-ca", metavar="FILE", help="Authorities its certificate is checked by; '': the usual ones."
    ),
    click.option("--outbound-proxy", metavar="HOST[:PORT]", help="What we send by way of; '' for none."),
    click.option("--codecs", multiple=True, help="alaw, ulaw, g722 in order; default: alaw,ulaw."),
    click.option(
        "--dtmf",
        type=click.Choice(["rfc4733", "info", "inband", "auto"]),
        help="How keys are told; default: rfc4733.",
    ),
    click.option(
        "--qualify-seconds",
        type=int,
        help="Ask after this long whether it is alive; 0: never; -1: as the others.",
    ),
    click.option(
        "--symmetric/--no-symmetric",
        default=None,
        help="Answer to where its packets come from (default), or to the address it names.",
    ),
)


def _wish(host: str | None, given: dict[str, Any]) -> TrunkWish:
    from tracker.trunks import TrunkWish

    path = given.pop("password_file")
    if path:
        with click.open_file(path) as file:
            given["password"] = file.read().strip()
    given |= {name: given[name] or None for name in ("match", "codecs")}
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
      leaseline trunk add safe --host sip.example.org --transport tls --srtp required --match 203.0.113.7
      leaseline trunk add old --host 203.0.113.9 --country DE --did-in header:P-Called-Party-ID
    """
    from tracker import trunks

    wish = _wish(host, given)
    kind = "registration" if wish.username else "ip"
    with here().database.write() as session:
        thing = trunks.describe(trunks.add(session, here().by(), name, kind, wish))
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
        thing = trunks.describe(trunk)
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
        rows = [trunks.describe(trunk) for trunk in trunks.everyone(session)]
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
        print_thing(trunks.describe(trunks.get(session, name)), as_json=as_json)


@trunk_group.command("retire")
@click.argument("name")
def retire(name: str) -> None:
    """Switch a carrier off. What it carried stays in the books.

    \b
    Example:
      leaseline trunk retire carrier
    """
    from tracker import trunks

    with here().database.write() as session:
        trunks.retire(session, here().by(), trunks.get(session, name))
    click.echo(f"Trunk {name} is switched off.")
    hint_if_not_live()


@trunk_group.command("restore")
@click.argument("name")
def restore(name: str) -> None:
    """Switch a retired carrier on again.

    \b
    Example:
      leaseline trunk restore carrier
    """
    from tracker import trunks

    with here().database.write() as session:
        trunks.restore(session, here().by(), trunks.get(session, name))
    click.echo(f"Trunk {name} is switched on.")
    hint_if_not_live()


trunk_group.add_command(test_command)


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
