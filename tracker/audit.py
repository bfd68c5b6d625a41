"""The audit log: who did what, when, to which thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import AuditEntry


@dataclass(frozen=True)
class By:
    """Whose hand a change comes from, and when: every service that changes configuration takes one."""

    at: datetime
    actor: str
    client: str | None = None

    def note(
        self,
        session: Session,
        action: str,
        company_id: int | None = None,
        *,
        subject: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> AuditEntry:
        """Write down that this hand did `action` to `subject`, now."""
        return note(
            session,
            self.at,
            self.actor,
            action,
            company_id,
            subject=subject,
            detail=detail,
            client=self.client,
        )


def note(
    session: Session,
    at: datetime,
    actor: str,
    action: str,
    company_id: int | None = None,
    *,
    subject: str | None = None,
    detail: dict[str, Any] | None = None,
    client: str | None = None,
) -> AuditEntry:
    """Write down that `actor` (an e-mail, "cli:NAME" or "phone:TARGET") did `action` ("number.add").

    Goes into the caller's transaction: the thing and its entry are stored together or not at all.
    """
    entry = AuditEntry(
        at=at,
        actor=actor[:200],
        action=action,
        company_id=company_id,
        subject=subject[:200] if subject else None,
        detail=detail or {},
        client=client[:100] if client else None,
    )
    session.add(entry)
    return entry


def changed_since(session: Session, at: datetime | None, actions: Iterable[str]) -> bool:
    """Whether something of these kinds was done after `at`; with None, whether it was ever done."""
    wanted = sa.select(AuditEntry.id).where(AuditEntry.action.in_(list(actions))).limit(1)
    if at is not None:
        wanted = wanted.where(AuditEntry.at > at)
    return session.scalar(wanted) is not None
