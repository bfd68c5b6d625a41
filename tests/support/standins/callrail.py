"""A program that was written for CallRail: it checks the signature and reads the old names."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

KEY = "072e77e426f92738a72fe23c4d1953b4"


class Receiver(Double):
    secret_travels = False

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []

    def values(self, url: str) -> dict[str, str]:
        return {"url": f"{url}/callrail", "signing_key": KEY}

    def answer(self, asked: Asked) -> Said:
        wanted = base64.b64encode(hmac.new(KEY.encode("ascii"), asked.body, hashlib.sha1).digest())
        if not hmac.compare_digest(asked.headers.get("signature", ""), wanted.decode()):
            return Said(403, {"error": "signature"})
        told = asked.json()
        assert told["callernum"] == told["customer_phone_number"]
        self.seen.append(told)
        self.taken.append(told["resource_id"])
        return Said(200)
