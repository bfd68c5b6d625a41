"""What every request needs of this installation: settings, database, built assets, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from tracker.database import Database
from tracker.settings import Settings
from web.assets import Assets


@dataclass(frozen=True)
class House:
    settings: Settings
    database: Database
    assets: Assets
    clock: Callable[[], datetime]


def house() -> House:
    """The installation that answers the present request."""
    found: House = current_app.extensions["leaseline"]
    return found
