"""Meta's Conversions API: one wrong event has the whole request refused; test events count as others do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

TOKEN = "EAAB-s3cr3t-of-meta"
SHA256 = re.compile(r"[0-9a-f]{64}")
CLICK = re.compile(r"fb\.\d\.\d{10,13}\..{1,400}")


def graph_error(code: int, message: str, subcode: int | None = None, *, passes: bool = False) -> Said:
    """As Graph says no."""
    error: dict[str, Any] = {
        "message": message, "type": "OAuthException", "code": code, "is_transient": passes, "fbtrace_id": "A1"
    }  # fmt: skip
    return Said(400, {"error": error | ({"error_subcode": subcode} if subcode else {})})


class Graph(Double):
    refusal = graph_error(100, "Invalid parameter", 2804003)
    sees_duplicates = True
    needs_consent = "ads"
    closes_days = 7

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime | None = None  # without one no event is too old
        self.seen: list[dict[str, Any]] = []

    def values(self, url: str) -> dict[str, str]:
        return {
            "dataset_id": "1234567890123456", "access_token": TOKEN, "test_event_code": "TEST4711",
            "address": url,
        }  # fmt: skip

    def answer(self, asked: Asked) -> Said:
        if asked.query.get("access_token") != TOKEN:
            return graph_error(190, "Invalid OAuth access token")
        if not re.fullmatch(r"/v\d+\.\d/1234567890123456/events", asked.path):
            return graph_error(100, "Unsupported post request. Object does not exist", 33)
        told = asked.json()
        if wrong := [problem for each in told["data"] for problem in self._problems(each)]:
            return graph_error(100, f"Invalid parameter: {wrong}", 2804003)
        for each in told["data"]:
            known = {(it["event_name"], it["event_id"]) for it in self.seen}
            if (each["event_name"], each["event_id"]) not in known:
                self.seen.append(each)
                self.taken.append(each["event_id"].partition(":")[0])
        return Said(200, {"events_received": len(told["data"]), "messages": [], "fbtrace_id": "A1"})

    def _problems(self, each: dict[str, Any]) -> Iterator[str]:
        person = each["user_data"]
        if not isinstance(each["event_time"], int) or each["event_time"] > 10**11:
            yield "event_time is in seconds"
        if self.now and each["event_time"] < (self.now - timedelta(days=7)).timestamp():
            yield "event_time is older than seven days"
        if each["action_source"] != "phone_call":
            yield "action_source"
        if not all(SHA256.fullmatch(phone) for phone in person.get("ph", ())):
            yield "ph is not hashed"
        if "fbc" in person and not CLICK.fullmatch(person["fbc"]):
            yield "fbc"
        if not person.keys() & {"ph", "fbc", "fbp"}:
            yield "nobody to know"
