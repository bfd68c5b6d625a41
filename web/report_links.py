"""Addresses of reports: the same one changed in a word, the narrower one that a row leads to, its calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from tracker.policy.report import ONLY, Line, Wish
from tracker.policy.report_words import By
from tracker.policy.spans import Asks

# What the words of an address say of the report itself, and how it is looked at.
WORDS = ("by", "split", "model", "leads", "compare", "against", "period", "since", "until", *ONLY)
LOOKS = ("show", "sort", "first")
# What the rows of a narrower report are.
_NEXT = {By.MEDIUM: By.SOURCE, By.SOURCE: By.CAMPAIGN, By.CAMPAIGN: By.KEYWORD, By.KEYWORD: By.AD}
_DEPTH = tuple(_NEXT)


@dataclass(frozen=True)
class Place:
    """Where a report stands: a path, and the words of its address in their order."""

    path: str
    words: tuple[tuple[str, str], ...] = ()

    def with_(self, **more: str | None) -> str:
        """The address with these words instead; None takes one away."""
        kept = [(name, word) for name, word in self.words if name not in more]
        asked = [*kept, *((name, word) for name, word in more.items() if word)]
        return self.path + ("?" + urlencode(asked) if asked else "")


def words_of(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those of an address that mean something to a report, in a fixed order."""
    names = (*WORDS, *LOOKS, "company")
    return tuple((name, given[name].strip()) for name in names if given.get(name, "").strip())


def narrower(wish: Wish, line: Line) -> tuple[By, Mapping[str, str | None]] | None:
    """What the row's narrower report has as rows, and its words; None: there is none."""
    pairs = zip(wish.parts, line.key, strict=True)
    named = {by: cell for by, cell in pairs if by in _NEXT and isinstance(cell, str)}
    if not named or len(named) < len(wish.parts):
        return None
    taken = {*named, *(By(name) for name in wish.only)}
    deepest = max(named, key=_DEPTH.index)
    rows = _NEXT[deepest]
    while rows in taken:
        if rows not in _NEXT:
            return None
        rows = _NEXT[rows]
    only = {by.value: cell for by, cell in named.items()}
    return rows, {"by": rows.value, "split": None, "sort": None, "first": None, **only}


def among(asks: Asks, more: Asks) -> Asks:
    """The words that list those of these calls of which `more` is true too.

    A name that is said twice means either, so of a name in both only what both say is kept.
    """
    theirs, wanted = {name for name, _ in asks}, set(more)
    names = {name for name, _ in more}
    kept = tuple(ask for ask in asks if ask[0] not in names or ask in wanted)
    return (*kept, *(ask for ask in more if ask[0] not in theirs))


def calls_of(asks: Asks) -> str:
    """The address of the list of exactly these calls."""
    return "/calls?" + urlencode(asks)
