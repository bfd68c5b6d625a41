"""AGI commands are read by Asterisk's parser as they were meant."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.agi_asterisk import Channel, words_of

from agi.commands import Refused, command, quote


def kept(text: str) -> str:
    return text.translate({10: None, 13: None, 0: None}).encode("utf-8", "ignore").decode()


@given(st.text(max_size=200))
def test_a_quoted_value_comes_back_as_one_word_on_one_line(text: str) -> None:
    line = command("SET VARIABLE", "NAME", text)
    assert "\n" not in line
    assert "\r" not in line
    assert words_of(line) == ["SET", "VARIABLE", "NAME", kept(text)]


@pytest.mark.parametrize(
    "text",
    ['x"\nEXEC System "rm"', "\\", '\\"', 'a" "b', "name\nEXEC System ..", "\r\n", "\0", "\ud800", "é" * 400],
)
def test_a_hostile_value_cannot_become_a_command(text: str) -> None:
    channel = Channel()
    channel.obey(command("SET VARIABLE", "NAME", text))
    assert channel.variables == {"NAME": kept(text)}
    assert len(channel.commands) == 1


@pytest.mark.parametrize("text", ["x" * 1001, "é" * 501, '"' * 1200])
def test_a_value_that_is_too_long_is_refused_not_shortened(text: str) -> None:
    with pytest.raises(Refused):
        quote(text)


def test_more_words_or_bytes_than_asterisk_can_hold_are_refused() -> None:
    assert len(words_of(command("EXEC Set", *["x"] * 124))) == 126
    with pytest.raises(Refused):
        command("EXEC Set", *["x"] * 125)
    with pytest.raises(Refused):
        command("EXEC Set", "x" * 900, "y" * 900, "z" * 300)


def test_our_idea_of_asterisk_agrees_with_pyst2() -> None:
    """pyst2 is an AGI implementation of somebody else's: the Asterisk of these tests must serve it too."""
    script = (
        "from asterisk.agi import AGI\n"
        "agi = AGI()\n"
        "agi.set_variable('LL_RINGS', '3:25-5:20')\n"
        "agi.set_variable('COPY', agi.get_variable('LL_RINGS') + ' ' + agi.env['agi_arg_1'])\n"
    )
    channel = Channel()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"agi_network: yes\nagi_arg_1: key\n\n")
        process.stdin.flush()
        for line in process.stdout:
            process.stdin.write(channel.obey(line.decode().rstrip("\n")).encode())
            process.stdin.flush()
    assert channel.variables == {"LL_RINGS": "3:25-5:20", "COPY": "3:25-5:20 key"}
