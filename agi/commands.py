"""AGI commands as bytes Asterisk reads as we meant them: quoting, and the limits of its parser.

res_agi.c splits a line of at most 2,048 bytes (8,192 from 20.16 and 22.6) into at most 127 words and writes
past its array beyond that, so a longer command is refused here. A line break inside a value would be a
second command.
"""

from __future__ import annotations

import re

from agi.conversation import Conversation

LONGEST_BYTES = 2000
MOST_WORDS = 126
LONGEST_VALUE_BYTES = 1000
_PLAIN = re.compile(r"[0-9A-Za-z:.+-]*")
_BREAKS = str.maketrans("", "", "\r\n\0")


class Refused(Exception):
    """Asterisk did not do what it was told, or we will not tell it."""


def quote(text: str) -> str:
    """One word of an AGI command that Asterisk reads back as `text`, without CR, LF, NUL and lone surrogates.

    Raises Refused above 1,000 bytes: a shortened value would mean something else.
    """
    kept = text.translate(_BREAKS).encode("utf-8", "ignore").decode()
    if len(kept.encode()) > LONGEST_VALUE_BYTES:
        raise Refused(f"value of {len(kept)} characters is longer than an AGI command may carry")
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def command(verb: str, *words: str) -> str:
    """A whole command: `verb` as it is, every other word quoted. Raises Refused above Asterisk's limits."""
    line = " ".join((verb, *(quote(word) for word in words)))
    if len(verb.split()) + len(words) > MOST_WORDS or len(line.encode()) > LONGEST_BYTES:
        raise Refused(f"AGI command {verb} is too long: {len(words)} words, {len(line)} characters")
    return line


async def set_variable(request: Conversation, name: str, value: str) -> None:
    """Set a variable on the caller's channel. Raises Refused when Asterisk says it did not."""
    reply = await request.send_command(command("SET VARIABLE", name, value))
    if "error" in reply or reply["result"][0] != "1":
        raise Refused(f"SET VARIABLE {name} was answered {reply.get('error') or reply['result'][0]!r}")


async def set_variables(request: Conversation, **values: str) -> None:
    """Set several variables in this order with one command, so the caller waits for one round trip only.

    MSet splits at commas: a value with one, or with anything Asterisk would expand, is Refused.
    """
    for name, value in values.items():
        if not _PLAIN.fullmatch(value):
            raise Refused(f"{name} may not be {value[:40]!r}")
    line = command("EXEC MSet", ",".join(f"{name}={value}" for name, value in values.items()))
    reply = await request.send_command(line)
    if "error" in reply or reply["result"][0] != "0":
        raise Refused(f"EXEC MSet was answered {reply.get('error') or reply['result'][0]!r}")
