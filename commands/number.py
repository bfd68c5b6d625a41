"""`leaseline number`."""

from __future__ import annotations

import json
from typing import Any

import click

from commands.context import (
    changing,
    company_option,
    here,
    hint_if_not_live,
    json_option,
    progress,
    reading,
)
from commands.printing import print_json, print_rows, print_thing

STATES = ("active", "quarantined", "retired")
channel_or_pool = (
    click.option("--channel", help="Channel that owns the number."),
    click.option("--pool", help="Pool that leases the number to visitors."),
)


def place_options(command: Any) -> Any:
    """`--channel` and `--pool`."""
    for option in reversed(channel_or_pool):
        command = option(command)
    return command


@click.group("number")
def number_group() -> None:
    """Numbers: the DIDs that reach our Asterisk.

    \b
    Examples:
      leaseline number add "+7 495 123-45-67" --channel "Billboard M11"
      leaseline number import numbers.csv
    """


@number_group.command("add")
@click.argument("number")
@place_options
@click.option("--label", help="A note for people.")
@click.option("--record/--no-record", default=True, show_default=True, help="Record its calls.")
@company_option
@json_option
def add(
    number: str, channel: str | None, pool: str | None, company: str | None, as_json: bool, **more: Any
) -> None:
    """Add a number, tied to a channel or put into a pool.

    \b
    Examples:
      leaseline number add "+7 495 123-45-67" --channel "Billboard M11"
      leaseline number add 84951234568 --pool Website --no-record
    """
    from tracker import number_story, numbers

    with changing(company) as (session, owner, by):
        place = numbers.find_place(session, owner, channel, pool)
        added = numbers.add(session, by, owner, number, place, **more)
        thing = number_story.present(session, added)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@number_group.command("import")
@click.argument("file", type=click.File("rb"))
@place_options
@company_option
@json_option
def import_command(
    file: Any, channel: str | None, pool: str | None, company: str | None, as_json: bool
) -> None:
    """Import numbers from a CSV file, all of them or none.

    The first line names the columns: number, and as wanted channel, pool, label, record (yes or no). A file
    with one number a line needs no such line. --channel or --pool serve rows that name neither. Every bad
    row is reported by its line, and then nothing is imported.

    \b
    Examples:
      leaseline number import numbers.csv
      leaseline number import - --pool Website < numbers.txt
    """
    from dataclasses import replace

    from tracker import numbers
    from tracker.number_list import Row, read_list
    from tracker.policy.entries import count_of

    rows = [
        replace(row, channel=channel, pool=pool)
        if isinstance(row, Row) and not (row.channel or row.pool)
        else row
        for row in read_list(file.read())
    ]
    bar = progress("Importing", len(rows))
    try:
        with changing(company) as (session, owner, by), bar:
            numbers.find_place(session, owner, channel, pool)  # what is wrong with it is no row's fault
            added = [
                number.e164 for number in numbers.import_rows(session, by, owner, rows, lambda: bar.update(1))
            ]
    except numbers.BadRows as bad:
        _tell_bad_rows(bad, as_json=as_json)
    if as_json:
        print_json({"imported": added, "problems": []})
    else:
        click.echo(f"{count_of(len(added), 'number')} imported.")
    hint_if_not_live()


def _tell_bad_rows(bad: Any, *, as_json: bool) -> None:
    if as_json:
        problems = [{"line": each.line, "problem": str(each.problem)} for each in bad.problems]
        click.echo(json.dumps({"imported": [], "problems": problems}, ensure_ascii=False, indent=2))
    else:
        for each in bad.problems:
            click.echo(f"line {each.line}: {each.problem}", err=True)
    raise click.ClickException(str(bad))


@number_group.command("list")
@click.argument("text", required=False)
@place_options
@click.option("--state", type=click.Choice(STATES), help="Only numbers in this state.")
@click.option("--unused", is_flag=True, help="Only numbers that belong to no channel and no pool.")
@company_option
@json_option
def list_command(
    *,
    text: str | None,
    channel: str | None,
    pool: str | None,
    state: str | None,
    unused: bool,
    company: str | None,
    as_json: bool,
) -> None:
    """List numbers; TEXT looks into their digits and labels.

    \b
    Examples:
      leaseline number list
      leaseline number list 4951 --state active
      leaseline number list --channel "Billboard M11" --json
    """
    from tracker import number_story, numbers
    from tracker.models import NumberState

    with reading(company) as (session, owner):
        place = numbers.find_place(session, owner, channel, pool)
        wanted = NumberState(state) if state else None
        found = numbers.listed(session, owner, state=wanted, place=place, unused=unused, text=text)
        rows = [number_story.describe(each) for each in found]
    columns = ("number", "state", "channel", "pool", "label", "record")
    print_rows(rows, columns, as_json=as_json, empty="No such number; add one: `leaseline number add`")


