"""Learning when visitors call: known rates are found again from calls that nobody has attributed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from tracker.policy.attribution import CallFacts, History, attribute
from tracker.policy.delays import PRIOR, DelayModel
from tracker.policy.evidence import Stock
from tracker.policy.lessons import learn
from tracker.policy.sights import AWAY_EDGES, FIRST_AWAY, FIRST_SILENT, Holder

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
DAYS, NUMBERS = 8, 6

# The truth, unlike the prior: three times as many calls while he looks, more on the next day.
PRESENT, FIVE_MINUTES, HOUR, DAY = 5e-4, 1e-4, 8e-6, 8e-7  # calls a second of a visitor with a phone
DESKTOP = 0.8  # against a phone
CLICK_CALLS, CLICK_SECONDS = 0.5, 10.0  # calls after a click, spread evenly over so long
AGAIN, AGAIN_SECONDS = 0.5, 86400.0  # calls of a caller after a call, spread evenly over so long
UNKNOWN = 2e-5  # calls a second of a number


@dataclass
class World:
    calls: list[CallFacts] = field(default_factory=list)
    truth: list[int | None] = field(default_factory=list)  # visit
    stocks: list[Stock] = field(default_factory=list)


def poisson(rng: random.Random, rate: float, begin: float, end: float) -> list[float]:
    found, at = [], begin + rng.expovariate(rate)
    while at < end:
        found.append(at)
        at += rng.expovariate(rate)
    return found


@cache
def world(seed: int = 1) -> World:
    """Visitors one after the other on each number, five minutes of hold between them, and who called."""
    rng, made, end = random.Random(seed), World(), DAYS * 86400.0
    dialled: list[tuple[float, int, str, int | None]] = []
    lease = caller = 0
    for number in range(NUMBERS):
        at, held = rng.uniform(0, 600), []
        while at < end:
            lease += 1
            stayed, device = rng.expovariate(1 / 150), rng.choice(["phone", "desktop"])
            clicks = [at + rng.uniform(0, stayed)] if device == "phone" and rng.random() < 0.1 else []
            held.append(holder(lease, at, stayed, device, clicks))
            for call in calls_of(rng, at, at + stayed, device, clicks):
                caller += 1
                dialled.append((call, number, f"+7{caller}", lease))
            at += stayed + 300 + rng.expovariate(1 / 300)
        made.stocks.append(Stock(number, MONDAY, None, held))
        for call in poisson(rng, UNKNOWN, 0, end):
            caller += 1
            dialled.append((call, number, f"+7{caller}", None))
    for call, number, phone, visit in list(dialled):
        if rng.random() < AGAIN:
            dialled.append((call + rng.uniform(0, AGAIN_SECONDS), number, phone, visit))
    for call, number, phone, visit in sorted(each for each in dialled if each[0] < end):
        made.calls.append(CallFacts(number, moment(call), phone))
        made.truth.append(visit)
    return made


def moment(at: float) -> datetime:
    return MONDAY + timedelta(seconds=at)


def holder(lease: int, at: float, stayed: float, device: str, clicks: Sequence[float]) -> Holder:
    came, left = moment(at), moment(at + stayed)
    pressed = tuple(moment(click) for click in clicks)
    return Holder(
        lease, lease, lease, came, moment(at + stayed + 300), ((came, left),), True, pressed, device
    )


def calls_of(
    rng: random.Random, came: float, left: float, device: str, clicks: Sequence[float]
) -> list[float]:
    factor = DESKTOP if device == "desktop" else 1.0
    found = poisson(rng, PRESENT * factor, came, left)
    found += poisson(rng, FIVE_MINUTES * factor, left, left + 300)
    found += poisson(rng, HOUR * factor, left + 300, left + 3600)
    found += poisson(rng, DAY * factor, left + 3600, left + 86400)
    return found + [click + rng.uniform(0, CLICK_SECONDS) for click in clicks if rng.random() < CLICK_CALLS]


@cache
def learned() -> DelayModel:
    it = world()
    return learn(it.calls, it.stocks, moment(DAYS * 86400.0))


def mean(rates: Sequence[float], first: float, last: float) -> float:
    """The mean rate between two times after the visitor left."""
    begun, total = 0.0, 0.0
    for rate, edge in zip(rates[FIRST_AWAY:], AWAY_EDGES, strict=True):
        total += rate * max(0.0, min(edge, last) - max(begun, first))
        begun = edge
    return total / (last - first)


def test_the_world_is_large_enough_to_learn_from() -> None:
    assert 800 < len(world().calls) < 2500


def test_the_rate_while_a_visitor_is_there_is_found_again() -> None:
    for rate in learned().sight[1 : FIRST_SILENT - 1]:  # hardly anybody stays longer
        assert rate == pytest.approx(PRESENT, rel=0.35)


@pytest.mark.parametrize(
    ("first", "last", "rate", "within"),
    [(0, 300, FIVE_MINUTES, 0.25), (300, 3600, HOUR, 0.4), (3600, 86400, DAY, 0.35)],
)
def test_the_rates_after_he_left_are_found_again(
    first: float, last: float, rate: float, within: float
) -> None:
    assert mean(learned().sight, first, last) == pytest.approx(rate, rel=within)


def test_what_nobody_does_is_learned_too() -> None:
    assert mean(learned().sight, 3 * 86400, 7 * 86400) < DAY / 20


def test_the_devices_factor_is_found_again() -> None:
    assert learned().device["desktop"] == pytest.approx(DESKTOP, rel=0.2)
    assert learned().device_away["desktop"] == pytest.approx(DESKTOP, rel=0.3)


def test_calls_after_a_click_are_found_again() -> None:
    model = learned()
    assert model.click[0] * 5 + model.click[1] * 5 == pytest.approx(CLICK_CALLS, rel=0.25)
    assert model.click[3] < CLICK_CALLS / CLICK_SECONDS / 20


def test_calls_of_known_callers_are_found_again() -> None:
    model = learned()
    assert model.repeat[5] == pytest.approx(AGAIN / AGAIN_SECONDS, rel=0.35)  # 3 to 12 hours
    assert model.repeat[9] < AGAIN / AGAIN_SECONDS / 20  # 4 to 7 days


def test_calls_to_numbers_that_nobody_was_shown_are_found_again_as_unknown() -> None:
    rng, rate = random.Random(3), 1e-4
    calls = [
        CallFacts(number, moment(at), f"+7{number}{at}")
        for number in range(NUMBERS)
        for at in poisson(rng, rate, 0, DAYS * 86400.0)
    ]
    stocks = [Stock(number, MONDAY, None, ()) for number in range(NUMBERS)]
    assert learn(calls, stocks, moment(DAYS * 86400.0)).unknown == pytest.approx(rate, rel=0.3)


def test_learning_is_deterministic_and_the_order_of_the_facts_is_all_one() -> None:
    it = world()
    some = it.calls[:150]
    stocks = [Stock(each.number_id, each.from_at, None, each.holders[::-1]) for each in it.stocks]
    until = some[-1].at
    assert learn(some[::-1], stocks, until) == learn(some, it.stocks, until)


def test_without_calls_the_prior_stays() -> None:
    assert learn([], world().stocks, moment(0)) == PRIOR
    assert learn([], [], moment(0)) == PRIOR


def test_calls_before_the_time_learned_from_only_tell_who_is_known() -> None:
    it = world()
    assert learn(it.calls[:50], it.stocks, moment(86400), since=moment(86400)) == PRIOR


def test_a_learned_model_is_right_about_how_often_it_is_right() -> None:
    it, model = world(), learned()
    by_number = {stock.number_id: stock.holders for stock in it.stocks}
    sure = right = said = 0.0
    heard: set[str | None] = set()
    for place, call in enumerate(it.calls):
        if call.caller not in heard:
            held = [each for each in by_number[call.number_id] if each.from_at <= call.at][-300:]
            found = attribute(call, held, History(), model)
            if found.named is not None:
                sure += 1
                said += found.named.probability
                right += found.named.visit_id == it.truth[place]
        heard.add(call.caller)
    assert right / sure == pytest.approx(said / sure, abs=0.05)
