"""What sends messages, turn by turn, by a clock that stands until it is moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from support.receivers import Mailbox
from support.recorded import settings_in

from tracker.courier import Courier
from tracker.settings import Settings


@dataclass
class Clock:
    """Stands until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def send(courier: Courier[Any]) -> int:
    """One turn, and all that is on its way arrives."""
    count = courier.take_turn()
    courier.wait(60)
    return count


def mail_settings(tmp_path: Path, box: Mailbox | None = None, **more: Any) -> Settings:
    """Settings of an installation whose mail server is that box; without one it has none."""
    server = {"smtp_host": "127.0.0.1", "smtp_port": box.port} if box else {}
    plain = {"smtp_security": "none", "smtp_from": "leaseline@pallets.example"}
    return settings_in(tmp_path, web_url="https://calls.pallets.example", **plain | server | more)
