"""The certificate Asterisk shows over TLS: the admin's own, or one signed by itself that is made here."""

from __future__ import annotations

import hashlib
import ipaddress
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import Rejected
from tracker.provisioning import phone_host
from tracker.settings import Settings

SELF_SIGNED_DAYS = 3650


@dataclass(frozen=True)
class Tls:
    """`mark` changes with the certificate: a renewed one is noticed as a change of the configuration."""

    certificate: Path
    key: Path
    mark: str
    is_own: bool  # the admin's, not made here


def tls_of(settings: Settings, *, make: bool) -> Tls | None:
    """What to show; None where there is none yet and none is to be made, or this machine has no openssl.

    Raises Rejected tls.certificate when a file that is named cannot be read.
    """
    if settings.sip_tls_certificate:
        certificate, key = Path(settings.sip_tls_certificate), Path(settings.sip_tls_key)
        return Tls(certificate, key, _mark(certificate, key), is_own=True)
    folder = settings.asterisk_folder / "tls"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not (certificate.exists() and key.exists()) and not (make and _make(settings, certificate, key)):
        return None
    return Tls(certificate, key, _mark(certificate, key), is_own=False)


def _mark(certificate: Path, key: Path) -> str:
    try:
        shown, _secret = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        raise Rejected(
            "tls.certificate",
            "%(path)s cannot be read: %(reason)s",
            "Let the account that runs Leaseline read it, or correct sip_tls_certificate and sip_tls_key",
            path=error.filename,
            reason=error.strerror,
        ) from None
    return f"certificate {hashlib.sha256(shown).hexdigest()[:16]}"


def _make(settings: Settings, certificate: Path, key: Path) -> bool:
    """A certificate signed by itself, for names people may type; whether there was a way to make one."""
    certificate.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = dict.fromkeys([phone_host(settings), "localhost", settings.sip_host])
    alternatives = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in names)
    new_key, new_certificate = key.with_suffix(".new"), certificate.with_suffix(".new")
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", str(new_key), "-out", str(new_certificate), "-days", str(SELF_SIGNED_DAYS),
        "-subj", f"/CN={phone_host(settings)[:60]}", "-addext", f"subjectAltName={alternatives}",
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60, umask=0o077)
    except (OSError, subprocess.SubprocessError):
        return False
    new_key.replace(key)
    new_certificate.replace(certificate)
    return True


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
