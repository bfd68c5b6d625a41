"""`leaseline logs`."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from commands.context import here

_AT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9:]{8})[.,]([0-9]{3})")
NAMES = ("asterisk", "agi", "web", "worker", "supervisord")


@click.command("logs")
@click.argument("name", required=False, type=click.Choice(NAMES))
@click.option(
    "-n", "--lines", type=click.IntRange(1), default=50, show_default=True, help="Last lines of each."
)
@click.option("--call", "key", metavar="KEY", help="All lines about this call, in the order of time.")
@click.option("-f", "--follow", is_flag=True, help="Go on printing what is written, until Ctrl-C.")
def logs_command(name: str | None, lines: int, key: str | None, follow: bool) -> None:
    """Print the logs of all parts, or of one.

    \b
    Examples:
      leaseline logs
      leaseline logs web -n 200
      leaseline logs agi --follow
      leaseline logs --call 6bb3bcca-f47d-512d-bb70-fe06d6ea942c
    """
    folder = here().settings.logs
    paths = [folder / f"{each}.log" for each in ((name,) if name else NAMES)]
    if not any(path.exists() for path in paths):
        raise click.ClickException(f"nothing was logged in {folder} yet: `leaseline up` starts everything")
    if key:
        for path, line in lines_of_call(paths, key):
            click.echo(_marked(path, line, several=len(paths) > 1))
        return
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


def lines_of_call(paths: list[Path], key: str) -> list[tuple[Path, str]]:
    """What the logs, rotated ones among them, say of a call, in the order in which it happened."""
    whole = re.compile(rf"(?<![\w.-]){re.escape(key)}(?![\w-])")
    found = [
        (path, line.rstrip("\n"))
        for path in paths
        for file in sorted(path.parent.glob(f"{path.name}*"))
        for line in _lines(file)
        if whole.search(line)
    ]
    return sorted(found, key=lambda pair: _instant(pair[1]))


def _lines(path: Path) -> list[str]:
    with path.open(errors="replace") as file:
        return file.readlines()


def _instant(line: str) -> str:
    """When it was written, as text that sorts; text logs and JSON write it differently."""
    found = _AT.search(line)
    return f"{found[1]} {found[2]}.{found[3]}" if found else ""


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
