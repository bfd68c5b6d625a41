"""Keeps the live list true and publishes it: one consumer of the link's inbox, one publisher.

Events keep it current, CoreShowChannels puts it right: after every login, after every gap, and once a
minute because a hint that is never checked is a ghost in somebody's list.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from agi.ami import ActionRefused, Fields, Link, LinkDown
from agi.livelist import LiveList
from tracker import process_figures
from tracker.database import Database
from tracker.live import HEARTBEAT_SECONDS, Sight, publish
from tracker.process_figures import AGI, EVERY_SECONDS, Figures

log = logging.getLogger("leaseline.ami")


@dataclass(frozen=True)
class Pace:
    heartbeat_seconds: float = HEARTBEAT_SECONDS
    between_writes_seconds: float = 0.5
    resync_seconds: float = 60.0
    forget_seconds: float = 5.0  # a link that is back sooner does not empty the list in between


class LiveView:
    """`follow` and `publish` run side by side until they are cancelled.

    With every sign of life goes what the process has measured of itself.
    """

    def __init__(
        self,
        link: Link,
        database: Database,
        node: str,
        pace: Pace | None = None,
        figures: Callable[[], Figures] = dict,
    ) -> None:
        self._figures = figures
        self._figures_at = float("-inf")  # when they were published last
        self.calls = LiveList()
        self.unpublished = 0  # attempts that the database did not take
        self._link = link
        self._database = database
        self._node = node
        self._pace = pace or Pace()
        self._changed = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._was_up = False
        self._down_since = time.monotonic()
        self._version: str | None = None
        self._started_at: datetime | None = None

    async def follow(self) -> None:
        """Fold what the link delivers."""
        inbox = self._link.inbox
        while True:
            try:
                async with asyncio.timeout(self._pace.resync_seconds):
                    await inbox.wait()
            except TimeoutError:
                inbox.mark_gap()
            if inbox.gap:
                await self._resync()
            for event in inbox.take():
                self._apply(event, datetime.now(UTC))

    async def publish(self) -> None:
        """Write on change, at most twice a second, and as a sign of life."""
        while True:
            try:
                async with asyncio.timeout(self._pace.heartbeat_seconds):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            await self.publish_now()
            await asyncio.sleep(self._pace.between_writes_seconds)

    async def publish_now(self) -> None:
        """Write what is known at this moment; a database that does not take it gets the next one."""
        sight = self.sight()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, sight)
            self.unpublished = 0
        except sa.exc.SQLAlchemyError as error:
            self.unpublished += 1
            if self.unpublished == 1:
                log.warning("live list not published: %s", " ".join(str(error).split())[:200])

    def sight(self) -> Sight:
        """What is known of this node's Asterisk."""
        return Sight(
            node=self._node,
            # Not before the list is true again: an empty one would look like calls that have ended.
            ami_up=self._link.up and self._was_up,
            asterisk_version=self._version,
            asterisk_started_at=self._started_at,
            calls=self.calls.rows(),
        )

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _resync(self) -> None:
        """Put the list right. While the link is down, wait for the login that marks the next gap."""
        inbox = self._link.inbox
        inbox.gap = False
        if not self._link.up:
            await self._down()
            return
        try:
            channels = await self._link.ask("CoreShowChannels")
            if not self._was_up:
                self._version = (await self._link.ask("CoreSettings"))[0].get("AsteriskVersion")
        except (LinkDown, TimeoutError):
            inbox.mark_gap()
            await asyncio.sleep(0.1)
            return
        except ActionRefused as error:
            log.error("AMI refuses CoreShowChannels: %s. The user needs write=reporting", error)
            channels = []
        self.calls.replace(channels, datetime.now(UTC))
        self._was_up = True
        self._changed.set()

    async def _down(self) -> None:
        if self._was_up:
            self._was_up, self._down_since = False, time.monotonic()
            self._changed.set()
        if time.monotonic() - self._down_since < self._pace.forget_seconds:
            await asyncio.sleep(0.2)
            if not self._link.up:
                self._link.inbox.mark_gap()
        else:
            self.calls.clear()
            self._changed.set()

    def _apply(self, event: Fields, at: datetime) -> None:
        if event.get("Event") == "FullyBooted":
            self._booted(event, at)
        elif self.calls.apply(event, at):
            self._changed.set()

    def _booted(self, event: Fields, at: datetime) -> None:
        """Asterisk tells its age in whole seconds; rounded so that no call looks older than its Asterisk."""
        uptime = event.get("Uptime", "")
        if not uptime.isdecimal():
            return
        started_at = (at - timedelta(seconds=int(uptime) + 1)).replace(microsecond=0)
        if self._started_at is None or abs(started_at - self._started_at) > timedelta(seconds=3):
            self._started_at = started_at
            self._changed.set()

    def _write(self, sight: Sight) -> None:
        now, due = datetime.now(UTC), time.monotonic() - self._figures_at >= EVERY_SECONDS
        with self._database.write() as session:
            publish(session, sight, now)
            if due:
                process_figures.publish(session, self._node, AGI, self._figures(), now)
        if due:
            self._figures_at = time.monotonic()
