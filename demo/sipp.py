"""Runs SIPp: one process a party, its own port, and what went over the wire with SIPp's own clock."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Message:
    """One SIP message as SIPp logged it: `at` in epoch seconds, `sent` by this party or received."""

    at: float
    sent: bool
    call_id: str
    line: str


class Party:
    """A running SIPp. `wait()` gives its exit code: 0 when every call went as the scenario tells."""

    def __init__(
        self,
        scenario: str,
        *,
        address: str,
        port: int,
        media_port: int,
        towards: str | None = None,
        number: str | None = None,
        calls: int = 1,
        options: tuple[str, ...] = (),
        trace: bool = True,
    ) -> None:
        program = shutil.which("sipp")
        if not program:
            raise RuntimeError("SIPp is missing: apt-get install sip-tester")
        self.folder = Path(tempfile.mkdtemp(prefix="sipp-"))
        (self.folder / "scenario.xml").write_text(scenario)
        arguments = [
            program, "-sf", "scenario.xml", "-i", address, "-p", str(port), "-mi", address,
            "-mp", str(media_port), "-m", str(calls), "-nostdin", "-trace_err", "-error_file", "errors",
            *(("-trace_shortmsg", "-shortmessage_file", "messages") if trace else ()),
            *(("-s", number) if number else ()), *options, *((towards,) if towards else ()),
        ]  # fmt: skip
        with (self.folder / "screen").open("wb") as screen:
            self.process = subprocess.Popen(
                arguments, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT
            )

    def wait(self, seconds: float = 30) -> int:
        """SIPp's exit code. Raises subprocess.TimeoutExpired when it is not done in time."""
        return self.process.wait(seconds)

    def messages(self) -> list[Message]:
        """What has gone over the wire so far."""
        try:
            lines = (self.folder / "messages").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [
            Message(float(parts[2]), parts[3] == "S", parts[4], parts[6])
            for parts in (line.split("\t") for line in lines)
            if len(parts) >= 7
        ]

    def instant(self, pattern: str, *, sent: bool | None = None, call_id: str | None = None) -> float:
        """When the first message whose first line matches went over the wire; with `call_id` of that call."""
        return self.first(pattern, sent=sent, call_id=call_id).at

    def first(self, pattern: str, *, sent: bool | None = None, call_id: str | None = None) -> Message:
        """That message. Raises LookupError."""
        for message in self.messages():
            fits = sent in {None, message.sent} and call_id in {None, message.call_id}
            if fits and re.search(pattern, message.line):
                return message
        raise LookupError(f"no {pattern} among {[message.line for message in self.messages()]}")

    def successful(self) -> int:
        """How many calls went as the scenario tells; known once SIPp has ended."""
        screen = (self.folder / "screen").read_text(errors="replace")
        found = re.findall(r"Successful call\s*\|\s*\d+\s*\|\s*(\d+)", screen)
        return int(found[-1]) if found else 0

    @property
    def errors(self) -> str:
        path = self.folder / "errors"
        return path.read_text(errors="replace") if path.exists() else ""

    def tale(self) -> str:
        """How it went so far, in words for somebody who looks for a mistake."""
        wire = "; ".join(f"{'sent' if each.sent else 'got'} {each.line}" for each in self.messages())
        state = "runs" if self.process.poll() is None else f"ended with {self.process.returncode}"
        return f"{state}; {wire or 'nothing on the wire'}; {self.errors.strip() or 'no errors'}"

    def close(self) -> None:
        """End the process if it still runs, and remove its files."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
