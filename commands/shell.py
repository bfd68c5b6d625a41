"""`leaseline completion` and `leaseline version`."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from commands.context import json_option
from commands.printing import print_json


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      leaseline completion bash > /etc/bash_completion.d/leaseline
      leaseline completion zsh > "${fpath[1]}/_leaseline"
      leaseline completion fish > ~/.config/fish/completions/leaseline.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"{shell} has no completion here")
    root = click.get_current_context().find_root()
    click.echo(kind(root.command, {}, "leaseline", "_LEASELINE_COMPLETE").source())


@click.command("version")
@json_option
def version_command(as_json: bool) -> None:
    """Print the version.

    \b
    Example:
      leaseline version --json
    """
    version = _version()
    if as_json:
        print_json({"version": version, "python": platform.python_version()})
    else:
        click.echo(f"leaseline {version}")


def _version() -> str:
    try:
        return metadata.version("leaseline")
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return "unknown"
