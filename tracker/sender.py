"""Sends what is due: each message in a thread of its own, so that a slow address holds up no other."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime

from tracker import outbox
from tracker.database import Database
from tracker.policy.telling import Answer
from tracker.settings import Settings
from tracker.telling import Letter, Translate, deliver, in_english, write

log = logging.getLogger("leaseline.alerts")

AT_ONCE = 16


class Sender:
    """Claims and sends; `take_turn` does not wait for what is on its way."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], datetime],
        at_once: int = AT_ONCE,
        translator: Callable[[str], Translate] = in_english,
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._at_once, self._translator = at_once, translator
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
            if not outbox.is_due(session, now):
                return 0
        with self._database.write() as session:
            claimed = outbox.claim(session, now, room)
            letters = [write(each, self._settings.web_url, self._translator) for each in claimed]
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

    def _send(self, letter: Letter) -> None:
        try:
            answer = deliver(letter, self._settings, self._clock())
        except Exception as error:
            log.exception("message %s", letter.key)
            answer = Answer(False, f"{error.__class__.__name__}: {error}")
        if not answer.ok:
            log.warning("message %s was not delivered: %s", letter.key, answer.text)
        with self._settling, self._database.write() as session:
            outbox.settle(session, letter.id, answer, self._clock(), random.random())  # noqa: S311
