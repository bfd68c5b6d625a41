"""One round of learning, first half: what share of every call falls to what, by the rates believed so far.

The calls are gone through in the order of time, and each is weighed as tracker.policy.attribution does, with
what the calls before it said about who is who.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tracker.policy.attribution import NEWEST_WITHHELD, strangers_of
from tracker.policy.delays import DelayModel
from tracker.policy.evidence import CELLS, CLICKS, REPEATS, Lesson, Possible, parts_of
from tracker.policy.sights import DEVICES, repeat_bin

_REMEMBERED = 0.05  # who is less likely than this is not remembered as the caller


@dataclass
class Shares:
    """Calls that fell to each part of the model."""

    cells: list[float] = field(default_factory=lambda: [0.0] * CELLS)
    clicks: list[float] = field(default_factory=lambda: [0.0] * CLICKS)
    repeats: list[float] = field(default_factory=lambda: [0.0] * REPEATS)
    nobody: float = 0.0
    nobody_withheld: float = 0.0
    strangers: float = 0.0
    strangers_withheld: float = 0.0
    elsewhere: float = 0.0
    same_country: float = 0.0
    strangers_known: float = 0.0
    strangers_new: float = 0.0
    again: float = 0.0
    other_phone: float = 0.0
    # Seconds that leases had before them when their visitor had called.
    called: list[float] = field(default_factory=lambda: [0.0] * CELLS)


@dataclass
class _Memory:
    """What the calls so far say about who is who: visitors with the probability that it is they."""

    dialled: dict[tuple[str, int], tuple[datetime, dict[int, float]]] = field(default_factory=dict)
    withheld: dict[int, list[tuple[datetime, dict[int, float]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    links: dict[str, dict[int, float]] = field(default_factory=dict)
    phones: dict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    called: dict[int, float] = field(default_factory=lambda: defaultdict(float))  # by lease
    heard: set[str] = field(default_factory=set)


class Rates(NamedTuple):
    """The model's rates, one a cell."""

    cells: Sequence[float]
    clicks: Sequence[float]


def rates_of(model: DelayModel) -> Rates:
    """The rate of each cell, and what a click adds by bin and device."""
    cells = []
    for cell in range(CELLS):
        sight_bin, device, came_again = parts_of(cell)
        cells.append(
            model.sight[sight_bin]
            * model.by_device(sight_bin, device)
            * (model.came_again if came_again else 1.0)
        )
    return Rates(cells, [rate * model.click_device[device] for rate in model.click for device in DEVICES])


def shares_of(lessons: Sequence[Lesson], model: DelayModel) -> Shares:
    """How many of the calls fall to each part of the model."""
    rates, shares, memory = rates_of(model), Shares(), _Memory()
    for lesson in lessons:
        weighed = _Weighed(lesson, model, rates, memory)
        if lesson.counts:
            weighed.count(shares)
            weighed.count_called(shares, memory)
        _remember(lesson, memory, weighed.visitors())
    return shares


class _Weight(NamedTuple):
    """A lease's rate, and who its visitor may be: the caller, somebody new, or one with two phones."""

    possible: Possible
    cell: float  # the part that is not of a click
    click: float
    own: float
    new: float
    other: float

    @property
    def total(self) -> float:
        return (self.cell + self.click) * (self.own + self.new + self.other)


