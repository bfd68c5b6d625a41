"""Trunks and targets: whatever ends up in Asterisk's configuration is refused unless it is plain."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from support.config import by, carrier, main_line, pallets

from dialplan.facts import load_facts
from tracker import forward, targets, trunks
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Refusal
from tracker.policy import entries
from tracker.policy.outside_numbers import read_outside_number
from tracker.trunks import TrunkWish

GOOD = TrunkWish(host="sip.example.net", username="4711", password="s3cret!", match=["203.0.113.7"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"host": "sip.example.net\n[admin]"}, "trunk.host"),
        ({"host": "sip:example.net"}, "trunk.host"),
        ({"host": "example.net;transport=tcp"}, "trunk.host"),
        ({"host": "300.1.2.3"}, "trunk.host"),
        ({"host": "a..b"}, "trunk.host"),
        ({"host": ""}, "trunk.host"),
        ({"host": "x" * 254}, "trunk.host"),
        ({"port": 0}, "trunk.port"),
        ({"port": 65536}, "trunk.port"),
        ({"transport": "ws"}, "trunk.transport"),
        ({"username": "a b"}, "trunk.username"),
        ({"username": "a\nb"}, "trunk.username"),
        ({"username": "a;b"}, "trunk.username"),
        ({"password": "a;b"}, "trunk.password"),
        ({"password": "a b"}, "trunk.password"),
        ({"password": "a\nb"}, "trunk.password"),
        ({"password": "пароль"}, "trunk.password"),
        ({"match": ["203.0.113.7; drop"]}, "trunk.match"),
        ({"match": ["sip.example.net"]}, "trunk.match"),
        ({"match": ["0.0.0.0/0"]}, "trunk.match"),
        ({"match": ["::/0"]}, "trunk.match"),
        ({"caller_id": "nobody"}, "trunk.caller_id"),
        ({"country": "Germany"}, "trunk.country"),
        ({"did_in": "body"}, "trunk.did_in"),
        ({"did_in": "header:From"}, "trunk.did_in"),
        ({"did_in": "header:X-Did)})\n"}, "trunk.did_in"),
        ({"srtp": "maybe"}, "trunk.srtp"),
        ({"srtp": "required"}, "trunk.srtp"),  # over UDP anybody could read its keys
        ({"dial_as": "national"}, "trunk.country"),
        ({"tls_ca": "ca.pem"}, "trunk.file"),
        ({"tls_ca": "/etc/ca.pem;x"}, "trunk.file"),
        ({"outbound_proxy": "sip:proxy"}, "trunk.outbound_proxy"),
        ({"outbound_proxy": "proxy:0"}, "trunk.port"),
        ({"outbound_proxy": "a b"}, "trunk.outbound_proxy"),
        ({"codecs": ["opus"]}, "trunk.codecs"),
        ({"codecs": ["alaw,alaw"]}, "trunk.codecs"),
        ({"dtmf": "loud"}, "trunk.dtmf"),
        ({"qualify_seconds": 3601}, "trunk.qualify_seconds"),
    ],
)
def test_what_is_no_trunk_is_refused(
    sqlite: Database, now: datetime, change: dict[str, Any], problem: str
) -> None:
    with pytest.raises(Rejected) as no, sqlite.write() as session:
        trunks.add(session, by(now), "carrier", "registration", replace(GOOD, **change))
    assert no.value.id == problem
    assert any(word in no.value.fix for word in ("Give", "Ask", "Use --transport tls"))


@given(st.text(max_size=40))
def test_no_text_smuggles_a_line_or_comment_into_the_configuration(text: str) -> None:
    readers = (entries.read_host, entries.read_name, entries.read_username, entries.read_password)
    for read in (*readers, entries.read_extension):
        try:
            taken = read(text, "trunk")
        except Rejected:
            continue
        assert taken.isprintable()
        assert not set(taken) & set(';"\\[]{}$<>\n\r') or read is entries.read_password
        assert ";" not in taken


def test_a_password_is_neither_in_a_message_nor_in_the_audit_log(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        trunks.add(session, by(now), "carrier", "registration", GOOD)
        detail = session.scalars(sa.select(AuditEntry.detail)).one()
    assert "s3cret!" not in str(detail)
    with pytest.raises(Rejected) as no:
        entries.read_password("my; secret", "trunk")
    assert "my; secret" not in str(no.value)


def test_a_registration_needs_its_login(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="lacks its log-in"), sqlite.write() as session:
        trunks.add(session, by(now), "carrier", "registration", replace(GOOD, password=None))


def test_two_trunks_are_not_known_by_the_same_address(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        carrier(session, now, match="203.0.113.0/24")
    with (
        pytest.raises(Rejected, match=r"203\.0\.113\.7 already belong to trunk 'carrier'"),
        sqlite.write() as session,
    ):
        carrier(session, now, "other", match="203.0.113.7")
    with sqlite.write() as session:
        carrier(session, now, "other", match="198.51.100.7")


def test_a_bad_change_leaves_the_trunk_as_it_was(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        trunks.add(session, by(now), "carrier", "registration", GOOD)
    with pytest.raises(Rejected), sqlite.write() as session:
        trunk = trunks.get(session, "carrier")
        trunks.change(session, by(now), trunk, TrunkWish(host="new.example.net", port=0))
    with sqlite.read() as session:
        assert trunks.get(session, "carrier").host == "sip.example.net"


def test_an_unknown_trunk_is_answered_with_those_there_are(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        carrier(session, now)
        with pytest.raises(Rejected, match="There are: carrier"):
            trunks.get(session, "carier")


def test_a_trunk_that_carried_calls_or_targets_is_not_deleted(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        trunk = carrier(session, now)
        company = pallets(session, now)
        outside = targets.Outside("+79151234567", trunk)
        targets.add(session, by(now), company, "Mobile", outside)
        refused = {"key": "k", "at": now, "node": "main", "did": "1", "reason": "unknown_number"}
        session.add(Refusal(trunk_id=trunk.id, **refused))
        session.flush()
        with pytest.raises(Rejected, match="is used by target 'Mobile', 1 refused call"):
            trunks.delete(session, by(now), trunk)


def test_a_retired_trunk_is_switched_off_and_gives_its_address_free(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        trunk, company = carrier(session, now), pallets(session, now)
        trunks.retire(session, by(now), trunk)
        assert load_facts(session).trunks == ()
        with pytest.raises(Rejected, match="switched off"):
            targets.add(session, by(now), company, "Mobile", targets.Outside("+79151234567", trunk))
        other = carrier(session, now, "other")
        with pytest.raises(Rejected, match="already belong to trunk 'other'"):
            trunks.restore(session, by(now), trunk)
        trunks.retire(session, by(now), other)
        trunks.restore(session, by(now), trunk)
        assert [each.id for each in load_facts(session).trunks] == [trunk.id]


def test_a_trunk_that_targets_need_is_not_switched_off(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        trunk, company = carrier(session, now), pallets(session, now)
        targets.add(session, by(now), company, "Mobile", targets.Outside("+79151234567", trunk))
        with pytest.raises(Rejected, match="used by target 'Mobile'"):
            trunks.retire(session, by(now), trunk)


def test_an_unused_trunk_is_deleted(database: Database, now: datetime) -> None:
    with database.write() as session:
        trunks.delete(session, by(now), carrier(session, now))
    with database.read() as session:
        assert trunks.everyone(session) == []


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("8 915 123-45-67", None, "+79151234567"),
        ("+49 30 901820", "DE", "+4930901820"),
        ("+49 30 901820", "de", "+4930901820"),
        ("+49 30 901820", None, "target.abroad"),
        ("+7 809 200 00 00", None, "target.costly"),
        ("+49 900 1 234567", "DE", "target.costly"),
        ("+7 701 234 5678", None, "target.abroad"),  # Kazakhstan shares +7
        ("112", None, "number.malformed"),
        ("mobile", None, "number.malformed"),
    ],
)
def test_an_outside_number_is_valid_cheap_and_at_home_or_allowed(
    text: str, country: str | None, expected: str
) -> None:
    try:
        got = read_outside_number(text, "RU", country)
    except Rejected as no:
        got = no.id
    assert got == expected


def test_a_phone_gets_a_password_nobody_could_guess(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        one = targets.add(session, by(now), company, "Reception", targets.Phone())
        assert one.username == "pallets-reception"
        first = one.password
        assert first is not None
        assert len(first) == 20
        assert targets.new_password(session, by(now), one) != first
        with pytest.raises(Rejected, match="is taken"):
            targets.add(session, by(now), company, "reception", targets.Phone("pallets-reception"))
        details = session.scalars(sa.select(AuditEntry.detail)).all()
        assert first not in str(details)


@pytest.mark.parametrize("dial", ["100&PJSIP/200", "100,20", "${SHELL}", "a b", "100\n", "@evil", "-x"])
def test_what_is_dialled_at_a_peer_is_plain(sqlite: Database, now: datetime, dial: str) -> None:
    with pytest.raises(Rejected) as no, sqlite.write() as session:
        targets.add(
            session, by(now), pallets(session, now), "PBX", targets.Peer("pbx.example.com", dial=dial)
        )
    assert no.value.id == "target.dial"


def test_a_target_that_rings_for_somebody_is_not_deleted(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        target = main_line(session, now, company)
        forward.set_rings(session, by(now), company, [(target, 25)])
        with pytest.raises(Rejected, match="is used by 1 forwarding"):
            targets.delete(session, by(now), target)
        forward.clear(session, by(now), company)
        targets.delete(session, by(now), target)
        assert targets.of_company(session, company) == []
