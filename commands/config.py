"""`leaseline config`."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any

import click

from commands.context import here, json_option
from commands.printing import print_json, table


@click.command("config")
@click.argument("name", required=False)
@json_option
def config_command(name: str | None, as_json: bool) -> None:
    """Show every setting: value, where it comes from, default, meaning. Secrets are masked.

    A setting NAME is set by the environment variable LEASELINE_NAME, by LEASELINE_NAME_FILE (a file that
    holds the value), or in leaseline.toml in the home folder.

    \b
    Examples:
      leaseline config
      leaseline config web_port
      leaseline config --json
    """
    rows = [row for row in described() if name in (None, row["name"])]
    if not rows:
        raise click.ClickException(f"{name!r} is no setting: `leaseline config` lists them")
    if as_json:
        print_json(rows)
        return
    shown = [{**row, "value": as_text(row["value"]), "default": as_text(row["default"])} for row in rows]
    titles = ("SETTING", "VALUE", "FROM", "DEFAULT", "MEANING")
    click.echo(table(titles, shown, ("name", "value", "source", "default", "meaning")))


def described() -> list[dict[str, Any]]:
    """Every setting as JSON, in the order of the table."""
    from tracker.settings import Settings, sources

    settings, found = here().settings, sources(os.environ)
    return [
        {
            "name": each.name,
            "value": masked(getattr(settings, each.name), secret=each.metadata["secret"]),
            "source": found.get(each.name, "default"),
            "default": as_text(each.default),
            "accepts": each.metadata["accepts"],
            "meaning": each.metadata["meaning"],
            "secret": each.metadata["secret"],
        }
        for each in fields(Settings)
    ]


def masked(value: Any, *, secret: bool) -> Any:
    """A value to show; of a database URL without a password everything, of other secrets nothing."""
    if secret and value:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            return make_url(value).render_as_string(hide_password=True)
        except ArgumentError:
            return "…"
    return (
        list(value) if isinstance(value, tuple) else value if isinstance(value, int | float) else str(value)
    )


def as_text(value: Any) -> str:
    """A value as it would be written in the environment."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)
