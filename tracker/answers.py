"""Requests that may be sent again: the answer to each is kept for a day, by the key that its sender chose.

An answer is kept in the transaction of what it answers, so that there is either both or neither; a refusal
is not kept, for nothing was done. Who sends the same key with another request is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.errors import Rejected
from tracker.models import ApiAnswer
from tracker.vault import Vault

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Marked:
    """A request with a key: who asks, the key, and the SHA-256 of what is asked."""

    asker: str
    key: str
    sha256: str


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    location: str = ""


def find(session: Session, vault: Vault, it: Marked, now: datetime) -> Answer | None:
    """What the same request was answered. Raises Rejected idempotency.reused for another with this key."""
    wanted = sa.select(ApiAnswer).where(
        ApiAnswer.asker == it.asker, ApiAnswer.key == it.key, ApiAnswer.at > now - KEPT
    )
    row = session.scalars(wanted).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != it.sha256:
        raise Rejected(
            "idempotency.reused",
            "This Idempotency-Key came with another request",
            "Choose a new key for each thing that you do",
        )
    told = vault.open(row.answer)
    return Answer(row.status, told["body"], told["location"])


def keep(session: Session, vault: Vault, it: Marked, answer: Answer, now: datetime) -> None:
    """Keeps it; of two at once the database lets one, and the other's transaction ends."""
    session.execute(
        sa.delete(ApiAnswer).where(
            ApiAnswer.asker == it.asker, ApiAnswer.key == it.key, ApiAnswer.at <= now - KEPT
        )
    )
    sealed = vault.seal({"body": answer.body, "location": answer.location})
    session.add(
        ApiAnswer(
            asker=it.asker, key=it.key, request_sha256=it.sha256, status=answer.status, answer=sealed, at=now
        )
    )
    session.flush()


def forget_old(session: Session, now: datetime) -> int:
    """Forgets answers that are older than a day; how many."""
    gone = session.execute(sa.delete(ApiAnswer).where(ApiAnswer.at <= now - KEPT))
    return int(cast("sa.CursorResult[Any]", gone).rowcount)
