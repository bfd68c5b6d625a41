"""What doctor looks at on this machine: settings, disk, clock, processes, ports."""

from __future__ import annotations

import errno
import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from commands.context import Here
from commands.findings import Finding, bad, ok, warn
from tracker.errors import Rejected

if TYPE_CHECKING:
    from tracker.settings import Settings

_FRESH = timedelta(seconds=15)  # the agi process writes its node's row every five


def settings(opened: Here) -> Iterator[Finding]:
    """They can be read; the home folder is ours."""
    home = opened.settings.home
    yield ok("settings", f"home is {home}")
    if opened.settings.web_url.startswith("http:") and opened.settings.web_host not in {"127.0.0.1", "::1"}:
        yield warn(
            "web",
            "the page is served over plain HTTP to other machines: passwords travel readable",
            "Put a reverse proxy with HTTPS in front and set LEASELINE_WEB_URL to its https:// address",
        )


def disk(opened: Here) -> Iterator[Finding]:
    """Room for the books; doctor's recordings check looks at theirs."""
    free = shutil.disk_usage(opened.settings.home).free
    shown = f"{free / 1e9:.1f} GB free for {opened.settings.home}"
    if free < 200 << 20:
        yield bad("disk", shown, "Make room: SQLite and the spool cannot write on a full disk")
    elif free < 1 << 30:
        yield warn("disk", shown, "Make room soon")
    else:
        yield ok("disk", shown)


def clock(opened: Here) -> Iterator[Finding]:
    """The clock against the database server's, and against what the books have seen already."""
    import sqlalchemy as sa

    from tracker.models import Call

    with opened.database.read() as session:
        newest = session.scalar(sa.select(sa.func.max(Call.started_at)))
        if not opened.database.is_sqlite:
            theirs = session.scalars(sa.select(sa.func.clock_timestamp())).one()
            apart = abs((theirs - opened.now).total_seconds())
            if apart > 2:
                yield warn(
                    "clock", f"{apart:.0f} s apart from the database server's", "Run an NTP client on both"
                )
                return
    if newest and newest > opened.now + timedelta(minutes=1):
        yield bad(
            "clock", f"the newest call is from the future ({newest:%Y-%m-%d %H:%M})", "Set the clock: NTP"
        )
        return
    yield ok("clock", f"{opened.now:%Y-%m-%d %H:%M:%S} UTC")


def challenge(opened: Here) -> Iterator[Finding]:
    """The words that challenged and blocked callers hear, where a company has set something about them."""
    from tracker import guard_sounds

    with opened.database.read() as session:
        wanted = guard_sounds.languages(session)
    missing = [word for word in wanted if not guard_sounds.are_here(opened.settings, word)]
    if missing:
        yield warn(
            "challenge",
            f"nobody is asked for a digit in {', '.join(missing)}: the words have not been spoken",
            "Install espeak-ng and flite, then `leaseline apply`",
        )
    elif wanted:
        yield ok("challenge", f"its words are there in {', '.join(wanted)}")


def processes(opened: Here) -> Iterator[Finding]:
    """The supervisor's parts, and the sign of life of this node."""
    from commands import supervisor
    from tracker.models import Node

    parts = supervisor.states(opened.settings)
    if not parts:
        yield warn("processes", "nothing runs under `leaseline up` here", "Start everything: `leaseline up`")
    for part in parts:
        if part.state == "running":
            yield ok(part.name, f"runs as process {part.pid} for {timedelta(seconds=part.seconds or 0)}")
        else:
            yield bad(part.name, f"{part.state}: {part.note}", f"See `leaseline logs {part.name}`")
    with opened.database.read() as session:
        row = session.get(Node, opened.settings.node)
    if row is None:
        yield warn("node", f"{opened.settings.node} was never seen", "It is once `leaseline agi` runs")
    elif opened.now - row.seen_at > _FRESH:
        age = int((opened.now - row.seen_at).total_seconds())
        yield bad("node", f"{row.name} was last seen {age} s ago", "See `leaseline logs agi`")
    else:
        yield ok("node", f"{row.name} is alive, {len(row.live)} call(s) up")


def ports(opened: Here) -> Iterator[Finding]:
    """Each port is ours while we run, and free while we do not."""
    from commands import supervisor

    running = {part.name for part in supervisor.states(opened.settings) if part.state == "running"}
    for owner, name, host, port, kind in _wanted(opened.settings):
        taken = is_taken(host, port, kind)
        where = _where(host, port, kind)
        if owner in running and not taken:
            yield bad(name, f"{owner} runs and nothing listens on {where}", f"See `leaseline logs {owner}`")
        elif owner not in running and taken:
            yield warn(
                name,
                f"another program listens on {where}",
                _freed(name, port),
            )
        else:
            yield ok(name, f"{where} is {'ours' if taken else 'free'}")


def refuse_taken_ports(found: Settings) -> None:
    """Raises Rejected up.port. Asterisk starts without its SIP port and says so only in its log."""
    for _, name, host, port, kind in _wanted(found):
        if is_taken(host, port, kind):
            raise Rejected(
                "up.port", f"Another program listens on {_where(host, port, kind)}", _freed(name, port)
            )


def _where(host: str, port: int, kind: socket.SocketKind) -> str:
    return f"{'UDP' if kind is socket.SOCK_DGRAM else 'TCP'} {host}:{port}"


def _freed(name: str, port: int) -> str:
    return f"Stop it (`ss -lntup sport = {port}` names it), or set LEASELINE_{name.upper()}"


def _wanted(found: Settings) -> Iterator[tuple[str, str, str, int, socket.SocketKind]]:
    yield "web", "web_port", found.web_host, found.web_port, socket.SOCK_STREAM
    yield "agi", "agi_port", found.agi_host, found.agi_port, socket.SOCK_STREAM
    if found.asterisk_for:  # its ports are the phone system's
        return
    yield "asterisk", "ami_port", found.ami_host, found.ami_port, socket.SOCK_STREAM
    yield "asterisk", "sip_port", found.sip_host, found.sip_port, socket.SOCK_DGRAM


def is_taken(host: str, port: int, kind: socket.SocketKind) -> bool:
    """Whether somebody has the port already. One that we may not have at all is for its owner to report."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as trouble:
            return trouble.errno == errno.EADDRINUSE
    return False
