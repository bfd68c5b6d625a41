"""`leaseline responsible`: who is responsible for which caller, so that a plan can ring him first."""

from __future__ import annotations

from typing import Any

import click

from commands.context import changing, company_option, json_option, reading
from commands.importing import tell_bad_rows
from commands.printing import print_rows, print_thing


@click.group("responsible")
def responsible_group() -> None:
    """Who is responsible for which caller.

    A plan's step “responsible” rings that target first.

    \b
    Examples:
      leaseline responsible set "+49 151 12345678" Anna
      leaseline responsible import owners.csv
    """


@responsible_group.command("set")
@click.argument("phone")
@click.argument("target")
@company_option
@json_option
def set_command(*, phone: str, target: str, company: str | None, as_json: bool) -> None:
    """Say who is responsible for a caller: a target, by its name.

    \b
    Example:
      leaseline responsible set "+49 151 12345678" Anna
    """
    from tracker import responsibles, targets
    from tracker.policy.phone import read_number

    with changing(company) as (session, owner, by):
        number = read_number(phone, owner.default_region)
        its = targets.get(session, owner, target)
        responsibles.tell(session, by, owner, {number: its})
        thing = {"phone": number, "responsible": its.name}
    print_thing(thing, as_json=as_json)


@responsible_group.command("list")
@company_option
@json_option
def list_command(*, company: str | None, as_json: bool) -> None:
    """List callers and who is responsible for each, the first ten thousand.

    \b
    Example:
      leaseline responsible list
    """
    from tracker import responsibles

    with reading(company) as (session, owner):
        rows = [responsibles.describe(each) for each in responsibles.list_responsibles(session, owner)]
    columns = ("phone", "responsible", "told_by", "at")
    empty = "Nobody is responsible for any caller yet: `leaseline responsible set`"
    print_rows(rows, columns, as_json=as_json, empty=empty)


@responsible_group.command("remove")
@click.argument("phone")
@company_option
def remove(*, phone: str, company: str | None) -> None:
    """Say that nobody is responsible for a caller any more.

    \b
    Example:
      leaseline responsible remove "+49 151 12345678"
    """
    from tracker import responsibles

    with changing(company) as (session, owner, by):
        responsibles.remove(session, by, owner, phone)
    click.echo(f"Nobody is responsible for {phone} now.")


@responsible_group.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@company_option
@json_option
def import_command(*, file: Any, dry_run: bool, company: str | None, as_json: bool) -> None:
    """Import callers and who is responsible for each from a CSV file, all of them or none.

    Columns: phone, and responsible (owner, employee): a target's name, an extension or a number that one of
    them has; empty: nobody any more. Callers that the file lacks stay as they are.

    \b
    Example:
      leaseline responsible import owners.csv
    """
    from tracker import responsibles
    from tracker.policy.tables import BadRows

    lines = responsibles.read_list(file.read())
    try:
        with changing(company) as (session, owner, by):
            told = responsibles.plan_list(session, owner, lines)
            done = responsibles.tell(session, by, owner, told, source=file.name)
            if dry_run:
                session.rollback()
    except BadRows as bad:
        tell_bad_rows(bad, as_json=as_json)
    thing = {"set": len(done.set), "removed": len(done.gone), "same": len(done.same), "dry_run": dry_run}
    print_thing(thing, as_json=as_json)
