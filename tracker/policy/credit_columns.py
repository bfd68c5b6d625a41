"""Attribution models over columns: what tracker.policy.credit says of each journey, of all of them at once.

    walks = walked(steps.in_order, persons, instants, look_back)
    shares = share_out(Model.LINEAR, walks)

A step's share is the same to the last part of a conversion (tests hold both against each other). Persons are
whole numbers from 0 on; instants are microseconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from tracker.policy.columns import Bits, Ints
from tracker.policy.credit import FINE, USUAL, Model, Rules, position_weights
from tracker.policy.markov import LOST, MOST_STATES, REST, START, WON, Chain, Flows, chain_of
from tracker.policy.parts import WHOLE

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class Steps:
    """What persons did; `keys` are places in `names` of what is credited."""

    persons: Ints
    at: Ints
    keys: Ints
    direct: Bits
    names: Sequence[str]

    @property
    def in_order(self) -> Steps:
        """In the order of persons, then of time; of one instant as they are here."""
        by = np.argsort(self.at, kind="stable")  # facts come in a few stretches that are in order already
        by = by[np.argsort(self.persons[by], kind="stable")]
        return Steps(self.persons[by], self.at[by], self.keys[by], self.direct[by], self.names)


@dataclass(frozen=True, eq=False)
class Walks:
    """Of each conversion the steps that may have led to it: those from `first` to before `end`."""

    steps: Steps
    persons: Ints  # of the conversions
    at: Ints
    first: Ints
    end: Ints

    @property
    def lengths(self) -> Ints:
        return self.end - self.first


def walked(steps: Steps, persons: Ints, at: Ints, look_back: timedelta) -> Walks:
    """The steps, in their order, of each conversion: up to its instant, none older than the look-back."""
    size = int(max(steps.persons.max(initial=-1), persons.max(initial=-1))) + 1
    bounds = np.concatenate([[0], np.cumsum(np.bincount(steps.persons, minlength=size))])
    begin, stop = bounds[persons], bounds[persons + 1]
    first = _found(steps.at, at - int(look_back / _MICROSECOND), begin, stop)
    return Walks(steps, persons, at, first, _found(steps.at, at + 1, begin, stop))


def _found(instants: Ints, wanted: Ints, begin: Ints, stop: Ints) -> Ints:
    """In each of these stretches of ordered instants the first that is not before the one that is wanted."""
    low, high = begin.copy(), stop.copy()
    while (open_ := np.flatnonzero(low < high)).size:
        middle = (low[open_] + high[open_]) // 2
        before = instants[middle] < wanted[open_]
        low[open_[before]] = middle[before] + 1
        high[open_[~before]] = middle[~before]
    return low


@dataclass(frozen=True, eq=False)
class Shares:
    """Which conversion has which step, and how many parts of WHOLE; `chain` is what a model has learned."""

    conversions: Ints
    steps: Ints
    parts: Ints
    chain: Chain | None = None


def share_out(model: Model, walks: Walks, rules: Rules = USUAL) -> Shares:
    """Each conversion shared among its steps, conversions in their order; one without any is nobody's."""
    if model in {Model.FIRST, Model.LAST, Model.LAST_NON_DIRECT}:
        some = np.flatnonzero(walks.lengths > 0)
        return Shares(some, _one(model, walks)[some], np.full(len(some), WHOLE, np.int64))
    each = _each(walks)
    chain = learned(walks) if model is Model.DATA_DRIVEN else None
    weights = _weights(model, walks, each, rules) if chain is None else _by_chain(chain, walks, each)
    parts = split_all(weights, each.conversions)
    had = parts > 0
    return Shares(each.conversions[had], each.steps[had], parts[had], chain)


@dataclass(frozen=True, eq=False)
class _Each:
    """Each step of each conversion."""

    conversions: Ints
    steps: Ints


def _each(walks: Walks) -> _Each:
    lengths = walks.lengths
    conversions = np.repeat(np.arange(len(lengths)), lengths)
    begun = np.cumsum(lengths) - lengths
    steps = np.arange(len(conversions)) - begun[conversions] + walks.first[conversions]
    return _Each(conversions, steps)


def _one(model: Model, walks: Walks) -> Ints:
    last = walks.end - 1
    if model is Model.FIRST:
        return walks.first
    if model is Model.LAST or not len(walks.steps.direct):
        return last
    telling = np.where(walks.steps.direct, -1, np.arange(len(walks.steps.direct)))
    latest: Ints = np.maximum.accumulate(telling)[np.maximum(last, 0)]
    return np.where(latest >= walks.first, latest, last)


def _weights(model: Model, walks: Walks, each: _Each, rules: Rules) -> Ints:
    if model is Model.LINEAR:
        return np.ones(len(each.steps), np.int64)
    if model is Model.POSITION:
        return _positions(walks.lengths, rules)
    last = walks.steps.at[walks.end[each.conversions] - 1]
    half_lives = (last - walks.steps.at[each.steps]) / (rules.half_life / _MICROSECOND)
    return _whole(np.power(0.5, half_lives))


