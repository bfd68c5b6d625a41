"""The perfect judge: knows the process, sees what the product sees, and computes who called.

For every call it weighs each visit that was shown the number, each earlier call that this one may follow,
and the strays, by their rates at that instant; a caller who is known keeps several hypotheses of who he is,
one for each visit his calls may be due to. The share of calls it gets right, the mean of its greatest
probabilities, is the most that any judge can reach with these leases.

One thing is not exact: whether a visitor has called before (which makes him likelier to call, by the same
phone) is taken from the probabilities of the calls so far, as if they were independent of each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp

import numpy as np

from bench.attribution.dialled import Rang, Shown
from bench.attribution.process import Floats, Ints, Process
from bench.attribution.sight import Sights
from bench.attribution.world import SESSION, World

Posterior = dict[int | None, float]  # by visit; None: nobody's

_FORGET = 1e-5  # hypotheses so much less likely than the best are dropped
_HYPOTHESES = 150
_UNLIKELY = 1e-3  # who is so unlikely the caller is not looked for in other browsers
_AWAKE = 0.8  # typical thinning by the hour of day, where only a rough expectation is needed


@dataclass(frozen=True)
class _Weight:
    """How much speaks for a visit as a call's source."""

    visit: int  # the call would be due to
    by: int  # the visit that made him call
    fresh: float  # calls a second if he has never called: by this phone, then
    again: float  # if he has called before
    cookie: int


@dataclass
class _Hypothesis:
    """Who a caller may be: the browser he called from first (None: nobody's), what his calls are due to."""

    weight: float
    cookie: int | None
    labels: tuple[int | None, ...]


@dataclass
class _Caller:
    hypotheses: list[_Hypothesis]
    calls: list[tuple[float, int]]
    share: dict[int, float] = field(default_factory=dict)  # of the browsers, that it is he


