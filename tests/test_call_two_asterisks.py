"""Ours and a second Asterisk: as the phone system behind us, and as a phone that encrypts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from support.audio import tone, which_tone
from support.house import OFFICE, House, Line, until
from support.pbx import PBX, Pbx
from support.sip import Talk, Telephone

from tracker.models import Call, CallerIdPolicy, CallEvent, Srtp, Target, TargetKind, Transport
from tracker.policy.facts import Outcome

PHONE = "127.0.0.6"  # where the Asterisk is that plays a telephone
LOGIN, PASSWORD = "leaseline", "Sesame-7-open"
LOG_IN: dict[str, Any] = {"login": LOGIN, "login_password": PASSWORD}
WHO = "<sip:+4915156000@carrier.example>"

# A phone system that lets nobody in without a log-in, over UDP, TCP and TLS. It writes down what it was told,
# and turns away who calls 3000.
PEER = """
[global]
type = global
endpoint_identifier_order = ip,username,auth_username
[udp]
type = transport
protocol = udp
bind = $host:$port
[tcp]
type = transport
protocol = tcp
bind = $host:$port
[tls]
type = transport
protocol = tls
bind = $host:{tls_port}
method = tlsv1_2
cert_file = {certificate}
priv_key_file = {key}
[party](!)
type = endpoint
disallow = all
allow = ulaw,alaw
direct_media = no
trust_id_inbound = yes
[leaseline](party)
context = from-leaseline
auth = leaseline
media_encryption = sdes
media_encryption_optimistic = yes
[leaseline]
type = auth
auth_type = userpass
username = {login}
password = {password}
[leaseline]
type = identify
endpoint = leaseline
match = $leaseline_host
$desks
"""
PEER_DIALPLAN = """
[general]
autofallthrough = yes
[from-leaseline]
exten => 3000,1,Hangup(21)
exten => _[+0-9]!,1,Answer()
 same => n,Log(NOTICE,told $${CALLERID(num)} $${PJSIP_HEADER(read,X-Leaseline-Call)} $${PJSIP_HEADER(read,X-Leaseline-Number)} $${PJSIP_HEADER(read,X-Leaseline-Source)} $${EXTEN} $${CHANNEL(rtp,secure,audio)})
 same => n,Echo()
"""  # noqa: E501  (a line of Asterisk's)

# A telephone: registers with us over TLS, with encrypted sound or not at all; what it hears it says again.
HANDSET = """
[udp]
type = transport
protocol = udp
bind = $host:$port
[tls]
type = transport
protocol = tls
bind = $host:{tls_port}
method = tlsv1_2
ca_list_file = {certificate}
verify_server = yes
[line]
type = registration
transport = tls
outbound_auth = line
server_uri = sip:{ours}:{our_tls_port}\\;transport=tls
client_uri = sip:{user}@{ours}
contact_user = {user}
retry_interval = 2
[line]
type = auth
auth_type = userpass
username = {user}
password = {password}
[line]
type = aor
contact = sip:{ours}:{our_tls_port}\\;transport=tls
[line]
type = endpoint
context = from-leaseline
disallow = all
allow = ulaw
media_encryption = sdes
aors = line
[line]
type = identify
endpoint = line
match = {ours}
"""
HANDSET_DIALPLAN = """
[from-leaseline]
exten => _[a-z0-9]!,1,Answer()
 same => n,Log(NOTICE,told $${CHANNEL(rtp,secure,audio)})
 same => n,Echo()
