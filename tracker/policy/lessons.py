"""Learning the delay model from a company's own calls: nobody has to say which attribution was right.

    learn(calls: Sequence[CallFacts], stocks: Sequence[Stock], now, since=…) -> DelayModel

Expectation and maximisation in turn. With the rates believed so far every call is shared among everything it
may come from (tracker.policy.shares); then each rate becomes the calls that fell to it over the seconds in
which they could have come (tracker.policy.evidence). A call with one possible source teaches what an
ambiguous one may be. Every rate starts from the prior, worth a few calls. docs/attribution.md derives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tracker.policy.attribution import CallFacts
from tracker.policy.delays import PRIOR, DelayModel
from tracker.policy.evidence import (
    CELLS,
    HOURS,
    Exposure,
    Lesson,
    Stock,
    exposure_of,
    in_order,
    lessons_of,
    parts_of,
)
from tracker.policy.shares import Shares, rates_of, shares_of
from tracker.policy.sights import AWAY_EDGES, DEVICES, FIRST_AWAY, SIGHTS

ROUNDS = 15
_WORTH = 2.0  # calls that a rate of the prior is worth
# Calls of people nobody can know: on a busy number the calls alone can hardly tell them from visitors of half
# an hour ago, so this prior counts for more. One call in twelve, worth ten calls.
_UNKNOWN_SHARE, _UNKNOWN_WORTH = 0.08, 10.0
# From this bin on, a quarter of an hour after he left, a call hardly tells which of many visitors made it.
_DIFFUSE = FIRST_AWAY + AWAY_EDGES.index(900.0) + 1
_FACTOR_WORTH = 4.0  # the same for what rates are multiplied with


def learn(
    calls: Sequence[CallFacts],
    stocks: Sequence[Stock],
    now: datetime,
    *,
    since: datetime | None = None,
    prior: DelayModel = PRIOR,
) -> DelayModel:
    """The model that these calls and leases teach; calls before `since` only tell who is known already."""
    since = since or min((stock.from_at for stock in stocks), default=now)
    stocks = in_order(stocks)
    lessons = lessons_of(calls, stocks, since)
    if not any(lesson.counts for lesson in lessons):
        return prior
    exposure = exposure_of(stocks, lessons, since, now)
    unknown = _UNKNOWN_SHARE * sum(lesson.counts for lesson in lessons) / _numbers(exposure)
    prior = replace(prior, unknown=unknown)
    model, busy = prior, [1.0] * HOURS
    for _ in range(ROUNDS):
        model = _maximised(prior, model, shares_of(lessons, model), _Seconds(exposure, busy))
        busy = _busy_hours(lessons, exposure, model)
    return model


def _numbers(exposure: Exposure) -> float:
    """Seconds that the pools had numbers, added up over the numbers."""
    return max(1.0, sum(place for (place,) in exposure.numbers))


class _Seconds:
    """The exposure, an hour of the day counting as much as it is used for calling."""

    def __init__(self, exposure: Exposure, busy: Sequence[float]) -> None:
        self.cells = _weighed(exposure.cells, busy)
        self.clicks = _weighed(exposure.clicks, busy)
        self.repeats = _weighed(exposure.repeats, busy)
        self.numbers = _weighed(exposure.numbers, busy)[0]


def _weighed(hours: Sequence[Sequence[float]], busy: Sequence[float]) -> list[float]:
    return [
        sum(much * seconds for much, seconds in zip(busy, place, strict=True))
        for place in zip(*hours, strict=True)
    ]


def _busy_hours(lessons: Sequence[Lesson], exposure: Exposure, model: DelayModel) -> list[float]:
    """How readily people call at each hour of the day, on average 1: calls there were over calls due."""
    calls = [_FACTOR_WORTH] * HOURS
    for lesson in lessons:
        calls[lesson.at.hour] += lesson.counts
    rates = rates_of(model)
    busy = []
    for hour in range(HOURS):
        due = _FACTOR_WORTH + model.unknown * exposure.numbers[hour][0]
        for seconds, rate in (
            (exposure.cells[hour], rates.cells),
            (exposure.clicks[hour], rates.clicks),
            (exposure.repeats[hour], model.repeat),
        ):
            due += sum(map(_product, seconds, rate))
        busy.append(calls[hour] / due)
    return [each * HOURS / sum(busy) for each in busy]


def _product(one: float, other: float) -> float:
    return one * other


def _maximised(prior: DelayModel, last: DelayModel, calls: Shares, exposure: _Seconds) -> DelayModel:
    seconds = [max(0.0, whole - called) for whole, called in zip(exposure.cells, calls.called, strict=True)]
    model = replace(last, sight=_sight(prior, last, calls, seconds))
    here, away = range(FIRST_AWAY), range(FIRST_AWAY, _DIFFUSE)
    model = replace(model, device=_device(prior.device, here, model, calls, seconds))
    model = replace(model, device_away=_device(prior.device_away, away, model, calls, seconds))
    model = replace(model, came_again=_came_again(prior, model, calls, seconds))
    model = replace(model, click=_click(prior, model, calls, exposure))
    model = replace(model, click_device=_click_device(prior, model, calls, exposure))
    called = sum(map(_product, calls.called, rates_of(model).cells))
    shown = calls.strangers_known + calls.strangers_new
    return replace(
        model,
        again=_factor(prior.again, calls.again, called),
        other_phone=_factor(prior.other_phone, calls.other_phone, called),
        repeat=_smoothed(prior.repeat, calls.repeats, exposure.repeats),
        other_country=_factor(prior.other_country, calls.elsewhere, calls.same_country),
        known_caller=_factor(prior.known_caller, calls.strangers_known, shown),
        withheld=_factor(prior.withheld, calls.strangers_withheld, calls.strangers),
        unknown_withheld=_factor(prior.unknown_withheld, calls.nobody_withheld, calls.nobody),
        unknown=(_UNKNOWN_WORTH + calls.nobody) / (_UNKNOWN_WORTH / prior.unknown + exposure.numbers),
    )


def _factor(prior: float, calls: float, due: float) -> float:
    """What rates are multiplied with: the calls there were over those that would be due without it."""
    return (_FACTOR_WORTH * prior + calls) / (_FACTOR_WORTH + due)


def _smoothed(prior: Sequence[float], calls: Sequence[float], seconds: Sequence[float]) -> tuple[float, ...]:
    """Rates that lean on the prior's shape, scaled to what the bins around have taught."""
    due = [rate * long for rate, long in zip(prior, seconds, strict=True)]
    rates = []
    for place, rate in enumerate(prior):
        near = [0.5 ** abs(place - other) for other in range(len(prior))]
        scale = (1.0 + sum(map(_product, near, calls))) / (1.0 + sum(map(_product, near, due)))
        rates.append((_WORTH + calls[place]) / (_WORTH / (rate * scale) + seconds[place]))
    return tuple(rates)