def _positions(lengths: Ints, rules: Rules) -> Ints:
    """Of each length the weights are the same; the lengths are few."""
    each = {
        length: position_weights(length, rules.first_percent, rules.last_percent)
        for length in np.unique(lengths).tolist()
        if length
    }
    longest = max(each, default=1)
    table = np.zeros((longest + 1, longest), np.int64)
    for length, weights in each.items():
        table[length, :length] = weights
    told = np.repeat(lengths, lengths)
    places = np.arange(len(told)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    found: Ints = table[told, places]
    return found


def _whole(weights: NDArray[np.float64]) -> Ints:
    return np.rint(FINE * weights).astype(np.int64)


def split_all(weights: Ints, of: Ints) -> Ints:
    """WHOLE divided in proportion to the weights, for each of `of`, as tracker.policy.parts divides it."""
    if not len(weights):
        return weights
    totals = np.zeros(int(of[-1]) + 1, np.int64)
    np.add.at(totals, of, weights)
    parts, left_over = np.divmod(WHOLE * weights, totals[of])
    left = np.full(len(totals), WHOLE, np.int64)
    np.subtract.at(left, of, parts)
    order = np.lexsort((-left_over, of))  # stable: of equal remainders the earlier first
    counts = np.bincount(of, minlength=len(totals))
    rank = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    parts[order] += rank < left[of[order]]
    return parts


# ---- data-driven ----


def _by_chain(chain: Chain, walks: Walks, each: _Each) -> Ints:
    of, (states, words) = each.conversions, _states(chain.pooled, walks.steps.names)
    if not len(of):
        return of
    state = states[walks.steps.keys[each.steps]]
    _, places, times = np.unique(of * len(words) + state, return_inverse=True, return_counts=True)
    effects = np.array([chain.effects.get(word, 0.0) for word in words])
    weights = effects[state] / times[places]
    known = np.zeros(int(of[-1]) + 1, np.bool_)
    known[of[weights > 0]] = True
    return _whole(np.where(known[of], weights, 1.0))  # of some nothing is known


def _states(pooled: frozenset[str], names: Sequence[str]) -> tuple[Ints, list[str]]:
    """Of each key its state, and the states' names."""
    told = [REST if name in pooled else name for name in names]
    words = list(dict.fromkeys(told))
    places = {word: place for place, word in enumerate(words)}
    return np.array([places[word] for word in told], np.int64), words


@dataclass(frozen=True, eq=False)
class _Paths:
    """Keys one after the other, and the path that each is on: the first `won` paths led to a conversion."""

    on: Ints
    keys: Ints
    won: int

    def of(self, keys: Ints) -> _Paths:
        """With those keys alone."""
        there = np.isin(self.keys, keys)
        return _Paths(self.on[there], self.keys[there], self.won)

    def told(self, states: Ints) -> _Paths:
        """With states in place of keys, and none that comes after itself."""
        on, keys = self.on, states[self.keys]
        new = np.ones(len(on), np.bool_)
        new[1:] = (on[1:] != on[:-1]) | (keys[1:] != keys[:-1])
        return _Paths(on[new], keys[new], self.won)


def learned(walks: Walks) -> Chain:
    """What the walks teach: conversions, and steps that led nowhere (tracker.policy.credit.learned)."""
    each, lost, names = _each(walks), _lost(walks), walks.steps.names
    on = np.concatenate([each.conversions, len(walks.persons) + walks.steps.persons[lost]])
    keys = np.concatenate([walks.steps.keys[each.steps], walks.steps.keys[lost]])
    paths = _Paths(on, keys, len(walks.persons)).told(np.arange(len(names)))
    has_won = paths.on < paths.won
    earned = np.unique(paths.keys[has_won])
    pairs = np.unique(paths.on[has_won] * max(len(names), 1) + paths.keys[has_won])
    several = np.unique(pairs // max(len(names), 1), return_counts=True)[1] > 1
    telling = paths.of(earned)
    pooled = _rare(telling, earned, names)
    return chain_of(
        _flows(telling, pooled, names),
        pooled,
        conversions=_stretches(paths.on[has_won]),
        journeys=_stretches(paths.on),
        several=int(several.sum()),
    )


def _stretches(values: Ints) -> int:
    """How many there are, each being in one stretch."""
    return int(len(values) > 0) + int((values[1:] != values[:-1]).sum())


def _lost(walks: Walks) -> Ints:
    """The steps after their person's last conversion; all of them, where there is none."""
    steps = walks.steps
    size = int(max(steps.persons.max(initial=-1), walks.persons.max(initial=-1))) + 1
    last = np.full(size, np.iinfo(np.int64).min)
    np.maximum.at(last, walks.persons, walks.at)
    return np.flatnonzero(steps.at > last[steps.persons])


def _rare(paths: _Paths, earned: Ints, names: Sequence[str]) -> frozenset[str]:
    if len(earned) <= MOST_STATES:
        return frozenset()
    pairs = np.unique(paths.on * len(names) + paths.keys)
    counts = np.bincount(pairs % len(names), minlength=len(names)).tolist()
    often = sorted(earned.tolist(), key=lambda key: (-counts[key], names[key]))
    return frozenset(names[key] for key in often[MOST_STATES - 1 :])


def _flows(paths: _Paths, pooled: frozenset[str], names: Sequence[str]) -> Flows:
    """How often one state follows another; `paths` are those with keys that have earned something."""
    states, words = _states(pooled, names)
    flows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    if not len(paths.on):
        return flows
    told = paths.told(states)
    leaps = told.on[1:] != told.on[:-1]
    begins, ends = np.concatenate([[True], leaps]), np.concatenate([leaps, [True]])
    called = [*words, START, WON, LOST]
    start, won, lost = range(len(words), len(called))
    here = np.concatenate([np.full(int(begins.sum()), start), told.keys])
    after = np.where(ends, np.where(told.on < told.won, won, lost), np.roll(told.keys, -1))
    there = np.concatenate([told.keys[begins], after])
    counts = np.bincount(here * len(called) + there)
    for code in np.flatnonzero(counts).tolist():
        flows[called[code // len(called)]][called[code % len(called)]] = int(counts[code])
    return flows
