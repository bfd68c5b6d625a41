"""Seals what others' systems let us in by: tokens and passwords, in the database only as ciphertext.

The key comes from the setting `secret_key`, which is not in the database: a stolen copy of the books opens
nothing. Who changes that setting types the secrets anew.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tracker.errors import Rejected


class Vault:
    """Seals and opens by one installation's key."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(SHA256(), 32, None, b"leaseline destinations").derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, secrets: Mapping[str, str]) -> str:
        """Secrets by name, as one text for the database; nothing for none."""
        told = json.dumps(dict(secrets), ensure_ascii=False, separators=(",", ":"))
        return self._fernet.encrypt(told.encode()).decode() if secrets else ""

    def open(self, sealed: str) -> dict[str, str]:
        """What was sealed. Raises Rejected `destination.sealed` where another key sealed it."""
        if not sealed:
            return {}
        try:
            told = self._fernet.decrypt(sealed.encode())
        except InvalidToken:
            raise Rejected(
                "destination.sealed",
                "The secrets were sealed with another secret_key",
                "Set the secret_key of before, or type the secrets anew",
            ) from None
        return dict(json.loads(told))
