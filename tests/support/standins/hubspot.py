"""HubSpot's CRM: contacts that are searched for, calls that are made twice if they are told twice."""

from __future__ import annotations

import threading
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

TOKEN = "pat-eu1-s3cr3t-of-hubspot"
OBJECTS = "/crm/v3/objects"
CALLS, CONTACTS, UPSERT = f"{OBJECTS}/calls", f"{OBJECTS}/contacts", f"{OBJECTS}/calls/batch/upsert"
JOIN = "/crm/v4/associations/calls/contacts/batch/create"
STATUSES = {"BUSY", "CANCELED", "COMPLETED", "FAILED", "MISSED", "NO_ANSWER"}


def refused(message: str, category: str = "VALIDATION_ERROR", status: int = 400, to: str = "") -> Said:
    body = {"status": "error", "category": category, "message": message, "correlationId": "c0ffee"}
    return Said(status, body, to=to)


class Crm(Double):
    refusal = refused("Property values were not valid", to=CALLS)

    def __init__(self) -> None:
        super().__init__()
        self.contacts: list[dict[str, str]] = []
        self.calls: list[dict[str, Any]] = []
        self.joined: list[tuple[str, str]] = []
        self.hangs: threading.Event | None = None  # takes a call, and does not say so

    def values(self, url: str) -> dict[str, str]:
        return {"token": TOKEN, "address": url}

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return refused("Authentication credentials not found", "INVALID_AUTHENTICATION", 401)
        does = {
            CALLS: self._call, JOIN: self._join, UPSERT: self._upsert, CONTACTS: self._contact,
            f"{CONTACTS}/search": self._contacts, f"{CALLS}/search": self._calls,
        }.get(asked.path)  # fmt: skip
        return does(asked.json()) if does else refused("Not found", "OBJECT_NOT_FOUND", 404)

    def _join(self, told: Any) -> Said:
        self.joined += [(it["from"]["id"], it["to"]["id"]) for it in told["inputs"]]
        return Said(201, {"status": "COMPLETE", "results": []})

    def _contact(self, told: Any) -> Said:
        self.contacts.append(told["properties"])
        return Said(201, {"id": str(500 + len(self.contacts)), "properties": told["properties"]})

    def _contacts(self, told: Any) -> Said:
        value = told["filterGroups"][0]["filters"][0]["value"].lstrip("*")
        found = [{"id": str(501 + at)} for at, it in enumerate(self.contacts) if it["phone"].endswith(value)]
        return Said(200, {"total": len(found), "results": found})

    def _call(self, told: Any) -> Said:
        its = told["properties"]
        wrong = [name for name, value in its.items() if not isinstance(value, str)]
        if wrong or "associations" not in told or its["hs_call_status"] not in STATUSES:
            return refused(f"Invalid: {wrong}")
        self.calls.append(told)
        self.taken.append(its["hs_call_body"].rpartition("/")[2])
        return Said(201, {"id": str(len(self.calls)), "properties": its}, pause=self.hangs)

    def _upsert(self, told: Any) -> Said:
        (one,) = told["inputs"]
        same = [at for at, it in enumerate(self.calls) if it.get("id") == one["id"]]
        if not same:
            said = self._call({**one, "associations": []})
            self.calls[-1]["id"] = one["id"]
            return Said(200, {"results": [said.body]}, pause=self.hangs)
        return Said(200, {"results": [{"id": str(same[0] + 1)}]})

    def _calls(self, told: Any) -> Said:
        value = told["filterGroups"][0]["filters"][0]["value"]
        found = [
            {"id": str(at), "properties": it["properties"]}
            for at, it in enumerate(self.calls, start=1)
            if it["properties"]["hs_timestamp"] == value
        ]
        return Said(200, {"total": len(found), "results": found})
