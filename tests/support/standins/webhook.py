"""A program that receives webhooks, and checks their signatures as the specification says."""

from __future__ import annotations

import base64
import hashlib
import hmac

from support.standin import Asked, Said
from support.standins.double import Double

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Receiver(Double):
    secret_travels = False

    def values(self, url: str) -> dict[str, str]:
        return {"url": f"{url}/calls", "secret": SECRET}

    def answer(self, asked: Asked) -> Said:
        if not is_signed(asked, SECRET):
            return Said(401, {"error": "signature"})
        self.taken.append(key_of(asked))
        return Said(204)


def key_of(asked: Asked) -> str:
    """The call's key, in JSON, in a form, or in the address."""
    if asked.method == "GET":
        return asked.query.get("key", "")
    form = "urlencoded" in asked.headers["content-type"]
    return str(asked.form()["key"] if form else asked.json()["data"]["key"])


def is_signed(asked: Asked, secret: str) -> bool:
    """Whether one of the signatures is that secret's."""
    signed = b".".join(
        (asked.headers["webhook-id"].encode(), asked.headers["webhook-timestamp"].encode(), asked.body)
    )
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in asked.headers["webhook-signature"].split(" ")
