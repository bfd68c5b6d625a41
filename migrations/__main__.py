"""Writes the next revision from what has changed in the models: `python -m migrations "Add colours"`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import Script, ScriptDirectory

import migrations
from tracker.database import Database


def write_revision(message: str) -> Path:
    """Compares the models with the newest revision and writes down what is missing."""
    scripts = ScriptDirectory.from_config(migrations.config())
    number = f"{len(list(scripts.walk_revisions())) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/schema.db"
        if number != "0001":
            migrations.upgrade(url)
        database = Database(url)
        with database.engine.connect() as connection:
            settings = migrations.config(connection)
            made = command.revision(settings, message, autogenerate=True, rev_id=number)
        database.close()
    assert isinstance(made, Script)  # noqa: S101  (one revision was asked for)
    file = Path(made.path)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(
        "".join(line for line in lines if "commands auto generated" not in line and "end Alembic" not in line)
    )
    return file


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m migrations "What the revision does"')
    sys.stdout.write(f"{write_revision(sys.argv[1])}\n")
