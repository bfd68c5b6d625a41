"""An account of amoCRM: lists in, a call only for a number that a contact has, problem+json for the rest.

Let in by the token that lives long, or by OAuth: a refresh token is taken once, a code once as well.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from support.facts import CALLER
from support.standin import Asked, Said
from support.standins.double import Double

TOKEN = "eyJ0eXAi.s3cr3t-of-amocrm"
CALLS, SIP = "/api/v4/calls", "/api/v4/leads/unsorted/sip"
ACCESS = "/oauth2/access_token"
CLIENT = {"client_id": "0f9c-integration", "client_secret": "s3cr3t-of-the-integration"}
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
        self.swallowed = ""  # the path that is done, and whose answer is lost
        self.hangs = threading.Event()
        self.code, self.tokens = "def50200-code", 0
        self.grants: list[str] = []
        self.ended: set[str] = set()  # access tokens

    def values(self, url: str) -> dict[str, str]:
        return {"address": url, "token": TOKEN}

    def answer(self, asked: Asked) -> Said:
        if asked.path == ACCESS:
            said = self._let_in(asked.json())
        elif not self._knows(asked.headers.get("authorization", "").removeprefix("Bearer ")):
            return Said(401, {"title": "Unauthorized", "status": 401})
        elif asked.method == "GET":
            said = self._list(asked.path)
        else:
            told = asked.json()
            if not isinstance(told, list):
                return problem("", "InvalidType")
            keep = {CALLS: self._add, SIP: self._sort_later}.get(asked.path)
            said = keep(told[0]) if keep else Said(404, {"title": "Not Found", "status": 404})
        return replace(said, pause=self.hangs) if asked.path == self.swallowed else said

    def _knows(self, token: str) -> bool:
        good = token == TOKEN or (self.tokens and token == f"access-{self.tokens}")
        return bool(good) and token not in self.ended

    def _let_in(self, told: dict[str, str]) -> Said:
        ours = (told["client_id"], told["client_secret"]) == (CLIENT["client_id"], CLIENT["client_secret"])
        if told["grant_type"] == "authorization_code":
            good, self.code = told["code"] == self.code, ""
        else:
            good = bool(self.tokens) and told["refresh_token"] == f"refresh-{self.tokens}"
        if not (ours and good and told["redirect_uri"].endswith("/connected")):
            return Said(400, {"title": "Authorization", "status": 400, "hint": "Token has been revoked"})
        self.tokens += 1
        self.grants.append(told["grant_type"])
        fresh = {"access_token": f"access-{self.tokens}", "refresh_token": f"refresh-{self.tokens}"}
        return Said(200, {"token_type": "Bearer", "expires_in": 86400, **fresh})

    def _list(self, path: str) -> Said:
        if path == "/api/v4/account":
            return Said(200, {"id": 31415926, "name": "Pallets"})
        if path == "/api/v4/leads/unsorted":
            return Said(
                200, {"_embedded": {"unsorted": [{"metadata": it["metadata"]} for it in self.unsorted]}}
            )
        notes = [{"note_type": "call_in", "params": {"uniq": it["uniq"]}} for it in self.calls]
        if path != "/api/v4/contacts/notes" or not notes:
            return Said(204)
        return Said(200, {"_embedded": {"notes": notes}})

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
