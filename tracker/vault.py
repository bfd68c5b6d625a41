"""Seals what lets somebody in: tokens and passwords of others' systems, and those of our own phones.

The database has them as ciphertext only. The key comes from the setting `secret_key`, which is not in there:
a stolen copy of the books opens nothing. After that setting has changed `leaseline secrets rekey`
(tracker.rekeying) seals everything anew.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tracker.errors import Rejected

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

# https://github.com/fernet/spec: a byte of 0x80, eight of time, sixteen of IV, one block or more, the HMAC.
_TOKEN = re.compile(r"gAAAA[A-Za-z0-9_-]{93,}={0,2}")


def is_sealed(text: str) -> bool:
    """Whether it has the form of what a vault seals; nothing that a person types has it."""
    return _TOKEN.fullmatch(text) is not None


class Vault:
    """Seals and opens by one installation's key."""

    def __init__(self, secret_key: str) -> None:
        self._key = secret_key

    def seal(self, secrets: Mapping[str, str]) -> str:
        """Secrets by name, as one text for the database; nothing for none."""
        told = json.dumps(dict(secrets), ensure_ascii=False, separators=(",", ":"))
        return self.seal_text(told) if secrets else ""

    def open(self, sealed: str) -> dict[str, str]:
        """What was sealed. Raises Rejected `destination.sealed` where another key sealed it."""
        if not sealed:
            return {}
        told = self.open_text(sealed)
        if told is None:
            raise Rejected(
                "destination.sealed",
                "The secrets were sealed with another secret_key",
                "Set the secret_key of before, or type the secrets anew",
            )
        return dict(json.loads(told))

    def seal_text(self, text: str) -> str:
        """A text as it may stand in the database; each time another."""
        return self._fernet.encrypt(text.encode()).decode()

    def open_text(self, sealed: str) -> str | None:
        """What was sealed; None where another key sealed it."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    @cached_property
    def _fernet(self) -> Fernet:
        """Loading this library takes 30 ms, and most commands open nothing."""
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derived = HKDF(SHA256(), 32, None, b"leaseline destinations").derive(self._key.encode())
        return Fernet(base64.urlsafe_b64encode(derived))
