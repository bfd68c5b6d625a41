"""A portal of Bitrix24: telephony for applications alone, CRM for webhooks as well, tokens that expire."""

from __future__ import annotations

import base64
import threading
from dataclasses import replace
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

HOOK = "s3cr3thook4711"
REGISTER = "/rest/telephony.externalCall.register"


def refused(word: str, text: str, status: int = 400, to: str = "") -> Said:
    return Said(status, {"error": word, "error_description": text}, to=to)


class Portal(Double):
    """Knows a contact's number (`known`); for any other a lead is made."""

    refusal = refused("ERROR_CORE", "Unsupported phone number format", to=REGISTER)

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0
        self.expired: set[str] = set()
        self.calls: dict[str, dict[str, Any]] = {}
        self.known: dict[str, tuple[str, int]] = {}  # numbers: the entity's type and id
        self.leads: dict[int, dict[str, Any]] = {}
        self.comments: list[dict[str, Any]] = []
        self.swallowed = ""  # the method that is done, and whose answer is lost
        self.hangs = threading.Event()

    def values(self, url: str) -> dict[str, str]:
        return {
            "address": url, "client_id": "local.4711", "client_secret": "s3cr3t-of-bitrix",
            "refresh_token": "refresh-0", "user_id": "7", "token_address": f"{url}/oauth/token/",
        }  # fmt: skip

    def answer(self, asked: Asked) -> Said:
        if asked.path == "/oauth/token/":
            return self._token(asked.query)
        told = asked.json()
        token = told.pop("auth", None)
        *_, method = asked.path.split("/")
        if asked.path == f"/rest/1/{HOOK}/{method}":
            if method in {"telephony.externalCall.register", "telephony.externalCall.finish"}:
                return refused("WRONG_AUTH_TYPE", "Current authorization type is denied", 403)
        elif token in self.expired:
            return refused("expired_token", "The access token provided has expired.", 401)
        elif token != f"access-{self.tokens}":
            return refused("NO_AUTH_FOUND", "Wrong authorization data", 401)
        return self._run(method, told)

    def _token(self, query: Any) -> Said:
        if query["client_secret"] != "s3cr3t-of-bitrix" or query["refresh_token"] != f"refresh-{self.tokens}":
            return refused("invalid_grant", "The refresh token is wrong")
        self.tokens += 1
        fresh = {"access_token": f"access-{self.tokens}", "refresh_token": f"refresh-{self.tokens}"}
        return Said(200, {**fresh, "expires_in": 3600})

    def _run(self, method: str, told: dict[str, Any]) -> Said:
        does = {
            "telephony.externalCall.register": self._register,
            "telephony.externalCall.finish": self._finish,
            "telephony.externalCall.attachRecord": self._attach,
            "telephony.externalCall.searchCrmEntities": lambda _: Said(200, {"result": []}),
            "crm.item.add": self._add,
            "crm.item.update": self._update,
            "crm.timeline.comment.add": self._comment,
            "crm.timeline.comment.list": self._comments,
            "voximplant.statistic.get": self._statistics,
            "crm.duplicate.findbycomm": self._find,
        }.get(method)
        said = does(told) if does else refused("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
        return replace(said, pause=self.hangs) if method == self.swallowed else said

    def _register(self, told: dict[str, Any]) -> Said:
        key, number = told["EXTERNAL_CALL_ID"], told["PHONE_NUMBER"]
        if not number or not number.startswith("+"):
            return refused("ERROR_CORE", "Unsupported phone number format")
        if told["USER_ID"] == "404":
            return refused("ERROR_CORE", "User is not found or is not active")
        it = self.calls.setdefault(f"externalCall.{key}", {**told, "steps": ["register"]})
        if number not in self.known and told["CRM_CREATE"]:
            lead = len(self.leads) + 1
            self.leads[lead] = {"by": "call"}
            self.known[number] = ("LEAD", lead)
            it["lead"] = lead
        kind, entity = self.known.get(number, (None, None))
        result: dict[str, Any] = {
            "CALL_ID": f"externalCall.{key}", "CRM_CREATED_LEAD": it.get("lead"), "CRM_CREATED_ENTITIES": [],
            "CRM_ENTITY_TYPE": kind, "CRM_ENTITY_ID": entity,
        }  # fmt: skip
        return Said(200, {"result": result})

    def _finish(self, told: dict[str, Any]) -> Said:
        it = self.calls.get(told["CALL_ID"])
        if it is None or it["steps"][-1] != "register":
            return refused("ERROR_CORE", "Call is not found (call should be registered prior to finishing)")
        it |= told | {"steps": [*it["steps"], "finish"]}
        self.taken.append(it["EXTERNAL_CALL_ID"])
        return Said(200, {"result": {"CALL_ID": told["CALL_ID"], "CRM_ACTIVITY_ID": 1}})

    def _attach(self, told: dict[str, Any]) -> Said:
        it = self.calls.get(told["CALL_ID"])
        if it is None or "finish" not in it["steps"]:
            return refused("ERROR_CORE", "Call is not found")
        if not told["FILENAME"].endswith((".mp3", ".wav")):
            return refused("ERROR_CORE", "Wrong file extension. Only wav and mp3 are allowed")
        it["steps"].append("attach")
        it["sound"] = base64.b64decode(told["FILE_CONTENT"], validate=True)
        return Said(200, {"result": {"FILE_ID": 9079}})

    def _add(self, told: dict[str, Any]) -> Said:
        lead = len(self.leads) + 1
        self.leads[lead] = told["fields"]
        for each in told["fields"].get("fm", ()):
            self.known[each["value"]] = ("LEAD", lead)
        return Said(200, {"result": {"item": {"id": lead}}})

    def _update(self, told: dict[str, Any]) -> Said:
        self.leads[told["id"]] |= told["fields"]
        return Said(200, {"result": {"item": {"id": told["id"]}}})

    def _comment(self, told: dict[str, Any]) -> Said:
        self.comments.append(told["fields"])
        return Said(200, {"result": len(self.comments)})

    def _comments(self, told: dict[str, Any]) -> Said:
        rows = [it for it in self.comments if told["filter"].items() <= it.items()]
        return Said(200, {"result": rows, "total": len(rows)})

    def _statistics(self, told: dict[str, Any]) -> Said:
        it = self.calls.get(told["FILTER"]["CALL_ID"], {"steps": []})
        return Said(200, {"result": [{"CALL_ID": "x"}] if "finish" in it["steps"] else [], "total": 1})

    def _find(self, told: dict[str, Any]) -> Said:
        found = [self.known[number] for number in told["values"] if number in self.known]
        return Said(200, {"result": {kind: [entity] for kind, entity in found} or []})


class Leads(Portal):
    """The same, reached by an inbound webhook."""

    refusal = refused("ERROR_CORE", "Invalid value", to="/crm.item.add")

    def values(self, url: str) -> dict[str, str]:
        return {"webhook": f"{url}/rest/1/{HOOK}/"}

    def _add(self, told: dict[str, Any]) -> Said:
        said = super()._add(told)
        self.taken.append(told["fields"]["originId"])
        return said

    def _comment(self, told: dict[str, Any]) -> Said:
        said = super()._comment(told)
        if (
            told["fields"]["ENTITY_TYPE"] != "lead"
            or "originId" not in self.leads[told["fields"]["ENTITY_ID"]]
        ):
            return said
        key = told["fields"]["COMMENT"].rpartition("/")[2]
        if key not in self.taken:  # another call of a number that is known
            self.taken.append(key)
        return said
