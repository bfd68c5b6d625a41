"""One AMI action for the command line: log in, ask once, log off.

pyst2 blocks without a time-out, so it runs in a process of its own that is killed at the deadline. Secret
and fields travel through its standard input, so that they show up in no process list.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tracker.errors import Rejected
from tracker.live import AMI_USER
from tracker.settings import CHECKOUT, Settings

Fields = dict[str, str]


def ask(settings: Settings, action: str, *, seconds: float = 5.0, **fields: str) -> list[Fields]:
    """Asterisk's answer to one action: its response, then the whole list for the actions that list.

    Raises Rejected `ami.unreachable`, `ami.login`, `ami.refused` (with Asterisk's reason) or `ami.timeout`.
    """
    if any(letter in part for pair in (("", action), *fields.items()) for part in pair for letter in "\r\n"):
        raise Rejected("ami.refused", f"{action!r} holds a line break", "Give each value on one line")
    question = {
        "host": settings.ami_host,
        "port": settings.ami_port,
        "username": AMI_USER,
        "secret": settings.ami_secret,
        "fields": {"Action": action, **fields},
    }
    said = _in_a_process(question, seconds, f"{settings.ami_host}:{settings.ami_port}")
    if "error" in said:
        raise _rejected(said["error"], said["message"], question)
    answer: list[Fields] = said["answer"]
    return answer


def _in_a_process(question: dict[str, Any], seconds: float, place: str) -> dict[str, Any]:
    path = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "agi.asking"],
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=seconds,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Rejected(
            "ami.timeout",
            f"Asterisk at {place} did not answer within {seconds:g} s",
            "See what it does with `leaseline doctor`",
        ) from None
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return {"error": "unreachable", "message": reason or f"exit status {done.returncode}"}
    said: dict[str, Any] = json.loads(lines[-1])
    return said


def _rejected(error: str, message: str, question: dict[str, Any]) -> Rejected:
    place, action = f"{question['host']}:{question['port']}", question["fields"]["Action"]
    match error:
        case "login":
            fix = "Run `leaseline apply`: it renders the manager's user with the present secret"
            return Rejected("ami.login", f"Asterisk at {place} refuses the login: {message}", fix)
        case "refused":
            fix = "See manager.conf in Asterisk's folder for what this user may do"
            return Rejected("ami.refused", f"Asterisk refuses {action}: {message}", fix)
    fix = "Start it with `leaseline up`, or see `leaseline doctor`"
    return Rejected("ami.unreachable", f"Asterisk's manager interface at {place}: {message}", fix)