class _Weighed:
    """A call, and the weight of everything it may come from."""

    def __init__(self, lesson: Lesson, model: DelayModel, rates: Rates, memory: _Memory) -> None:
        self.lesson, self.model, self.memory = lesson, model, memory
        self.known = lesson.caller is not None and lesson.caller in memory.heard
        self.strangers = strangers_of(model, lesson.caller, lesson.callers, known=self.known)
        self.links = self._links()
        self.weights = [self._weigh(each, rates) for each in lesson.alone]
        self.crowd = [
            (cell, elsewhere, rates.cells[cell] * many * self.strangers.visitors * self._country(elsewhere))
            for cell, elsewhere, many in lesson.others
        ]
        self.repeats = list(self._repeats())
        self.nobody = model.unknown * self.strangers.unknown
        self.older = 0.0
        if lesson.older is not None:
            tail = model.tail(lesson.older.from_seconds, lesson.older.to_seconds)
            self.older = lesson.older.rate * tail * self.strangers.visitors
        self.leases = sum(each.total for each in self.weights) + sum(weight for *_, weight in self.crowd)
        self.total = self.leases + sum(weight for _, weight, _ in self.repeats) + self.nobody + self.older

    def _links(self) -> Mapping[int, float]:
        lesson, memory = self.lesson, self.memory
        if lesson.caller is not None:
            return memory.links.get(lesson.caller, {})
        none: dict[int, float] = {}
        for _, beliefs in memory.withheld[lesson.number_id][-NEWEST_WITHHELD:]:
            for who, sure in beliefs.items():
                none[who] = none.get(who, 1.0) * (1 - sure)
        return {who: 1 - share for who, share in none.items()}

    def _country(self, elsewhere: bool | None) -> float:
        return self.model.other_country if elsewhere else 1.0

    def _weigh(self, each: Possible, rates: Rates) -> _Weight:
        country = self._country(each.elsewhere)
        click = 0.0 if each.click is None else rates.clicks[each.click]
        caller, who = self.lesson.caller, each.visitor_id
        link = self.links.get(who, 0.0)
        new = 1.0
        for phone, sure in self.memory.phones.get(who, {}).items():
            if phone != caller:
                new *= 1 - sure
        rest = (1 - link) * self.strangers.visitors
        return _Weight(
            each,
            rates.cells[each.cell] * country,
            click * country,
            link * self.model.again,
            rest * new,
            rest * (1 - new) * self.model.other_phone,
        )

    def _repeats(self) -> Iterator[tuple[int, float, Mapping[int, float]]]:
        """Bin, rate and supposed visitors of each earlier caller who may be dialling the number again."""
        lesson, memory = self.lesson, self.memory
        if lesson.caller is not None:
            last = memory.dialled.get((lesson.caller, lesson.number_id))
            earlier = [last] if last else []
        else:
            earlier = memory.withheld[lesson.number_id][-NEWEST_WITHHELD:]
        for at, beliefs in earlier:
            place = repeat_bin((lesson.at - at).total_seconds())
            yield place, self.model.repeat[place], beliefs

    def visitors(self) -> dict[int, float]:
        """Who the caller is, with probabilities."""
        found: dict[int, float] = defaultdict(float)
        for each in self.weights:
            found[each.possible.visitor_id] += each.total / self.total
        for _, rate, beliefs in self.repeats:
            for who, sure in beliefs.items():
                found[who] += rate * sure / self.total
        return {who: sure for who, sure in found.items() if sure >= _REMEMBERED}

    def count(self, shares: Shares) -> None:
        """Adds the call's shares to those of the calls before."""
        strangers = sum(weight for *_, weight in self.crowd) + self.nobody + self.older
        for each in self.weights:
            # A visitor who calls again says nothing of when visitors call for the first time.
            shares.cells[each.possible.cell] += each.cell * each.new / self.total
            if each.possible.click is not None:
                shares.clicks[each.possible.click] += each.click * each.new / self.total
            _count_country(shares, each.possible.elsewhere, each.total / self.total)
            rate = each.cell + each.click
            shares.again += rate * each.own / self.total
            shares.other_phone += rate * each.other / self.total
            strangers += rate * (each.new + each.other)
        for cell, elsewhere, weight in self.crowd:
            shares.cells[cell] += weight / self.total
            _count_country(shares, elsewhere, weight / self.total)
        for place, weight, _ in self.repeats:
            shares.repeats[place] += weight / self.total
        shares.nobody += self.nobody / self.total
        if self.lesson.caller is None:
            shares.nobody_withheld += self.nobody / self.total
            shares.strangers_withheld += (strangers - self.nobody) / self.total
        shares.strangers += (strangers - self.nobody) / self.total
        if self.known:
            shares.strangers_known += strangers / self.total
        elif self.lesson.caller is not None:
            shares.strangers_new += strangers / self.total

    def count_called(self, shares: Shares, memory: _Memory) -> None:
        """Adds the seconds that leases had still before them when their visitor first called."""
        for each in self.weights:
            lease = each.possible.lease_id
            share = min(each.total / self.total, 1.0 - memory.called[lease])
            if share >= _REMEMBERED:
                memory.called[lease] += share
                for cell, seconds in self.lesson.after.get(lease, ()):
                    shares.called[cell] += share * seconds


def _count_country(shares: Shares, elsewhere: bool | None, share: float) -> None:
    if elsewhere is True:
        shares.elsewhere += share
    elif elsewhere is False:
        shares.same_country += share


def _remember(lesson: Lesson, memory: _Memory, visitors: dict[int, float]) -> None:
    if lesson.caller is None:
        memory.withheld[lesson.number_id].append((lesson.at, visitors))
        return
    memory.heard.add(lesson.caller)
    memory.dialled[lesson.caller, lesson.number_id] = lesson.at, visitors
    if visitors:
        memory.links[lesson.caller] = visitors
        best = max(visitors, key=lambda who: (visitors[who], -who))
        memory.phones[best][lesson.caller] = visitors[best]
