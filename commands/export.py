"""`leaseline export`."""

from __future__ import annotations

from pathlib import Path

import click

from commands.context import changing, company_option, json_option, reading
from commands.printing import print_json


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@company_option
@json_option
def data_export_command(folder: Path, company: str | None, as_json: bool) -> None:
    """Write what reports count as Parquet files into FOLDER: calls, visits, costs, rents, sales, touches.

    For pandas, DuckDB, Spark and the like. Columns are those of the SQL views (`report_calls` …): instants in
    UTC, money as exact decimals. A file that is there is replaced when the new one is whole.

    \b
    Examples:
      leaseline export /srv/data/leaseline
      python3 -c "import pandas; print(pandas.read_parquet('data/calls.parquet').groupby('source').size())"
    """
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
