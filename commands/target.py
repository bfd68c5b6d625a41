"""`leaseline target`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, hint_if_not_live, json_option, reading
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.targets import Place


@click.group("target")
def target_group() -> None:
    """Targets: places that can ring.

    \b
    Examples:
      leaseline target add "Main line" --peer 192.0.2.10 --dial 100
      leaseline target add Reception --phone
      leaseline target add Mobile --outside "+7 915 123-45-67" --trunk carrier
    """


@target_group.command("add")
@click.argument("name")
@click.option("--peer", metavar="HOST", help="An existing PBX or SIP device at this host or address.")
@click.option("--port", type=int, help="Its port; default 5060, with TLS 5061.")
@click.option("--transport", type=click.Choice(["udp", "tcp", "tls"]), default="udp", show_default=True)
@click.option("--dial", help="What to dial at the peer; default: the number the caller dialled.")
@click.option("--phone", is_flag=True, help="A phone that registers with us; its password is made here.")
@click.option("--username", help="What the phone registers as; default: COMPANY-NAME.")
@click.option("--outside", metavar="NUMBER", help="A number dialled out over --trunk.")
@click.option("--trunk", "trunk_name", help="The trunk an outside number is dialled over.")
@click.option(
    "--extension",
    metavar="EXTEN[@CONTEXT]",
    help="A phone (101), or what a context makes of an extension (600@from-internal), of an Asterisk that "
    "includes ours.",
)
@click.option("--country", help="Allow an outside number of this country (DE, PL, …); default: the own one.")
@click.option(
    "--caller-id",
    type=click.Choice(["caller", "own", "rpid", "diversion"]),
    help="What the target is shown: the caller's number, the number dialled, and where (docs/integrator.md).",
)
@click.option(
    "--srtp",
    type=click.Choice(["off", "optional", "required"]),
    help="Encrypted sound; default: off, for a phone optional.",
)
@click.option("--login", help="What we log in as at a peer that asks.")
@click.option(
    "--login-password-file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="File with that log-in's password; - reads it from standard input.",
)
@click.option("--no-tls-verify", is_flag=True, help="Believe any certificate a peer shows.")
@click.option("--tls-ca", metavar="FILE", help="Authorities a peer's certificate is checked by.")
@click.option("--tell-source", is_flag=True, help="Tell a peer the number dialled and the source in headers.")
@company_option
@json_option
def add(name: str, company: str | None, as_json: bool, **given: Any) -> None:
    """Add a place that can ring: one of --peer, --phone, --outside, --extension.

    \b
    Examples:
      leaseline target add "Main line" --peer pbx.example.com --dial 100
      leaseline target add PBX --peer pbx.example.com --transport tls --login ll --login-password-file -
      leaseline target add Reception --phone --username reception
      leaseline target add Mobile --outside 89151234567 --trunk carrier
      leaseline target add Berlin --outside +4930123456 --trunk carrier --country DE
    """
    from tracker import targets

    if sum(map(bool, (given["peer"], given["phone"], given["outside"], given["extension"]))) != 1:
        raise click.UsageError("Give exactly one of --peer, --phone, --outside, --extension")
    with changing(company) as (session, owner, by):
        target = targets.add(session, by, owner, name, _place(session, given))
        thing = targets.describe(target)
        if target.password:
            thing["password"] = target.password
    print_thing(thing, as_json=as_json)
    if thing.get("password"):
        click.echo("The password is shown this once; `leaseline target password` makes a new one.", err=True)
    hint_if_not_live()


def _place(session: Session, given: dict[str, Any]) -> Place:
    from tracker import trunks
    from tracker.targets import Extension, Outside, Peer, Phone

    shown = {"caller_id": given["caller_id"]} if given["caller_id"] else {}
    sound = {"srtp": given["srtp"]} if given["srtp"] else {}
    if given["peer"]:
        return Peer(
            given["peer"],
            given["port"],
            given["transport"],
            given["dial"],
            login=given["login"],
            login_password=_password(given["login_password_file"]),
            tls_verify=not given["no_tls_verify"],
            tls_ca=given["tls_ca"],
            tells_source=given["tell_source"],
            **shown,
            **sound,
        )
    if given["extension"]:
        return Extension(given["extension"])
    if given["phone"]:
        return Phone(given["username"], **sound)
    if not given["trunk_name"]:
        raise click.UsageError("--outside needs --trunk: the carrier to dial the number over")
    return Outside(given["outside"], trunks.get(session, given["trunk_name"]), given["country"], **shown)


def _password(path: str | None) -> str | None:
    if path is None:
        return None
    with click.open_file(path) as file:
        return str(file.read()).strip()


@target_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List places that can ring.

    \b
    Example:
      leaseline target list
    """
    from tracker import targets

    with reading(company) as (session, owner):
        rows = [targets.describe(target) for target in targets.of_company(session, owner)]
    print_rows(
        rows,
        ("name", "kind", "where", "caller_id"),
        as_json=as_json,
        empty="No target yet: `leaseline target add`",
    )


