"""`leaseline calls export`: calls for a spreadsheet or a program."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from commands.call_options import filter_of, filter_options
from commands.context import changing, company_option, here, json_option, reading

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.policy.call_filter import CallFilter


@click.command("export")
@click.option(
    "--format", "form", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True,
    help="CSV, or a workbook for Excel, which needs -o.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="Write into this file instead of printing.",
)  # fmt: skip
@filter_options
@company_option
@json_option
def export_command(
    form: str, output: Path | None, company: str | None, as_json: bool, **wanted: tuple[str, ...]
) -> None:
    """Print every call you ask for as CSV for spreadsheets, or with --json one object a line.

    A file is written whole or not at all. A sheet of Excel holds 1,048,574 calls; more go on in further
    sheets.

    \b
    Examples:
      leaseline calls export --since 2026-11-01 --until 2026-11-30 > calls.csv
      leaseline calls export --period 30d --format xlsx -o calls.xlsx
    """
    if form == "xlsx" and (as_json or output is None):
        raise click.UsageError("--format xlsx writes a file: give -o FILE, without --json")
    with changing(company) as (session, owner, hand):  # in the log before anything leaves
        by = filter_of(wanted, ZoneInfo(owner.timezone), here().now)
        asked = {name: list(words) for name, words in wanted.items() if words}
        hand.note(session, "call.export", owner.id, detail={**asked, "format": "json" if as_json else form})
    with reading(company) as (session, owner):
        if output is None:
            for text in _texts(session, owner.id, by, as_json):
                click.echo(text, nl=False)
        elif form == "csv":
            _write(output, _texts(session, owner.id, by, as_json))
        else:
            _write_workbook(output, session, owner.id, by)


def _texts(session: Session, company_id: int, by: CallFilter, as_json: bool) -> Iterator[str]:
    from tracker import call_export

    if not as_json:
        yield from call_export.csv_lines(session, [company_id], by)
        return
    for row in call_export.rows(session, [company_id], by):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _write(output: Path, texts: Iterator[str]) -> None:
    with _beside(output) as folder:
        unfinished = Path(folder) / "calls"
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.writelines(texts)
        unfinished.replace(output)


def _write_workbook(output: Path, session: Session, company_id: int, by: CallFilter) -> None:
    from tracker import call_workbook

    with _beside(output) as folder:
        unfinished = Path(folder) / "calls"
        with unfinished.open("wb") as file:
            done = call_workbook.write(session, [company_id], by, file, Path(folder))
        unfinished.replace(output)
    more = f" on {done.sheets} sheets: one cannot hold them all" if done.sheets > 1 else ""
    click.echo(f"{output}: {done.calls} {'call' if done.calls == 1 else 'calls'}{more}")


def _beside(output: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder on the same disk, so that the finished file takes its place in one step."""
    if not output.absolute().parent.is_dir():
        raise click.ClickException(f"{output.parent} is no folder: make it first")
    return tempfile.TemporaryDirectory(dir=output.absolute().parent, prefix=".leaseline-export-")
