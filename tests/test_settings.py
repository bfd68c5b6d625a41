"""Settings: where they come from, and how all that is wrong with them is said at once."""

from __future__ import annotations

import json
import stat
from dataclasses import fields
from pathlib import Path

import pytest
from support.command import Installation, one_line

from tracker.settings import Settings, SettingsError, read_settings, sources


def test_an_empty_environment_gives_a_working_installation(tmp_path: Path) -> None:
    found = read_settings({"LEASELINE_HOME": str(tmp_path)})
    assert found.database_url == f"sqlite:///{tmp_path}/leaseline.db"
    assert found.web_url == "http://127.0.0.1:8080"
    assert len(found.secret_key) >= 32
    assert read_settings({"LEASELINE_HOME": str(tmp_path)}) == found


def test_generated_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    read_settings({"LEASELINE_HOME": str(tmp_path)})
    paths = list((tmp_path / "secrets").iterdir())
    assert {path.name for path in paths} == {"secret_key", "ami_secret"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


def test_every_problem_is_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "leaseline.toml").write_text('colour = "red"\nagi_port = 0\n')
    environ = {
        "LEASELINE_HOME": str(tmp_path),
        "LEASELINE_WEB_PORT": "99999",
        "LEASELINE_WEB_HOST": "localhost",
        "LEASELINE_NOISE": "loud",
        "LEASELINE_SECRET_KEY_FILE": str(tmp_path / "missing"),
        "LEASELINE_LOG_LEVEL": "chatty",
    }
    with pytest.raises(SettingsError) as no:
        read_settings(environ)
    told = str(no.value)
    for sign in (
        "web_port is '99999': give a port", "web_host is 'localhost': give an IP address",
        "LEASELINE_NOISE is no", "colour in", "agi_port is '0'", "No such file",
        "log_level is 'chatty': give debug, info, warning or error",
    ):  # fmt: skip
        assert sign in told
    assert "\n" not in told


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "leaseline.toml").write_text(
        'web_port = 1\nagi_port = 2\ntrusted_proxies = ["10.0.0.0/8", "::1"]\n'
    )
    environ = {"LEASELINE_HOME": str(tmp_path), "LEASELINE_WEB_PORT": "3"}
    found = read_settings(environ)
    assert (found.web_port, found.agi_port) == (3, 2)
    assert found.trusted_proxies == ("10.0.0.0/8", "::1/128")
    whence = sources(environ)
    assert (whence["web_port"], whence["agi_port"]) == ("LEASELINE_WEB_PORT", "leaseline.toml")
    assert whence["secret_key"] == "made here"
    assert "sip_port" not in whence


def test_a_secret_may_stay_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    environ = {"LEASELINE_HOME": str(tmp_path), "LEASELINE_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert read_settings(environ).secret_key == "k" * 40
    assert sources(environ)["secret_key"] == "LEASELINE_SECRET_KEY_FILE"


@pytest.mark.parametrize("name", ["secret_key", "ami_secret"])
def test_a_short_secret_is_refused_without_repeating_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError) as no:
        read_settings({"LEASELINE_HOME": str(tmp_path), f"LEASELINE_{name.upper()}": "hunter2"})
    assert "characters or more" in str(no.value)
    assert "hunter2" not in str(no.value)


def test_a_bad_database_address_is_not_repeated_either(tmp_path: Path) -> None:
    url = "mysql://ann:hunter2@db/books"
    with pytest.raises(SettingsError) as no:
        read_settings({"LEASELINE_HOME": str(tmp_path), "LEASELINE_DATABASE_URL": url})
    assert "hunter2" not in str(no.value)
    assert "sqlite:///PATH" in str(no.value)


def test_postgresql_is_always_spoken_by_psycopg(tmp_path: Path) -> None:
    for text in ("postgres://ann@db/books", "postgresql://ann@db/books", "postgresql+psycopg://ann@db/books"):
        environ = {"LEASELINE_HOME": str(tmp_path), "LEASELINE_DATABASE_URL": text}
        assert read_settings(environ).database_url == "postgresql+psycopg://ann@db/books"


def test_config_shows_every_setting_and_no_secret(tmp_path: Path) -> None:
    more = {
        "LEASELINE_DATABASE_URL": "postgresql://ann:hunter2@db/books",
        "LEASELINE_AMI_SECRET": "correct-horse-battery",
    }
    here = Installation(tmp_path, more)
    shown = here.done("config")
    rows = {row["name"]: row for row in json.loads(here.done("config", "--json"))}
    assert list(rows) == [each.name for each in fields(Settings)]
    assert rows["database_url"]["value"] == "postgresql+psycopg://ann:***@db/books"
    assert rows["ami_secret"]["value"] == "…"
    assert rows["home"]["source"] == "LEASELINE_HOME"
    key = (tmp_path / "secrets" / "secret_key").read_text().strip()
    for secret in ("hunter2", "correct-horse-battery", key):
        assert secret not in shown + json.dumps(rows)
    assert all(row["meaning"] and row["accepts"] for row in rows.values())


def test_settings_that_cannot_be_used_stop_every_command_in_one_line(tmp_path: Path) -> None:
    here = Installation(tmp_path, {"LEASELINE_WEB_PORT": "no", "LEASELINE_AGI_PORT": "no"})
    result = here.run("number", "list")
    assert result.exit_code == 1
    assert "web_port is 'no': give a port; agi_port is 'no'" in one_line(result.stderr)


def test_codes_for_the_phone_are_four(tmp_path: Path) -> None:
    environ = {"LEASELINE_HOME": str(tmp_path), "LEASELINE_JUDGE_CODES": "#71, #72,#73,0"}
    assert read_settings(environ).judge_codes == ("#71", "#72", "#73", "0")


@pytest.mark.parametrize(
    "codes",
    [
        "",
        "*1,*2,*3",
        "*1,*2,*3,*0,*9",
        "*1,*2,*3,*1",
        "*1,*12,*3,*0",
        "*,*2,*3,*0",
        "*1,*2,*3,x",
        "*1,*2,*3,*0;",
    ],
)
def test_codes_that_could_be_mistaken_for_each_other_are_refused(tmp_path: Path, codes: str) -> None:
    with pytest.raises(SettingsError, match=r"judge_codes is .*: give four codes of digits"):
        read_settings({"LEASELINE_HOME": str(tmp_path), "LEASELINE_JUDGE_CODES": codes})
