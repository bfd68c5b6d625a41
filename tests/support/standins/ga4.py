"""Google Analytics' Measurement Protocol: says 204 to anything; its validation server says what is wrong."""

from __future__ import annotations

import re
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


class Analytics(Double):
    needs_consent = "analytics"
    closes_days = 1

    def values(self, url: str) -> dict[str, str]:
        return {"measurement_id": "G-ABC1234567", "api_secret": "s3cr3t-of-analytics", "address": url}

    def answer(self, asked: Asked) -> Said:
        told = asked.json()
        if asked.path == "/debug/mp/collect":
            return Said(200, {"validationMessages": list(problems(told))})
        if asked.query.get("api_secret") == "s3cr3t-of-analytics" and not problems(told):
            self.taken += [each["params"]["call_id"] for each in told["events"]]
        return Said(204)


def problems(told: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    if not told.get("client_id"):
        found.append(("VALUE_REQUIRED", "client_id is required"))
    if not 1 <= len(told.get("events", ())) <= 25:
        found.append(("EXCEEDED_MAX_ENTITIES", "1 to 25 events"))
    for each in told.get("events", ()):
        found += [("NAME_INVALID", f"name {each['name']}")] if not NAME.fullmatch(each["name"]) else []
        parameters = each["params"]
        found += [("EXCEEDED_MAX_ENTITIES", "25 parameters")] if len(parameters) > 25 else []
        for name, value in parameters.items():
            if not NAME.fullmatch(name) or len(str(value)) > 100:
                found.append(("VALUE_OUT_OF_BOUNDS", name))
    return [{"validationCode": code, "description": text} for code, text in found]
