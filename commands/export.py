"""`leaseline export`, and `leaseline import everything`: leaving with all there is, and arriving with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_json
from commands.reported import import_group

if TYPE_CHECKING:
    from tracker.package_export import Written


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--everything", is_flag=True, help="Every table of the installation, and the recordings.")
@click.option(
    "--format", "kind", type=click.Choice(["jsonl", "parquet", "both"]), default="both", show_default=True,
    help="With --everything: in which form tables are written.",
)  # fmt: skip
@click.option("--with-secrets", is_flag=True, help="With --everything: passwords, keys and tokens as well.")
@click.option("--without-recordings", is_flag=True, help="With --everything: leave the recordings out.")
@company_option
@json_option
def data_export_command(
    *, folder: Path, everything: bool, kind: str, with_secrets: bool, without_recordings: bool,
    company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write what reports count as Parquet files into FOLDER: calls, visits, costs, rents, sales, touches.

    For pandas, DuckDB, Spark and the like. Columns are those of the SQL views (`report_calls` …): instants in
    UTC, money as exact decimals. A file that is there is replaced when the new one is whole.

    With --everything FOLDER is new and gets every table as JSON Lines and Parquet, every recording, and
    datapackage.json, which tells what each column means. All of it is of one instant; calls go on meanwhile.
    `leaseline import everything` brings it into an empty installation on either kind of database.

    \b
    Examples:
      leaseline export /srv/data/leaseline
      python3 -c "import pandas; print(pandas.read_parquet('data/calls.parquet').groupby('source').size())"
      leaseline export --everything /srv/leaving
      leaseline export --everything /srv/moving --format jsonl --with-secrets
    """
    if everything:
        if company:
            raise click.UsageError("--everything is of all companies: leave --company out")
        _export_everything(
            folder, kind, secrets=with_secrets, recordings=not without_recordings, as_json=as_json
        )
    elif with_secrets or without_recordings:
        raise click.UsageError("--with-secrets and --without-recordings go with --everything")
    else:
        _export_reports(folder, company, as_json=as_json)


def _export_reports(folder: Path, company: str | None, *, as_json: bool) -> None:
    from tracker import parquet_export

    parquet_export.need_pyarrow()
    folder.mkdir(parents=True, exist_ok=True)
    with changing(company) as (session, owner, by):  # in the log before anything leaves
        by.note(session, "data.export", owner.id, detail={"format": "parquet"})
    told = []
    with reading(company) as (session, owner):
        for made in parquet_export.write_files(session, owner, folder):
            told.append({"file": str(made.path), "rows": made.rows})
            if not as_json:
                click.echo(f"{made.path}: {made.rows} rows")
    if as_json:
        print_json(told)


def _export_everything(folder: Path, kind: str, *, secrets: bool, recordings: bool, as_json: bool) -> None:
    import migrations
    from tracker import package_export, parquet_export
    from tracker.package import Kind

    opened = here()
    kinds = list(Kind) if kind == "both" else [Kind(kind)]
    if Kind.PARQUET in kinds:
        parquet_export.need_pyarrow()
    _note("data.export", {"format": kind, "everything": True, "secrets": secrets})
    written = package_export.write(
        opened.database, opened.settings, folder.absolute(), opened.now, revision=migrations.head(),
        kinds=kinds, secrets=secrets, recordings=recordings,
    )  # fmt: skip
    if as_json:
        print_json({"folder": str(folder.absolute())} | vars(written))
    else:
        _tell_written(folder, written)


def _tell_written(folder: Path, written: Written) -> None:
    rows, size = sum(written.rows.values()), written.audio_bytes / 1e6
    click.echo(
        f"{folder}: {len(written.rows)} tables, {rows} rows, {written.audio} audio files of {size:.1f} MB"
    )
    click.echo(f"Left out: {', '.join(written.left_out)}", err=True)
    for problem in written.problems:
        click.echo(problem, err=True)


@import_group.command("everything")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def everything_command(*, folder: Path, as_json: bool) -> None:
    """Bring in what `leaseline export --everything` wrote, into an empty installation. Leaseline is stopped.

    Every file is verified before anything changes; then all of it comes in, or nothing. The database may be
    of the other kind: so one moves from SQLite to PostgreSQL, and back.

    \b
    Example:
      LEASELINE_DATABASE_URL=postgresql://leaseline@/leaseline leaseline import everything /srv/moving
    """
    import migrations
    from commands import supervisor
    from tracker import package_import

    opened = here()
    supervisor.refuse_if_running(opened.settings)
    done = package_import.read(
        opened.database, opened.settings, folder.absolute(), revision=migrations.head()
    )
    opened.database.analyse()
    _note("data.import", {"everything": True})
    if as_json:
        print_json(vars(done))
        return
    rows = sum(done.rows.values())
    click.echo(f"{len(done.rows)} tables, {rows} rows and {done.audio} audio files came in")
    for problem in done.problems:
        click.echo(f"The export says: {problem}", err=True)


def _note(action: str, detail: dict[str, object]) -> None:
    """In the log of every company: it is the data of each."""
    import sqlalchemy as sa

    from tracker.models import Company

    by = here().by()
    with here().database.write() as session:
        for company_id in session.scalars(sa.select(Company.id).order_by(Company.id)).all():
            by.note(session, action, company_id, detail=detail)
