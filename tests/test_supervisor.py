"""`leaseline up`: everything comes up, a crashed part comes back, and nothing is left when it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import PROGRAM, Installation, furnish, one_line
from support.ports import free_port

from commands import supervisor
from dialplan.program import find_program
from tracker.errors import Rejected
from tracker.settings import Settings, read_settings

PARTS = ["asterisk", "agi", "web", "worker"]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose path is short enough for sockets; pytest's own is not always."""
    with tempfile.TemporaryDirectory(prefix="leaseline-") as folder:
        yield Path(folder)


@pytest.fixture
def here(home: Path) -> Iterator[Installation]:
    """A home with its own ports and a real Asterisk."""
    ports = {name: str(free_port()) for name in ("WEB_PORT", "AGI_PORT", "AMI_PORT")}
    ports["SIP_PORT"] = str(free_port(socket.SOCK_DGRAM))
    program = find_program(read_settings({**asterisk_chosen(), "LEASELINE_HOME": str(home)})).path
    settings = {"ASTERISK": program, "SIP_HOST": "127.0.0.1", **ports}
    made = Installation(home, {f"LEASELINE_{name}": text for name, text in settings.items()})
    yield made
    assert remains(made) == [], "a process outlived its supervisor"


def asterisk_chosen() -> dict[str, str]:
    return {name: os.environ[name] for name in ("LEASELINE_ASTERISK",) if name in os.environ}


def settings_of(installation: Installation) -> Settings:
    return read_settings(installation.environ)


def remains(installation: Installation) -> list[str]:
    """Command lines of processes that belong to this home."""
    wanted = f"LEASELINE_HOME={installation.home}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def until(condition: Callable[[], object], seconds: float = 40) -> None:
    """Waits for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def started(installation: Installation) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`leaseline up` in the foreground, and what it printed until it was up."""
    process = subprocess.Popen(
        [*PROGRAM, "up"], env=installation.process_environ(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    told: list[str] = []
    try:
        while not any("Ctrl-C" in line for line in told):
            line = process.stdout.readline()
            assert line, told
            told.append(line)
        yield process, told
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def pids(installation: Installation) -> dict[str, int | None]:
    return {
        part.name: part.pid
        for part in supervisor.states(settings_of(installation))
        if part.state == "running"
    }


def changed(before: dict[str, int | None], after: dict[str, int | None]) -> set[str]:
    """Parts that run again as another process; nothing as long as one of them is down."""
    return {name for name in PARTS if after[name] != before[name]} if list(after) == PARTS else set()


def test_everything_comes_up_stays_up_and_goes_down(here: Installation) -> None:
    furnish(here)
    with started(here) as (process, told):
        assert any(re.search(r"Leaseline is up: http://127\.0\.0\.1:\d+$", line) for line in told), told
        assert any("/link/" in line for line in told)
        before = pids(here)
        assert list(before) == PARTS
        again = here.real("up")
        assert again.returncode == 1
        assert "runs already" in one_line(again.stderr)
        assert "runs already" in one_line(here.real("restore", str(here.home / "leaseline.db")).stderr)
        for part in ("web", "agi"):
            pid = before[part]
            assert pid
            os.kill(pid, signal.SIGKILL)
        until(lambda: changed(before, pids(here)) == {"web", "agi"})
        found = {each["name"]: each for each in here.json_anyway("doctor")}
        assert found["manager"]["state"] == "ok"
        assert found["configuration"]["state"] == "ok"
        assert "is ours" in found["sip_port"]["message"]
        assert found["target Reception"]["message"] == "no phone is registered"
        assert found["target Main line"]["state"] == "bad"
        assert len(here.done("logs", "web", "-n", "2").splitlines()) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert here.run("status").exit_code == 1
    until(lambda: remains(here) == [], 5)


def test_nothing_outlives_a_supervisor_that_is_killed(here: Installation) -> None:
    here.done("db", "upgrade")
    with started(here) as (process, _):
        (line,) = [each for each in remains(here) if "supervisor.supervisord" in each]
        assert "-n" in line
        pid = int((here.home / "supervisor" / "supervisord.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        assert process.wait(20) == 1
        until(lambda: remains(here) == [])


def test_up_may_return_and_be_stopped_later(here: Installation) -> None:
    result = here.real("up", "--detach")
    assert result.returncode == 0, result.stdout + result.stderr
    assert [row["state"] for row in here.json("status")] == ["running"] * 4
    assert "was restarted" in here.done("restart", "worker")
    assert here.done("stop") == "Stopped.\n"
    until(lambda: remains(here) == [])
    assert "not running" in here.refused("stop")


def test_up_without_asterisk_starts_nothing(home: Path) -> None:
    here = Installation(home)
    assert "make asterisk" in one_line(here.real("up").stderr)
    assert remains(here) == []


def test_a_port_that_somebody_has_is_refused_before_anything_starts(here: Installation) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", settings_of(here).sip_port))
        said = one_line(here.real("up").stderr)
    assert f"Another program listens on UDP 127.0.0.1:{settings_of(here).sip_port}." in said
    assert "set LEASELINE_SIP_PORT" in said


def test_a_home_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)
    with pytest.raises(Rejected, match="too long for a socket's name"):
        supervisor.render(read_settings({"LEASELINE_HOME": str(home)}))


def test_what_means_something_to_supervisord_is_spelt_out(home: Path) -> None:
    text = supervisor.render(read_settings({"LEASELINE_HOME": str(home / "100% ours")}))
    assert "100%% ours/logs/web.log" in text
    assert "%(" not in text
