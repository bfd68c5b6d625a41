"""Slack's incoming webhooks: "ok", or a word for what is wrong."""

from __future__ import annotations

from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

WAY = "/services/T00000000/B00000000/XXXXs3cr3tXXXX"


class Hook(Double):
    refusal = Said(400, b"invalid_blocks")
    closes_days = 2

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []

    def values(self, url: str) -> dict[str, str]:
        return {"url": url + WAY}

    def answer(self, asked: Asked) -> Said:
        if asked.path != WAY:
            return Said(404, b"no_service")
        told = asked.json()
        head, lines, link = (block["text"] for block in told["blocks"])
        if not told["text"] or not 0 < len(head["text"]) <= 150 or not 0 < len(lines["text"]) <= 3000:
            return self.refusal
        self.seen.append(told)
        self.taken.append(link["text"].partition("|")[0].rpartition("/calls/")[2])
        return Said(200, b"ok")
