"""Places the callbacks: claims what is due, rings one employee after the other, hands over to the dialplan.

An Originate is sent once. Where its answer is lost, or this process dies, nobody can tell whether a phone
rings: the claim then runs out, and tracker.callback_tries looks whether Asterisk has the call up and what the
books say of it before anybody is called again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agi.ami import ActionRefused, Fields, Link, LinkDown, Login
from agi.whispering import Whispering
from tracker import callback_tries as tries
from tracker.callback_employees import Employee
from tracker.callback_rules import Plan, is_wanted, plan_of
from tracker.callback_tries import CLAIM_SECONDS, Claim
from tracker.database import Database
from tracker.logs import about
from tracker.models import CallbackReason, CallbackRequest

log = logging.getLogger("leaseline.callbacks")

T = TypeVar("T")
Beat = Callable[[Session], T]
TICK_SECONDS = 0.4
IDLE_SECONDS = 3.0  # between two looks whether any site calls back at all
MOST_AT_ONCE = 50
GRACE_SECONDS = 5.0  # that Asterisk's word on an Originate may come later than its time-out
_RINGING = {"RINGING", "PROGRESS"}


@dataclass
class _Try:
    """What Asterisk says of one employee's phone, and of the visitor's that is dialled from it."""

    rang_at: datetime | None = None
    visitor_rang_at: datetime | None = None
    taken: bool | None = None  # None: not known yet
    over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Caller:
    """`run` goes on until it is cancelled, on a connection to Asterisk of its own."""

    def __init__(self, login: Login, database: Database, node: str, whispering: Whispering) -> None:
        self._whispering = whispering
        self.who = f"{node}:{os.getpid()}:{secrets.token_hex(4)}"
        self._node = node
        self._login = login
        self._link: Link
        self._database = database
        self._tries: dict[str, _Try] = {}  # by the uniqueid of the employee's channel
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="callbacks")

    async def run(self) -> None:
        """Look for what is due, as long as any site calls back; hear what Asterisk says."""
        while not await self._read(is_wanted):  # noqa: ASYNC110  (another process turns it on)
            await asyncio.sleep(IDLE_SECONDS)
        self._link = Link(self._login)
        background = [asyncio.create_task(self._link.run()), asyncio.create_task(self._listen())]
        try:
            while True:
                await self._turn()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self._link.close()
            for task in (*background, *self._tasks):
                task.cancel()
            await asyncio.gather(*background, *self._tasks, return_exceptions=True)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _turn(self) -> None:
        try:
            await self._settle()
            while self._link.up and len(self._tasks) < MOST_AT_ONCE:
                claim = await self._claim()
                if claim is None:
                    return
                self._begin(self._followed(claim))
        except sa.exc.SQLAlchemyError as error:
            log.warning("callbacks wait for the database: %s", " ".join(str(error).split())[:200])

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _claim(self) -> Claim | None:
        """Looking first costs a read, not a turn of the one writer."""
        if not await self._read(lambda session: tries.is_due(session, _now())):
            return None
        return await self._write(lambda session: tries.claim(session, self.who, _now()))

    async def _settle(self) -> None:
        if await self._read(lambda session: tries.waits_for_settling(session, _now())):
            up = await self._up()
            await self._write(lambda session: tries.settle(session, self._node, _now(), up))

    async def _up(self) -> set[str] | None:
        """The calls that have a channel in Asterisk; None when it cannot be asked."""
        try:
            channels = await self._link.ask("CoreShowChannels")
        except (LinkDown, TimeoutError, ActionRefused):
            return None
        named = {channel.get("AccountCode", "") for channel in channels}
        return named | {channel.get("Uniqueid", "").rpartition("~")[0] for channel in channels}

    # ---- one request ----

    async def _followed(self, claim: Claim) -> None:
        with about(claim.call):
            await self._call(claim)

    async def _call(self, claim: Claim) -> None:
        """Ring the employees until one takes it. Whatever breaks here, the claim runs out by itself."""
        try:
            plan = await self._read(lambda session: _plan(session, claim))
            if isinstance(plan, CallbackReason):
                await self._give_up(claim, plan)
                return
            for place, employee in enumerate(plan.employees, start=1):
                if await self._ring(claim, plan, employee, f"{claim.call}~{place}"):
                    return
            await self._give_up(claim, CallbackReason.NO_EMPLOYEE)
        except (LinkDown, TimeoutError):
            log.warning("nobody can tell what became of it: the link to Asterisk broke")
        except sa.exc.SQLAlchemyError as error:
            log.warning("left to its claim: %s", " ".join(str(error).split())[:200])

    async def _ring(self, claim: Claim, plan: Plan, employee: Employee, uniqueid: str) -> bool:
        """One employee; True when the request is in other hands: the dialplan's, or nobody's any more."""
        if not await self._still(claim, target_id=employee.target_id):
            return True
        it = self._tries[uniqueid] = _Try()
        try:
            try:
                sound = await self._whispering.choose(plan.whispers)
                await self._link.ask("Originate", **_originate(claim, plan, employee, uniqueid, sound))
            except ActionRefused as error:
                log.error("Asterisk does not ring target %d: %s", employee.target_id, error)
                return False
            if not await self._watched(
                claim, it, employee.seconds + GRACE_SECONDS, lambda: it.taken is not None
            ):
                return True
            if not it.taken:
                return False
            log.info("target %d has taken it", employee.target_id)
            await self._watched(claim, it, None, lambda: it.over)
            await self._write(lambda session: tries.let_go(session, claim, self.who, _now()))
            return True
        finally:
            del self._tries[uniqueid]

    async def _watched(self, claim: Claim, it: _Try, seconds: float | None, done: Callable[[], bool]) -> bool:
        """Wait for it, renewing the claim and noting rings; False when the claim is lost.

        Raises TimeoutError after so many seconds.
        """
        async with asyncio.timeout(seconds):
            while not done():
                it.news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(it.news.wait(), CLAIM_SECONDS / 3)
                if not await self._still(
                    claim,
                    employee_rang_at=it.rang_at,
                    visitor_rang_at=it.visitor_rang_at,
                    taken=bool(it.taken),
                ):
                    return it.taken is True  # talked: the books were quicker
        return True

    async def _still(self, claim: Claim, **seen: Any) -> bool:
        return await self._write(lambda session: tries.progress(session, claim, self.who, _now(), **seen))

    async def _give_up(self, claim: Claim, reason: CallbackReason) -> None:
        log.info("came to nothing: %s", reason)
        await self._write(lambda session: tries.end_try(session, claim, self.who, reason, _now()))

    # ---- what Asterisk says ----

    async def _listen(self) -> None:
        inbox = self._link.inbox
        while True:
            await inbox.wait()
            inbox.gap = False  # what was missed is found out by the claim and the books
            for event in inbox.take():
                self._hear(event, _now())

    def _hear(self, event: Fields, at: datetime) -> None:
        kind = event.get("Event")
        if kind == "DialState" and event.get("DialStatus") in _RINGING:
            self._rings(event, at)
            return
        # An Originate that made no channel names itself only.
        it = self._tries.get(event.get("Uniqueid", "")) or self._tries.get(event.get("ActionID", ""))
        if it is None:
            return
        if kind == "OriginateResponse":
            it.taken = it.taken or event.get("Response") == "Success"
        elif kind == "Hangup":
            it.over = True
            it.taken = bool(it.taken)
        it.news.set()

    def _rings(self, event: Fields, at: datetime) -> None:
        if it := self._tries.get(event.get("DestUniqueid", "")):
            it.rang_at = it.rang_at or at
            it.news.set()
        elif it := self._tries.get(event.get("Uniqueid", "")):
            it.visitor_rang_at = it.visitor_rang_at or at
            it.taken = True
            it.news.set()

    # ---- the database, in a thread of its own ----

    async def _read(self, question: Callable[[Session], T]) -> T:
        def ask() -> T:
            with self._database.read() as session:
                return question(session)

        return await asyncio.get_running_loop().run_in_executor(self._thread, ask)

    async def _write(self, change: Callable[[Session], T]) -> T:
        def write() -> T:
            with self._database.write() as session:
                return change(session)

        return await asyncio.get_running_loop().run_in_executor(self._thread, write)


def _plan(session: Session, claim: Claim) -> Plan | CallbackReason:
    return plan_of(session, session.get_one(CallbackRequest, claim.request_id), _now())


def _originate(claim: Claim, plan: Plan, employee: Employee, uniqueid: str, whisper: str) -> Fields:
    """Asterisk's Originate: the employee's phone rings, and whoever takes it is in callback.conf.

    `whisper` names a sound of those for a few calls, "" for none.
    """
    values = {
        "LL_CALL": claim.call,
        "LL_TARGET": employee.target_id,
        "LL_CALLER": plan.phone,
        "LL_NUMBER": plan.dialled,
        "LL_DID": plan.shown,
        "LL_TRUNK": plan.trunk_id,
        "LL_SECONDS": plan.visitor_seconds,
        "LL_RECORD": int(plan.record),
        "LL_JUDGES": int(plan.judges),
        "LL_WHISPER": whisper,
    }
    return {
        "Channel": employee.dial,
        "Context": "leaseline-callback",
        "Exten": "s",
        "Priority": "1",
        "Timeout": str(employee.seconds * 1000),
        "CallerID": plan.shown if employee.headers == "own" else plan.phone,
        "PreDialGoSub": f"leaseline-headers,{employee.headers},1",
        "ChannelId": uniqueid,
        "ActionID": uniqueid,
        "Async": "true",
        "Variable": ",".join(f"{name}={value}" for name, value in values.items()),
    }


def _now() -> datetime:
    return datetime.now(UTC)
