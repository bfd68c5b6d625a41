"""`python -m demo`, or `make demo`: the product on real calls, from nothing to a page to listen on."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import click

from commands.group import explain
from demo import company, kept, printing, story, website
from demo.books import Entry, settled_entries
from demo.cast import Stage
from demo.compare import differences
from demo.home import Home, folder_of, moved_in
from demo.play import Played
from demo.play import play as perform
from demo.printing import headline, step
from demo.running import running
from demo.tools import refuse_if_missing
from demo.visitors import VISITORS, Visitor
from demo.website import Visited
from tracker.database import Database

Acts = Callable[[Mapping[str, str]], Sequence[Sequence[story.Scene]]]


@click.command("demo")
@click.option(
    "--once", is_flag=True, help="Check every call against what was played, stop, exit with 0 or 1."
)
def main(once: bool) -> None:
    """Set up a company, start everything, place real calls and show what became of them."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        fine = run(folder_of(os.environ), once=once)
    except KeyboardInterrupt:
        step("Stopped before the end; nothing is left running.")
        sys.exit(130)
    except Exception as problem:
        if os.environ.get("LEASELINE_LOG_LEVEL") == "debug":
            raise
        click.echo(f"demo: {explain(problem)}", err=True)
        sys.exit(1)
    sys.exit(0 if fine else 1)


def run(
    folder: Path,
    *,
    once: bool,
    play: Acts = story.acts,
    who: Sequence[Visitor] = VISITORS,
    main_line: bool = True,
) -> bool:
    """The whole demo; with `once`, whether every visit and call is in the books as it was played.

    `play` gives the calls, told what each visitor saw. Without `main_line` nobody listens where the company's
    phone system should be.
    """
    begun = time.monotonic()
    with moved_in(folder) as home:
        program = refuse_if_missing(home.settings)
        headline("A company is set up, by the commands you would type")
        company.set_up(home, printing.command)
        printing.trial(company.try_plan(printing.command))
        headline(f"Everything is started: Asterisk {program.shown_version} ({program.origin}) and Leaseline")
        books = Database(home.settings.database_url, secret_key=home.settings.secret_key)
        with closing(books) as database, running(home.settings, step) as up:
            printing.ports(home)
            with website.visited(home, database, who) as visits:
                printing.visits(visits)
                acts = play({each.visitor.who: each.seen.e164 for each in visits})
                played = _play(home, acts, main_line, visits)
                entries = settled_entries(database, home.settings, len(played))
                printing.calls(entries)
                promises = kept.read_kept()
                printing.kept(kept.sentences(promises))
                fine = _compare(visits, played, entries, promises) if once else True
                if not once:
                    printing.farewell(company.login_link(), home)
                    _linger(home, up)
                headline("Stopping")
        step(f"Everything is stopped, after {time.monotonic() - begun:.0f} s.")
    return fine


def _play(
    home: Home, acts: Sequence[Sequence[story.Scene]], main_line: bool, visits: Sequence[Visited]
) -> list[Played]:
    headline("Real calls are placed: SIPp is the carrier with its callers, the main line and the sales desk")
    begin = time.monotonic()

    def tell(text: str) -> None:
        step(f"{time.monotonic() - begin:5.1f} s  {text}")

    def ask(scene: story.Scene) -> None:
        website.ask_for_call(visits, scene)

    played: list[Played] = []
    for act, clock in zip(acts, story.CLOCKS, strict=False):
        printing.command(company.set_clock(clock))
        played += perform(_stage(home), act, tell, main_line=main_line, ask=ask)
    printing.command(company.set_clock(None))
    step("All calls are over; their recordings are being prepared")
    return played


def _stage(home: Home) -> Stage:
    return Stage(
        home.settings.sip_port,
        home.main_line_port,
        home.sales_port,
        home.carrier_port,
        home.folder / "speech",
    )


def _compare(
    visits: Sequence[Visited], played: Sequence[Played], entries: Sequence[Entry], promises: kept.Kept
) -> bool:
    headline("Compared with what was played")
    found = website.differences(visits) + differences(played, entries) + kept.differences(promises, played)
    for difference in found:
        step(f"WRONG: {difference}")
    if not found:
        step(f"All {len(played)} calls are in the books as they were played, recordings included.")
    return not found


def _linger(home: Home, process: subprocess.Popen[str]) -> None:
    """Until Ctrl-C, or until somebody stops Leaseline; Enter places another call."""
    try:
        while process.poll() is None:
            if _enter_pressed(1.0):
                perform(_stage(home), (story.ENCORE,), step)
    except KeyboardInterrupt:
        return
    step("Leaseline was stopped from elsewhere.")


def _enter_pressed(seconds: float) -> bool:
    """Whether a person at the terminal pressed Enter; waits so long at most."""
    if not sys.stdin.isatty():
        time.sleep(seconds)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(ready) and sys.stdin.readline() != ""


if __name__ == "__main__":
    main()