"""


@pytest.fixture
def certificate(house: House) -> dict[str, str]:
    """Ours, which this test lets everybody show and believe."""
    folder = house.settings.asterisk_folder / "tls"
    return {"certificate": str(folder / "certificate.pem"), "key": str(folder / "key.pem")}


@pytest.fixture
def peer(house: House, certificate: dict[str, str]) -> Iterator[tuple[Pbx, int]]:
    """The phone system behind us, and its port for TLS."""
    tls_port = house.sip_port(PBX)
    files = {
        "pjsip.conf": PEER.format(tls_port=tls_port, login=LOGIN, password=PASSWORD, **certificate),
        "extensions.conf": PEER_DIALPLAN,
    }
    ours = OFFICE, house.settings.sip_port
    pbx = Pbx(house.program, port=house.sip_port(PBX), leaseline=ours, files=files)
    yield pbx, tls_port
    pbx.close()


def talk_to(house: House, line: Line, carrier: Telephone) -> tuple[Talk, Call]:
    """A caller who is answered, says a tone, hears it again, and hangs up."""
    talk = carrier.dial(line.e164, who=WHO).answered(20)
    talk.media.say(tone(440, 1.0))
    until(lambda: which_tone(talk.media.heard(), 0.2) == 440, why="the tone comes back")
    assert talk.hang_up().status == 200
    (call,) = until(lambda: house.calls(Call.number_id == line.number_id, Call.ended_at.is_not(None)))
    return talk, call


def told(pbx: Pbx) -> list[str]:
    """What the other Asterisk wrote down of its last call."""
    found = until(lambda: re.findall(r"told (.*)", pbx.log()), why="it wrote down what it was told")
    return str(found[-1]).split()


@pytest.mark.parametrize(
    ("transport", "srtp", "policy", "dial", "secure"),
    [
        (Transport.UDP, Srtp.OFF, CallerIdPolicy.CALLER, None, "0"),
        (Transport.TCP, Srtp.OFF, CallerIdPolicy.RPID, "100", "0"),
        (Transport.TLS, Srtp.REQUIRED, CallerIdPolicy.DIVERSION, "100", "1"),
    ],
)
def test_a_phone_system_behind_us_is_rung_however_it_wants_to(
    house: House, peer: tuple[Pbx, int], certificate: dict[str, str], transport: Transport, srtp: Srtp,
    policy: CallerIdPolicy, dial: str | None, secure: str,
) -> None:  # fmt: skip
    pbx, tls_port = peer
    port = tls_port if transport is Transport.TLS else pbx.port
    way: dict[str, Any] = {"transport": transport, "srtp": srtp, "tls_verify": False}
    line = house.line(host=PBX, port=port, dial=dial, caller_id=policy, tells_source=True, **LOG_IN, **way)
    carrier = house.telephone(house.trunk().host)
    _talk, call = talk_to(house, line, carrier)
    assert (call.outcome, call.target_id) == (Outcome.ANSWERED, line.phones[0].target_id)
    caller, key, number, source, *rest = told(pbx)
    assert (key, number) == (call.key, line.e164)
    assert caller == "+4915156000"
    assert source.startswith("billboard")
    assert rest[-2:] == [dial or line.e164, secure]


def test_what_a_phone_system_turns_away_rings_at_the_next(house: House, peer: tuple[Pbx, int]) -> None:
    pbx, _ = peer
    line = house.line(phones=2, host=PBX, port=pbx.port, dial="3000", **LOG_IN)
    first, second = line.phones
    with house.database.write() as session:
        session.execute(sa.update(Target).where(Target.id == second.target_id).values(dial="100"))
    house.apply()
    _talk, call = talk_to(house, line, house.telephone(house.trunk().host))
    assert (call.outcome, call.target_id) == (Outcome.ANSWERED, second.target_id)
    with house.database.read() as session:
        legs = session.scalars(
            sa.select(CallEvent.detail).where(CallEvent.call_id == call.id, CallEvent.kind == "leg_ended")
        ).all()
    assert [leg["target_id"] for leg in legs] == [first.target_id]


def test_a_phone_over_tls_with_encrypted_sound_takes_a_call(
    house: House, certificate: dict[str, str]
) -> None:
    password = "Kj7hGf5dS3aQ"
    line = house.line(
        kind=TargetKind.PHONE, username="ines", password=password, srtp=Srtp.REQUIRED, host=None, port=None
    )
    values = {
        "tls_port": house.sip_port(PHONE), "ours": OFFICE, "our_tls_port": house.settings.sip_tls_port,
        "user": "ines", "password": password, **certificate,
    }  # fmt: skip
    handset = Pbx(
        house.program,
        port=house.sip_port(PHONE),
        leaseline=(OFFICE, house.settings.sip_port),
        host=PHONE,
        extensions=(),
        files={"pjsip.conf": HANDSET.format(**values), "extensions.conf": HANDSET_DIALPLAN},
    )
    try:
        until(lambda: "ines/sip:" in house.console("pjsip show contacts"), 30, why="the phone registers")
        assert "transport=tls" in house.console("pjsip show contacts").lower()
        _talk, call = talk_to(house, line, house.telephone(house.trunk().host))
        assert (call.outcome, call.target_id) == (Outcome.ANSWERED, line.phones[0].target_id)
        assert told(handset) == ["1"]
    finally:
        handset.close()
