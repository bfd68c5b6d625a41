"""What doctor and commands say of plans, prompts and callbacks set up wrongly, and what still rings."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Installation, furnish

from commands import up
from commands.context import Here
from dialplan.program import find_program
from tracker.settings import Settings, read_settings

PLAN = """
start: hours
steps:
  hours: {kind: hours, open: {mon-fri: 09:00-18:00}, holidays: [%s], then: ring, closed: box}
  ring: {kind: ring, targets: [%s], then: box}
  box: {kind: voicemail, say: Please leave a message., mail: [office@pallets.example]}
"""
GOOD = PLAN % ("01-01", "Reception")


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    made = Installation(tmp_path, {"LEASELINE_ASTERISK": find_program(Settings()).path})
    furnish(made)
    return made


def opened(environ: dict[str, str]) -> Here:
    made = Here()
    made.__dict__["settings"] = read_settings(environ)
    return made


def found(here: Installation, name: str) -> list[tuple[str, str, str]]:
    told = here.json_anyway("doctor")
    return [(each["state"], each["message"], each["fix"]) for each in told if each["name"] == name]


def test_a_synthesiser_that_is_missing_is_named_with_what_it_speaks(here: Installation) -> None:
    assert found(here, "voice") == []
    here.done("plan", "add", "office", "-", given=GOOD)
    assert found(here, "voice") == [("ok", "everything is spoken: plan office", "")]
    bare = Installation(here.home, {**here.more, "PATH": str(here.home)})
    told = "flite is not installed, which speaks plan office"
    fix = "apt install flite, then `leaseline apply`"
    assert found(bare, "voice") == [("warn", f"{told}; only what is spoken already is heard", fix)]
    for sound in (here.home / "sounds").glob("*.wav"):
        sound.unlink()
    assert found(bare, "voice") == [("bad", f"{told}; nothing is to be heard yet of plan office", fix)]
    assert found(here, "voice") == [("warn", "not spoken yet: plan office", "Run `leaseline apply`")]


def test_messages_that_nobody_mails_are_told(here: Installation) -> None:
    here.done("plan", "add", "office", "-", given=GOOD)
    ((state, message, fix),) = found(here, "messages")
    assert (state, message) == (
        "warn",
        "plan office would mail what callers leave, and there is no mail server",
    )
    assert "LEASELINE_SMTP_HOST" in fix


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (PLAN % ("2027-02-30", "Reception"), "There is no day 02-30"),
        (PLAN % ("31-12", "Reception"), "Step hours: “31-12” is no day. Give it as 2027-04-05"),
        (PLAN % ("01-01", "Recepshun"), "Step ring: “Recepshun” is no target"),
        ("start: [", "This is no YAML: line 1"),
        (b"start: \xff", "no text in UTF-8"),
    ],
)
def test_a_plan_that_cannot_be_names_the_place(here: Installation, document: str | bytes, told: str) -> None:
    assert told in here.refused("plan", "add", "office", "-", given=document)


def test_a_trial_speaks_of_targets_that_there_are(here: Installation) -> None:
    here.done("plan", "add", "office", "-", given=GOOD)
    for option in (("--target", "Recepshun=busy"), ("--taken", "Recepshun=1"), ("--last", "Recepshun")):
        assert "There is no target 'Recepshun'" in here.refused("plan", "test", "office", *option)


def test_a_target_that_rings_for_visitors_is_not_deleted(here: Installation) -> None:
    here.done("target", "add", "Desk", "--peer", "192.0.2.9")
    wish = ("--trunk", "carrier", "--number", "84951234567", "--ring", "Desk:20", "--on")
    assert "Desk:20" in here.done("callback", "settings", "Shop", *wish)
    assert "is used by 1 site that calls back" in here.refused("target", "delete", "Desk")
    assert "short codes are never called" in here.refused("callback", "test", "Shop", "112")


def test_what_cannot_be_applied_keeps_no_phone_from_ringing_after_a_restart(
    here: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = {"LEASELINE_SIP_TLS_CERTIFICATE": "/nowhere.pem", "LEASELINE_SIP_TLS_KEY": "/nowhere.key"}
    broken = here.environ | missing
    with pytest.raises(Exception, match=r"/nowhere.pem cannot be read"):
        up.prepare(opened(broken))
    up.prepare(opened(here.environ))
    capsys.readouterr()
    up.prepare(opened(broken))
    said = capsys.readouterr().err
    assert said.startswith("Not applied: /nowhere.pem cannot be read")
    assert "as it was applied before" in said
