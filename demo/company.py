"""The company Pallets, set up by the very commands that an admin types."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

from demo import story
from demo.play import CARRIER, OFFICE
from tracker.errors import Rejected
from tracker.policy.phone import display

OWNER = "olga@pallets.example"


def commands(main_line_port: int) -> list[str]:
    """What is typed to set the company up."""
    billboard, leaflet, own, *website = (
        shlex.quote(display(number, story.REGION))
        for number in (story.BILLBOARD, story.LEAFLET, story.OWN, *story.WEBSITE)
    )
    return [
        f"company add pallets --name Pallets --region {story.REGION} --timezone {story.TIMEZONE}",
        f"trunk add carrier --host {CARRIER}",
        f'target add "Main line" --peer {OFFICE} --port {main_line_port} --dial 100',
        f'forward set "Main line:{story.RING_SECONDS}"',
        "channel add Billboard --campaign spring",
        "channel add Leaflet",
        "pool add Website",
        f"number add {billboard} --channel Billboard",
        f"number add {leaflet} --channel Leaflet",
        *(f"number add {number} --pool Website" for number in website),
        f"site add pallets.example --domain {OFFICE} --number {own} --pool Website",
        f"user add {OWNER} --name Olga --role owner",
    ]


def set_up(main_line_port: int, tell: Callable[[str], None]) -> None:
    """Run the commands, each told before it is run."""
    for command in commands(main_line_port):
        tell(f"leaseline {command}")
        leaseline(command)


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
