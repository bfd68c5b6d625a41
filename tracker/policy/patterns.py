"""Regular expressions that people write and strangers' texts are searched with: safe ones only.

Python's engine tries every way in which a pattern can fit. A text from outside can be made so that there are
billions of ways; how many at most is counted here, before a pattern is accepted.
"""

from __future__ import annotations

import functools
import importlib
import re
import warnings
from collections.abc import Sequence
from typing import Any

from tracker.errors import Rejected, Said, say
from tracker.policy.addresses import LONGEST_ADDRESS

LONGEST_PATTERN = 300
MOST_WAYS = 2**24  # one `.*` anywhere, or two behind ^, and some choices: some hundredths of a second

# Python's own parser: a second one would disagree with it some day.
_parser: Any = importlib.import_module("re._parser")
_SINGLE = {"LITERAL", "NOT_LITERAL", "ANY", "IN", "CATEGORY"}
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_TOO_MANY_WAYS = say("%(text)r can fit in too many ways: begin it with ^, or use fewer * and +")
_NEEDLESS_START = re.compile(r"\^?(?:\.\*\??)+(?![+{*?])")


def read_pattern(text: str) -> str:
    """The pattern, if it may be used. Raises Rejected: source.pattern.

    It is searched in, regardless of case, so that a `.*` at its beginning says nothing and is left out.
    """
    pattern = _NEEDLESS_START.sub("", text, count=1) if _NEEDLESS_START.match(text) else text
    if not pattern or len(pattern) > LONGEST_PATTERN or not pattern.isprintable():
        no = say(
            "%(text)r is no pattern: give 1 to %(longest)s printable characters", longest=LONGEST_PATTERN
        )
        raise _rejected(text, no)
    try:
        parsed = _parsed(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as problem:
        no = say("%(text)r is no regular expression: %(problem)s", problem=str(problem))
        raise _rejected(text, no) from None
    try:
        ways = _ways(list(parsed), last=True)
    except _TooMuch as problem:
        raise _rejected(text, problem.said) from None
    except RecursionError:
        raise _rejected(text, _TOO_MANY_WAYS) from None
    if ways * (1 if _is_anchored(parsed) else LONGEST_ADDRESS) > MOST_WAYS:
        raise _rejected(text, _TOO_MANY_WAYS)
    return pattern


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, ready to search with."""
    return re.compile(pattern, re.IGNORECASE)


class _TooMuch(Exception):
    """What the pattern uses that is not for texts from outside."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said.text))
        self.said = said


def _parsed(pattern: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what a later Python will read in another way: "[[a]"
        re.compile(pattern, re.IGNORECASE)
        return _parser.parse(pattern, re.IGNORECASE)


def _rejected(text: str, no: Said) -> Rejected:
    return Rejected(
        "source.pattern",
        no,
        "A part of the address is enough, such as `utm_campaign=spring` or `^https://forum[.]example/`",
        text=text[:60],
    )


def _ways(nodes: Sequence[tuple[Any, Any]], *, last: bool) -> int:
    """In how many ways these parts, one after the other, can fit at one place of the longest text.

    A repetition that is the `last` of all is done with once it has taken what it can.
    """
    ways = 1
    for index, (kind, value) in enumerate(nodes):
        ways *= _ways_of(str(kind), value, last=last and index == len(nodes) - 1)
    return ways


def _ways_of(kind: str, value: Any, *, last: bool) -> int:
    if kind in _SINGLE or kind == "AT":
        return 1
    if kind == "SUBPATTERN":
        return _ways(list(value[3]), last=last)
    if kind == "BRANCH":
        return sum(_ways(list(branch), last=last) for branch in value[1])
    if kind in _REPEATS:
        return _repeated(*value, last=last)
    raise _TooMuch(say("%(text)r looks around or back, which is not for texts from outside: spell it out"))


def _repeated(least: int, most: int, body: Any, *, last: bool) -> int:
    inner = _ways(list(body), last=False)
    if most == 1:
        return 1 + inner if least == 0 else inner
    if inner > 1:
        raise _TooMuch(
            say("%(text)r repeats something that itself repeats or has a choice: repeat single characters")
        )
    return 1 if last else min(int(most), LONGEST_ADDRESS) - least + 1


def _is_anchored(parsed: Any) -> bool:
    kind, value = parsed[0] if len(parsed) else ("", "")
    return str(kind) == "AT" and str(value) in {"AT_BEGINNING", "AT_BEGINNING_STRING"}
