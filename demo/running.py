"""The whole product, for as long as the demo lasts: `leaseline up` as a child process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from commands.supervisor import guard
from tracker.errors import Rejected
from tracker.settings import CHECKOUT, Settings

READY_SECONDS = 90
STOP_SECONDS = 60


@contextmanager
def running(settings: Settings, tell: Callable[[str], None]) -> Iterator[subprocess.Popen[str]]:
    """Start everything and wait until it is ready; at the end all of it is stopped.

    Raises Rejected demo.start with what `leaseline up` said.
    """
    process = subprocess.Popen(
        [*guard(), sys.executable, CHECKOUT / "cli.py", "up", "--wait-seconds", str(READY_SECONDS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C reaches us only: SIPp's calls end first
    )
    try:
        _await_ready(process, settings, tell)
        yield process
    finally:
        _stop(process)


def _await_ready(process: subprocess.Popen[str], settings: Settings, tell: Callable[[str], None]) -> None:
    said = ""
    for line in process.stdout or ():
        if line.startswith("Leaseline is up"):
            return
        if line.startswith("leaseline:"):
            said = line.removeprefix("leaseline:").strip()
            break
        tell(line.strip())
    raise Rejected(
        "demo.start",
        f"Leaseline did not start: {said or 'it said nothing'}",
        f"Its logs are in {settings.logs}; `make asterisk` gets Asterisk anew",
    )


def _stop(process: subprocess.Popen[str]) -> None:
    """In order, however often somebody presses Ctrl-C meanwhile."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # what it started ends with it
        process.communicate()
    finally:
        signal.signal(signal.SIGINT, before)
