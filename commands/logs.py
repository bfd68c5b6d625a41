"""`leaseline logs`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from commands.context import here

NAMES = ("asterisk", "agi", "web", "worker", "supervisord")


@click.command("logs")
@click.argument("name", required=False, type=click.Choice(NAMES))
@click.option(
    "-n", "--lines", type=click.IntRange(1), default=50, show_default=True, help="Last lines of each."
)
@click.option("-f", "--follow", is_flag=True, help="Go on printing what is written, until Ctrl-C.")
def logs_command(name: str | None, lines: int, follow: bool) -> None:
    """Print the logs of all parts, or of one.

    \b
    Examples:
      leaseline logs
      leaseline logs web -n 200
      leaseline logs agi --follow
    """
    folder = here().settings.logs
    paths = [folder / f"{each}.log" for each in ((name,) if name else NAMES)]
    if not any(path.exists() for path in paths):
        raise click.ClickException(f"nothing was logged in {folder} yet: `leaseline up` starts everything")
    for path in paths:
        for line in last_lines(path, lines):
            click.echo(_marked(path, line, several=len(paths) > 1))
    for path, line in _followed(paths) if follow else ():
        click.echo(_marked(path, line, several=len(paths) > 1))


def last_lines(path: Path, count: int) -> list[str]:
    """The end of a log; an empty list where there is none."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []


def _followed(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Lines as they are written; a rotated or new file is read from its start."""
    read = {path: path.stat().st_size if path.exists() else 0 for path in paths}
    while True:
        for path in paths:
            size = path.stat().st_size if path.exists() else 0
            if size == read[path]:
                continue
            with path.open(errors="replace") as file:
                file.seek(read[path] if size > read[path] else 0)
                while (line := file.readline()).endswith("\n"):
                    read[path] = file.tell()
                    yield path, line.rstrip("\n")
        time.sleep(0.3)


def _marked(path: Path, line: str, *, several: bool) -> str:
    return f"{path.stem:11}  {line}" if several else line
