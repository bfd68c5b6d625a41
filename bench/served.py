"""A web server of a benchmark: a process of its own on a free port, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port

from bench.processes import family, own_cpu_seconds
from tracker.settings import CHECKOUT

OURS = "import os, web; from tracker.settings import read_settings; web.run(read_settings(os.environ))"
# As web/serve.py starts it.
NOTHING = """
import os
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
Server(
    "bench.nothing:make", factory=True, address="127.0.0.1", port=int(os.environ["LEASELINE_WEB_PORT"]),
    interface=Interfaces.WSGI, workers=1, blocking_threads=4, backpressure=64,
    log_level=LogLevels.warning, websockets=False,
).serve()
"""


@dataclass(frozen=True)
class Served:
    """A running server."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """What it and its worker have used so far."""
        return sum(own_cpu_seconds(pid) for pid in family(self.pid))


@contextmanager
def served(program: str, home: Path, environ: Mapping[str, str]) -> Iterator[Served]:
    """The program, answering /healthz when the block begins."""
    port = free_port()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LEASELINE_")}
    own = {"LEASELINE_HOME": str(home), "LEASELINE_WEB_PORT": str(port)}
    log = home / "web.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=CHECKOUT,
            env={**clean, **own, **environ},
            stdout=out,
            stderr=out,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process, log)
        yield Served(process.pid, port)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
