"""`leaseline import callrail`, `ctm`, `calltouch`: moving in from another call-tracking service."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, progress, reading
from commands.printing import print_json
from commands.reported import chosen_columns
from tracker.policy.vendors import TITLES

if TYPE_CHECKING:
    from tracker.download import Login
    from tracker.moving import Done, File, Untaken, Wanted
    from tracker.policy.moved import Vendor

_HELP = """Take the calls of {title}'s exports: CSV of its log, or JSON as its API answers.

    Calls, the numbers they came to, their sources, tags, notes and values. Numbers that are not entered here
    are added as retired ones: they stand in the books, and nothing rings for them. The same export again
    changes nothing. Rows that are not taken are told with their reasons, and written to FILE.not-taken.csv
    beside the first file (or where --report says); then the command ends with 1.

    With --recordings the sound that the calls link to is fetched over https, one call after the other, and
    kept as if it had been recorded here. Stopped in between, the same command goes on where it was.

    \b
    Examples:
      leaseline import {name} calls.csv --dry-run
      leaseline import {name} 2025.csv 2026.json --zone Europe/Berlin --report left-out.csv
    """


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        json_option,
        company_option,
        click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing."),
        click.option(
            "--report", type=click.Path(dir_okay=False, path_type=Path),
            help="Where rows that are not taken are written, as CSV.",
        ),
        click.option(
            "--login-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="A file with the header that lets one in to the recordings: Authorization: …",
        ),
        click.option("--recordings", is_flag=True, help="Fetch the recordings that the calls link to."),
        click.option(
            "--known-numbers-only", is_flag=True, help="Leave out calls to numbers not entered here."
        ),
        click.option(
            "--dates", type=click.Choice(["day-first", "month-first"]), help="How 05/11/2026 is read."
        ),
        click.option("--zone", metavar="ZONE", help="Whose clocks the rows have; default: the company's."),
        click.option(
            "--column", "columns", multiple=True, metavar="NAME=TITLE",
            help="Which of the file's columns is which of ours; may be repeated.",
        ),
        click.argument(
            "files", nargs=-1, required=True,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _import(name: str, files: Sequence[Path], company: str | None, given: dict[str, Any]) -> None:
    from tracker import moving
    from tracker.policy.vendors import vendor_of

    vendor, by = vendor_of(name), here().by()
    wanted = _wanted(vendor, given)
    read = [_read(path, vendor, wanted) for path in files]
    with reading(company) as (session, owner):
        owner_id = owner.id
        found = moving.look(session, owner, vendor, read, wanted)
        done = moving.would_take(session, owner, vendor, found, by) if given["dry_run"] else None
    if done is None:
        done = moving.take(here().database, owner_id, vendor, found, by)
        detail = {
            "vendor": name,
            "new": done.taken.new,
            "changed": done.taken.changed,
            "same": done.taken.same,
        }
        with changing(company) as (session, owner, by):
            by.note(
                session,
                "call.import",
                owner.id,
                subject=", ".join(it.name for it in files)[:200],
                detail=detail,
            )
    fetched = _fetch(vendor, owner_id, done, given) if given["recordings"] and not given["dry_run"] else 0
    _tell(done, found.numbers, _report(files, given["report"], done.untaken), given | {"fetched": fetched})


def _wanted(vendor: Vendor, given: dict[str, Any]) -> Wanted:
    from tracker.companies import read_timezone
    from tracker.moving import Wanted
    from tracker.policy.dates import Order
    from tracker.policy.tables import plain_title

    columns = {name: plain_title(title) for name, title in chosen_columns(given["columns"]).items()}
    if strange := sorted(columns.keys() - vendor.columns.keys()):
        raise click.BadParameter(
            f"{strange[0]} is none of {', '.join(vendor.columns)}", param_hint="--column"
        )
    return Wanted(
        here().now,
        read_timezone(given["zone"]) if given["zone"] else None,
        Order(given["dates"]) if given["dates"] else None,
        columns,
        not given["known_numbers_only"],
    )


def _read(path: Path, vendor: Vendor, wanted: Wanted) -> File:
    from tracker.moving import File
    from tracker.policy.tables import LARGEST_BYTES
    from tracker.policy.vendor_files import read_file

    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)  # one more is refused by whoever reads it
    return File(path.name, read_file(content, vendor, wanted.chosen))


def _fetch(vendor: Vendor, company_id: int, done: Done, given: dict[str, Any]) -> int:
    """Brings the recordings here, one after the other; what does not come is among what was not taken."""
    from recordings import fetching
    from recordings.workshop import Workshop
    from tracker.moving import Untaken

    opened, workshop, came = here(), Workshop(), 0
    how = fetching.Fetching(
        opened.database, opened.settings, workshop, opened.now, _login(vendor, given["login_file"])
    )
    calls = fetching.wanted(opened.database, company_id, vendor.name)
    try:
        with progress("Fetching recordings", len(calls)) as bar:
            for call, problem in fetching.fetch_all(how, calls):
                bar.update(1)
                came += problem is None
                if problem is not None:
                    done.untaken.append(Untaken("", 0, call.reference, "recording_url", problem))
    finally:
        workshop.close()
    return came


def _login(vendor: Vendor, path: Path | None) -> Login | None:
    from tracker.download import Login

    if path is None:
        return None
    name, colon, value = path.read_text(encoding="utf-8").strip().partition(":")
    if not colon or not name.isascii() or "\n" in value or not value.strip().isprintable():
        raise click.BadParameter(
            "give a file with one line such as Authorization: …", param_hint="--login-file"
        )
    return Login({name.strip(): value.strip()}, vendor.hosts)


def _report(files: Sequence[Path], wanted: Path | None, untaken: Sequence[Untaken]) -> Path | None:
    """The rows that are not taken, as a file; none where there are none."""
    from tracker.spreadsheet import cell

    if not untaken:
        return None
    path = wanted or files[0].with_name(f"{files[0].name}.not-taken.csv")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "line", "id", "column", "reason"])
        for it in untaken:
            row = (it.file, it.line, it.reference, it.column, str(it.reason))
            writer.writerow([cell(value) for value in row])
    path.chmod(0o600)
    return path


def _tell(done: Done, numbers: Mapping[str, str], report: Path | None, given: dict[str, Any]) -> None:
    counts = {
        "new": done.taken.new, "changed": done.taken.changed, "same": done.taken.same,
        "numbers": done.numbers, "visits": done.visits, "channels": done.channels,
        "recordings": given["fetched"],
        "not_taken": len(done.untaken) + (done.taken.ours if given["dry_run"] else 0),
    }  # fmt: skip
    if given["as_json"]:
        untaken = [vars(it) | {"reason": str(it.reason)} for it in done.untaken]
        print_json(
            counts | {"dry_run": given["dry_run"], "added_numbers": sorted(numbers),
                      "report": report and str(report), "rows_not_taken": untaken}
        )  # fmt: skip
    else:
        told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
        click.echo(told + (" (nothing was stored)" if given["dry_run"] else ""))
        for line in _reasons(done.untaken):
            click.echo(line, err=True)
    if done.untaken:
        raise click.ClickException(f"{len(done.untaken)} rows were not taken: {report}")


def _reasons(untaken: Sequence[Untaken]) -> Iterator[str]:
    """The commonest reasons, each with its first row; all of them are in the report."""
    first: dict[tuple[str, str], Untaken] = {}
    for it in untaken:
        first.setdefault((it.column, it.reason.text), it)
    counts = Counter((it.column, it.reason.text) for it in untaken)
    for kind, number in counts.most_common(10):
        it = first[kind]
        more = f" (and {number - 1} more like it)" if number > 1 else ""
        yield f"{it.file or it.reference} {it.line or ''}, {it.column or 'the row'}: {it.reason}{more}"


def moving_commands() -> list[click.Command]:
    """One for each service."""
    return [_command(name, title) for name, title in TITLES.items()]


def _command(name: str, title: str) -> click.Command:
    def run(*, files: Sequence[Path], company: str | None, **given: Any) -> None:
        _import(name, files, company, given)

    run.__doc__ = _HELP.format(name=name, title=title)
    return click.command(name)(_options(run))
