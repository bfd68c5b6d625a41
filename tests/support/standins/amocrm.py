"""An account of amoCRM: lists in, a call only for a number that a contact has, problem+json for the rest."""

from __future__ import annotations

from typing import Any

from support.facts import CALLER
from support.standin import Asked, Said
from support.standins.double import Double

TOKEN = "eyJ0eXAi.s3cr3t-of-amocrm"
CALLS, SIP = "/api/v4/calls", "/api/v4/leads/unsorted/sip"
NEEDED = {"direction", "duration", "source", "phone"}


def problem(path: str, code: str = "NotSupportedChoice", to: str = "") -> Said:
    wrong = {"request_id": "0", "errors": [{"code": code, "path": path, "detail": "The value is not valid."}]}
    body = {"title": "Bad Request", "type": "https://httpstatus.es/400", "status": 400}
    return Said(
        400, body | {"validation-errors": [wrong]}, {"Content-Type": "application/problem+json"}, to=to
    )


class Account(Double):
    refusal = problem("phone", to=CALLS)

    def __init__(self) -> None:
        super().__init__()
        self.contacts = {CALLER: 501}
        self.calls: list[dict[str, Any]] = []
        self.unsorted: list[dict[str, Any]] = []

    def values(self, url: str) -> dict[str, str]:
        return {"address": url, "token": TOKEN}

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Said(401, {"title": "Unauthorized", "status": 401})
        if asked.path == "/api/v4/account":
            return Said(200, {"id": 31415926, "name": "Pallets"})
        told = asked.json()
        if not isinstance(told, list):
            return problem("", "InvalidType")
        keep = {CALLS: self._add, SIP: self._sort_later}.get(asked.path)
        return keep(told[0]) if keep else Said(404, {"title": "Not Found", "status": 404})

    def _add(self, it: dict[str, Any]) -> Said:
        if not it.keys() >= NEEDED or it.get("call_status") not in range(1, 9):
            return problem("call_status")
        if (contact := self.contacts.get(it["phone"])) is None:
            error = {"code": 263, "title": "Entity not found", "request_id": it["request_id"], "status": 400}
            return Said(200, {"_total_items": 0, "errors": [error], "_embedded": {"calls": []}})
        self.calls.append(it)
        self.taken.append(it["uniq"])
        kept = {"id": len(self.calls), "entity_id": contact, "entity_type": "contact"}
        return Said(200, {"_total_items": 1, "errors": [], "_embedded": {"calls": [kept]}})

    def _sort_later(self, it: dict[str, Any]) -> Said:
        if not it["_embedded"]["contacts"] or not it["metadata"]["from"]:
            return problem("_embedded")
        self.unsorted.append(it)
        self.taken.append(it["metadata"]["uniq"])
        return Said(200, {"_total_items": 1, "_embedded": {"unsorted": [{"uid": "u1"}]}})
