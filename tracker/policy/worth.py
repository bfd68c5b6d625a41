"""What a call was worth: the words a person chooses from, and what may be suggested to them.

Only a person sets a category (SR-060 to SR-064). A suggestion stands beside it with its reason; nothing reads
it but the person.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the facts hold categories
    from tracker.policy.facts import Outcome


class Category(enum.StrEnum):
    """A call's worth; each call has its own, whatever the caller's other calls were."""

    TARGET = "target"  # a client from advertising, with whom a sale may begin
    SERVICE = "service"  # a client the company has already
    NON_TARGET = "non_target"  # nothing will come of it: wrong number, spam


# What is said from a phone, in the order of the setting judge_codes; "none" takes it back.
CODED = (Category.TARGET, Category.SERVICE, Category.NON_TARGET, "none")


class Ground(enum.StrEnum):
    """Why something is suggested."""

    SHORT_TALK = "short_talk"  # too short for anything to be said
    CLIENT = "client"  # this number's last judged call was a client's
    NOBODYS_CLIENT = "nobodys_client"  # this number's last judged call was non-target


@dataclass(frozen=True)
class Judged:
    """An earlier call of the same number, and what a person said it was worth."""

    at: datetime
    category: Category


@dataclass(frozen=True)
class Suggestion:
    """What a call may have been, why, and the earlier call that says so (None: the call itself)."""

    category: Category
    ground: Ground
    since: datetime | None = None


def in_force(history: Iterable[tuple[datetime, Category | None]], at: datetime) -> Category | None:
    """What was said last up to `at`; of two at the same instant the later in `history` counts."""
    last = None
    for said_at, category in sorted(history, key=lambda each: each[0]):
        last = category if said_at <= at else last
    return last


SHORT_TALK_SECONDS = 8.0  # "wrong number, sorry" takes about five
CLIENT_FOR = timedelta(days=90)  # who bought longer ago may well be buying anew


def suggest(
    outcome: Outcome | None, talk_seconds: float | None, at: datetime, earlier: Sequence[Judged]
) -> Suggestion | None:
    """What may be suggested about a call that is over; None: nothing that would help.

    `earlier` are judged calls of the same number in any order. How long people talked never suggests a
    target call: a long talk may be a complaint, and a short one the best order of the day (SR-062).
    """
    if outcome is None:
        return None
    last = max((each for each in earlier if each.at < at), key=lambda each: each.at, default=None)
    if last is not None and last.category is Category.NON_TARGET:
        return Suggestion(Category.NON_TARGET, Ground.NOBODYS_CLIENT, last.at)
    if last is not None and at - last.at <= CLIENT_FOR:
        return Suggestion(Category.SERVICE, Ground.CLIENT, last.at)
    if talk_seconds is not None and talk_seconds < SHORT_TALK_SECONDS:
        return Suggestion(Category.NON_TARGET, Ground.SHORT_TALK)
    return None