@target_group.command("show")
@click.argument("name")
@company_option
@json_option
def show(name: str, company: str | None, as_json: bool) -> None:
    """Show a place that can ring.

    \b
    Example:
      leaseline target show "Main line"
    """
    from tracker import targets

    with reading(company) as (session, owner):
        print_thing(targets.describe(targets.get(session, owner, name)), as_json=as_json)


@target_group.command("change")
@click.argument("name")
@click.option(
    "--caller-id",
    type=click.Choice(["caller", "own", "rpid", "diversion"]),
    help="What a peer is shown: the caller's number, the number dialled, and where (docs/integrator.md).",
)
@click.option(
    "--srtp", type=click.Choice(["off", "optional", "required"]), help="Encrypted sound, of peers and phones."
)
@click.option("--tls-verify/--no-tls-verify", default=None, help="Whether a peer's certificate is checked.")
@click.option(
    "--tell-source/--no-tell-source", "tells_source", default=None,
    help="Whether a peer is told the number dialled and the source in headers.",
)  # fmt: skip
@company_option
@json_option
def change(name: str, company: str | None, as_json: bool, **given: Any) -> None:
    """Change how a target is shown, encrypted and told; what is not given stays.

    \b
    Examples:
      leaseline target change PBX --caller-id own --tell-source
      leaseline target change Reception --srtp required
    """
    from tracker import targets

    with changing(company) as (session, owner, by):
        target = targets.get(session, owner, name)
        targets.change(session, by, target, targets.Wish(**given))
        thing = targets.describe(target)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@target_group.command("whisper")
@click.argument("name")
@click.argument("answer", type=click.Choice(["on", "off"]))
@company_option
@json_option
def whisper(name: str, answer: str, company: str | None, as_json: bool) -> None:
    """Say whether whoever answers at a target hears the company's whisper first.

    \b
    Example:
      leaseline target whisper Mobile off
    """
    from tracker import targets

    with changing(company) as (session, owner, by):
        target = targets.get(session, owner, name)
        targets.let_whisper(session, by, target, answer == "on")
        thing = targets.describe(target)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@target_group.command("password")
@click.argument("name")
@company_option
@json_option
def password(name: str, company: str | None, as_json: bool) -> None:
    """Make a new password for a phone and show it once.

    \b
    Example:
      leaseline target password Reception
    """
    from tracker import targets

    with changing(company) as (session, owner, by):
        target = targets.get(session, owner, name)
        made = targets.new_password(session, by, target)
        thing = {"name": target.name, "username": target.username, "password": made}
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@target_group.command("provision")
@click.argument("name")
@click.option("--hours", type=int, default=24, show_default=True, help="How long the link lives.")
@click.option("--new-password", is_flag=True, help="Make a new password first: phones set up before stop.")
@company_option
@json_option
def provision(name: str, hours: int, new_password: bool, company: str | None, as_json: bool) -> None:
    """Make a link that sets up a phone, once, and show it as text and as a QR code.

    Linphone scans the code of the page behind it; for any other phone the page shows the account. A link made
    before for the same phone opens nothing any more.

    \b
    Examples:
      leaseline target provision Reception
      leaseline target provision Reception --new-password --hours 2
    """
    from commands.context import here
    from tracker import provisioning, targets

    settings = here().settings
    with changing(company) as (session, owner, by):
        target = targets.get(session, owner, name)
        token = provisioning.make_link(session, by, target, hours)
        if new_password:
            targets.new_password(session, by, target)
        thing = provisioning.describe(target, settings, token, hours)
    print_thing(thing, as_json=as_json)
    if not as_json:
        click.echo("Linphone scans this code; for any other phone open the link.")
        _print_code(f"{thing['link']}/linphone.xml")
        if thing["certificate"] != "known":
            click.echo("Our certificate is signed by itself: phones must accept it.", err=True)
    hint_if_not_live()


def _print_code(text: str) -> None:
    import sys

    import segno

    segno.make(text, error="m", micro=False).terminal(out=sys.stdout, compact=True)


@target_group.command("delete")
@click.argument("name")
@company_option
def delete(name: str, company: str | None) -> None:
    """Delete a place that nothing rings.

    \b
    Example:
      leaseline target delete Reception
    """
    from tracker import targets

    with changing(company) as (session, owner, by):
        targets.delete(session, by, targets.get(session, owner, name))
    click.echo(f"Target {name} is deleted.")
    hint_if_not_live()