@number_group.command("show")
@click.argument("number")
@company_option
@json_option
def show(number: str, company: str | None, as_json: bool) -> None:
    """Show a number: what it was used for, who rings, its last calls.

    \b
    Example:
      leaseline number show 84951234567
    """
    from tracker import number_story, numbers

    with reading(company) as (session, owner):
        thing = number_story.story(session, numbers.get(session, owner, number))
    if not as_json:
        thing["uses"] = [
            f"{use['channel'] or use['pool']}: {_day(use['from_at'])} to {_day(use['until_at']) or 'now'}"
            for use in thing["uses"]
        ]
        thing["last_calls"] = [
            f"{_day(call['started_at'])} {call['outcome']}" for call in thing["last_calls"]
        ]
        thing["rings"] = [f"{ring['target']}:{ring['ring_seconds']}" for ring in thing["rings"]]
    print_thing(thing, as_json=as_json)


@number_group.command("move")
@click.argument("number")
@place_options
@company_option
@json_option
def move(number: str, channel: str | None, pool: str | None, company: str | None, as_json: bool) -> None:
    """Use a number for another channel or pool from now on; earlier calls keep their source.

    Without --channel and --pool it is taken out of where it is.

    \b
    Example:
      leaseline number move 84951234567 --channel Leaflet
    """
    from tracker import number_story, numbers

    with changing(company) as (session, owner, by):
        found = numbers.get(session, owner, number)
        numbers.move(session, by, found, numbers.find_place(session, owner, channel, pool))
        thing = number_story.present(session, found)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@number_group.command("change")
@click.argument("number")
@click.option("--label", help='A note for people; "" removes it.')
@click.option("--record/--no-record", default=None, help="Record its calls.")
@company_option
@json_option
def change(number: str, label: str | None, record: bool | None, company: str | None, as_json: bool) -> None:
    """Change a number's label, or whether its calls are recorded.

    \b
    Example:
      leaseline number change 84951234567 --no-record
    """
    from tracker import number_story, numbers

    with changing(company) as (session, owner, by):
        found = numbers.get(session, owner, number)
        numbers.change(session, by, found, label=label, record=record)
        thing = number_story.present(session, found)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@number_group.command("retire")
@click.argument("number")
@click.option(
    "--days", type=click.IntRange(0, 3650), help="Quarantine; default: the setting quarantine_days."
)
@company_option
def retire(number: str, days: int | None, company: str | None) -> None:
    """Give a number to nobody new. It is still answered for its last use until its quarantine is over.

    \b
    Examples:
      leaseline number retire 84951234567
      leaseline number retire 84951234567 --days 0
    """
    from tracker import numbers

    with changing(company) as (session, owner, by):
        found = numbers.get(session, owner, number)
        numbers.retire(session, by, found, here().settings.quarantine_days if days is None else days)
        until, e164 = found.quarantined_until, found.e164
    if days == 0:
        click.echo(f"{e164} is retired.")
    else:
        click.echo(f"{e164} is answered until {_day(until)}, then retired.")
    hint_if_not_live()


@number_group.command("restore")
@click.argument("number")
@company_option
def restore(number: str, company: str | None) -> None:
    """Take a retired number back; from quarantine it comes with its use.

    \b
    Example:
      leaseline number restore 84951234567
    """
    from tracker import numbers

    with changing(company) as (session, owner, by):
        found = numbers.get(session, owner, number)
        numbers.restore(session, by, found)
        e164 = found.e164
    click.echo(f"{e164} is in use again.")
    hint_if_not_live()


@number_group.command("delete")
@click.argument("number")
@company_option
def delete(number: str, company: str | None) -> None:
    """Delete a number added by mistake; one that ever had a call can only be retired.

    \b
    Example:
      leaseline number delete 84951234567
    """
    from tracker import numbers

    with changing(company) as (session, owner, by):
        found = numbers.get(session, owner, number)
        e164 = found.e164
        numbers.delete(session, by, found)
    click.echo(f"{e164} is deleted.")
    hint_if_not_live()


def _day(at: Any) -> str:
    return str(at)[:16].replace("T", " ") if at else ""
