"""The link to Asterisk's manager interface: panoramisk's parser, on a connection that we keep.

panoramisk 1.4 by itself drops the link when a callback raises, loses characters split over two packets,
never notices a peer that has stopped answering, keeps quiet about a refused login, and sends unanswered
actions (an Originate, say) a second time after a reconnect. Here the connection, the login, the watchdog
and the end are ours; events become plain dicts in a bounded inbox, and whoever misses one is told that
there is a gap.
"""

# panoramisk has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import asyncio
import codecs
import contextlib
import logging
import random
from collections import deque
from dataclasses import dataclass
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

log = logging.getLogger("leaseline.ami")

Fields = dict[str, str]
_LONGEST_MESSAGE = 1_000_000


class LinkDown(ConnectionError):
    """There is no logged-in connection, or it broke before the answer."""


class ActionRefused(Exception):
    """Asterisk answered with an error; the message is Asterisk's own."""


@dataclass(frozen=True)
class Login:
    """Where Asterisk's manager interface is, and who we are there."""

    host: str
    port: int
    username: str
    secret: str


@dataclass(frozen=True)
class Timing:
    connect_seconds: float = 3.0
    answer_seconds: float = 5.0
    watchdog_seconds: float = 5.0  # between two pings; one unanswered ping ends the link
    first_pause_seconds: float = 0.5  # before connecting again; doubles up to the longest
    longest_pause_seconds: float = 15.0
    refused_pause_seconds: float = 15.0  # a refused login is not asked again quickly: fail2ban counts them


class Inbox:
    """Events in order, up to `size`; above it the newest are dropped and `gap` says that some are missing."""

    def __init__(self, size: int) -> None:
        self.gap = False
        self.dropped = 0
        self._size = size
        self._events: deque[Fields] = deque()
        self._wake = asyncio.Event()

    def put(self, event: Fields) -> None:
        if len(self._events) >= self._size:
            self.dropped += 1
            self.mark_gap()
            return
        self._events.append(event)
        self._wake.set()

    def mark_gap(self) -> None:
        """What is known may be out of date: look again."""
        self.gap = True
        self._wake.set()

    def take(self) -> list[Fields]:
        """Everything that is there. A gap that nobody has looked into keeps waking."""
        if not self.gap:
            self._wake.clear()
        events = list(self._events)
        self._events.clear()
        return events

    async def wait(self) -> None:
        await self._wake.wait()


