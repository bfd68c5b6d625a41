"""Every built-in report, and the addresses at which they are asked for.

for ask in asks(today): visitor.get(ask.address)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from tracker.policy.credit import Model
from tracker.policy.report_words import By

SPANS = {"30 days": 30, "90 days": 90, "a year": 365}
SPLITS = (
    (By.SOURCE, By.MEDIUM),
    (By.CAMPAIGN, By.KEYWORD),
    (By.SOURCE, By.DEVICE),
    (By.WEEKDAY, By.HOUR),
)
NARROWED = (By.KEYWORD, By.AD, By.LANDING, By.DEVICE)


@dataclass(frozen=True)
class Ask:
    """A report of so many days, by its name and the words of its address."""

    name: str
    words: Mapping[str, str]

    @property
    def address(self) -> str:
        return "/api/v1/report?" + urlencode(self.words)


def asks(today: date) -> Iterator[Ask]:
    """All of them; today is the last of the days."""
    for span, days in SPANS.items():
        for by in By:
            yield _ask(today, span, by=by)
        if days > 90:
            yield from _wide(today, span)
    for span in ("30 days", "a year"):
        for model in Model:
            yield _ask(today, span, by=By.CHANNEL, model=model)
            yield _ask(today, span, by=By.CAMPAIGN, model=model)


def _wide(today: date, span: str) -> Iterator[Ask]:
    """What is asked of all days only."""
    for by, split in SPLITS:
        yield _ask(today, span, by=by, split=split)
    for by in NARROWED:
        yield _ask(today, span, by=by, campaign="campaign 3")
    for by in (By.SOURCE, By.CAMPAIGN, By.KEYWORD):
        yield _ask(today, "30 days", by=by, compare="yes")
        yield _ask(today, "90 days", by=by, compare="yes")
        yield _ask(today, span, by=by, compare="yes")


def _ask(today: date, span: str, **words: str) -> Ask:
    first = today - timedelta(days=SPANS[span] - 1)
    told = ", ".join(f"{name} {word}" for name, word in words.items())
    return Ask(f"{span}: {told}", {**words, "since": first.isoformat(), "until": today.isoformat()})
