"""Lines of the spool: every kind is read, everything else is a bad line and nothing worse."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.policy.facts import (
    Answered,
    Ended,
    HungUpBy,
    JudgedByPhone,
    LegEnded,
    Presentation,
    Refused,
    Started,
)
from tracker.policy.spool import BadLine, parse_line

AT = datetime(2025, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)
T = AT.timestamp()
START: dict[str, Any] = {
    "e": "start",
    "call": "a-1",
    "node": "main",
    "uid": "main-17.1",
    "lid": "main-17.1",
    "trunk": "trunk-7",
    "did": "+74951234567",
    "dialled": "84951234567",
    "cli": "+4915112345678",
    "pres": "allowed_not_screened",
    "name": "Ann%20%22B%22",
    "t": T,
}
LEG: dict[str, Any] = {
    "e": "leg",
    "call": "a-1",
    "node": "main",
    "n": "1",
    "target": "3",
    "t0": f"{T}",
    "ring": "1500",
    "st": "BUSY",
    "hc": "17",
    "t": T + 3,
}
ANSWER: dict[str, Any] = {
    "e": "answer",
    "call": "a-1",
    "node": "main",
    "n": 2,
    "target": 5,
    "t0": T,
    "ring": "",
    "t": T + 4,
}
END: dict[str, Any] = {
    "e": "end",
    "call": "a-1",
    "node": "main",
    "uid": "main-17.1",
    "lid": "main-17.1",
    "t": T + 9,
    "n": "",
    "target": "",
    "t0": "",
    "ring": "",
    "st": "",
    "hc": "",
    "by": "PJSIP/trunk-7-0000001a",
    "ok": "1",
}
JUDGED: dict[str, Any] = {
    "e": "judged",
    "call": "a-1",
    "node": "main",
    "n": "1",
    "target": "3",
    "worth": "non_target",
    "t": T + 7,
}
REFUSED: dict[str, Any] = {
    "e": "refused",
    "call": "a-2",
    "node": "main",
    "trunk": "trunk-7",
    "did": "00",
    "cli": "49",
    "why": "unknown_number",
    "t": T,
}


def read(values: dict[str, Any], **other: Any) -> Any:
    return parse_line(json.dumps(values | other).encode() + b"\n")


def test_a_start_is_read() -> None:
    assert read(START) == Started(
        call="a-1",
        node="main",
        at=AT,
        uniqueid="main-17.1",
        linkedid="main-17.1",
        trunk_id=7,
        did="+74951234567",
        dialled="84951234567",
        caller="+4915112345678",
        presentation=Presentation.ALLOWED,
        caller_name='Ann "B"',
    )


def test_a_leg_is_read_and_rang_after_it_was_dialled() -> None:
    leg = read(LEG)
    assert isinstance(leg, LegEnded)
    assert (leg.position, leg.target_id, leg.status, leg.cause) == (1, 3, "BUSY", 17)
    assert leg.rang_at is not None
    assert (leg.rang_at - leg.dialled_at).total_seconds() == 1.5


def test_an_answer_and_an_end_are_read() -> None:
    answer, end = read(ANSWER), read(END)
    assert isinstance(answer, Answered)
    assert (answer.position, answer.target_id, answer.rang_at) == (2, 5, None)
    assert isinstance(end, Ended)
    assert (end.status, end.cause, end.hung_up_by, end.seen_by_agi) == ("", None, HungUpBy.CALLER, True)


@pytest.mark.parametrize("word", ["target", "service", "non_target", "none"])
def test_what_was_said_by_a_key_is_read(word: str) -> None:
    judged = read(JUDGED, worth=word)
    assert isinstance(judged, JudgedByPhone)
    assert (judged.position, judged.target_id) == (1, 3)
    assert judged.category == (None if word == "none" else word)


@pytest.mark.parametrize("word", ["", None, "1", "*1", "Target", "non-target", 1, True, ["target"]])
def test_a_key_that_says_no_category_is_a_bad_line(word: Any) -> None:
    with pytest.raises(BadLine, match="worth is"):
        read(JUDGED, worth=word)


def test_a_refusal_is_read() -> None:
    refused = read(REFUSED)
    assert isinstance(refused, Refused)
    assert (refused.did, refused.caller, refused.reason, refused.trunk_id) == (
        "00",
        "49",
        "unknown_number",
        7,
    )
    assert read(REFUSED, pres="prohib").caller == ""


@pytest.mark.parametrize("pres", ["prohib", "prohib_not_screened", "unavailable", "", None, "nonsense"])
def test_a_caller_who_did_not_allow_it_is_not_read(pres: str | None) -> None:
    start = read(START, pres=pres)
    assert (start.caller, start.caller_name) == ("", "")
    assert start.presentation is not Presentation.ALLOWED


@pytest.mark.parametrize(
    ("by", "channel", "expected"),
    [
        ("PJSIP/trunk-7-0000001a", "", HungUpBy.CALLER),
        ("PJSIP/target-3-0000001b", "", HungUpBy.COMPANY),
        ("", "", None),
        (None, "", None),
        ("Local/s@x-1;2", "", HungUpBy.SYSTEM),
        # an outside target rings over a trunk as well
        ("PJSIP/trunk-7-0000001a", "PJSIP/trunk-7-0000001a", HungUpBy.CALLER),
        ("PJSIP/trunk-7-0000001c", "PJSIP/trunk-7-0000001a", HungUpBy.COMPANY),
    ],
)
def test_the_side_that_hung_up_is_told_from_the_channel(
    by: str | None, channel: str, expected: HungUpBy | None
) -> None:
    assert read(END, by=by, ch=channel).hung_up_by is expected


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\n",
        b"{",
        b"[]",
        b"null",
        b'"start"',
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"e": "start"' + b" " * 20_000,
        json.dumps(START)[:-20].encode(),
        json.dumps(START).encode() * 2,
        b'{"e":"end","call":"a","node":"main","st":"","t":' + b"9" * 5000 + b"}",
        b'{"e":"end","call":"a","node":"main","st":"","t":NaN}',
    ],
)
def test_what_is_no_object_is_a_bad_line(bad: bytes) -> None:
    with pytest.raises(BadLine):
        parse_line(bad)


@pytest.mark.parametrize(
    ("line", "change", "problem"),
    [
        (START, {"e": "nonsense"}, "e is"),
        (START, {"e": None}, "e is"),
        (START, {"e": ["start"]}, "e is"),
        (START, {"call": ""}, "call is"),
        (START, {"call": "x" * 41}, "call is"),
        (START, {"call": "a b"}, "call is"),
        (START, {"node": {}}, "node is"),
        (START, {"did": "anonymous"}, "did is"),
        (START, {"t": 0}, "t is"),
        (START, {"t": -1e300}, "t is"),
        (START, {"t": 4.2e9}, "t is"),
        (START, {"t": "soon"}, "t is"),
        (START, {"t": True}, "t is"),
        (LEG, {"n": -1}, "n is"),
        (LEG, {"target": ""}, "target is"),
        (LEG, {"target": 2**40}, "target is"),
        (LEG, {"target": "٣"}, "target is"),
        (LEG, {"t0": ""}, "t0 is"),
        (LEG, {"ring": "90000000"}, "ring is"),
        (LEG, {"st": "busy'"}, "st is"),
        (END, {"hc": "sixteen"}, "hc is"),
    ],
)
def test_a_value_that_cannot_be_is_named(line: dict[str, Any], change: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadLine, match=problem):
        read(line, **change)


def test_zeros_left_by_a_power_cut_do_not_cost_the_next_line() -> None:
    assert isinstance(parse_line(b"\0" * 900 + json.dumps(END).encode() + b"\n"), Ended)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_a_name_is_decoded_and_cannot_bring_control_characters(name: str) -> None:
    found = read(START, name=quote(name.encode("utf-8", "replace"))).caller_name
    assert len(found) <= 200
    assert all(ord(letter) >= 32 and not 0x7F <= ord(letter) < 0xA0 for letter in found)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_fact_or_a_bad_line(line: bytes) -> None:
    with pytest.raises(BadLine):
        parse_line(line)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.sampled_from([START, LEG, ANSWER, END, JUDGED, REFUSED]), st.data())
def test_any_values_are_a_fact_or_a_bad_line(line: dict[str, Any], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(line)), max_size=3))
    changed = {name: data.draw(values) for name in names}
    try:
        fact = read(line, **changed)
    except BadLine as bad:
        problem = bad.problem
    else:
        assert isinstance(fact, Started | LegEnded | Answered | Ended | JudgedByPhone | Refused)
        assert fact.at.tzinfo is UTC
        return
    assert 0 < len(problem) <= 300
