"""`leaseline channel`."""

from __future__ import annotations

from typing import Any

import click

from commands.context import changing, company_option, hint_if_not_live, json_option, reading
from commands.printing import print_rows, print_thing


@click.group("channel")
def channel_group() -> None:
    """Channels: static sources such as a billboard, which own numbers.

    \b
    Example:
      leaseline channel add "Billboard M11" --source billboard
    """


@channel_group.command("add")
@click.argument("name")
@click.option("--source", help="Source in reports; default: the name.")
@click.option("--medium", default="offline", show_default=True, help="Medium in reports.")
@click.option("--campaign", help="Campaign in reports.")
@click.option("--keyword", help="Keyword in reports.")
@click.option(
    "--shown-to",
    metavar="SOURCE",
    help="Website visitors of this source or channel group see its number if they get none of their own;"
    " '*': all of them.",
)
@company_option
@json_option
def add_channel(name: str, company: str | None, as_json: bool, **given: Any) -> None:
    """Add a channel.

    \b
    Examples:
      leaseline channel add "Billboard M11" --source billboard --campaign spring
      leaseline channel add Leaflet
      leaseline channel add "Google Ads" --medium cpc --source google --shown-to "Paid Search"
    """
    from tracker import channels

    with changing(company) as (session, owner, by):
        thing = channels.describe(session, channels.add_channel(session, by, owner, name, **given))
    print_thing(thing, as_json=as_json)


@channel_group.command("change")
@click.argument("name")
@click.option("--name", "new_name", help="New name.")
@click.option("--source", help="New source.")
@click.option("--medium", help="New medium.")
@click.option("--campaign", help="New campaign.")
@click.option("--keyword", help="New keyword.")
@click.option("--shown-to", metavar="SOURCE", help="New source or channel group; '': shown to nobody.")
@company_option
@json_option
def change_channel(name: str, new_name: str | None, company: str | None, as_json: bool, **given: Any) -> None:
    """Change a channel; calls it brought show the new words.

    \b
    Example:
      leaseline channel change Leaflet --campaign autumn
    """
    from tracker import channels

    with changing(company) as (session, owner, by):
        channel = channels.get_channel(session, owner, name)
        channels.change_channel(session, by, owner, channel, name=new_name, **given)
        thing = channels.describe(session, channel)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@channel_group.command("list")
@company_option
@json_option
def list_channels(company: str | None, as_json: bool) -> None:
    """List channels.

    \b
    Example:
      leaseline channel list
    """
    from tracker import channels

    with reading(company) as (session, owner):
        rows = [channels.describe(session, each) for each in channels.channels_of(session, owner)]
    columns = ("name", "medium", "source", "campaign", "keyword", "shown_to", "numbers")
    print_rows(rows, columns, as_json=as_json, empty="No channel yet: `leaseline channel add`")


@channel_group.command("show")
@click.argument("name")
@company_option
@json_option
def show_channel(name: str, company: str | None, as_json: bool) -> None:
    """Show a channel.

    \b
    Example:
      leaseline channel show Leaflet
    """
    from tracker import channels

    with reading(company) as (session, owner):
        thing = channels.describe(session, channels.get_channel(session, owner, name))
    print_thing(thing, as_json=as_json)


@channel_group.command("delete")
@click.argument("name")
@company_option
def delete_channel(name: str, company: str | None) -> None:
    """Delete a channel that never had a number.

    \b
    Example:
      leaseline channel delete Leaflet
    """
    from tracker import channels

    with changing(company) as (session, owner, by):
        channels.delete_channel(session, by, channels.get_channel(session, owner, name))
    click.echo(f"Channel {name} is deleted.")
