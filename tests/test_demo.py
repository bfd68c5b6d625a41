"""`make demo`: from nothing to calls in the books, checked by itself, and honest when something is wrong."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.memory import short

from demo import kept
from demo.books import Entry
from demo.compare import differences
from demo.home import MARK
from demo.kept import Kept, Promised
from demo.play import Played
from demo.speech import Line, record
from demo.story import ANN, EMMA_CALLED_BACK, FRANK, ON_BILLBOARD, ON_LEAFLET
from tracker.models import RecordingState
from tracker.policy.facts import HungUpBy, Outcome
from tracker.settings import CHECKOUT

# David's call reaches a main line that nobody plays.
SABOTAGE = """
import os
from demo.__main__ import run
from demo.home import folder_of
from demo.story import DAVID
fine = run(folder_of(os.environ), once=True, play=lambda _seen: ((DAVID,),), who=(), main_line=False)
raise SystemExit(0 if fine else 1)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: the supervisor's socket is below it."""
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=short()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def demo(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    plain = {"PATH": os.environ["PATH"], "LEASELINE_DEMO_HOME": str(home), **environ}
    return subprocess.run(
        [sys.executable, *(arguments or ("-m", "demo", "--once"))],
        cwd=CHECKOUT, env=plain, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def left_running(home: Path) -> list[str]:
    """Processes that mention the home folder in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in line:
            found.append(line)
    return found


def test_the_demo_plays_every_kind_of_call_checks_it_and_leaves_nothing_running(home: Path) -> None:
    done = demo(home)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("  ") for line in done.stdout.splitlines()]
    outcomes = {cell.strip() for row in rows for cell in row}
    told = {"answered", "missed", "busy", "gave up", "turned away", "left a message", "called back"}
    assert told <= outcomes
    for shown in (
        "google · spring · euro pallets",
        "google · used-pallets · sell used pallets",
        "withheld",
        "0121 496 0133, again",
        "All 13 calls are in",
        "to 0117 496 0155",
        "the promise is 60 s",
        "Missed callers: 1 called back by the company, 1 called again and was answered, 2 still waiting",
        "Kate comes when all five numbers are taken and sees 020 7946 0100",
    ):
        assert shown in done.stdout
    assert not done.stderr
    assert not left_running(home)


def test_a_main_line_that_is_dead_is_told_and_ends_with_1(home: Path) -> None:
    done = demo(home, "-c", SABOTAGE)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "WRONG: David's call to 020 7946 0101: the outcome is failed, it was busy" in done.stdout
    assert not left_running(home)


def test_missing_programs_are_named_with_the_packages_to_install(home: Path) -> None:
    done = demo(home, PATH=str(home))
    assert done.returncode == 1
    assert done.stderr.startswith("demo: sipp and espeak-ng and sox and chromium and ffmpeg cannot be found")
    assert done.stderr.strip().endswith("apt-get install sip-tester espeak-ng sox chromium ffmpeg")


def test_an_asterisk_that_does_not_start_is_one_line(home: Path) -> None:
    done = demo(home, LEASELINE_ASTERISK="/nowhere/asterisk")
    assert done.returncode == 1
    assert done.stderr == (
        "demo: no Asterisk 20 or newer: /nowhere/asterisk does not start. "
        "Run `make asterisk`, or set LEASELINE_ASTERISK\n"
    )


def test_a_folder_that_is_no_demo_is_not_emptied(home: Path) -> None:
    (home / "leaseline.db").write_text("the books of a real company")
    done = demo(home)
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo: {home} holds something else than a demo.")
    assert (home / "leaseline.db").read_text() == "the books of a real company"


def test_two_demos_do_not_share_a_folder(home: Path) -> None:
    with (home / MARK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = demo(home)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"demo: A demo runs already in {home}.")


def test_the_two_sides_of_a_conversation_take_turns(tmp_path: Path) -> None:
    talk = record(tmp_path, "short", [Line(False, "en+f3", "Hello."), Line(True, "en-us+m3", "Goodbye.")])
    caller, company = talk.caller.read_bytes(), talk.company.read_bytes()
    assert len(caller) == len(company) == round(talk.seconds * 8000)
    silence = 0xFF
    assert all(silence in pair for pair in zip(caller, company, strict=True))
    assert caller.rstrip(b"\xff")
    assert company.rstrip(b"\xff")


# ---- what was played against what the books say ----

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PLAYED = Played(ANN, AT.timestamp(), 2.0, 12.0)
BOOKED = Entry(
    started_at=AT,
    caller=ANN.number,
    number=ANN.dials,
    source=ON_BILLBOARD,
    outcome=Outcome.ANSWERED,
    hung_up_by=HungUpBy.CALLER,
    wait_seconds=2.1,
    talk_seconds=11.9,
    recording=RecordingState.READY,
    recording_seconds=11.8,
    sides=lambda: (0.1, 0.1),
)


def test_a_call_that_is_booked_as_it_was_played_differs_in_nothing() -> None:
    assert differences([PLAYED], [BOOKED]) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: replace(it, outcome=Outcome.MISSED), "the outcome is missed, it was answered"),
        (lambda it: replace(it, hung_up_by=HungUpBy.COMPANY), "hung up by company, it was caller"),
        (lambda it: replace(it, repeat=True), "is marked as a repeat caller's"),
        (
            lambda it: replace(it, source=ON_LEAFLET),
            "the source is Leaflet, offline, Leaflet, it was Billboard, offline, Billboard, spring",
        ),
        (lambda it: replace(it, wait_seconds=2.5), "the wait is 2.5 s, on the wire it was 2.0 s"),
        (lambda it: replace(it, talk_seconds=None), "the talk is none, on the wire it was 12.0 s"),
        (lambda it: replace(it, recording=RecordingState.DAMAGED), "the recording is damaged, not ready"),
        (lambda it: replace(it, recording_seconds=6.0), "the recording has 6.0 s of 11.9 s talk"),
        (lambda it: replace(it, sides=lambda: (0.1, 0.001)), "the company cannot be heard in the recording"),
    ],
)
def test_whatever_differs_is_told_in_a_sentence(change: Callable[[Entry], Entry], told: str) -> None:
    assert f"Ann's call to 020 7946 0101: {told}" in differences([PLAYED], [change(BOOKED)])


def test_a_promise_that_was_not_kept_is_told() -> None:
    late = Kept((Promised(1.0, 61.0), Promised(None, None)), called_back=0, called_again=0, waiting=2)
    assert kept.differences(late, [Played(EMMA_CALLED_BACK)]) == [
        "a visitor was not called within 60 s",
        "a visitor was not called within 60 s",
        "0 missed callers stand as called back, it was 1",
    ]


def test_a_call_that_is_missing_and_one_that_was_never_played_are_told() -> None:
    turned_away = Played(FRANK, AT.timestamp())
    assert differences([turned_away], [BOOKED]) == [
        "Frank's call to 020 7946 0999 is not in the books",
        "A call from +441614960111 was not played",
    ]
