"""`leaseline mcp`: an assistant on the owner's machine asks, Leaseline answers."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.context import company_option, here
from commands.printing import print_json

if TYPE_CHECKING:
    from tracker.settings import Settings


@click.command("mcp")
@click.option(
    "--with-numbers", is_flag=True, help="Show callers' numbers and names, and notes; else they are masked."
)
@click.option("--snippet", is_flag=True, help="Print what goes into an assistant's configuration, and end.")
@company_option
def mcp_command(*, with_numbers: bool, snippet: bool, company: str | None) -> None:
    """Answer an assistant's questions by the Model Context Protocol, over stdin and stdout.

    The assistant starts it, on this machine and under your account; nothing listens on the network, and
    nothing can be changed: the database is opened for reading only. With --company it sees that company
    alone. What it is answered goes to whoever runs the assistant's model.

    \b
    Examples:
      leaseline mcp --snippet
      leaseline mcp --company pallets
    """
    _need_mcp()
    if snippet:
        print_json(_snippet(here().settings, company, with_numbers=with_numbers))
        return
    from commands.assistant.desk import Desk, open_books
    from commands.assistant.server import serve

    database = open_books(here().settings.database_url)
    try:
        desk = Desk(database, company or None, with_numbers)
        with desk.look_at_all():  # a company that is not there is said now, not at the first question
            pass
        if sys.stdin.isatty():
            click.echo("Waiting for an assistant on stdin; --snippet tells how one starts this", err=True)
        serve(desk)
    finally:
        database.close()
        # At its end Python would walk all that is loaded once more, and take longer than the two seconds for
        # which an assistant waits before it kills.
        gc.freeze()


def _need_mcp() -> None:
    """Raises Rejected assistant.sdk where the protocol's SDK is not installed."""
    from tracker.errors import Rejected

    try:
        import mcp  # noqa: F401
    except ImportError:
        raise Rejected(
            "assistant.sdk",
            "mcp is not installed, which speaks to assistants",
            "pip install 'leaseline[mcp]'",
        ) from None


def _snippet(settings: Settings, company: str | None, *, with_numbers: bool) -> dict[str, Any]:
    """An assistant starts programs with another PATH and in another folder, so both are written out."""
    import shutil

    program = Path(sys.argv[0]).absolute()
    if program.name != "leaseline" or not program.is_file():  # run in another way
        program = Path(shutil.which("leaseline") or "leaseline")
    args = ["mcp", *(["--company", company] if company else [])] + ["--with-numbers"] * with_numbers
    started = {
        "command": str(program),
        "args": args,
        "env": {"LEASELINE_HOME": str(settings.home.absolute())},
    }
    return {"mcpServers": {"leaseline": started}}
