"""When a message is tried again, how it is signed, and where nothing is ever sent to."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.telling import (
    EMAIL,
    GIVEN_UP,
    LONGEST,
    address_problem,
    is_secret,
    masked,
    next_try,
    sign,
    url_problem,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
share = st.floats(0, 1)


@given(st.integers(1, 1000), share)
def test_each_pause_is_longer_than_half_of_its_step_and_none_is_over_an_hour(tries: int, dice: float) -> None:
    at = next_try(tries, NOW, NOW, dice)
    assert at is not None
    step = min(LONGEST, timedelta(seconds=10) * 2 ** min(tries - 1, 20))
    assert step / 2 <= at - NOW <= step


@given(st.lists(share, min_size=200, max_size=200))
def test_a_message_is_given_up_within_a_day_after_many_tries(dice: list[float]) -> None:
    at: datetime | None = NOW
    tries = 0
    while at is not None:
        assert at < NOW + GIVEN_UP
        tries += 1
        at = next_try(tries, NOW, at, dice[tries])
    assert 30 < tries < 100


def test_a_signature_is_that_of_the_specification() -> None:
    # The specification's own example: standard-webhooks, libraries, "test_sign_function".
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.binary(max_size=200), st.binary(min_size=24, max_size=64))
def test_a_receiver_can_check_it(body: bytes, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    assert is_secret(secret)
    headers = sign(secret, "msg_1", NOW, body)
    signed = f"msg_1.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_$$"]
)
def test_what_is_no_secret_is_refused(text: str) -> None:
    assert not is_secret(text)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200",
        "168.63.129.16", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    ],
)  # fmt: skip
def test_some_addresses_are_never_spoken_to_whatever_is_allowed(address: str) -> None:
    assert address_problem("https", address, ("0.0.0.0/0", "::/0")) is not None


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fc00::1", "::ffff:10.1.2.3"]
)
def test_the_house_is_spoken_to_only_where_its_network_is_named(address: str) -> None:
    assert address_problem("https", address, ()) is not None
    assert address_problem("https", address, ("172.16.0.0/12",)) is not None
    assert (
        address_problem("http", address, ("127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16", "::1", "fc00::/7"))
        is None
    )


def test_the_world_is_spoken_to_over_https_only() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        assert address_problem("https", address, ()) is None
        assert address_problem("http", address, ("10.0.0.0/8",)) is not None


@pytest.mark.parametrize(
    "url",
    ["", "hooks.example", "ftp://x/", "https://", "https://u:p@x/", "https://x:99999/",
     "https://x/\r\nEvil: 1", "https://x/ y", "https://x/#f", "file:///etc/passwd", "https://пример/"],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused(url: str) -> None:
    assert url_problem(url) is not None


def test_an_address_is_shown_without_its_secrets() -> None:
    shown = masked("https://hooks.example.com/services/T00000/B0000/XXXXXXXX?token=secret")
    assert shown == "https://hooks.example.com/service…?…"
    assert masked("https://x.example/hook") == "https://x.example/hook"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("olga@pallets.example", True),
        ("a.b+c@x.example", True),
        ("olga", False),
        ("a@b, c@d", False),
        ("a@b\r\nBcc: x@y", False),
        ("<a@b.example>", False),
        ("@b.example", False),
    ],
)
def test_an_e_mail_address_is_one_address(text: str, good: bool) -> None:
    assert bool(EMAIL.fullmatch(text)) == good
