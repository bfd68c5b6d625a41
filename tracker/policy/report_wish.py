"""A report's words out of an address: which rows, by which model, narrowed to what."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from tracker.errors import Rejected
from tracker.policy.addresses import clean
from tracker.policy.call_filter import LONGEST
from tracker.policy.credit import Model
from tracker.policy.report import ONLY, Leads, Wish
from tracker.policy.report_words import By

SPAN_WORDS = ("period", "since", "until")
# All words that a report's address may have.
WORDS = ("by", "split", "model", "against", "leads", "compare", *SPAN_WORDS, *ONLY)
OWN = "own"  # beside a model: the source of the call itself
Word = TypeVar("Word", bound=enum.StrEnum)


def read_wish(words: Mapping[str, str]) -> Wish:
    """The wish of these words; names that are none are not looked at. Raises Rejected report.malformed.

    `by`, `split`, `model` and `leads`; source, medium, campaign and keyword narrow it.
    """
    given = {name: word for name in words if (word := clean(words[name], LONGEST))}
    return Wish(
        read_word(By, "by", given) or By.SOURCE,
        read_word(By, "split", given),
        read_word(Model, "model", given),
        read_word(Leads, "leads", given) or Leads.CALLS,
        {name: given[name] for name in ONLY if name in given},
    )


def read_against(words: Mapping[str, str], wish: Wish) -> Wish | None:
    """The same wish by the model that `against` puts beside. Raises Rejected report.malformed."""
    given = words.get("against", "").strip()
    if not given:
        return None
    other = replace(wish, model=None if given == OWN else read_word(Model, "against", {"against": given}))
    if other.model is wish.model:
        raise Rejected("report.malformed", "A model stands beside itself", "Choose another one")
    return other


def spans_of(words: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """The words as `read_spans` takes them."""
    return {name: [word] for name, word in words.items()}


def is_compared(words: Mapping[str, str]) -> bool:
    """Whether the days before are shown beside."""
    return words.get("compare") == "yes"


def read_word(kind: type[Word], name: str, given: Mapping[str, str]) -> Word | None:
    """The word of that name; None where there is none. Raises Rejected report.malformed."""
    if name not in given:
        return None
    try:
        return kind(given[name].replace("-", "_"))
    except ValueError:
        raise Rejected(
            "report.malformed",
            "%(name)s is %(word)r",
            "Give one of %(words)s",
            name=name,
            word=given[name][:20],
            words=list(kind),
        ) from None
