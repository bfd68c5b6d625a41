"""Codes of the second factor: which time step a code is of (RFC 6238), how recovery codes are written."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import pyotp

STEP_SECONDS = 30  # RFC 6238's own, and the only one that every phone application knows
DRIFT_STEPS = 1  # a code of the step before or after counts as well: clocks differ, and people type
PENDING_LIVES = timedelta(minutes=5)  # from the password to the code
RECOVERY_CODES = 10
RECOVERY_BYTES = 8  # 64 bits, 13 characters

_TOTP = re.compile(r"[0-9]{6}", re.ASCII)


def make_secret() -> str:
    """A new secret: 160 bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def address_of(secret: str, email: str, issuer: str) -> str:
    """The `otpauth://` address that a phone reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def in_groups(text: str, size: int = 4) -> str:
    """The text in groups that a person can copy: "JBSW Y3DP"."""
    return " ".join(text[at : at + size] for at in range(0, len(text), size))


def read_code(text: str) -> str:
    """A code as it is compared: without spaces and dashes, in small letters."""
    return re.sub(r"[\s-]", "", text[:100]).lower()


def matching_step(secret: str, code: str, at: datetime) -> int | None:
    """The time step around `at` whose code this is; None when it is none's."""
    if not _TOTP.fullmatch(code):
        return None
    now, codes = int(at.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    near = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    found = [step for step in near if hmac.compare_digest(codes.generate_otp(step), code)]
    return found[-1] if found else None


def write_recovery_codes(random: Iterable[bytes]) -> list[str]:
    """Each of these bytes as a person writes it down: "k3m9q-2xp7t-4wd"."""
    return [
        "-".join(re.findall(".{1,5}", base64.b32encode(each).decode().rstrip("=").lower())) for each in random
    ]
