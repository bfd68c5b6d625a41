"""Every command: help with an example, JSON on every listing, one line and an exit code for every refusal."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pyotp
import pytest
import sqlalchemy as sa
from support.command import PROGRAM, Installation, furnish, one_line

from cli import leaseline
from commands.number import STATES
from commands.user import ROLES
from tracker import people, second_factor
from tracker.audit import By
from tracker.database import Database
from tracker.models import CallerIdPolicy, NumberState, Role, Transport
from tracker.settings import read_settings


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """An empty home."""
    return Installation(tmp_path)


@pytest.fixture
def pallets(tmp_path: Path) -> Installation:
    """A home in which everything is configured."""
    made = Installation(tmp_path / "home")
    furnish(made)
    return made


def commands(
    group: click.Group = leaseline, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command there is, with the words that call it."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = [pytest.param(path, command, id="-".join(path)) for path, command in commands()]
LISTINGS = [
    ("company", "list"), ("company", "show", "pallets"), ("trunk", "list"), ("trunk", "show", "carrier"),
    ("target", "list"), ("target", "show", "Main line"), ("channel", "list"),
    ("channel", "show", "Billboard"), ("pool", "list"), ("pool", "show", "Website"), ("site", "list"),
    ("site", "show", "Shop"), ("site", "number", "list", "Shop"), ("number", "list"),
    ("number", "show", "84951234567"), ("source", "rule", "list"), ("forward", "show"), ("plan", "list"),
    ("callback", "list"),    ("block", "list"),
    ("prompt", "list"), ("consent", "show"),
    ("unrecorded", "list"), ("outgoing", "show"), ("user", "list"), ("calls", "list"), ("visit", "list"),
    ("cost", "list"), ("cost", "rent", "list"), ("sale", "list"), ("rate", "list"), ("key", "list"),
    ("destination", "list"), ("delivery", "list"), ("inlet", "list"), ("responsible", "list"),
    ("saved", "list"), ("alerts", "list"), ("alerts", "address", "list"), ("config",), ("db", "status"),
    ("version",),
]  # fmt: skip
# Lists that are not empty because something is still to be added.
NOT_ADDED = {
    ("company", "list"),
    ("callback", "list"),
    ("calls", "list"),
    ("delivery", "list"),
    ("visit", "list"),
    ("alerts", "list"),
}


@pytest.mark.parametrize(("path", "command"), ALL)
def test_a_command_explains_itself_with_an_example(path: tuple[str, ...], command: click.Command) -> None:
    shown = click.Context(command, info_name=path[-1], help_option_names=["-h", "--help"])
    text = command.get_help(shown)
    assert "leaseline " + path[0] in text
    assert "Example" in text
    assert command.get_short_help_str(200).endswith((".", "…")) or command.hidden


@pytest.mark.parametrize(("path", "command"), ALL)
def test_an_option_says_what_it_means(path: tuple[str, ...], command: click.Command) -> None:
    unexplained = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
    assert set(unexplained) <= {"transport", "role"}


def test_every_listing_and_show_is_known_to_the_test_below() -> None:
    named = {
        path for path, _ in commands() if path[-1] in {"list", "show"} or path in {("config",), ("version",)}
    }
    known = {path[:length] for path in LISTINGS for length in (1, 2, 3)}
    assert named <= known | {
        ("alerts", "show"),
        ("callback", "show"),
        ("plan", "show"),
        ("calls", "show"),
        ("destination", "show"),
        ("inlet", "show"),
        ("saved", "show"),
        ("visit", "show"),
    }


def test_every_listing_speaks_json(pallets: Installation) -> None:
    for words in LISTINGS:
        assert isinstance(pallets.json(*words), list | dict), words


def test_every_listing_of_an_empty_home_says_what_to_do(here: Installation) -> None:
    here.done("company", "add", "pallets", "--region", "RU")
    for words in LISTINGS:
        if words[-1] == "list" and words not in NOT_ADDED:
            verb = "set" if words[0] in {"rate", "responsible"} else "add"  # these are set anew
            assert f"leaseline {' '.join(words[:-1])} {verb}" in here.done(*words)


def test_what_was_configured_is_listed(pallets: Installation) -> None:
    (number,) = pallets.json("number", "list")
    assert (number["number"], number["channel"], number["state"]) == ("+74951234567", "Billboard", "active")
    rings = pallets.json("number", "show", "84951234567")["rings"]
    assert rings == [
        {"target": "Main line", "ring_seconds": 15},
        {"target": "Reception", "ring_seconds": 25},
    ]
    assert [row["target"] for row in pallets.json("forward", "show")] == ["Main line", "Reception"]
    table = pallets.done("number", "list").splitlines()
    assert table[0].split() == ["NUMBER", "STATE", "CHANNEL", "POOL", "LABEL", "RECORD"]
    assert table[1].index("Billboard") == table[0].index("CHANNEL")


def test_passwords_are_shown_once_and_never_listed(here: Installation) -> None:
    here.done("company", "add", "pallets", "--region", "RU")
    made = json.loads(here.done("target", "add", "Reception", "--phone", "--json"))["password"]
    trunk = ("trunk", "add", "carrier", "--host", "192.0.2.1", "--username", "4711", "--password-file", "-")
    here.done(*trunk, given="s3cret\n")
    told = here.done("target", "list", "--json") + here.done("trunk", "show", "carrier", "--json")
    assert made not in told
    assert "s3cret" not in told
    assert here.json("target", "password", "Reception")["password"] != made


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        (("number", "add", "12"), "Give it like +7"),
        (("number", "add", "+7 495 123-45-67"), "already a number of company pallets"),
        (("number", "add", "+74951234568", "--channel", "Leaflet"), "There are: Billboard"),
        (("number", "show", "+74950000000"), "leaseline number list"),
        (("channel", "add", "Billboard"), "Choose another name"),
        (("channel", "delete", "Billboard"), "used by 1 number"),
        (("target", "delete", "Main line"), "used by 1 forwarding"),
        (("company", "delete", "pallets"), "used by 1 number, 1 channel, 1 pool, 2 targets"),
        (("trunk", "add", "x", "--host", "a b"), "host name such as sip.example.net"),
        (("forward", "set", "Nobody"), "There are: Main line, Reception"),
        (("forward", "set", "Main line:0"), "1 to 300"),
        (("user", "add", "ann@example.com"), "a user already"),
        (("user", "add", "ann"), "no e-mail address"),
        (("number", "list", "--company", "acme"), "There are: pallets"),
        (("config", "colour"), "leaseline config"),
        (("calls", "show", "nonsense"), "leaseline calls list"),
        (("visit", "show", "99"), "leaseline visit list"),
        (("site", "add", "Blog", "--domain", "our blog"), "shop.example or *.shop.example"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_would_be_accepted(
    pallets: Installation, words: tuple[str, ...], sign: str
) -> None:
    assert sign in pallets.refused(*words)


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("number", "add"),
        ("number", "list", "--nonsense"),
        ("target", "add", "X"),
        ("target", "add", "X", "--phone", "--peer", "h"),
        ("forward", "set"),
        ("forward", "set", "Main line:soon"),
        ("trunk", "add", "x", "--host", "h", "--transport", "ws"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_two(pallets: Installation, words: tuple[str, ...]) -> None:
    result = pallets.run(*words)
    assert result.exit_code == 2
    assert "--help`" in one_line(result.stderr)


def test_with_two_companies_one_has_to_be_named(pallets: Installation) -> None:
    pallets.done("company", "add", "acme", "--region", "DE")
    assert "--company NAME" in pallets.refused("number", "list")
    assert pallets.json("number", "list", "--company", "acme") == []
    chosen = Installation(pallets.home, {"LEASELINE_COMPANY": "pallets"})
    assert len(chosen.json("number", "list")) == 1


def test_a_change_that_asterisk_does_not_know_yet_is_hinted_at(pallets: Installation) -> None:
    result = pallets.run("number", "add", "+74951234568")
    assert result.stderr == "Not live yet: run `leaseline apply`\n"
    assert pallets.run("channel", "add", "Leaflet").stderr == ""


def test_a_number_moves_retires_and_comes_back(pallets: Installation) -> None:
    assert pallets.json("number", "move", "84951234567", "--pool", "Website")["pool"] == "Website"
    assert "answered until" in pallets.done("number", "retire", "84951234567")
    assert pallets.json("number", "list", "--state", "quarantined")[0]["pool"] == "Website"
    assert "restore" in pallets.refused("number", "move", "84951234567", "--channel", "Billboard")
    pallets.done("number", "restore", "84951234567")
    uses = pallets.json("number", "show", "84951234567")["uses"]
    assert [(use["channel"], use["pool"]) for use in uses] == [(None, "Website"), ("Billboard", None)]


def test_an_import_is_whole_or_nothing(pallets: Installation, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("number,label\n+74951234501,a\n12,b\n+74951234567,c\n")
    result = pallets.run("number", "import", str(path))
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["line 3", "line 4", "leaseline"]
    assert len(pallets.json("number", "list")) == 1
    told = pallets.run("number", "import", str(path), "--json")
    assert [each["line"] for each in json.loads(told.stdout)["problems"]] == [3, 4]
    given = b"+74951234501\n+74951234502\n"
    assert pallets.done("number", "import", "-", "--pool", "Website", given=given) == "2 numbers imported.\n"
    assert len(pallets.json("number", "list", "--pool", "Website")) == 2
    assert pallets.done("number", "import", "-", given=b"+74951234503\n") == "1 number imported.\n"


def test_an_import_into_a_pool_that_is_not_there_is_one_line(pallets: Installation) -> None:
    given = b"+74951234501\n+74951234502\n"
    said = pallets.refused("number", "import", "-", "--pool", "Shop", given=given)
    assert said == "leaseline: There is no pool 'Shop'. There are: Website"
    assert "one number a line" in pallets.refused("number", "import", "-", given=b"\n")


def test_a_lost_second_factor_is_switched_off(pallets: Installation) -> None:
    assert pallets.json("user", "totp", "ann@example.com")["totp_at"] is None
    assert "has no second factor" in pallets.refused("user", "totp", "ann@example.com", "--off")
    key = read_settings(pallets.environ).secret_key
    database = Database(f"sqlite:///{pallets.home / 'leaseline.db'}", secret_key=key)
    with database.write() as session:
        user, at = people.find_user(session, "ann@example.com"), datetime.now(UTC)
        secret = second_factor.begin(session, user)
        second_factor.confirm(session, By(at, "ann"), user, pyotp.TOTP(secret).at(at))
    assert pallets.json("user", "totp", "ann@example.com")["recovery_codes"] == 10
    assert pallets.json("user", "list")[0]["totp_at"]
    pallets.done("user", "totp", "ann@example.com", "--off")
    assert pallets.json("user", "list")[0]["totp_at"] is None


def test_users_are_added_disabled_and_linked(pallets: Installation) -> None:
    assert "/link/" in pallets.json("user", "link", "Ann@Example.com")["link"]
    pallets.done("user", "disable", "ann@example.com")
    assert "leaseline user enable" in pallets.refused("user", "link", "ann@example.com")
    pallets.done("user", "enable", "ann@example.com")
    pallets.done("user", "role", "ann@example.com", "listener")
    (user,) = pallets.json("user", "list")
    assert user["roles"] == [{"company": "pallets", "role": "listener"}]


def test_a_database_of_another_revision_is_refused_with_what_to_do(pallets: Installation) -> None:
    database = Database(f"sqlite:///{pallets.home / 'leaseline.db'}")
    with database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    assert "newer than this Leaseline" in pallets.refused("number", "list")
    assert "newer than this Leaseline" in pallets.refused("db", "upgrade")


def test_apply_without_asterisk_says_how_to_get_one(pallets: Installation) -> None:
    assert "make asterisk" in pallets.refused("apply")


def test_doctor_finds_what_is_wrong_and_says_how_to_fix_it(pallets: Installation) -> None:
    pallets.done("forward", "clear")
    result = pallets.run("doctor", "--json")
    assert result.exit_code == 1
    found = {each["name"]: each for each in json.loads(result.stdout)}
    assert found["database"]["state"] == "ok"
    assert found["asterisk"]["state"] == "bad"
    assert "make asterisk" in found["asterisk"]["message"]
    assert found["numbers"]["message"] == "nobody rings for +74951234567"
    assert found["numbers"]["fix"].startswith("Say who does: `leaseline forward set")
    assert all(each["fix"] for each in found.values() if each["state"] != "ok")


def test_choices_are_the_words_of_the_models() -> None:
    by_path = dict(commands())
    transports = next(each for each in by_path["trunk", "add"].params if each.name == "transport")
    policies = next(each for each in by_path["trunk", "add"].params if each.name == "caller_id")
    assert isinstance(transports.type, click.Choice)
    assert list(transports.type.choices) == list(Transport)
    assert isinstance(policies.type, click.Choice)
    assert list(policies.type.choices) == list(CallerIdPolicy)
    assert list(STATES) == list(NumberState)
    assert list(ROLES) == list(Role)


def test_the_real_program_exits_with_zero_one_and_two(here: Installation) -> None:
    done, refused, wrong = here.real("company", "list"), here.real("number", "list"), here.real("nonsense")
    assert (done.returncode, refused.returncode, wrong.returncode) == (0, 1, 2)
    assert done.stderr == ""
    assert "leaseline company add" in one_line(refused.stderr)
    assert refused.stdout == wrong.stdout == ""


def test_a_mistake_of_ours_shows_a_traceback_only_when_debugging(here: Installation) -> None:
    (here.home / "leaseline.db").mkdir(parents=True)
    assert "Traceback" not in here.real("company", "list").stderr
    debugging = Installation(here.home, {"LEASELINE_LOG_LEVEL": "debug"})
    assert "Traceback" in debugging.real("company", "list").stderr


def test_a_reader_that_goes_away_is_no_error_message(pallets: Installation) -> None:
    with subprocess.Popen(
        [*PROGRAM, "config", "--json"],
        env=pallets.process_environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_help_reads_nothing_and_needs_none_of_the_heavy_libraries() -> None:
    heavy = ("sqlalchemy", "alembic", "flask", "phonenumbers", "panoramisk", "supervisor", "jinja2")
    program = (
        "import sys, cli\n"
        "try:\n    cli.leaseline.main(['--help'])\n"
        f"except SystemExit:\n    sys.exit(str([name for name in {heavy!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "[]\n"


def test_help_is_there_in_an_instant(here: Installation) -> None:
    took = []
    for _ in range(3):
        began = time.perf_counter()
        here.real("--help")
        took.append(time.perf_counter() - began)
    assert min(took) < 1.0  # 0.2 s on an idle machine; two cores are shared here


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(here: Installation, shell: str) -> None:
    assert "_LEASELINE_COMPLETE" in here.done("completion", shell)
