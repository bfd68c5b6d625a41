"""An AGI session as endpoints see it: what panoramisk's Request offers, with types."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from agi.replies import Replies


class Conversation(Protocol):
    """The header Asterisk sent, and one command at a time."""

    headers: Mapping[str, str]
    reader: Replies
    writer: asyncio.StreamWriter

    async def send_command(self, command: str) -> dict[str, Any]:
        """The reply: `status_code` and `result`, or `error` and `msg`."""
