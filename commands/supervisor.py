"""Everything under one supervisor: supervisord with a configuration rendered into the home folder.

Each part runs under `setpriv --pdeathsig TERM` where there is one: nothing outlives a killed supervisor.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.errors import Rejected
from tracker.settings import CHECKOUT, Settings

_LONGEST_SOCKET = 90  # the kernel allows 107 bytes; supervisord adds its process id while it starts


@dataclass(frozen=True)
class Part:
    """One process. Parts start in this order and stop in the opposite one."""

    name: str
    stop_seconds: int
    whole_group: bool = False
    nice: int = 0


# Asterisk hangs up its channels on TERM and writes their last lines; granian ends its workers itself.
PARTS = (
    Part("asterisk", 20),
    Part("agi", 10),
    Part("web", 15, whole_group=True),
    Part("worker", 20, whole_group=True, nice=5),  # calls come first, their books half a second later,
)


def parts_of(settings: Settings) -> tuple[Part, ...]:
    """The processes of this installation: a phone system's own Asterisk is not ours to run."""
    return PARTS[1:] if settings.asterisk_for else PARTS


def folder_of(settings: Settings) -> Path:
    return settings.home / "supervisor"


def socket_of(settings: Settings) -> Path:
    """Where the supervisor listens: readable by its owner only."""
    path = folder_of(settings) / "control.sock"
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        raise Rejected(
            "home.long",
            f"{settings.home} is too long for a socket's name",
            "Set LEASELINE_HOME to a shorter path",
        )
    return path


def render(settings: Settings) -> str:
    """supervisord.conf: made anew by every `leaseline up`."""
    folder = folder_of(settings)
    lines = [
        "; Made by `leaseline up`; changes here are lost. Parts are listed in commands/supervisor.py.",
        "[unix_http_server]",
        f"file = {_safe(socket_of(settings))}",
        "chmod = 0700",
        "",
        "[supervisord]",
        f"logfile = {_safe(settings.logs / 'supervisord.log')}",
        "logfile_maxbytes = 10MB",
        "logfile_backups = 3",
        f"pidfile = {_safe(folder / 'supervisord.pid')}",
        f"childlogdir = {_safe(settings.logs)}",
        f"directory = {_safe(settings.home)}",
        "nodaemon = true",
        "silent = true",
        f"user = {_safe(getpass.getuser())}",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        "",
        "[supervisorctl]",
        f"serverurl = unix://{_safe(socket_of(settings))}",
    ]
    for place, part in enumerate(parts_of(settings), start=1):
        lines += ["", *_program(settings, part, place)]
    return "\n".join([*lines, ""])


def _program(settings: Settings, part: Part, place: int) -> list[str]:
    command = " ".join(
        shlex.quote(word)
        for word in [*guard(), *polite(part), sys.executable, str(CHECKOUT / "cli.py"), part.name]
    )
    group = str(part.whole_group).lower()
    return [
        f"[program:{part.name}]",
        f"command = {_safe(command)}",
        f"priority = {place}",
        "autorestart = true",
        "; Restarted at once after a crash; when it fails to start, after 1, 2, 3 … seconds, for ever.",
        "startsecs = 2",
        "startretries = 1000000",
        "stopsignal = TERM",
        f"stopwaitsecs = {part.stop_seconds}",
        f"killasgroup = {group}",
        "redirect_stderr = true",
        f"stdout_logfile = {_safe(settings.logs / f'{part.name}.log')}",
        "stdout_logfile_maxbytes = 10MB",
        "stdout_logfile_backups = 5",
    ]


def guard() -> list[str]:
    """What ends a process with its parent, where this machine has it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def polite(part: Part) -> list[str]:
    """What makes a part step back when the processors are busy."""
    return ["nice", "-n", str(part.nice)] if part.nice else []


def _safe(value: object) -> str:
    """A value for supervisord.conf, in which % begins an expansion."""
    return str(value).replace("%", "%%")


def start(settings: Settings, *, detached: bool) -> subprocess.Popen[bytes]:
    """Start supervisord; it ends with this process unless `detached`. Raises Rejected up.running."""
    refuse_if_running(settings)
    folder = folder_of(settings)
    for each in (folder, settings.logs):
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    path = folder / "supervisord.conf"
    path.write_text(render(settings))
    path.chmod(0o600)
    command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(path)]
    with (settings.logs / "supervisord.err").open("ab") as errors:
        return subprocess.Popen(
            command if detached else [*guard(), *command],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            env={**os.environ, "LEASELINE_HOME": str(settings.home)},
            start_new_session=True,  # Ctrl-C reaches us only; we stop the parts in order
        )


def refuse_if_running(settings: Settings) -> None:
    """Raises Rejected up.running when a supervisor answers in this home."""
    if is_running(settings):
        raise Rejected(
            "up.running",
            f"Leaseline runs already in {settings.home}",
            "See `leaseline status`; stop it with `leaseline stop`",
        )


def is_running(settings: Settings) -> bool:
    """Whether a supervisor listens on this home's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(socket_of(settings)))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class PartState:
    """A part as the supervisor sees it."""

    name: str
    state: str
    pid: int | None
    seconds: int | None
    note: str


def states(settings: Settings) -> list[PartState]:
    """Every part in starting order; an empty list when nothing runs."""
    if not is_running(settings):
        return []
    with _asked(settings) as remote:
        found = {info["name"]: _state(info) for info in remote.getAllProcessInfo()}
    return [found[part.name] for part in PARTS if part.name in found]


def restart(settings: Settings, name: str) -> None:
    """Stop a part and start it again. Raises Rejected up.stopped when nothing runs."""
    if not is_running(settings):
        raise Rejected("up.stopped", "Leaseline is not running", "Start it: `leaseline up`")
    with _asked(settings) as remote:
        if remote.getProcessInfo(name)["pid"]:
            remote.stopProcess(name)
        remote.startProcess(name)


def stop(settings: Settings, *, seconds: float = 60) -> None:
    """Stop everything and wait for it. Raises Rejected up.stopped, up.stuck."""
    if not is_running(settings):
        raise Rejected("up.stopped", "Leaseline is not running", "Start it: `leaseline up`")
    with _asked(settings) as remote:
        remote.shutdown()
    until = time.monotonic() + seconds
    while is_running(settings):
        if time.monotonic() > until:
            raise Rejected("up.stuck", f"It still runs after {seconds:.0f} s", "See `leaseline status`")
        time.sleep(0.1)


@contextmanager
def _asked(settings: Settings) -> Iterator[Any]:
    """The supervisor's own interface."""
    from supervisor.xmlrpc import SupervisorTransport

    transport = SupervisorTransport(  # type: ignore[no-untyped-call]
        None, None, serverurl=f"unix://{socket_of(settings)}"
    )
    with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
        yield proxy.supervisor


def _state(info: dict[str, Any]) -> PartState:
    runs = info["statename"] == "RUNNING"
    return PartState(
        name=info["name"],
        state=info["statename"].lower(),
        pid=info["pid"] or None,
        seconds=info["now"] - info["start"] if runs else None,
        note=info["spawnerr"] or ("" if runs else info["description"]),
    )
