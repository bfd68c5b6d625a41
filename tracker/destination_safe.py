"""Where a destination's secrets are kept while they are renewed: by one worker at a time, and before use.

A system that takes a refresh token once only must not be asked twice with it. Who renews says so in the row;
a worker that dies at it is waited for no longer than a request may take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import outside
from tracker.database import Database
from tracker.models import Destination
from tracker.vault import Vault

HOLD = timedelta(seconds=2 * outside.WHOLE * outside.SECONDS)


@dataclass(frozen=True)
class Safe:
    """The secrets of one destination in the database. `writing` is held while it is written to."""

    database: Database
    vault: Vault
    destination_id: int
    clock: Callable[[], datetime]
    writing: AbstractContextManager[object] = field(default_factory=nullcontext)

    def begin(self, known: Mapping[str, str]) -> dict[str, str] | None:
        """Take up the renewal; or what another has renewed since `known` was read.

        Raises outside.Trouble while another is at it.
        """
        now, it = self.clock(), Destination
        free = sa.or_(it.renewing_until.is_(None), it.renewing_until <= now)
        take = sa.update(it).where(it.id == self.destination_id, free).values(renewing_until=now + HOLD)
        with self.writing, self.database.write() as session:
            sealed = session.connection().execute(take.returning(it.secrets)).scalar_one_or_none()
            if sealed is None:
                raise outside.Trouble("Its access is being renewed just now")
            stored = self.vault.open(sealed)
            if stored == dict(known):
                return None
            self._end(session)
            return stored

    def keep(self, fresh: Mapping[str, str]) -> None:
        """Keep what was renewed; whoever was shut out is let in again."""
        with self.writing, self.database.write() as session:
            if row := session.get(Destination, self.destination_id, with_for_update=True):
                row.secrets = self.vault.seal({**self.vault.open(row.secrets), **fresh})
                row.renewing_until = row.disconnected_at = None

    def let_go(self, shut_out: str | None = None) -> None:
        """The renewal came to nothing; with that answer because we are not let in any more."""
        with self.writing, self.database.write() as session:
            self._end(session)
            row = session.get(Destination, self.destination_id, with_for_update=True)
            if row is not None and shut_out is not None:
                row.disconnected_at = row.disconnected_at or self.clock()
                row.answer = shut_out[:300]

    def _end(self, session: Session) -> None:
        which = Destination.id == self.destination_id
        session.execute(sa.update(Destination).where(which).values(renewing_until=None))
