"""What the demo says: progress, the table of calls, how to go on."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

from commands.printing import table
from demo.books import Entry
from demo.home import Home, shown
from demo.story import OWN, REGION
from demo.website import Visited
from tracker.calls import Source
from tracker.models import RecordingState
from tracker.policy.facts import Direction
from tracker.policy.phone import display

_PLACES = (
    ("every call, with its recording", "Calls"),
    ("how soon who asked was called", "Callbacks"),
    ("who called in vain, who was called back", "Reports, Missed callers"),
    ("the plan, and trying it at another time", "Settings, Plans, reception"),
)
_COLUMNS = ("caller", "number", "source", "outcome", "wait", "talk", "recording")


def headline(text: str) -> None:
    click.echo("\n" + click.style(text, bold=True))


def step(text: str) -> None:
    click.echo(f"  {text}")


def command(text: str) -> None:
    """A command that the reader could have typed."""
    click.echo("  " + click.style(f"$ {text}", fg="cyan"))


def calls_table(entries: Sequence[Entry]) -> str:
    """One line a call, as it stands in the books, the oldest first."""
    return table([column.upper() for column in _COLUMNS], [_row(entry) for entry in entries], _COLUMNS)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "caller": _caller(entry),
        "number": display(entry.number, REGION),
        "source": _source(entry.source),
        "outcome": _outcome(entry),
        "wait": _seconds(entry.wait_seconds),
        "talk": _seconds(entry.talk_seconds),
        "recording": _recording(entry),
    }


def _caller(entry: Entry) -> str:
    caller = display(entry.caller, REGION) if entry.caller else "withheld"
    if entry.direction is not Direction.IN:
        return f"to {caller}"
    return f"{caller}, again" if entry.repeat else caller


def _source(source: Source | None) -> str | None:
    """Where the caller came from, campaign and keyword."""
    if source is None:
        return None
    parts = (source.channel or source.source, source.campaign, source.keyword)
    return " · ".join(part for part in parts if part)


def _outcome(entry: Entry) -> str:
    if entry.turned_away:
        return "turned away"
    if entry.message:
        return "left a message"
    if entry.direction is Direction.CALLBACK:
        return "called back"
    return entry.outcome.value.replace("_", " ") if entry.outcome else "going on"


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} s"


def _recording(entry: Entry) -> str | None:
    if entry.recording in {None, RecordingState.NONE}:
        return None
    return str(entry.recording)


def ports(home: Home) -> None:
    """Where everything listens: the usual ports, or others where those are taken."""
    it = home.settings
    step(f"The page listens on {it.web_host}:{it.web_port}, Asterisk on {it.sip_host}:{it.sip_port} (SIP),")
    step(
        f"the company's main line on 127.0.0.1:{home.main_line_port}, its website on"
        f" http://127.0.0.1:{home.shop_port}."
    )
    step(f"All files are in {shown(home.folder)}.")


def visits(found: Sequence[Visited]) -> None:
    """Who is on the website, and the number each sees."""
    if not found:
        return
    headline("The website has visitors: real browsers, each with the number of its own")
    for each in found:
        kind = "the company's own" if each.seen.e164 == OWN else "leased"
        step(f"{each.visitor.who} {each.visitor.comes} and sees {each.seen.text} ({kind})")


def trial(text: str) -> None:
    """What `leaseline plan test` said."""
    click.echo(textwrap.indent(text.rstrip(), "  "))


def kept(sentences: Iterable[str]) -> None:
    """What became of who asked to be called, and of missed callers."""
    headline("Nobody is forgotten")
    for sentence in sentences:
        step(sentence)


def calls(entries: Sequence[Entry]) -> None:
    headline("What the books say")
    click.echo(textwrap.indent(calls_table(entries), "  "))


def farewell(link: str, home: Home) -> None:
    """The page, and how to go on."""
    port = home.settings.web_port
    headline("Listen to the calls: open this link, it works once and lets you choose a password")
    step(link)
    step(f"(from another machine, first: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE)")
    headline("Look around")
    for what, where in _PLACES:
        step(f"{what:<42}{where}")
    headline("Go on from another terminal, in this folder")
    command(f"export LEASELINE_HOME={shown(home.folder)} PATH=$PWD/.venv/bin:$PATH")
    for line in ("leaseline calls list", "leaseline calls follow", "leaseline forward show",
                 "leaseline doctor"):  # fmt: skip
        command(line)
    step("README.md connects your own trunk or phone system; docs/cli.md has every command.")
    again = "Enter places another call, live at the top of the page. " if sys.stdin.isatty() else ""
    headline(f"{again}Ctrl-C stops everything; the next demo starts clean.")
