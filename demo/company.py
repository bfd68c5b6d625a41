"""The company Pallets, set up by the very commands that an admin types."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from demo import story
from demo.home import Home, shown
from demo.ports import CARRIER, OFFICE, SALES
from tracker.errors import Rejected
from tracker.policy.phone import display

OWNER = "olga@pallets.example"
PLAN = Path(__file__).parent / "reception.yaml"


def commands(home: Home) -> list[str]:
    """What is typed to set the company up."""
    billboard, leaflet, maps, own, *website = (
        shlex.quote(display(number, story.REGION))
        for number in (story.BILLBOARD, story.LEAFLET, story.MAPS, story.OWN, *story.WEBSITE)
    )
    return [
        f"company add pallets --name Pallets --region {story.REGION} --timezone {story.TIMEZONE}",
        f"trunk add carrier --host {CARRIER} --port {home.carrier_port}",
        f'target add "Main line" --peer {OFFICE} --port {home.main_line_port} --dial 100',
        f"target add Sales --peer {SALES} --port {home.sales_port} --dial 200",
        f'forward set "Main line:{story.RING_SECONDS}"',
        "channel add Billboard --campaign spring",
        "channel add Leaflet",
        'channel add "Google Maps" --medium maps --source google',
        "pool add Website",
        f"number add {own}",
        f"number add {billboard} --channel Billboard",
        f"number add {leaflet} --channel Leaflet",
        f'number add {maps} --channel "Google Maps"',
        *(f"number add {number} --pool Website" for number in website),
        f"site add pallets.example --domain {OFFICE} --number {own} --pool Website",
        f"plan add reception {shlex.quote(shown(PLAN))}",
        'plan use reception --channel "Google Maps"',
        f"callback settings pallets.example --trunk carrier --number {own} --ring Sales:15 --on",
        f"outgoing allow --trunk carrier --number {own}",
        "outgoing grant Sales",
        f"user add {OWNER} --name Olga --role owner",
    ]


def set_up(home: Home, tell: Callable[[str], None]) -> None:
    """Run the commands, each told before it is run."""
    for command in commands(home):
        tell(f"leaseline {command}")
        leaseline(command)


def set_clock(at: str | None) -> str:
    """Plans take it for that time, None: for what it is; the command that says so."""
    command = " ".join(["plan clock", *([shlex.quote(at)] if at else [])])
    leaseline(command)
    return f"leaseline {command}"


def try_plan(tell: Callable[[str], None]) -> str:
    """A call of Christmas Day through the plan, before it rings: step by step."""
    command = 'plan test reception --at "2026-12-25 11:00"'
    tell(f"leaseline {command}")
    return leaseline(command)


def login_link() -> str:
    """The one-time link with which the page's first user logs in."""
    return str(json.loads(leaseline(f"user link {OWNER} --json"))["link"])


def leaseline(command: str) -> str:
    """Run a `leaseline` command in this process and return what it said. Raises Rejected when it refuses."""
    from cli import leaseline as program

    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        try:
            program.main(shlex.split(command))
        except SystemExit as end:
            code = end.code
    if code:
        reason = complained.getvalue().strip().removeprefix("leaseline: ")
        raise Rejected(
            "demo.command", f"`leaseline {command}` was refused: {reason}", "See `leaseline doctor`"
        )
    return said.getvalue()


def snippet() -> str:
    """What belongs on every page of the website."""
    return str(json.loads(leaseline("site show pallets.example --json"))["snippet"])
