"""Telegram's Bot API, as little of it as sending messages needs."""

from __future__ import annotations

from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
CHAT = "-1001234567890"


def refused(status: int, text: str, **parameters: Any) -> Said:
    more = {"parameters": parameters} if parameters else {}
    return Said(status, {"ok": False, "error_code": status, "description": text} | more)


class Bot(Double):
    refusal = refused(400, "Bad Request: message is too long")
    closes_days = 2

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def values(self, url: str) -> dict[str, str]:
        return {"token": TOKEN, "chat_id": CHAT, "address": url}

    def answer(self, asked: Asked) -> Said:
        if asked.path != f"/bot{TOKEN}/sendMessage":
            return refused(404, "Not Found")
        told = asked.json()
        if told["chat_id"] != CHAT:
            return refused(400, "Bad Request: chat not found")
        if not 0 < len(told["text"]) <= 4096:
            return refused(400, "Bad Request: message text is empty or too long")
        self.texts.append(told["text"])
        self.taken.append(told["text"].rpartition("/calls/")[2])
        return Said(200, {"ok": True, "result": {"message_id": len(self.taken)}})
