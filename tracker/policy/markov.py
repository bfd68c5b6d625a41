"""Data-driven credit: how many conversions would be lost without an origin (Markov removal effect).

The paths make a chain: from the start over origins to a conversion or to nothing, each origin leading to the
next as often as it did. Its removal effect is the share of all conversions of the chain that go through it.
Anderl and others, "Mapping the customer journey" (2016), https://doi.org/10.1016/j.ijresmar.2016.03.001.

It is exact, by one inverse: with N = 1/(1 - Q), the chance to come to k at all is N[start, k] / N[k, k], and
whoever is at k converts with the chance v[k]; so without k conversions fall by N[start, k] v[k] / N[k, k].
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tracker.policy.journeys import collapsed

Paths = Mapping[tuple[str, ...], int]  # how often each was gone

ENOUGH_CONVERSIONS = 300  # as many as Google Ads once asked for, for its own data-driven model
ENOUGH_SEVERAL = 30  # where hardly anybody came over several origins, there is nothing to learn
MOST_STATES = 150  # the work grows with the cube: rarer origins are one state together
REST = "(the rest)"
START, LOST, WON = "(start)", "(lost)", "(won)"
Flows = Mapping[str, Mapping[str, int]]  # from, to: how often


@dataclass(frozen=True)
class Chain:
    """What the paths teach, and how many they were; `effects` are removal effects, between 0 and 1.

    `several` are the conversions with two origins or more: all that the model can learn from.
    """

    effects: Mapping[str, float]
    pooled: frozenset[str] = field(default_factory=frozenset)  # the keys that are the state REST
    conversions: int = 0
    journeys: int = 0  # paths, those that led nowhere among them
    several: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether its credit is worth more than that of a rule; below, it is chance to a good part."""
        return self.conversions >= ENOUGH_CONVERSIONS and self.several >= ENOUGH_SEVERAL

    def state_of(self, key: str) -> str:
        return REST if key in self.pooled else key

    def weigh(self, keys: Sequence[str]) -> list[float]:
        """A weight for each step of a path: its origin's effect, divided among the steps of that origin."""
        states = [self.state_of(key) for key in keys]
        times = Counter(states)
        weights = [self.effects.get(state, 0.0) / times[state] for state in states]
        return weights if any(weights) else [1.0] * len(keys)  # nothing is known of any of them


def learn(won: Paths, lost: Paths) -> Chain:
    """The chain of paths that ended with a conversion and of paths that led nowhere.

    Origins that had part in no conversion are left out: they have earned nothing, and only because the chain
    forgets where it came from would it lead over them to conversions.
    """
    earned = {key for path in won for key in path}
    pooled = _rare(won, lost, earned)
    flows = _flows(won, lost, earned, pooled)
    return chain_of(
        flows,
        pooled,
        conversions=sum(won.values()),
        journeys=sum(won.values()) + sum(lost.values()),
        several=sum(count for path, count in won.items() if len(set(path)) > 1),
    )


def chain_of(flows: Flows, pooled: frozenset[str], *, conversions: int, journeys: int, several: int) -> Chain:
    """The chain that leads from one state to the next as often as the flows say."""
    return Chain(_effects(flows), pooled, conversions, journeys, several)


def _rare(won: Paths, lost: Paths, earned: set[str]) -> frozenset[str]:
    if len(earned) <= MOST_STATES:
        return frozenset()
    seen: Counter[str] = Counter()
    for paths in (won, lost):
        for path, count in paths.items():
            for key in set(path) & earned:
                seen[key] += count
    often = sorted(seen, key=lambda key: (-seen[key], key))
    return frozenset(often[MOST_STATES - 1 :])


def _flows(won: Paths, lost: Paths, earned: set[str], pooled: frozenset[str]) -> Flows:
    flows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for paths, end in ((won, WON), (lost, LOST)):
        for path, count in paths.items():
            known = (REST if key in pooled else key for key in path if key in earned)
            states = collapsed(known)
            if not states:  # makes conversions rarer in all, and alike whichever origin is removed
                continue
            for here, there in pairwise((START, *states, end)):
                flows[here][there] += count
    return flows


def _effects(flows: Flows) -> dict[str, float]:
    states = sorted(state for state in flows if state != START)
    chances = [_chances(flows[state], states) for state in states]
    inverse = np.linalg.inv(np.eye(len(states)) - np.array(chances)).tolist() if states else []
    ends = [flows[state][WON] / sum(flows[state].values()) for state in states]
    converts = [sum(x * end for x, end in zip(line, ends, strict=True)) for line in inverse]
    starts = _chances(flows[START], states) if states else []
    passes = [sum(start * x for start, x in zip(starts, column, strict=True)) for column in _columns(inverse)]
    all_of_them = sum(start * chance for start, chance in zip(starts, converts, strict=True))
    return {
        state: round(passes[place] * converts[place] / inverse[place][place] / all_of_them, 12)
        for place, state in enumerate(states)
    }


def _columns(matrix: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    return list(zip(*matrix, strict=True))


def _chances(flow: Mapping[str, int], states: Sequence[str]) -> list[float]:
    total = sum(flow.values())
    return [flow.get(state, 0) / total for state in states]