class PerfectJudge:
    """Judges the calls of a world in the order of time; what it has seen it remembers."""

    def __init__(self, world: World, shown: Shown) -> None:
        self._process: Process = world.process
        self._sights = Sights(world)
        self._world = world
        first = [shown.first(each.number) for each in world.visits]
        self._line = np.array([-1 if each is None else each[1] for each in first])
        self._shown_at = np.array([np.inf if each is None else each[0] for each in first])
        self._by_line = {
            line: np.flatnonzero(self._line == line) for line in np.unique(self._line) if line >= 0
        }
        self._of_cookie: dict[int, list[int]] = defaultdict(list)
        for each in world.visits:
            self._of_cookie[each.cookie].append(each.number)
        self._callers: dict[int, _Caller] = {}
        self._has_called: dict[int, dict[int, float]] = defaultdict(dict)  # by browser, by caller
        self._calls: dict[int, list[float]] = defaultdict(list)  # by line
        self._withheld: dict[int, list[tuple[float, Posterior]]] = defaultdict(list)

    def judge(self, rang: Rang) -> Posterior:
        """What the call is due to; calls must come in the order of time."""
        assert rang.line is not None
        at, line = rang.dial.at, rang.line
        weights = list(self._weights(line, at, at + rang.dial.seconds))
        if rang.caller is None:
            posterior = self._judge_withheld(weights, line, at)
        elif rang.caller in self._callers:
            posterior = self._judge_known(self._callers[rang.caller], weights, line, at)
            self._remember(rang.caller)
        else:
            posterior = self._judge_new(rang.caller, weights, line, at)
        self._calls[line].append(at)
        return posterior

    # ---- the visits ----

    def _weights(self, line: int, at: float, judged_at: float) -> Iterator[_Weight]:
        """Every visit that may have made somebody dial that number now."""
        held = self._by_line.get(line, np.zeros(0, dtype=np.int64))
        held = held[self._shown_at[held] <= at]
        before = self._seen_before(held, at)
        visits: Ints = np.concatenate([held, np.array(sorted(before), dtype=np.int64)])
        clicks, others = self._sights.rates(visits, at, judged_at)
        process = self._process
        for place, visit in enumerate(visits.tolist()):
            cookie = self._world.visits[visit].cookie
            if len(self._of_cookie[cookie]) == 1:
                click, other = float(clicks[place]) * process.call_after_click, float(others[place])
                again = click * process.click_boost + other * process.boost
                yield _Weight(visit, visit, click + other, again, cookie)
                continue
            begun = self._begun(cookie, at)
            newest = begun[-1]
            mine = [each for each in begun if self._shown_line(each, at) == line]
            share = self._share(visit, newest, line, at)
            click = float(clicks[place]) * process.call_after_click if visit in mine else 0.0
            other = float(others[place]) * share
            if click + other > 0:
                yield _Weight(
                    mine[-1],
                    visit,
                    click + other,
                    click * process.click_boost + other * process.boost,
                    cookie,
                )

    def _begun(self, cookie: int, at: float) -> list[int]:
        return [each for each in self._of_cookie[cookie] if self._world.visits[each].start <= at]

    def _shown_line(self, visit: int, at: float) -> int:
        return int(self._line[visit]) if self._shown_at[visit] <= at else -1

    def _share(self, visit: int, newest: int, line: int, at: float) -> float:
        """How many of the visit's callers dial this number: that of the newest visit, else its own."""
        share = self._process.saw_last if self._shown_line(newest, at) == line else 0.0
        return share + (1 - self._process.saw_last) * (self._shown_line(visit, at) == line)

    def _seen_before(self, held: Ints, at: float) -> set[int]:
        """Older visits of those who were shown the number on their newest: they dial that."""
        found: set[int] = set()
        mine = set(held.tolist())
        for visit in mine:
            begun = self._begun(self._world.visits[visit].cookie, at)
            if len(begun) > 1 and begun[-1] == visit:
                found.update(each for each in begun[:-1] if each not in mine)
        return found

    def _called(self, cookie: int) -> float:
        """How likely it is that somebody has called from that browser."""
        none = 1.0
        for share in self._has_called.get(cookie, {}).values():
            none *= 1 - share
        return 1 - none

    def _newcomer(self, weight: _Weight) -> float:
        """Calls a second by a phone that has not called before."""
        called = self._called(weight.cookie)
        unheard = self._unheard(weight)
        again = weight.again * (1 - self._process.same_phone)
        heard: float = weight.fresh * (1 - called) + again * called
        return heard + unheard * max(0.0, weight.again - weight.fresh)

    def _unheard(self, weight: _Weight) -> float:
        """How likely it is that he has called the company's own number, on visits without one of his own."""
        visits = self._of_cookie[weight.cookie]
        begin = self._world.visits[weight.by].start
        earlier = [each for each in visits if self._line[each] < 0 and self._world.visits[each].start < begin]
        if not earlier:
            return 0.0
        calls = sum(self._sights.expected(each, 0.0, begin) for each in earlier)
        clicks = sum(len(self._sights.clicks_of[each]) for each in earlier)
        return 1 - exp(-_AWAKE * (calls + clicks * self._process.call_after_click))

    # ---- a phone that has not called before ----

    def _judge_new(self, caller: int, weights: list[_Weight], line: int, at: float) -> Posterior:
        process = self._process
        by_source: dict[tuple[int | None, int | None], float] = defaultdict(float)
        for each in weights:
            by_source[each.cookie, each.visit] += (1 - process.withholds) * self._newcomer(each)
        by_source[None, None] = (1 - process.withholds) * self._friends(line, at) + (
            1 - process.strays_withhold
        ) * process.strays
        hypotheses = [_Hypothesis(weight, cookie, (visit,)) for (cookie, visit), weight in by_source.items()]
        self._callers[caller] = _Caller(_likely(hypotheses), [(at, line)])
        self._remember(caller)
        return _posterior(self._callers[caller].hypotheses)

    def _friends(self, line: int, at: float) -> float:
        process = self._process
        since = at - np.array(self._calls[line])
        return process.friends * float(process.friend_delay.density(since).sum())

    # ---- a known phone ----

    def _judge_known(self, caller: _Caller, weights: list[_Weight], line: int, at: float) -> Posterior:
        again = self._again_rates(caller.calls, line, at)
        by_cookie: dict[int, list[_Weight]] = defaultdict(list)
        for weight in weights:
            by_cookie[weight.cookie].append(weight)
        first = [each for each in weights if self._of_cookie[each.cookie][0] == each.by]
        begun = np.array([self._world.visits[each.by].start for each in first])
        found: list[_Hypothesis] = []
        for each in caller.hypotheses:
            silent = each.weight
            if each.weight > _UNLIKELY:
                silent *= self._silence(each, caller.calls[-1][0], at)
            causes = list(zip(again, each.labels, strict=True))
            if each.cookie is not None:
                causes += self._own(by_cookie[each.cookie])
                causes += self._elsewhere(each, first, begun)
            found += [
                _Hypothesis(silent * rate, each.cookie, (*each.labels, label))
                for rate, label in causes
                if rate > 0
            ]
        nobody = _Hypothesis(1.0, None, (None,) * (len(caller.calls) + 1))
        caller.hypotheses = _likely(found or [nobody])
        caller.calls.append((at, line))
        return _posterior(caller.hypotheses)

    def _own(self, weights: Iterable[_Weight]) -> list[tuple[float, int | None]]:
        """By the visits of the browser he called from first."""
        return [(self._process.same_phone * each.again, each.visit) for each in weights]

    def _elsewhere(
        self, hypothesis: _Hypothesis, first: list[_Weight], begun: Floats
    ) -> list[tuple[float, int | None]]:
        """By the first visits of other browsers, which may be his."""
        if hypothesis.cookie is None or hypothesis.weight < _UNLIKELY:
            return []
        kinship = self._kinship(hypothesis.cookie, begun)
        return [
            (self._process.same_phone * each.again * float(kin), each.visit)
            for each, kin in zip(first, kinship, strict=True)
        ]

    def _again_rates(self, calls: list[tuple[float, int]], line: int, at: float) -> Floats:
        """By each of his earlier calls: calls a second to the number he saved then."""
        since = np.array([at - then for then, _ in calls])
        same = np.array([dialled == line for _, dialled in calls])
        rates: Floats = self._process.again * self._process.again_delay.density(since) * same
        return rates

    def _silence(self, each: _Hypothesis, begin: float, end: float) -> float:
        """How likely it is that he did not call from his visits meanwhile."""
        if each.cookie is None:
            return 1.0
        process, visits = self._process, self._begun(each.cookie, end)
        calls = sum(self._sights.expected(visit, begin, end) for visit in visits)
        unused = sum(begin < click < end - 60 for visit in visits for click in self._sights.clicks_of[visit])
        follows = process.same_phone * process.call_after_click * process.click_boost * _AWAKE
        calm = exp(-_AWAKE * process.boost * process.same_phone * calls)
        return calm * (1 - follows) ** unused

    def _kinship(self, cookie: int, begun: Floats) -> Floats:
        """How likely it is that browsers' first visits are those of a person known from another browser."""
        process = self._process
        before = np.array([self._world.visits[each].start for each in self._of_cookie[cookie]])
        since = begun[:, None] - before
        rate = np.where(since > SESSION, process.return_delay.density(since), 0.0).sum(axis=1)
        rate *= process.returns * process.other_cookie * process.awake(begun)
        kinship: Floats = rate / (rate + process.coming(begun))
        return kinship

    # ---- a phone that is not shown ----

    def _judge_withheld(self, weights: list[_Weight], line: int, at: float) -> Posterior:
        process = self._process
        found: Posterior = defaultdict(float)
        for each in weights:
            rate = process.withholds * self._newcomer(each)
            rate += process.same_phone * each.again * self._has_called[each.cookie].get(-1, 0.0)
            found[each.visit] += rate
        found[None] += process.withholds * self._friends(line, at) + process.strays_withhold * process.strays
        for then, posterior in self._withheld[line]:
            rate = process.again * float(process.again_delay.density(np.array([at - then]))[0])
            for visit, share in posterior.items():
                found[visit] += rate * share
        posterior = _normal(found)
        self._withheld[line].append((at, posterior))
        for visit, share in posterior.items():
            if visit is not None and share > _FORGET:
                by_caller = self._has_called[self._world.visits[visit].cookie]
                by_caller[-1] = 1 - (1 - by_caller.get(-1, 0.0)) * (1 - share)
        return posterior

    def _remember(self, caller: int) -> None:
        """From which browsers the caller may have called, for the calls to come."""
        it = self._callers[caller]
        for cookie in it.share:
            self._has_called[cookie].pop(caller, None)
        it.share = defaultdict(float)
        for each in it.hypotheses:
            if each.cookie is not None:
                it.share[each.cookie] += each.weight
        for cookie, share in it.share.items():
            self._has_called[cookie][caller] = share


def _likely(hypotheses: Iterable[_Hypothesis]) -> list[_Hypothesis]:
    """The likeliest, with weights that add up to 1; the same twice is one."""
    together: dict[tuple[int | None, tuple[int | None, ...]], float] = defaultdict(float)
    for each in hypotheses:
        together[each.cookie, each.labels] += each.weight
    ranked = sorted(together.items(), key=lambda each: -each[1])[:_HYPOTHESES]
    kept = [each for each in ranked if each[1] > ranked[0][1] * _FORGET] or ranked[:1]
    total = sum(weight for _, weight in kept)
    return [_Hypothesis(weight / total, cookie, labels) for (cookie, labels), weight in kept]


def _posterior(hypotheses: Iterable[_Hypothesis]) -> Posterior:
    found: Posterior = defaultdict(float)
    for each in hypotheses:
        found[each.labels[-1]] += each.weight
    return dict(found)


def _normal(weights: Mapping[int | None, float]) -> Posterior:
    total = sum(weights.values())
    return {visit: weight / total for visit, weight in weights.items()}
