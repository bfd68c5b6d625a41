"""docs/cli.md, docs/settings.md and docs/api.md, written from the commands, settings and operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click import Command, Context


@click.command("docs", hidden=True)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("docs"))
def docs_command(folder: Path) -> None:
    """Write docs/cli.md, docs/settings.md and docs/api.md.

    \b
    Example:
      leaseline docs docs
    """
    from commands.api_page import api_page

    folder.mkdir(parents=True, exist_ok=True)
    root = click.get_current_context().find_root()
    pages = {"cli.md": commands_page(root.command), "settings.md": settings_page(), "api.md": api_page()}
    for name, text in pages.items():
        (folder / name).write_text(text)
        click.echo(folder / name)


def commands_page(root: Command) -> str:
    """Every command with its help, in the order `leaseline --help` lists them."""
    lines = [
        "# The command line",
        "",
        "Written by `leaseline docs`: change the commands, not this page.",
        "",
        "Errors are one line on standard error, `leaseline: …`. Exit codes: 0 done, 1 refused or failed,",
        "2 wrong usage. Every listing and `show` takes `--json`; its field names are stable. The company is",
        "chosen by `--company NAME` or `LEASELINE_COMPANY`, and needs no choosing where there is only one.",
        "",
    ]
    for path, command, context in _walk(root):
        lines += [
            f"{'#' * min(1 + len(path.split()), 4)} {path}",
            "",
            "```",
            command.get_help(context),
            "```",
            "",
        ]
    return "\n".join(lines)


def _walk(root: Command) -> Iterator[tuple[str, Command, Context]]:
    context = click.Context(
        root,
        info_name="leaseline",
        terminal_width=100,
        max_content_width=100,
        help_option_names=list(root.context_settings.get("help_option_names", ("--help",))),
    )
    yield from _below(root, context)


def _below(command: Command, context: Context) -> Iterator[tuple[str, Command, Context]]:
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                inner = click.Context(
                    below, info_name=name, parent=context, terminal_width=100, max_content_width=100
                )
                yield from _below(below, inner)


def settings_page() -> str:
    """Every setting with its default, what it accepts and what it means."""
    from commands.config import as_text
    from tracker.settings import CHECKOUT, Settings

    lines = [
        "# Settings",
        "",
        "Written by `leaseline docs` from the table in `tracker/settings.py`: change that, not this page.",
        "",
        "A setting `name` comes from the environment variable `LEASELINE_NAME`; for a secret,",
        "`LEASELINE_NAME_FILE` names a file that holds it. Else it comes from `leaseline.toml` in the home",
        "folder, else from its default. `leaseline config` shows the values in force and where each comes",
        "from. A value that cannot be used stops every command, with all problems in one message.",
        "",
        "| setting | default | accepts | meaning |",
        "|---|---|---|---|",
    ]
    for each in fields(Settings):
        default = as_text(each.default).replace(str(CHECKOUT), "CHECKOUT")
        about = each.metadata
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{each.name}` | {shown} | {about['accepts']} | {about['meaning']} |")
    return "\n".join([*lines, ""])
