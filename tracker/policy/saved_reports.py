"""Reports that are kept by name: their words, read before they are kept, and what a name may be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.addresses import clean
from tracker.policy.call_filter import LONGEST
from tracker.policy.report import ONLY
from tracker.policy.report_wish import read_against, read_wish, spans_of
from tracker.policy.spans import read_spans

NAME_LONGEST = 60
LOOKS = ("show", "sort")  # how the page shows it: kept, and of no matter elsewhere
NAMES = ("by", "split", "model", "leads", *ONLY, "period", "since", "until", "compare", "against", *LOOKS)


def read_name(text: str) -> str:
    """A report's name as it is kept. Raises Rejected `saved_report.nameless`."""
    name = clean(text, NAME_LONGEST + 1)
    if not name or len(name) > NAME_LONGEST:
        raise Rejected(
            "saved_report.nameless",
            "A report needs a name",
            "Give one of at most %(longest)s characters",
            longest=NAME_LONGEST,
        )
    return name


def read_words(given: Mapping[str, str], zone: ZoneInfo, now: datetime) -> dict[str, str]:
    """The words of a report's address, always in the same order, with nothing else among them.

    Raises Rejected as `read_wish`, `read_against` and `read_spans` do.
    """
    words = {name: word for name in NAMES if (word := clean(given.get(name, ""), LONGEST))}
    read_against(words, read_wish(words))
    read_spans(spans_of(words), zone, now)
    return words


def words_of(query: str) -> dict[str, str]:
    """What the end of an address says: "by=campaign&period=30d". Raises Rejected report.malformed."""
    try:
        found = parse_qs(query.removeprefix("?"), max_num_fields=100)
    except ValueError:
        raise Rejected("report.malformed", "These words are too many", "Choose fewer things") from None
    return {name: values[-1] for name, values in found.items()}


def query_of(words: Mapping[str, str]) -> str:
    """The words as the end of an address."""
    return urlencode({name: words[name] for name in NAMES if name in words})
