"""Which columns a list of calls shows: those that a person chose, else the usual ones."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from tracker.errors import Rejected


class CallColumn(enum.StrEnum):
    """What a list can tell of a call, in the order in which it is told."""

    TIME = "time"
    OUTCOME = "outcome"
    CALLER = "caller"
    SOURCE = "source"
    CAMPAIGN = "campaign"
    KEYWORD = "keyword"
    NUMBER = "number"
    ANSWERED_BY = "answered_by"
    COMPANY = "company"
    WAIT = "wait"
    TALK = "talk"
    HEARD_OF = "heard_of"
    VALUE = "value"
    WORTH = "worth"
    RECORDING = "recording"


ALWAYS = frozenset({CallColumn.TIME, CallColumn.CALLER})  # without them a row is no call
_NOT_USUAL = {
    CallColumn.CAMPAIGN, CallColumn.KEYWORD, CallColumn.ANSWERED_BY, CallColumn.COMPANY, CallColumn.HEARD_OF,
    CallColumn.VALUE,
}  # fmt: skip
USUAL = tuple(column for column in CallColumn if column not in _NOT_USUAL)


def read_columns(words: Iterable[str]) -> tuple[CallColumn, ...]:
    """The columns that these words name, each once. Raises Rejected `columns.malformed`."""
    words = list(words)
    unknown = [word for word in words if word not in set(CallColumn)]
    if unknown:
        raise Rejected(
            "columns.malformed",
            "There is no column %(name)r",
            "Choose among %(columns)s",
            name=unknown[0][:20],
            columns=list(CallColumn),
        )
    return _in_order(words)


def kept_columns(kept: object) -> tuple[CallColumn, ...]:
    """Those to show of what was once kept: words that no version knows any more are passed over."""
    return _in_order(kept) if isinstance(kept, list) else USUAL


def _in_order(words: Iterable[object]) -> tuple[CallColumn, ...]:
    chosen = {word for word in words if isinstance(word, str)} | ALWAYS
    return tuple(column for column in CallColumn if column in chosen)