def _over_cells(
    seconds: Sequence[float], calls: Sequence[float], rate: Callable[[int, str, bool], float]
) -> list[tuple[int, str, bool, float, float]]:
    """Every cell with its calls and the calls due at that rate."""
    found = []
    for cell in range(CELLS):
        parts = parts_of(cell)
        found.append((*parts, calls[cell], seconds[cell] * rate(*parts)))
    return found


def _sight(
    prior: DelayModel, model: DelayModel, calls: Shares, seconds: Sequence[float]
) -> tuple[float, ...]:
    many, long = [0.0] * SIGHTS, [0.0] * SIGHTS

    def rate(sight_bin: int, device: str, came_again: bool) -> float:
        return model.by_device(sight_bin, device) * (model.came_again if came_again else 1.0)

    for sight_bin, _, _, there, due in _over_cells(seconds, calls.cells, rate):
        many[sight_bin] += there
        long[sight_bin] += due
    return _smoothed(prior.sight, many, long)


def _device(
    prior: Mapping[str, float], bins: range, model: DelayModel, calls: Shares, seconds: Sequence[float]
) -> dict[str, float]:
    many, long = dict.fromkeys(DEVICES, 0.0), dict.fromkeys(DEVICES, 0.0)

    def rate(sight_bin: int, _: str, came_again: bool) -> float:
        return model.sight[sight_bin] * (model.came_again if came_again else 1.0)

    for sight_bin, device, _, there, due in _over_cells(seconds, calls.cells, rate):
        if sight_bin in bins:
            many[device] += there
            long[device] += due
    return {"phone": 1.0} | {it: _factor(prior[it], many[it], long[it]) for it in DEVICES[1:]}


def _came_again(prior: DelayModel, model: DelayModel, calls: Shares, seconds: Sequence[float]) -> float:
    def rate(sight_bin: int, device: str, came_again: bool) -> float:
        return model.sight[sight_bin] * model.by_device(sight_bin, device) if came_again else 0.0

    cells = [each for each in _over_cells(seconds, calls.cells, rate) if each[2]]
    return _factor(prior.came_again, sum(each[3] for each in cells), sum(each[4] for each in cells))


def _click(prior: DelayModel, model: DelayModel, calls: Shares, exposure: _Seconds) -> tuple[float, ...]:
    factors = [model.click_device[device] for device in DEVICES]
    many, long = [], []
    for first in range(0, len(calls.clicks), len(DEVICES)):
        row = slice(first, first + len(DEVICES))
        many.append(sum(calls.clicks[row]))
        long.append(sum(map(_product, exposure.clicks[row], factors)))
    return _smoothed(prior.click, many, long)


def _click_device(
    prior: DelayModel, model: DelayModel, calls: Shares, exposure: _Seconds
) -> dict[str, float]:
    found = {"phone": 1.0}
    for place, device in enumerate(DEVICES[1:], start=1):
        due = sum(map(_product, exposure.clicks[place :: len(DEVICES)], model.click))
        found[device] = _factor(prior.click_device[device], sum(calls.clicks[place :: len(DEVICES)]), due)
    return found
