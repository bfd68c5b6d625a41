"""Matomo's tracker: 204 to what it takes, 400 to what it cannot read, 401 to a past without a token."""

from __future__ import annotations

import re

from support.standin import Asked, Said
from support.standins.double import Double

TOKEN = "0123456789abcdef0123456789abcdef"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Tracker(Double):
    refusal = Said(400, b"Tracker API expects a valid request")
    needs_consent = "analytics"
    closes_days = 7

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, str]] = []

    def values(self, url: str) -> dict[str, str]:
        return {"address": f"{url}/stats/", "site_id": "3", "token": TOKEN}

    def answer(self, asked: Asked) -> Said:
        if asked.path != "/stats/matomo.php":
            return Said(404)
        told = asked.form()
        if told.get("token_auth") != TOKEN:
            return Said(401, b"Request was not authenticated but should have")
        if told.get("idsite") != "3":
            return Said(400, b"Invalid idSite")
        if not self._is_readable(told):
            return self.refusal
        self.seen.append(told)
        self.taken.append(told["rand"])
        return Said(204)

    def _is_readable(self, told: dict[str, str]) -> bool:
        known = re.fullmatch(r"[0-9a-f]{16}", told.get("cid", "")) or told.get("uid")
        said = told.get("idgoal", "").isdecimal() or (told.get("e_c") and told.get("e_a"))
        return bool(told.get("rec") == "1" and known and said and STAMP.fullmatch(told["cdt"]))
