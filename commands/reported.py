"""`leaseline import`: calls that other phone systems have had, out of their files and folders."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.importing import DAY
from commands.printing import print_json, print_rows, print_thing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.policy.reported_calls import FoundCalls, How
    from tracker.reported_calls import Taken

KINDS = ("asterisk", "freepbx", "3cx", "cucm", "avaya", "own")
_COLUMNS = ("system", "folder", "files", "preset", "calls", "left_out", "bad", "read_at", "problem")


def _how_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--did", metavar="NUMBER", help="The number dialled, of lines that name none."),
        click.option(
            "--dates", type=click.Choice(["day-first", "month-first"]), help="How 05/11/2026 is read."
        ),
        click.option("--zone", metavar="ZONE", help="Whose clocks the lines have; default: the company's."),
        click.option(
            "--column", "columns", multiple=True, metavar="NAME=TITLE",
            help="Which of the file's columns is which of ours; may be repeated.",
        ),
        click.option(
            "--preset", type=click.Choice(KINDS), default="own", show_default=True,
            help="Which kind of phone system wrote it.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("import")
def import_group() -> None:
    """Calls of other phone systems: no call comes through here, they are reported afterwards.

    \b
    Examples:
      leaseline import calls Master.csv --preset asterisk --dry-run
      leaseline import watch main /var/log/asterisk/cdr-csv --preset asterisk --files Master.csv
    """


@import_group.command("calls")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--system", default="file", show_default=True, help="The phone system's name: references are its own."
)
@_how_options
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@company_option
@json_option
def calls(
    *, file: Any, system: str, preset: str, columns: tuple[str, ...], zone: str | None, dates: str | None,
    did: str | None, dry_run: bool, company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Take the calls of a file; the same file again changes nothing.

    Every good line is taken; bad ones are told by their number, and end with 1. Calls to numbers that are not
    entered here are left out and counted.

    \b
    Examples:
      leaseline import calls Master.csv --preset asterisk --zone Europe/Berlin
      leaseline import calls calls.csv --column did=Trunk --column started_at=Begin --dry-run
    """
    from tracker import cdr_files

    content = file.read()
    what = _What(file.name, system, zone, did, dates)
    _take(what, company, lambda how: cdr_files.read_whole(content, preset, chosen_columns(columns), how),
          dry_run=dry_run, as_json=as_json)  # fmt: skip


