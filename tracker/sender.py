"""Sends the messages about alerts that are due."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from tracker import outbox
from tracker.courier import Courier
from tracker.database import Database
from tracker.policy.telling import Answer
from tracker.settings import Settings
from tracker.telling import Letter, Translate, deliver, in_english, write

AT_ONCE = 16


class AlertPost:
    """The outbox of alerts; a message is written when it is claimed."""

    log = logging.getLogger("leaseline.alerts")

    def __init__(self, settings: Settings, translator: Callable[[str], Translate]) -> None:
        self._settings, self._translator = settings, translator

    def is_due(self, session: Session, now: datetime) -> bool:
        return outbox.is_due(session, now)

    def claim(self, session: Session, now: datetime, limit: int) -> list[Letter]:
        claimed = outbox.claim(session, now, limit)
        return [write(each, self._settings.web_url, self._translator) for each in claimed]

    def deliver(self, letter: Letter, now: datetime) -> Answer:
        return deliver(letter, self._settings, now)

    def settle(self, session: Session, letter_id: int, answer: Answer, now: datetime, dice: float) -> None:
        outbox.settle(session, letter_id, answer, now, dice)


class Sender(Courier[Letter]):
    """Claims and sends messages about alerts."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], datetime],
        at_once: int = AT_ONCE,
        translator: Callable[[str], Translate] = in_english,
    ) -> None:
        super().__init__(AlertPost(settings, translator), database, clock, at_once)
