"""Counts of calls that add up: those of two times that do not overlap are together those of both.

    tally = Tally()
    tally.add(written)              # of a day, as dumps() wrote it
    tally.hours, tally.origins …    # what a report is made of

Whole numbers throughout (sums in milliseconds), so that it makes no difference in which parts calls are
counted. Channels, numbers and targets stand by their ids: their names may change.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from tracker.policy.figures import Counts

Vector = Sequence[int]  # in the order of Counts
Seconds = dict[int, int]  # how many calls took so many whole seconds
Caller = int | str

_E164 = re.compile(r"\+[1-9][0-9]{1,17}")


class Source(NamedTuple):
    """A visit's channel group and source, a channel, and the number dialled where it is the channel's."""

    group: str | None
    source: str | None
    channel: int | None
    number: int | None


class Taken(NamedTuple):
    """Answered calls: the target that took them, and what they were worth (a category's word)."""

    target: int | None
    category: str | None


@dataclass
class Tally:
    """`hours` by the epoch second at which each step of time begins; `talked` in milliseconds."""

    hours: dict[int, Vector] = field(default_factory=dict)
    origins: dict[Source, Vector] = field(default_factory=dict)
    talked: defaultdict[Taken, int] = field(default_factory=lambda: defaultdict(int))
    waits: defaultdict[Taken, Seconds] = field(default_factory=lambda: defaultdict(dict))
    talks: defaultdict[int | None, Seconds] = field(default_factory=lambda: defaultdict(dict))
    rings: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    callers: set[Caller] = field(default_factory=set)

    def add(self, written: str, step_seconds: int = 1) -> None:
        """Add what `dumps` wrote; its steps of time are put together to steps of so many seconds."""
        told = json.loads(written)
        for at, *counts in told["hours"]:
            add_counts(self.hours, at - at % step_seconds, counts)
        for group, source, channel, number, *counts in told["origins"]:
            add_counts(self.origins, Source(group, source, channel, number), counts)
        self._take(told["taken"])
        for target, talks in told["talks"]:
            add_seconds(self.talks[target], _pairs(talks))
        for target, calls in told["rings"]:
            self.rings[target] += calls
        self.callers.update(told["callers"])

    def add_briefly(self, written: str) -> None:
        """Add of it how many calls were what, how long they waited, and who called."""
        told = json.loads(written)
        for at, *counts in told["hours"]:
            add_counts(self.hours, at, counts)
        self._take(told["taken"])
        self.callers.update(told["callers"])

    def _take(self, rows: Iterable[tuple[int | None, str | None, int, Sequence[int]]]) -> None:
        for target, category, milliseconds, waits in rows:
            taken = Taken(target, category)
            self.talked[taken] += milliseconds
            add_seconds(self.waits[taken], _pairs(waits))

    def dumps(self) -> str:
        """As JSON, in one order whatever the order of adding."""
        told = {
            "hours": [[at, *counts] for at, counts in sorted(self.hours.items())],
            "origins": [[*source, *counts] for source, counts in _ordered(self.origins)],
            "taken": [[*taken, self.talked[taken], _flat(waits)] for taken, waits in _ordered(self.waits)],
            "talks": [[target, _flat(talks)] for target, talks in _ordered_ids(self.talks)],
            "rings": [list(each) for each in sorted(self.rings.items())],
            "callers": sorted(self.callers, key=lambda caller: (isinstance(caller, str), caller)),
        }
        return json.dumps(told, separators=(",", ":"))


def known_as(caller: str) -> Caller:
    """A caller in few bytes, and nobody else: a number of E.164 by its digits, anything else as it is."""
    return int(caller[1:]) if _E164.fullmatch(caller) else caller


def counts_of(vector: Vector) -> Counts:
    """With its sums in seconds."""
    *numbers, waited, talked = vector
    return Counts._make((*numbers, waited / 1000, talked / 1000))


def add_counts(into: dict[Any, Vector], key: Any, counts: Vector) -> None:
    before = into.get(key)
    into[key] = counts if before is None else [one + more for one, more in zip(before, counts, strict=True)]


def add_seconds(into: Seconds, rows: Iterable[tuple[int, int]]) -> None:
    for seconds, calls in rows:
        into[seconds] = into.get(seconds, 0) + calls


def _pairs(flat: Sequence[int]) -> Iterator[tuple[int, int]]:
    each = iter(flat)
    return zip(each, each, strict=True)


def _flat(rows: Mapping[int, int]) -> list[int]:
    return list(chain.from_iterable(sorted(rows.items())))


def _ordered(rows: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """By keys of which parts may be missing."""
    return sorted(rows.items(), key=lambda row: [(part is not None, part) for part in row[0]])


def _ordered_ids(rows: Mapping[int | None, Seconds]) -> list[tuple[int | None, Seconds]]:
    return sorted(rows.items(), key=lambda row: -1 if row[0] is None else row[0])
