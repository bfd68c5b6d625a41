"""What proves a message of a CRM or shop: each vendor's way, and what is turned away."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tracker.errors import Rejected
from tracker.policy.inlet_kinds import KINDS, InletKind
from tracker.policy.inlets import read_way
from tracker.policy.signatures import Received, Signature, message_id, read_place, read_secret, wrong

# The example of https://www.standardwebhooks.com
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY, STAMP = b'{"test": 2432232314}', 1614265330
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SENT = datetime.fromtimestamp(STAMP, UTC)


def standard(signature: str = SIGNED, stamp: str = str(STAMP), body: bytes = BODY) -> Received:
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": stamp}
    return Received("POST", "https://x/in/k", headers | {"webhook-signature": signature}, {}, body)


@pytest.mark.parametrize(
    ("received", "late", "right"),
    [
        (standard(), timedelta(), True),
        (standard(f"v1,xxx v1a,yyy {SIGNED}"), timedelta(minutes=4), True),
        (standard(), timedelta(minutes=6), False),
        (standard(), timedelta(minutes=-6), False),  # its clock is ahead
        (standard("v1,xxx"), timedelta(), False),
        (standard(""), timedelta(), False),
        (standard(stamp=str(STAMP + 60)), timedelta(), False),
        (standard(stamp="now"), timedelta(), False),
        (standard(body=BODY + b" "), timedelta(), False),
    ],
)
def test_a_standard_webhook_is_believed_for_five_minutes(
    received: Received, late: timedelta, right: bool
) -> None:
    assert (wrong(Signature.STANDARD, "", STANDARD, received, SENT + late) is None) == right


@pytest.mark.parametrize("secret", ["!!!!!!!!", "whsec_", "whsec_====", "", "пароль-пароль", "whsec_пароль"])
def test_a_stored_secret_that_is_no_base64_is_no_empty_key(secret: str) -> None:
    signed = b".".join((b"msg_p5jXN8AQM9LWM0D4loKWxJek", str(STAMP).encode(), BODY))
    forged = "v1," + base64.b64encode(hmac.new(b"", signed, hashlib.sha256).digest()).decode()
    assert wrong(Signature.STANDARD, "", secret, standard(forged), SENT) is not None


def test_a_standard_webhook_has_an_id_of_its_own() -> None:
    assert message_id(Signature.STANDARD, standard()) == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert message_id(Signature.SHA1_HEX, standard()) is None  # nothing signed says so


def test_hubspot_signs_method_address_body_and_time() -> None:
    # HubSpot signs the address with these signs unescaped.
    url, body, stamp = "https://calls.example.com/in/k?a=b%40c", b'{"x": 1}', str(STAMP * 1000)
    text = b"POST" + b"https://calls.example.com/in/k?a=b@c" + body + stamp.encode()
    signature = base64.b64encode(hmac.new(b"app secret", text, hashlib.sha256).digest()).decode()
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp}

    def tried(**change: Any) -> bool:
        told: dict[str, Any] = {
            "method": "POST",
            "url": url,
            "headers": headers,
            "query": {},
            "body": body,
        } | change
        late = timedelta(minutes=4)
        return wrong(Signature.HUBSPOT, "", "app secret", Received(**told), SENT + late) is None

    assert tried()
    assert not tried(body=b'{"x": 2}')
    assert not tried(url=url + "&d=e")
    assert not tried(headers=headers | {"x-hubspot-request-timestamp": str((STAMP - 600) * 1000)})


@pytest.mark.parametrize(
    ("signature", "kind", "encode"),
    [
        (Signature.SHA256_HEX, hashlib.sha256, bytes.hex),
        (Signature.SHA256_HEX, hashlib.sha256, lambda digest: "sha256=" + digest.hex()),
        (Signature.SHA256_BASE64, hashlib.sha256, lambda digest: base64.b64encode(digest).decode()),
        (Signature.SHA1_HEX, hashlib.sha1, lambda digest: digest.hex().upper()),
        (Signature.SHA1_BASE64, hashlib.sha1, lambda digest: base64.b64encode(digest).decode()),
    ],
)
def test_a_body_s_hmac_stands_in_a_header(signature: Signature, kind: Any, encode: Any) -> None:
    digest = hmac.new(b"the secret", BODY, kind).digest()
    headers = {"x-shop-signature": encode(digest)}
    received = Received("POST", "https://x", headers, {}, BODY)
    assert wrong(signature, "X-Shop-Signature", "the secret", received, SENT) is None
    assert wrong(signature, "X-Shop-Signature", "another one", received, SENT) is not None
    assert wrong(signature, "X-Other", "the secret", received, SENT) is not None


@pytest.mark.parametrize(
    ("signature", "place", "received"),
    [
        (Signature.TOKEN_HEADER, "X-Token", Received("POST", "", {"x-token": "a secret"}, {}, b"")),
        (Signature.TOKEN_HEADER, "Authorization",
         Received("POST", "", {"authorization": "Bearer a secret"}, {}, b"")),
        (Signature.TOKEN_QUERY, "token", Received("POST", "", {}, {"token": "a secret"}, b"")),
        (Signature.TOKEN_FIELD, "auth.application_token",
         Received("POST", "", {}, {}, b"", {"auth": {"application_token": "a secret"}})),
    ],
)  # fmt: skip
def test_a_fixed_text_stands_where_it_is_looked_for(
    signature: Signature, place: str, received: Received
) -> None:
    assert wrong(signature, place, "a secret", received, SENT) is None
    assert wrong(signature, place, "a secreT", received, SENT) is not None
    assert wrong(signature, place, "", Received("POST", "", {}, {}, b""), SENT) is not None


def test_secrets_and_places_that_cannot_be_are_refused() -> None:
    with pytest.raises(Rejected, match="whsec_"):
        read_secret(Signature.STANDARD, "hello")
    with pytest.raises(Rejected, match="whsec_"):
        read_secret(Signature.STANDARD, "whsec_пароль")
    with pytest.raises(Rejected, match="8 to 300"):
        read_secret(Signature.SHA1_HEX, "short")
    with pytest.raises(Rejected, match="no place"):
        read_place(Signature.TOKEN_HEADER, "X Token")
    assert read_place(Signature.TOKEN_FIELD, "") == "token"


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_a_ready_mapping_can_be_read(kind: InletKind) -> None:
    read_way(kind.words)
    read_place(kind.signature, kind.place)
