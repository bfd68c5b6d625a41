"""`leaseline up`, `status`, `restart`, `stop`."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from commands.context import Here, here, json_option
from commands.printing import print_rows

if TYPE_CHECKING:
    from tracker.settings import Settings

PART_NAMES = ("asterisk", "agi", "web", "worker")
_STAYS = (
    "apply.",
    "prompt.",
    "sound.",
    "tls.",
)  # faults of the configuration, not of the machine


@click.command("up")
@click.option("--detach", is_flag=True, help="Return when everything is ready; `leaseline stop` ends it.")
@click.option(
    "--wait-seconds",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="How long to wait until ready.",
)
def up_command(detach: bool, wait_seconds: int) -> None:
    """Start everything under one supervisor: Asterisk, agi, web, worker.

    Brings the database up to date and applies the configuration first. A part that crashes is started again.
    Ctrl-C stops all of it. Logs are in the folder logs of the home folder: `leaseline logs`.

    \b
    Examples:
      leaseline up
      leaseline up --detach && leaseline status
    """
    from commands import supervisor
    from commands.checks_machine import refuse_taken_ports

    opened = here()
    with _only_one(opened.settings), _stopped_by_signals():
        supervisor.refuse_if_running(opened.settings)
        prepare(opened)
        refuse_taken_ports(opened.settings)
        process = supervisor.start(opened.settings, detached=detach)
        try:
            ready = _await_ready(opened.settings, process, wait_seconds)
            _greet(opened, ready=ready)
            if not detach:
                click.echo("Ctrl-C stops everything.")
                _watch(process)
        except BaseException:
            click.echo("Stopping.", err=True)
            end(process)
            raise


def prepare(opened: Here) -> None:
    """The database up to date, the configuration rendered: what has to stand before anything starts."""
    from commands.live import run_apply
    from commands.schema import upgrade
    from dialplan.render import place_of
    from tracker.errors import Rejected
    from tracker.policy.entries import count_of

    upgrade(opened.settings.database_url, opened.settings.secret_key)
    try:
        applied = run_apply(opened)
    except Rejected as problem:
        if not place_of(opened.settings).current.exists() or not problem.id.startswith(_STAYS):
            raise
        # After a restart of the machine too the phones ring: what was applied before is still good.
        click.echo(f"Not applied: {problem} Everything starts as it was applied before.", err=True)
        return
    if applied.changed:
        click.echo(f"Configuration applied: {count_of(len(applied.changed), 'file')} changed.")


def end(process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Stop the supervisor and, through it, every part; returns when all of it is gone."""
    with _deaf():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Of two who start at once, one gets in."""
    from commands.supervisor import folder_of
    from tracker.errors import Rejected

    folder_of(settings).mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder_of(settings) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Rejected(
            "up.running",
            f"Leaseline runs already in {settings.home}",
            "See `leaseline status`; stop it with `leaseline stop`",
        ) from None
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end us like Ctrl-C does: in order."""
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _deaf() -> Iterator[None]:
    """While everything stops, another Ctrl-C changes nothing."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _await_ready(settings: Settings, process: subprocess.Popen[bytes], wait_seconds: float) -> bool:
    """Whether every part came up in time. What did not is named, and goes on being tried."""
    click.echo("Starting Asterisk, agi, web, worker …")
    until = time.monotonic() + wait_seconds
    while missing := _missing(settings):
        if process.poll() is not None:
            raise click.ClickException(f"the supervisor ended; see {settings.logs / 'supervisord.err'}")
        if time.monotonic() > until:
            click.echo(f"leaseline: not ready after {wait_seconds} s: {'; '.join(missing)}", err=True)
            click.echo("leaseline: it goes on being tried; `leaseline doctor` says what is wrong", err=True)
            return False
        time.sleep(0.2)
    return True


def _missing(settings: Settings) -> list[str]:
    """What is not ready yet, with the last line of its log; an empty list when all is."""
    from commands import supervisor
    from commands.logs import last_lines

    parts = supervisor.states(settings)
    if not parts:
        return ["the supervisor"]
    waiting = [part for part in parts if part.state != "running"]
    if waiting:
        ends = {part.name: last_lines(settings.logs / f"{part.name}.log", 1) for part in waiting}
        return [f"{part.name} is {part.state} ({' '.join(ends[part.name])})" for part in waiting]
    return _not_ready(f"http://{_reachable(settings)}:{settings.web_port}/readyz")


def _not_ready(address: str) -> list[str]:
    import json

    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310  (our own page)
            return []
    except urllib.error.HTTPError as answer:
        with answer:
            try:
                parts = json.load(answer)
            except ValueError:
                return [f"the page answers {answer.code}"]
        return [
            f"{name}: {part['reason']}"
            for name, part in parts.items()
            if isinstance(part, dict) and not part["ok"]
        ]
    except OSError as trouble:
        return [f"the page does not answer ({trouble})"]


def _reachable(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web_host, settings.web_host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _greet(opened: Here, *, ready: bool) -> None:
    """The address, and on the first start the one-time link that opens it."""
    from tracker import people

    click.echo(f"Leaseline is {'up' if ready else 'starting'}: {opened.settings.web_url}")
    with opened.database.write() as session:
        first = people.ensure_first_user(session, opened.now)
        token = people.make_login_link(session, first, opened.now) if first else None
    if token:
        click.echo(f"First log-in, once, within 24 hours: {opened.settings.web_url}/link/{token}")


def _watch(process: subprocess.Popen[bytes]) -> None:
    """Returns when the supervisor was told to stop, here or by `leaseline stop`."""
    try:
        code = process.wait()
    except KeyboardInterrupt:
        click.echo("Stopping.", err=True)
        end(process)
        return
    if code:
        raise click.ClickException(f"the supervisor ended with {code}; see `leaseline logs supervisord`")


@click.command("status")
@json_option
def status_command(as_json: bool) -> None:
    """Show which parts run.

    \b
    Example:
      leaseline status
    """
    from commands import supervisor

    rows: list[dict[str, Any]] = [vars(state) for state in supervisor.states(here().settings)]
    columns = ("name", "state", "pid", "seconds", "note")
    print_rows(rows, columns, as_json=as_json, empty="Nothing runs: `leaseline up` starts everything")
    if not rows or any(row["state"] != "running" for row in rows):
        raise click.exceptions.Exit(1)


@click.command("restart")
@click.argument("name", type=click.Choice(PART_NAMES))
def restart_command(name: str) -> None:
    """Restart one part. Restarting Asterisk ends its calls.

    \b
    Example:
      leaseline restart web
    """
    from commands import supervisor

    supervisor.restart(here().settings, name)
    click.echo(f"{name} was restarted.")


@click.command("stop")
def stop_command() -> None:
    """Stop everything that `leaseline up` started.

    \b
    Example:
      leaseline stop
    """
    from commands import supervisor

    supervisor.stop(here().settings)
    click.echo("Stopped.")
