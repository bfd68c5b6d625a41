"""Views of the list of calls that are kept by name: their words, read before they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.addresses import clean
from tracker.policy.call_filter import MANY, NAMES, longest, read_filter

NAME_LONGEST, QUERY_LONGEST = 60, 2000
_ANY_ZONE, _ANY_DAY = ZoneInfo("UTC"), date(2026, 1, 1)  # whether words can be read depends on neither


def read_name(text: str) -> str:
    """A view's name as it is kept. Raises Rejected `view.nameless`."""
    name = clean(text, NAME_LONGEST + 1)
    if not name or len(name) > NAME_LONGEST:
        raise Rejected(
            "view.nameless",
            "A view needs a name",
            "Give one of at most %(longest)s characters",
            longest=NAME_LONGEST,
        )
    return name


def read_query(query: str) -> str:
    """The end of an address as a view's words, "outcome=missed&period=7d", with nothing else in it.

    Raises Rejected `view.empty`, `view.malformed`.
    """
    try:
        words = parse_qs(query.removeprefix("?"), max_num_fields=100)
        read_filter(words, _ANY_ZONE, _ANY_DAY)
    except ValueError:
        raise Rejected("view.malformed", "These words are too many", "Choose fewer things") from None
    except Rejected as problem:
        raise Rejected(
            "view.malformed", "No such view can be: %(problem)s", problem.advice, problem=problem.said
        ) from None
    kept = same_words(words)
    if not kept:
        raise Rejected("view.empty", "This view asks for nothing", "Choose something to filter by first")
    if len(kept) > QUERY_LONGEST:
        raise Rejected("view.malformed", "These words are too long", "Choose fewer things")
    return kept


def same_words(words: Mapping[str, Sequence[str]]) -> str:
    """The words of a filter, always written the same way, so that two views can be told to be one."""
    pairs = []
    for name in sorted(NAMES):
        given = [word for each in words.get(name, ()) if (word := clean(each, longest(name)))]
        pairs += [(name, word) for word in (sorted(set(given)) if name in MANY else given[-1:])]
    return urlencode(pairs)
