"""The `leaseline` command in a home of its own: in this process, or as the real program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli import leaseline
from tracker.settings import CHECKOUT


@dataclass(frozen=True)
class Installation:
    """A home folder and the settings that make it one. Its Asterisk does not start unless a test says so."""

    home: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        return {"LEASELINE_HOME": str(self.home), "LEASELINE_ASTERISK": "/bin/false", **self.more}

    def run(self, *words: str, given: str | bytes | None = None) -> Result:
        """In this process: fast, and with stdout and stderr apart."""
        clean = {name: None for name in os.environ if name.startswith("LEASELINE_")}
        return CliRunner().invoke(leaseline, words, env={**clean, **self.environ}, input=given)

    def done(self, *words: str, given: str | bytes | None = None) -> str:
        """What the command printed; it has to succeed."""
        result = self.run(*words, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--json"))

    def json_anyway(self, *words: str) -> Any:
        """As `json`, of a command that may end with 1."""
        return json.loads(self.run(*words, "--json").stdout)

    def refused(self, *words: str, given: str | bytes | None = None) -> str:
        """The one line that said no; the exit code has to be 1."""
        result = self.run(*words, given=given)
        assert result.exit_code == 1, result.output
        return one_line(result.stderr)

    def process_environ(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("LEASELINE_")}
        return {**kept, **self.environ}

    def real(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """As a process of its own."""
        return subprocess.run(
            [*PROGRAM, *words],
            env=self.process_environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **more,
        )


PROGRAM = (sys.executable, str(CHECKOUT / "cli.py"))


def one_line(stderr: str) -> str:
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("leaseline: ")
    return lines[0]


def furnish(installation: Installation) -> None:
    """A company with a trunk, targets, forwarding, a channel, a pool, a number, a site and a user."""
    _copy("furnished", _tell, installation)


def furnish_anew(installation: Installation) -> None:
    """As `furnish`, with keys and secrets that no other installation has."""
    _tell(installation)


def make_ready(installation: Installation) -> None:
    """The present schema, and nothing in it."""
    _copy("ready", lambda first: first.done("db", "upgrade"), installation)


def ready(home: Path, **more: str) -> Installation:
    """An installation that is ready; its first command need not migrate."""
    installation = Installation(home, more)
    make_ready(installation)
    return installation


def _tell(installation: Installation) -> None:
    for line in (
        ("company", "add", "pallets", "--name", "Pallets", "--region", "RU", "--timezone", "Europe/Moscow"),
        ("trunk", "add", "carrier", "--host", "192.0.2.1", "--match", "192.0.2.0/24"),
        ("target", "add", "Main line", "--peer", "127.0.0.1", "--dial", "100"),
        ("target", "add", "Reception", "--phone"),
        ("forward", "set", "Main line:15", "Reception"),
        ("channel", "add", "Billboard"),
        ("pool", "add", "Website"),
        ("number", "add", "+7 495 123-45-67", "--channel", "Billboard"),
        ("site", "add", "Shop", "--domain", "shop.example", "--number", "84957654321", "--pool", "Website"),
        ("user", "add", "ann@example.com", "--role", "admin"),
    ):
        installation.done(*line)


_FIRST: dict[str, tempfile.TemporaryDirectory[str]] = {}


def _copy(what: str, make: Callable[[Installation], object], installation: Installation) -> None:
    """A home as the first one in this run was made: to migrate and to run ten commands takes two seconds."""
    assert "LEASELINE_DATABASE_URL" not in installation.more, "the books are not in the home"
    if what not in _FIRST:
        _FIRST[what] = tempfile.TemporaryDirectory(prefix="leaseline-first-")
        make(Installation(Path(_FIRST[what].name)))
    shutil.copytree(_FIRST[what].name, installation.home, dirs_exist_ok=True)
