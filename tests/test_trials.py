"""Calls made to try a trunk or a number, and failures explained in words."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.audio import tone
from support.house import OFFICE, House
from support.sip import Telephone

from commands.trial import Trial, read_trial
from commands.trunk_test import told
from tracker.models import Call, Transport
from tracker.policy.sip_answers import (
    code_of,
    explain,
    explain_registration,
    explain_tls,
    registration_answer,
)

# ---- in words ----


@pytest.mark.parametrize(
    ("code", "sentence", "fix"),
    [
        (403, "The carrier forbids the call", "--caller-id own"),
        (401, "log-in", "--password"),
        (407, "log-in", "--password"),
        (404, "does not know the number", "--dial-as"),
        (408, "Nobody answered in time", "firewall"),
        (480, "cannot be reached now", "Try again"),
        (486, "busy", "Nothing"),
        (488, "No codec", "--codecs"),
        (500, "trouble inside", "ask the carrier"),
        (503, "takes no calls now", "at once"),
        (499, "refuses the request", "Ask the carrier"),
        (None, "Nobody answered", "firewalls"),
    ],
)
def test_an_answer_is_explained_with_what_to_do(code: int | None, sentence: str, fix: str) -> None:
    told_so = explain(code)
    assert sentence in told_so.sentence
    assert fix in told_so.fix


@pytest.mark.parametrize("code", range(300, 700))
def test_whatever_a_carrier_answers_has_a_sentence_and_a_fix(code: int) -> None:
    for told_so in (explain(code), explain_registration(code)):
        assert told_so.sentence
        assert told_so.fix
        assert not told_so.sentence.endswith(".")


@pytest.mark.parametrize(
    ("verify_code", "word"),
    [
        (10, "expired"),
        (18, "signed by itself"),
        (20, "do not know"),
        (62, "another name"),
        (99, "not believed"),
    ],
)
def test_a_certificate_that_is_not_believed_is_explained(verify_code: int, word: str) -> None:
    assert word in explain_tls(verify_code).sentence


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", (False, None)),
        (
            "WARNING[1] res_pjsip_outbound_registration.c: No response received from 'sip:a' on registration"
            " attempt to 'sip:b', retrying in '30'",
            (True, None),
        ),
        (
            "WARNING[1] res_pjsip_outbound_registration.c: Fatal response '403' received from 'sip:a' on"
            " registration attempt to 'sip:b', stopping outbound registration",
            (True, 403),
        ),
        (
            "WARNING[1] res_pjsip_outbound_registration.c: Temporal response '503' received from 'sip:a' on"
            " registration attempt to 'sip:b', retrying in '30'",
            (True, 503),
        ),
    ],
)
def test_why_a_log_in_failed_is_read_from_the_log(log: str, expected: tuple[bool, int | None]) -> None:
    assert registration_answer(log) == expected


@pytest.mark.parametrize(("text", "code"), [("SIP 403 Forbidden", 403), ("", None), ("SIP 200 OK", None)])
def test_the_status_is_found_in_what_asterisk_says(text: str, code: int | None) -> None:
    assert code_of(text) == code


def test_a_trial_is_read_from_its_lines() -> None:
    lines = [
        {"e": "answered", "t": 1.5}, {"e": "sound", "came": "12", "went": ""},
        {"e": "end", "st": "ANSWER", "hc": "16", "sip": "", "t": 3},
    ]  # fmt: skip
    found = read_trial("\n".join(json.dumps(line) for line in lines))
    assert found == Trial(answered_at=1.5, ended=True, status="ANSWER", came=12)


def test_sound_one_way_only_is_amiss() -> None:
    steps = list(told(Trial(1.0, True, "ANSWER", came=0, went=40), "+4930123456"))
    assert [step.ok for step in steps] == [True, False]
    assert "rtp_start" in steps[1].fix


def test_a_number_that_rings_out_shows_that_the_way_works() -> None:
    (step,) = told(Trial(ended=True, status="NOANSWER"), "+4930123456")
    assert step.ok
    assert "rang" in step.sentence


# ---- for real ----


def run(house: House, *words: str) -> tuple[int, dict[str, Any]]:
    done = house.cli(*words, "--json", accept=(0, 1))
    told_so: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, told_so


def steps_of(told_so: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in told_so["steps"]}


def test_a_trunk_is_tried_with_real_calls(house: House) -> None:
    """Three at once: one carrier forbids the call, one lets it through, one has no certificate we believe."""
    forbids, lets = house.trunk(), house.trunk(dial_as="national", country="DE")
    encrypted = house.trunk(
        transport=Transport.TLS, host="localhost", port=house.settings.sip_tls_port, match=["127.0.1.250"]
    )
    ends = [house.telephone(each.host, port=each.port) for each in (forbids, lets)]
    with ThreadPoolExecutor(5) as several:
        tests = [
            several.submit(run, house, "trunk", "test", each.name, "+4930123456", "--shown", "+74951234567")
            for each in (forbids, lets, encrypted)
        ]
        refusing = several.submit(turn_away, ends[0])
        answering = several.submit(answer, ends[1])
        (bad, no), (good, yes), (worse, untrusted) = (each.result(90) for each in tests)
        refusing.result(30)
        asked = answering.result(30)
    assert (bad, good, worse) == (1, 0, 1)
    assert "403" in steps_of(no)["call"]["sentence"]
    assert "--caller-id own" in steps_of(no)["call"]["fix"]
    assert steps_of(yes)["sound"]["sentence"].startswith("went both ways")
    assert asked.startswith("INVITE sip:030123456@")
    assert "signed by itself" in steps_of(untrusted)["connection"]["sentence"]


def turn_away(carrier: Telephone) -> None:
    carrier.invited(40).reply("403 Forbidden")


def answer(carrier: Telephone) -> str:
    talk = carrier.take_call(40)
    talk.media.say(tone(440, 2))
    talk.over(20)
    return talk.invite.first_line if talk.invite else ""


def test_a_number_is_tried_with_real_calls(house: House) -> None:
    """From inside; and out by one carrier and in by another, which writes callers as its country does."""
    inner, outer = house.line(), house.line()
    offices = [house.telephone(OFFICE, port=each.phones[0].port) for each in (inner, outer)]
    over, back = house.trunk(dial_as="digits"), house.trunk(country="DE")
    outside, inside = house.telephone(over.host, port=over.port), house.telephone(back.host)
    with ThreadPoolExecutor(5) as several:
        answering = [several.submit(answer, office) for office in offices]
        carrying = several.submit(carry, outside, inside, outer.e164)
        kept_in = several.submit(run, house, "call", "test", inner.e164)
        sent_out = several.submit(run, house, "call", "test", outer.e164, "--over", over.name)
        results = kept_in.result(90), sent_out.result(90)
        for each in answering:
            each.result(30)
        asked = carrying.result(30)
    for line, (code, told_so) in zip((inner, outer), results, strict=True):
        steps = steps_of(told_so)
        assert (code, told_so["ok"]) == (0, True), told_so
        assert steps["who rang"]["sentence"].endswith("answered")
        assert steps["recorded sound"]["sentence"] == "both sides are heard"
        (call,) = house.calls(Call.key == told_so["call"])
        assert (call.number_id, call.trunk_id) == (line.number_id, None if line is inner else back.id)
    assert inner.e164 in steps_of(results[0][1])["arrived"]["sentence"]
    assert asked.startswith(f"INVITE sip:{outer.e164[1:]}@")
    assert steps["caller"]["sentence"] == "shown as +4930123456"
    assert call.caller == "+4930123456"


def carry(outside: Telephone, inside: Telephone, e164: str) -> str:
    """The world: what comes out goes back in, and both sides hear something."""
    talk = outside.invited(40)
    onward = inside.dial(e164, who="<sip:030123456@carrier.example>")
    onward.answered()
    talk.pick_up()
    for each in (talk, onward):
        each.media.say(tone(440, 2))
    talk.over(20)
    onward.hang_up()
    return talk.invite.first_line if talk.invite else ""
