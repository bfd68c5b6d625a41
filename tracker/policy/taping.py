"""Whether a call may be recorded: what the caller was told and said, and the stretches left out."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime


class ConsentMode(enum.StrEnum):
    """What a company wants before it records."""

    TELL = "tell"  # the caller is told, and recorded
    REFUSABLE = "refusable"  # recorded, unless he presses the key
    REQUIRED = "required"  # recorded only if he presses the key


class Withheld(enum.StrEnum):
    """Why a call that would have been recorded was not."""

    REFUSED = "refused"  # by the caller's key
    NOT_AGREED = "not_agreed"  # consent was asked for, no key was pressed
    NOT_ASKED = "not_asked"  # the announcement could not be played: nobody is recorded without it
    LISTED = "listed"  # the caller is on the company's list of those who are never recorded
    FORBIDDEN = "forbidden"  # whoever took the call dialled the code for it


class Wish(enum.StrEnum):
    """Who put a caller on the list of those who are never recorded."""

    CALLER = "caller"  # himself, by a key
    EMPLOYEE = "employee"  # by a code, during a call
    PERSON = "person"  # on the page or the command line


class Taping(enum.StrEnum):
    """What a witness wrote about the recording of a call."""

    TOLD = "told"  # the caller heard the announcement, and said nothing against it
    AGREED = "agreed"
    REFUSED = "refused"
    SILENT = "silent"  # consent was asked for, no key was pressed
    UNASKED = "unasked"  # the announcement could not be played
    FORBIDDEN = "forbidden"
    PAUSED = "paused"
    RESUMED = "resumed"
    WORDLESS = "wordless"  # the caller's message was nothing but silence


Told = tuple[datetime, Taping]
_WITHHELD = {
    Taping.FORBIDDEN: Withheld.FORBIDDEN,
    Taping.REFUSED: Withheld.REFUSED,
    Taping.SILENT: Withheld.NOT_AGREED,
    Taping.UNASKED: Withheld.NOT_ASKED,
}
WISHES = {Taping.REFUSED: Wish.CALLER, Taping.FORBIDDEN: Wish.EMPLOYEE}


def withheld(told: Iterable[Told], *, listed: bool) -> Withheld | None:
    """Why nothing of the call is kept; None: what was recorded may be. The strictest word counts."""
    said = {what for _, what in told}
    found = next((reason for what, reason in _WITHHELD.items() if what in said), None)
    return found or (Withheld.LISTED if listed else None)


def pauses(told: Iterable[Told], answered_at: datetime, ended_at: datetime) -> list[list[float]]:
    """Stretches of the talk that were left out: where in the recording, and how many seconds.

    The recording holds nothing of them, so each stands at one place of it.
    """
    found: list[list[float]] = []
    left_out, since = 0.0, None
    for at, what in sorted([*told, (ended_at, Taping.RESUMED)]):
        moment = min(max(at, answered_at), ended_at)
        if what is Taping.PAUSED and since is None:
            since = moment
        elif what is Taping.RESUMED and since is not None:
            seconds = (moment - since).total_seconds()
            found.append([round((since - answered_at).total_seconds() - left_out, 1), round(seconds, 1)])
            left_out, since = left_out + seconds, None
    return found