class Protocol(AMIProtocol):
    """One connection. `lost` is done when it has ended."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.factory = self._link
        self.config = self._link.config
        self.encoding = "utf-8"

    def data_received(self, data: bytes) -> None:
        text = self._decoder.decode(data)
        if text:
            super().data_received(text.encode())
        if self.queue and len(self.queue[0]) > _LONGEST_MESSAGE:
            log.error("AMI message without end, aborting the link")
            self.transport.abort()

    def handle_message(self, message: Message) -> None:
        try:
            super().handle_message(message)
        except Exception:
            # Not the whole of it: it may name who calls.
            log.exception("AMI message could not be used: %.50r", message.get("Event"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()
        if not self.lost.done():
            self.lost.set_result(None)

    def close(self) -> None:
        """End the connection; whoever still waits for an answer gets LinkDown. Nothing is sent again."""
        pending = {id(action): action for action in self.responses.values()}
        self.responses.clear()
        for action in pending.values():
            if not action.future.done():
                action.future.set_exception(LinkDown("the link to Asterisk broke"))
                action.future.exception()  # seen: nobody may be waiting for it any more
        if not self.closed:
            self.closed = True
            self.transport.close()


class Link(Manager):
    """A connection to Asterisk that `run` keeps up until `close`."""

    def __init__(self, login: Login, timing: Timing | None = None, inbox: int = 20_000) -> None:
        super().__init__(loop=asyncio.get_running_loop(), log=log)
        self.inbox = Inbox(inbox)
        self.problem = "not connected yet"
        self._login = login
        self._timing = timing or Timing()
        self._closing = asyncio.Event()
        self.register_event("*", self._deliver)

    @property
    def up(self) -> bool:
        """Connected and logged in."""
        return bool(self.authenticated and self.protocol and not self.protocol.closed)

    async def run(self) -> None:
        """Connect, log in, watch; again and again until `close`."""
        pause = self._timing.first_pause_seconds
        while not self._closing.is_set():
            try:
                if await self._hold():
                    pause = self._timing.first_pause_seconds
            except ActionRefused as error:
                self._note(
                    f"login as {self._login.username} refused: {error}. `leaseline apply` renders the user"
                )
                pause = self._timing.refused_pause_seconds
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                self._note(f"no link: {error or 'timed out'}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311
                    await self._closing.wait()
            pause = min(pause * 2, self._timing.longest_pause_seconds)

    async def ask(self, action: str, **fields: str) -> list[Fields]:
        """The answer to an action: one dict, or the whole list for the actions that list.

        Raises LinkDown, ActionRefused, or TimeoutError after `answer_seconds`.
        """
        protocol: Protocol | None = self.protocol
        if protocol is None or not self.up:
            raise LinkDown(self.problem)
        return await self._ask(protocol, action, fields)

    def close(self) -> None:
        """End the link for good."""
        self._closing.set()
        self.authenticated = False
        if self.protocol is not None:
            self.protocol.close()

    async def send_awaiting_actions(self, *_: object) -> None:
        """Never: an action whose answer was lost may have been carried out."""

    async def _hold(self) -> bool:
        """One connection from its first to its last moment; True when the login succeeded."""
        async with asyncio.timeout(self._timing.connect_seconds):
            _, protocol = await self.loop.create_connection(
                lambda: Protocol(self), self._login.host, self._login.port
            )
        self.protocol = protocol
        watch: asyncio.Task[None] | None = None
        try:
            await self._log_in(protocol)
            watch = asyncio.create_task(self._watch(protocol))
            await protocol.lost
        finally:
            was_up, self.authenticated = self.authenticated, False
            protocol.close()
            protocol.transport.abort()
            if watch is not None:
                watch.cancel()
            if was_up:
                self._note("the link broke")
                self.inbox.mark_gap()
        return True

    async def _log_in(self, protocol: Protocol) -> None:
        fields = {"Username": self._login.username, "Secret": self._login.secret, "Events": "on"}
        await self._ask(protocol, "Login", fields)
        if self._closing.is_set():
            raise LinkDown("closing")
        self.authenticated = True
        self.problem = ""
        log.info("AMI up at %s:%d", self._login.host, self._login.port)
        self.inbox.mark_gap()

    async def _watch(self, protocol: Protocol) -> None:
        """Ask for a sign of life; a connection that gives none is aborted."""
        while not protocol.closed:
            await asyncio.sleep(self._timing.watchdog_seconds)
            try:
                await self._ask(protocol, "Ping", {})
            except TimeoutError:
                log.warning("AMI ping unanswered for %s s, aborting the link", self._timing.answer_seconds)
                protocol.transport.abort()
            except (ActionRefused, LinkDown) as error:
                log.debug("AMI ping: %s", error)

    async def _ask(self, protocol: Protocol, name: str, fields: Fields) -> list[Fields]:
        if any(letter in part for pair in fields.items() for part in pair for letter in "\r\n"):
            raise ActionRefused(f"{name}: a value holds a line break")
        action = Action({"Action": name, **fields})
        try:
            async with asyncio.timeout(self._timing.answer_seconds):
                # None: the answer itself says whether it lists. What an Originate came to is told by an event
                # half a minute later: nobody waits for it here.
                answer = await protocol.send(action, as_list=False if name == "Originate" else None)
        finally:
            protocol.responses.pop(action.id, None)
        messages = [_plain(each) for each in (answer if isinstance(answer, list) else [answer])]
        if messages[0].get("Response") in {"Error", "Fail", "Failure"}:
            raise ActionRefused(messages[0].get("Message", "no reason given"))
        return messages

    def _deliver(self, _manager: Manager, event: Message) -> None:
        self.inbox.put(_plain(event))

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("AMI %s", problem)
        self.problem = problem


def _plain(message: Message) -> Fields:
    """A panoramisk message, which answers '' for any name and cannot be copied, as a dict."""
    fields: dict[str, Any] = dict(message.items())
    return {name: value if isinstance(value, str) else "\n".join(value) for name, value in fields.items()}
