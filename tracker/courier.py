"""Sends what is due: each message in a thread of its own, so that a slow address holds up no other."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from tracker.database import Database
from tracker.policy.telling import Answer


class Letter(Protocol):
    """What a worker has claimed."""

    @property
    def id(self) -> int: ...
    @property
    def key(self) -> str: ...


AnyLetter = TypeVar("AnyLetter", bound=Letter)


class Post(Protocol[AnyLetter]):
    """A queue of messages, and how one of them goes out."""

    log: logging.Logger

    def is_due(self, session: Session, now: datetime) -> bool: ...
    def claim(self, session: Session, now: datetime, limit: int) -> Sequence[AnyLetter]: ...
    def deliver(self, letter: AnyLetter, now: datetime) -> Answer: ...
    def settle(self, session: Session, letter_id: int, answer: Answer, now: datetime, dice: float) -> Any: ...


class Courier(Generic[AnyLetter]):
    """Claims and sends; `take_turn` does not wait for what is on its way."""

    def __init__(
        self, post: Post[AnyLetter], database: Database, clock: Callable[[], datetime], at_once: int
    ) -> None:
        self._post, self._database, self._clock, self._at_once = post, database, clock, at_once
        self._under_way: list[threading.Thread] = []
        self._settling = threading.Lock()  # SQLite has one writer's place: our own threads wait here for it

    def take_turn(self) -> int:
        """Send on what is due and in nobody's hands. How many were claimed."""
        self._under_way = [each for each in self._under_way if each.is_alive()]
        room = self._at_once - len(self._under_way)
        if room <= 0:
            return 0
        now = self._clock()
        with self._database.read() as session:
            if not self._post.is_due(session, now):
                return 0
        with self._database.write() as session:
            letters = self._post.claim(session, now, room)
        for letter in letters:
            # A daemon: a worker that is told to stop does not wait, and the claim runs out by itself.
            thread = threading.Thread(target=self._send, args=(letter,), daemon=True)
            thread.start()
            self._under_way.append(thread)
        return len(letters)

    def wait(self, seconds: float) -> None:
        """Wait for what is on its way, each for so long at most."""
        for thread in self._under_way:
            thread.join(seconds)

    def _send(self, letter: AnyLetter) -> None:
        log = self._post.log
        try:
            answer = self._post.deliver(letter, self._clock())
        except Exception as error:
            log.exception("message %s", letter.key)
            answer = Answer(False, f"{error.__class__.__name__}: {error}")
        if not answer.ok:
            log.warning("message %s was not delivered: %s", letter.key, answer.text)
        with self._settling, self._database.write() as session:
            self._post.settle(session, letter.id, answer, self._clock(), random.random())  # noqa: S311
