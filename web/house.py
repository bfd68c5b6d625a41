"""What every request needs of this installation: settings, database, built assets, the clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from flask import current_app

from tracker.call_totals import CallTotals
from tracker.database import Database
from tracker.settings import Settings
from tracker.vault import Vault
from web.assets import Assets


@dataclass(frozen=True)
class House:
    settings: Settings
    database: Database
    assets: Assets
    clock: Callable[[], datetime]
    totals: CallTotals = field(default_factory=CallTotals)

    @property
    def vault(self) -> Vault:
        """What seals this installation's secrets."""
        return Vault(self.settings.secret_key)


def house() -> House:
    """The installation that answers the present request."""
    found: House = current_app.extensions["leaseline"]
    return found


def row_id(text: str) -> int:
    """The id in an address; one that no database could hold is as unknown as any other."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) else 0
