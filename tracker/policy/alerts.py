"""What deserves an alert, when it begins and when it is over.

Each rule (company_alerts, installation_alerts) gives a reading: bad, fine, or neither. What lies between the
two, and a while of being fine, keep an alert from flapping; how often in a row something has to look bad
keeps a hiccup from becoming one.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


class AlertKind(enum.StrEnum):
    POOL_LOW = "pool_low"  # few numbers are free, or visitors got none
    MISSED_CALLS = "missed_calls"  # in a row, on a number or in a whole company
    SILENT_NUMBER = "silent_number"  # nobody calls a number that used to ring
    REPORT_UNSENT = "report_unsent"  # a saved report that should have been mailed
    CALLBACK_LATE = "callback_late"  # somebody who asked for it was not called within the promised minute
    DESTINATION_FAILING = "destination_failing"  # calls do not reach a CRM, analytics, an ad platform
    TRUNK_DOWN = "trunk_down"  # a carrier does not answer, or does not let us log in
    NODE_AWAY = "node_away"  # an Asterisk or its call server is not seen
    AGI_FAILING = "agi_failing"  # calls go on without asking us
    DISK_FULL = "disk_full"
    BOOKS_BEHIND = "books_behind"  # the spool is not read
    RECORDINGS_FAILING = "recordings_failing"


# Of the installation, no company's own.
OF_INSTALLATION = frozenset(
    {
        AlertKind.TRUNK_DOWN,
        AlertKind.NODE_AWAY,
        AlertKind.AGI_FAILING,
        AlertKind.DISK_FULL,
        AlertKind.BOOKS_BEHIND,
        AlertKind.RECORDINGS_FAILING,
    }
)


class State(enum.StrEnum):
    BAD = "bad"
    UNSURE = "unsure"  # neither: an alert stays as it is
    FINE = "fine"


@dataclass(frozen=True)
class Thresholds:
    """From when on a company is told; 0 switches a rule off."""

    pool_free_percent: int = 10  # fewer of a pool's numbers are free
    pool_misses: int = 5  # visitors who got no number of their own within an hour
    missed_calls: int = 3  # in a row on one number
    missed_calls_company: int = 5  # in a row in the company
    silent_days: int = 7  # of a number that used to ring
    callbacks_late: int = 1  # of a site within an hour, or that came to nothing


LARGEST = Thresholds(100, 100_000, 1000, 1000, 365, 1000)

# How often in a row a turn (a minute) has to find it bad; once where nothing else is said.
PATIENCE = {
    AlertKind.TRUNK_DOWN: 2,
    AlertKind.NODE_AWAY: 2,
    AlertKind.AGI_FAILING: 2,
    AlertKind.BOOKS_BEHIND: 2,
}
# How long it has to be fine before it is over.
SETTLED = {
    AlertKind.POOL_LOW: timedelta(minutes=10),
    AlertKind.TRUNK_DOWN: timedelta(minutes=2),
    AlertKind.NODE_AWAY: timedelta(minutes=1),
    AlertKind.AGI_FAILING: timedelta(minutes=2),
    AlertKind.DISK_FULL: timedelta(minutes=5),
    AlertKind.BOOKS_BEHIND: timedelta(minutes=2),
    AlertKind.RECORDINGS_FAILING: timedelta(minutes=5),
}


@dataclass(frozen=True)
class Reading:
    """How one thing stands. `subject` tells things of a kind apart, `name` is what people call it."""

    kind: AlertKind
    subject: str
    name: str
    state: State
    company_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subject}"


def state_of(*, bad: bool, fine: bool) -> State:
    """What lies between the two is neither."""
    return State.BAD if bad else State.FINE if fine else State.UNSURE


@dataclass(frozen=True)
class Going:
    """An alert that has begun and is not over."""

    key: str
    kind: AlertKind
    fine_since: datetime | None  # since when it has looked fine, without a break


@dataclass(frozen=True)
class Verdict:
    """What a turn does: alerts that begin and end, those that go on as they look now, and the streaks."""

    begun: tuple[Reading, ...]
    going_on: tuple[tuple[Reading, datetime | None], ...]  # with since when each looks fine
    ended: tuple[str, ...]
    streaks: Mapping[str, int]  # how often in a row each was found bad


def judge(
    going: Iterable[Going],
    readings: Iterable[Reading],
    streaks: Mapping[str, int],
    now: datetime,
    *,
    complete: Collection[AlertKind] = (),
) -> Verdict:
    """What begins, goes on and ends. Of `complete` kinds, what has no reading is there no more."""
    known = {each.key: each for each in going}
    found = {each.key: each for each in readings}
    bad = {key: streaks.get(key, 0) + 1 for key, it in found.items() if it.state is State.BAD}
    begun = [
        found[key]
        for key, count in bad.items()
        if key not in known and count >= PATIENCE.get(found[key].kind, 1)
    ]
    going_on, ended = [], []
    for key, alert in known.items():
        if key not in found:
            ended += [key] if alert.kind in complete else []
            continue
        since = _fine_since(alert, found[key], now)
        if since is not None and now - since >= SETTLED.get(alert.kind, timedelta()):
            ended.append(key)
        else:
            going_on.append((found[key], since))
    return Verdict(tuple(begun), tuple(going_on), tuple(ended), bad)


def _fine_since(alert: Going, reading: Reading, now: datetime) -> datetime | None:
    return (alert.fine_since or now) if reading.state is State.FINE else None