@import_group.command("cdr")
@click.argument("url")
@click.option(
    "--table", default="cdr", show_default=True, help="Its name, with the schema in front if need be."
)
@click.option("--since", type=DAY, help="From that day on, by the table's clocks.")
@click.option("--until", type=DAY, help="Up to that day, which is not among them.")
@click.option(
    "--system",
    default="asterisk",
    show_default=True,
    help="The phone system's name: references are its own.",
)
@click.option("--did", metavar="NUMBER", help="The number dialled, of records that name none.")
@click.option("--zone", metavar="ZONE", help="Whose clocks the table has; default: the company's.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=COLUMN",
    help="Which of the table's columns is which of ours; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@company_option
@json_option
def cdr(
    *, url: str, table: str, since: datetime | None, until: datetime | None, system: str, did: str | None,
    zone: str | None, columns: tuple[str, ...], dry_run: bool, company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Take the calls of the table in which an Asterisk or FreePBX keeps its records.

    The same again changes nothing.

    URL is the database's, such as mysql://reader:PASSWORD@host/asteriskcdrdb (needs pymysql), postgresql://…,
    sqlite:////var/log/asterisk/master.db; with - it is read from standard input, and no list of processes
    shows it. An account that may only read is enough. Calls to numbers that are not entered here are left out
    and counted.

    \b
    Examples:
      leaseline import cdr postgresql://reader@pbx/asterisk --dry-run
      leaseline import cdr - < /etc/leaseline/records-address
      leaseline import cdr mysql://reader@pbx/asteriskcdrdb --since 2026-01-01 --zone Europe/Moscow
    """
    from tracker import cdr_tables

    if url == "-":
        url = sys.stdin.readline().strip()
    wanted = cdr_tables.Wanted(since, until, chosen_columns(columns))
    what = _What(f"{cdr_tables.shown(url)} {table}", system, zone, did, None)
    _take(what, company, lambda how: cdr_tables.read_table(url, table, how, wanted),
          dry_run=dry_run, as_json=as_json)  # fmt: skip


@dataclass(frozen=True)
class _What:
    """Which calls are taken: what is told of them beside the records themselves."""

    subject: str
    system: str
    zone: str | None
    did: str | None
    dates: str | None


def _take(
    what: _What, company: str | None, read: Callable[[How], FoundCalls], *, dry_run: bool, as_json: bool
) -> None:
    """Reads them, takes them or says what that would do, and tells of it."""
    from tracker import reported_calls
    from tracker.companies import read_timezone
    from tracker.policy.phone import read_number
    from tracker.policy.reported_calls import read_system

    by = here().by()
    with reading(company) as (session, owner):
        number = read_number(what.did, owner.default_region) if what.did else None
        zone = read_timezone(what.zone) if what.zone else None
        how = reported_calls.how_of(
            session, owner, by.at, zone=zone, order=what.dates, did=number, strict=False
        )  # fmt: skip
        source = reported_calls.Source(owner.id, owner.default_region, read_system(what.system), by)
    found = read(how)
    taken = None
    if dry_run:
        with reading(company) as (session, _):
            taken = reported_calls.would_take(session, source, found.lines)
    if taken is None:
        taken = reported_calls.take(here().database, source, found.lines)
        detail = {"new": taken.new, "changed": taken.changed, "same": taken.same}
        with changing(company) as (session, owner, by):
            by.note(session, "call.import", owner.id, subject=what.subject[:200], detail=detail)
    _tell(found, taken, dry_run=dry_run, as_json=as_json)


@import_group.command("watch")
@click.argument("system")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--files", default="*.csv", show_default=True, help="Which files of it: a pattern of names.")
@_how_options
@company_option
@json_option
def watch(
    *, system: str, folder: Path, files: str, preset: str, columns: tuple[str, ...], zone: str | None,
    dates: str | None, did: str | None, company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Have the worker read a folder in which a phone system leaves its calls.

    Files that grow are followed, new ones are taken whole. Lines that are no calls are kept apart and told by
    `leaseline doctor`; they stop nothing.

    \b
    Examples:
      leaseline import watch main /var/log/asterisk/cdr-csv --preset asterisk --files Master.csv
      leaseline import watch cisco /srv/cdr --preset cucm --files 'cdr_*'
    """
    from tracker import call_folders
    from tracker.policy.dates import Order

    with changing(company) as (session, owner, by):
        row = call_folders.add_folder(
            session, by, owner, system, folder.absolute(), preset=preset, files=files,
            columns=chosen_columns(columns), zone=zone, dates=Order(dates) if dates else None, did=did,
        )  # fmt: skip
        thing = call_folders.describe_folder(row)
    print_thing(thing, as_json=as_json)


@import_group.command("watched")
@company_option
@json_option
def watched(company: str | None, as_json: bool) -> None:
    """List the folders that are read, and what became of their lines.

    \b
    Example:
      leaseline import watched
    """
    from tracker import call_folders

    with reading(company) as (session, owner):
        rows = [call_folders.describe_folder(it) for it in call_folders.list_folders(session, owner)]
    print_rows(rows, _COLUMNS, as_json=as_json, empty="No folder is read: `leaseline import watch`")


@import_group.command("unwatch")
@click.argument("system")
@company_option
def unwatch(system: str, company: str | None) -> None:
    """Read a folder no more; its calls stay.

    \b
    Example:
      leaseline import unwatch main
    """
    from tracker import call_folders

    with changing(company) as (session, owner, by):
        call_folders.remove_folder(session, by, owner, system)
    click.echo(f"The folder of {system} is read no more; its calls stay.")


def chosen_columns(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in columns]
    if any(not name or not title for name, _, title in pairs):
        raise click.BadParameter("give NAME=TITLE, such as did=Trunk", param_hint="--column")
    return {name: title for name, _, title in pairs}


def _tell(found: FoundCalls, taken: Taken, *, dry_run: bool, as_json: bool) -> None:
    counts = {"new": taken.new, "changed": taken.changed, "same": taken.same}
    left_out = dict(found.left_out) | ({"ours": taken.ours} if taken.ours else {})
    doubtful = sum(it.doubtful for it in found.lines)
    if as_json:
        problems = [{"line": it.line, "column": it.column, "problem": it.problem} for it in found.problems]
        more = {"left_out": left_out, "not_entered": dict(found.strange), "doubtful": doubtful}
        print_json({**counts, "dry_run": dry_run, **more, "problems": problems})
    else:
        told = f"{taken.new} new, {taken.changed} changed, {taken.same} the same"
        click.echo(told + (" (nothing was stored)" if dry_run else ""))
        for why, number in left_out.items():
            click.echo(f"Left out: {number}, {_WHY.get(why, why)}", err=True)
        for did, number in list(found.strange.items())[:10]:
            click.echo(f"  not entered here: {did}, {number} times", err=True)
        if doubtful:
            click.echo(f"Of {doubtful} the clocks showed the hour twice; the first was taken", err=True)
        for it in found.problems:
            click.echo(f"line {it.line}, {it.column or 'the row'}: {it.problem}", err=True)
    if found.problems:
        raise click.ClickException(f"{len(found.problems)} lines are bad; the others were read")


_WHY = {
    "internal": "internal calls",
    "outgoing": "outgoing calls",
    "number": "to numbers that are not entered here",
    "ours": "came through here as well",
}
