"""The FastAGI server: panoramisk's parser and router, behind guards for all that a peer can do wrong.

A peer may connect and close, say nothing, send half a header or a huge one, break off, answer nonsense, or
come a thousand at a time; an endpoint may raise or hang. None of it may cost another caller anything:
whoever has not shown a whole header occupies a socket and nothing else, and whatever fails ends with the
line `failure`, which Asterisk turns into AGISTATUS=FAILURE (res_agi.c).
"""

# panoramisk has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from panoramisk.fast_agi import Application

from agi.conversation import Conversation
from agi.doorstep import Doorstep
from agi.replies import Gone, Malformed, Replies, checked_head
from tracker.logs import about
from tracker.process_figures import Measured

log = logging.getLogger("leaseline.agi")

Endpoint = Callable[[Conversation], Awaitable[None]]


@dataclass(frozen=True)
class Limits:
    """What one peer, and all of them together, may take."""

    header_seconds: float = 1.0  # Asterisk sends its header with the first packet
    header_bytes: int = 8192
    session_seconds: float = 0.7  # below the dialplan's own deadline, so that `failure` still arrives
    sessions: int = 256
    waiting: int = 1024  # without a whole header yet; above it the one that waited longest goes
    backlog: int = 2048
    accepted_at_once: int = 64
    closing_seconds: float = 0.5


@dataclass
class Counts:
    """Sessions since the start: served, and ended with `failure`."""

    served: int = 0
    failed: int = 0


class Guard:
    """A FastAGI server for `routes`; only `peers` (and loopback) may talk to it."""

    def __init__(
        self,
        routes: Mapping[str, Endpoint],
        limits: Limits | None = None,
        peers: Iterable[str] = (),
        measured: Measured | None = None,
    ) -> None:
        self.counts = Counts()
        self._measured = measured or Measured()
        self.limits = limits or Limits()
        self._peers = frozenset(ipaddress.ip_address(peer) for peer in peers)
        self._routes = routes
        self._sessions: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()  # sessions, and those that are told why they are none
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the address is taken or not ours."""
        self._app = Application(loop=asyncio.get_running_loop())
        self._app.buf_size = self.limits.header_bytes
        for name, endpoint in self._routes.items():
            self._app.add_route(name, self._contained(name, endpoint))
        self._doorstep = Doorstep(
            self._admit,
            self._welcome,
            seconds=self.limits.header_seconds,
            size=self.limits.header_bytes,
            room=self.limits.waiting,
        )
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        # asyncio takes up to `backlog` connections before anything else gets its turn: few at a time, so that
        # a storm of them does not starve the sessions; the queue in the kernel is long all the same.
        self._server = await asyncio.get_running_loop().create_server(
            self._doorstep, sock=listener, backlog=self.limits.accepted_at_once
        )
        listener.listen(self.limits.backlog)

    async def stop(self, grace_seconds: float = 1.0) -> None:
        """Listen no more; running sessions have `grace_seconds` to end, then they fail."""
        if self._server is not None:
            self._server.close()
            self._doorstep.close()
        if self._sessions:
            _, late = await asyncio.wait(set(self._sessions), timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _admit(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connected(head, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._session(head, reader, writer)
        except (OSError, TimeoutError):
            pass  # counted where it happened; there is nobody left to tell
        finally:
            await self._hang_up(writer)

    def _welcome(self, transport: asyncio.Transport) -> bool:
        peer = transport.get_extra_info("peername")
        if not peer:  # gone before we looked
            return False
        address = ipaddress.ip_address(peer[0])
        mapped = getattr(address, "ipv4_mapped", None)
        if (mapped or address).is_loopback or (mapped or address) in self._peers:
            return True
        log.warning("AGI peer=%s refused: only Asterisk may connect here", address)
        return False

    async def _session(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            route, head = checked_head(head)
        except Malformed as error:
            return self._fail(writer, f"malformed header: {error}")
        if route not in self._routes:
            return self._fail(writer, f"no route {route[:40]!r}")
        if len(self._sessions) >= self.limits.sessions:
            return self._fail(writer, f"{len(self._sessions)} sessions are running already")
        await self._run(Replies(head, reader), writer)
        return None

    async def _run(self, replies: Replies, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (for mypy: this runs in a task)
        self._sessions.add(task)
        try:
            async with asyncio.timeout(self.limits.session_seconds):
                await self._app.handler(replies, writer)
                if replies.interrupted:
                    raise asyncio.CancelledError
        finally:
            self._sessions.discard(task)

    def _contained(self, name: str, endpoint: Endpoint) -> Endpoint:
        """The endpoint, out of whose failures nothing but the line `failure` comes."""

        async def contained(request: Conversation) -> None:
            began, result = time.perf_counter(), "failed"
            try:
                await endpoint(request)
                self.counts.served += 1
                result = "served"
            except (
                asyncio.CancelledError
            ):  # deadline or shutdown; panoramisk would swallow it with a traceback
                request.reader.interrupted = True
                self._fail(request.writer, f"route={name} was cut off at its deadline")
            except Gone as error:
                self._fail(request.writer, f"route={name} {error}")
            except Exception as error:
                log.debug("AGI route=%s", name, exc_info=True)
                self._fail(request.writer, f"route={name} {type(error).__name__}: {_one_line(error)}")
            finally:
                self._measured.observe("agi_session_seconds", time.perf_counter() - began, name, result)

        async def followed(request: Conversation) -> None:
            with about(request.headers.get("agi_arg_1")):  # the call's key, on every route that has one
                await contained(request)

        return followed

    def _fail(self, writer: asyncio.StreamWriter, reason: str) -> None:
        self.counts.failed += 1
        log.warning("AGI session failed: %s", reason)
        if not writer.is_closing():
            writer.write(b"failure\n")

    async def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        """Close; a peer that does not read what we sent is dropped."""
        unsent = writer.transport.get_write_buffer_size()
        writer.close()
        if not unsent:
            return
        try:
            async with asyncio.timeout(self.limits.closing_seconds):
                await writer.wait_closed()
        except TimeoutError:
            writer.transport.abort()
        except OSError:
            pass


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


async def pong(request: Conversation) -> None:
    """The route `ping`: one command there and back, so that a probe is a session like any other."""
    await request.send_command("NOOP")
