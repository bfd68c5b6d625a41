"""The process `leaseline agi`: answers Asterisk's questions and keeps the live list, until told to stop.

The two halves share nothing but the process. A fault on the AMI side is logged and begun again; it never
reaches the sessions that callers wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from agi.ami import Link, Login
from agi.callbacks import Caller
from agi.guard import Guard, Limits, pong
from agi.inbound import inbound_route
from agi.live import LiveView
from agi.outgoing import outgoing_route
from agi.readers import Late, Readers
from agi.whispering import Whispering
from agi.writer import Writer
from tracker.database import Database
from tracker.errors import Rejected
from tracker.inbound import look_up
from tracker.live import AMI_USER, CALLBACK_USER
from tracker.process_figures import Figures, Measured
from tracker.settings import Settings

log = logging.getLogger("leaseline.agi")

SESSIONS_GRACE_SECONDS = 1.0
FLUSH_SECONDS = 2.0
LAST_WORD_SECONDS = 1.0
OPEN_FILES = 8192
GATHER_SECONDS = 1.0  # the importer is faster; the AGI only adds that it was there


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises Rejected `agi.port` when the port cannot be had."""
    logging.getLogger("panoramisk").setLevel(logging.WARNING)  # it logs callers' data at info
    _raise_open_files()
    stuck = asyncio.run(serve(settings))
    if stuck:  # a thread that waits for a hung database would keep the process from ending
        logging.shutdown()
        os._exit(0)


async def serve(settings: Settings, stop: asyncio.Event | None = None) -> bool:
    """Serve until `stop` is set or a signal comes; True when threads are left behind that cannot be ended.

    Running sessions have a second to end, what they saw is written down, and the node says good-bye.
    """
    stop = stop or asyncio.Event()
    parts = _parts(settings)
    await _warm_up(parts.readers)
    await _listen(parts.guard, settings)
    with _signals(stop):
        background = [
            asyncio.create_task(_kept_up(name, work))
            for name, work in (
                ("writer", parts.writer.run),
                ("link", parts.link.run),
                ("live list", parts.view.follow),
                ("publisher", parts.view.publish),
                ("callbacks", parts.caller.run),
            )
        ]
        log.info("FastAGI at %s:%d", settings.agi_host, settings.agi_port)
        await stop.wait()
        return await _end(parts, background)


@dataclass(frozen=True)
class _Parts:
    guard: Guard
    readers: Readers
    writer: Writer
    link: Link
    view: LiveView
    whispering: Whispering
    caller: Caller
    databases: tuple[Database, ...]


def _parts(settings: Settings) -> _Parts:
    """Several databases, so that a slow write never takes a connection from a question."""
    url, key = settings.database_url, settings.secret_key
    asked = Database(url, secret_key=key, wait_seconds=0.3, connections=4)
    written = Database(url, secret_key=key, wait_seconds=5.0, connections=1)
    seen = Database(url, secret_key=key, wait_seconds=2.0, connections=1)
    measured = Measured()
    readers = Readers(asked, measured=measured)
    writer = Writer(written, gather_seconds=GATHER_SECONDS)
    called = Database(url, secret_key=key, wait_seconds=5.0, connections=1)
    whispering = Whispering(settings)
    link, caller = (
        Link(_login(settings, AMI_USER)),
        Caller(_login(settings, CALLBACK_USER), called, settings.node, whispering),
    )
    routes = {
        "inbound": inbound_route(readers, writer, whispering),
        "outgoing": outgoing_route(readers),
        "ping": pong,
    }
    limits = Limits(session_seconds=0.9 * settings.agi_deadline_seconds)
    guard = Guard(routes, limits, _peers(settings), measured)

    def figures() -> Figures:
        measured.set("agi_failures_total", guard.counts.failed)
        measured.set("agi_readers_stuck", readers.stuck)
        measured.set("agi_facts_dropped_total", writer.dropped)
        return measured.figures()

    view = LiveView(link, seen, settings.node, figures=figures)
    return _Parts(guard, readers, writer, link, view, whispering, caller, (asked, written, seen, called))


def _login(settings: Settings, user: str) -> Login:
    return Login(settings.ami_host, settings.ami_port, user, settings.ami_secret)


def _peers(settings: Settings) -> list[str]:
    """Where Asterisk may come from: this machine, and the one whose manager interface we use."""
    hosts = (settings.agi_host, settings.ami_host)
    return [host for host in hosts if not ipaddress.ip_address(host).is_unspecified]


async def _warm_up(readers: Readers) -> None:
    """The first question opens a connection and compiles the statement; no caller should wait for that."""
    with contextlib.suppress(Late, SQLAlchemyError):
        await readers.ask(lambda session: look_up(session, "", datetime.now(UTC)))


async def _listen(guard: Guard, settings: Settings) -> None:
    try:
        await guard.start(settings.agi_host, settings.agi_port)
    except OSError as error:
        raise Rejected(
            "agi.port",
            f"The FastAGI server cannot listen on {settings.agi_host}:{settings.agi_port}: {error.strerror}",
            "Stop what holds the port, or set LEASELINE_AGI_PORT and run `leaseline apply`",
        ) from None


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Outside the main thread nothing is caught: whoever started us there sets `stop`."""
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError):
            loop.add_signal_handler(each, stop.set)
    try:
        yield
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ValueError, RuntimeError):
                loop.remove_signal_handler(each)


async def _kept_up(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work`; if it breaks, say so and begin again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("the %s broke and begins again", name)
        else:
            return
        await asyncio.sleep(1.0)


async def _end(parts: _Parts, background: list[asyncio.Task[None]]) -> bool:
    log.info("stopping")
    await parts.guard.stop(SESSIONS_GRACE_SECONDS)
    flushed = await parts.writer.flush(FLUSH_SECONDS)
    parts.link.close()
    said = await _said_goodbye(parts.view)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    for part in (parts.readers, parts.writer, parts.view, parts.whispering, parts.caller):
        part.close()
    stuck = bool(parts.readers.stuck) or not flushed or not said
    if not stuck:
        for database in parts.databases:
            database.close()
    return stuck


async def _said_goodbye(view: LiveView) -> bool:
    try:
        async with asyncio.timeout(LAST_WORD_SECONDS):
            await view.publish_now()
    except TimeoutError:
        return False
    return True


def _raise_open_files() -> None:
    """A thousand idle connections must not use up what the next caller needs (accept fails with EMFILE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
