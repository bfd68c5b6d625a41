"""bench/attribution: the simulated world, the rules of others and the perfect judge are what they claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from math import sqrt

import numpy as np
import pytest

from bench.attribution.bayes import PerfectJudge
from bench.attribution.dialled import Rang, Shown, ring_all
from bench.attribution.process import HOUR, LogNormal, Process
from bench.attribution.product import Product
from bench.attribution.report import needed
from bench.attribution.rules import oldest_number, random_free
from bench.attribution.scores import Judged, score
from bench.attribution.world import Dial, Visit, World, draw_world

BUSY = replace(Process(), fresh_per_hour=60.0)
LINES = 8


@cache
def world() -> World:
    return draw_world(BUSY, 3, LINES, 7)


@cache
def fortnight() -> World:
    return draw_world(Process(), 14, LINES, 1)


def in_turn(world: World) -> Shown:
    """Everybody has a number, several the same."""
    shown = Shown()
    for visit in world.visits:
        shown.show(visit.number, visit.start, visit.number % LINES)
    return shown


def a_visit(number: int, cookie: int, start: float) -> Visit:
    return Visit(number, cookie, cookie, 0, False, start, start + 100, start + 100, (start,), (), ())


def a_dial(number: int, at: float, **due: int) -> Dial:
    return Dial(number, at, 60.0, 1, False, "present", due.get("visit"), due.get("call"))


def rang(line: int | None, truth: int | None) -> Rang:
    return Rang(a_dial(0, 0.0), line, truth, 1, False)


def test_the_same_seed_draws_the_same_world() -> None:
    assert draw_world(BUSY, 0.5, LINES, 3) == draw_world(BUSY, 0.5, LINES, 3)
    assert draw_world(BUSY, 0.5, LINES, 3) != draw_world(BUSY, 0.5, LINES, 4)


def test_most_visitors_come_by_day() -> None:
    by_hour = Counter(int(visit.start // HOUR) % 24 for visit in world().visits)
    assert by_hour[14] > 5 * by_hour[4]


def test_visits_are_short_with_a_long_tail() -> None:
    minutes = np.array([(visit.looked_until - visit.start) / 60 for visit in world().visits])
    assert np.median(minutes) == pytest.approx(2, rel=0.1)
    assert minutes.mean() == pytest.approx(3, rel=0.1)


def test_calls_come_from_every_cause_there_is() -> None:
    assert {dial.cause for dial in fortnight().dials} == {
        "click", "present", "soon", "late", "again", "friend", "stray",
    }  # fmt: skip


def test_about_a_quarter_of_the_callers_call_again() -> None:
    calls = Counter(dial.caller for dial in fortnight().dials)
    assert 0.15 < sum(many > 1 for many in calls.values()) / len(calls) < 0.35


def test_robots_never_call() -> None:
    robots = {visit.number for visit in world().visits if visit.is_robot}
    assert robots
    assert not robots & {dial.visit for dial in world().dials if dial.cause == "click"}


def test_delays_have_the_density_they_are_drawn_from() -> None:
    delay, seconds = LogNormal(120.0, 1.2), np.arange(1.0, 3600.0)
    assert np.cumsum(delay.density(seconds))[-1] == pytest.approx(
        float(delay.until(np.array([3600.0]))[0]), abs=0.01
    )


def test_a_call_rings_the_number_its_visitor_saw_last() -> None:
    shown = Shown()
    shown.show(0, 10.0, 3)
    shown.show(0, 50.0, 5)
    assert [shown.line_at(0, at) for at in (5.0, 10.0, 49.0, 50.0)] == [None, 3, 3, 5]


def test_a_call_again_is_due_to_what_the_first_was_due_to() -> None:
    dials = (a_dial(0, 20.0, visit=0), a_dial(1, 500.0, call=0))
    small = World(BUSY, 1000.0, (a_visit(0, 0, 0.0), a_visit(1, 1, 200.0)), dials)
    shown = Shown()
    shown.show(0, 0.0, 2)
    shown.show(1, 200.0, 2)
    assert [(each.line, each.truth) for each in ring_all(small, shown, LINES)] == [(2, 0), (2, 0)]


def test_of_a_number_shown_on_two_visits_the_newer_is_the_cause() -> None:
    small = World(BUSY, 9000.0, (a_visit(0, 0, 0.0), a_visit(1, 0, 5000.0)), (a_dial(0, 5050.0, visit=0),))
    shown = Shown()
    shown.show(0, 0.0, 2)
    shown.show(1, 5000.0, 2)
    assert [each.truth for each in ring_all(small, shown, LINES)] == [1]


def test_a_friend_of_one_without_a_number_of_his_own_rings_nowhere() -> None:
    friend = replace(a_dial(1, 500.0, call=0), cause="friend")
    small = World(BUSY, 1000.0, (a_visit(0, 0, 0.0),), (a_dial(0, 20.0, visit=0), friend))
    assert [each.line for each in ring_all(small, Shown(), LINES)] == [None]


def test_the_oldest_number_rule_covers_everybody_and_names_the_last() -> None:
    verdicts = oldest_number(world(), 1)
    assert score(verdicts).coverage == 1.0
    for call, said in verdicts:
        newest = max(visit.number for visit in world().visits if visit.start <= call.dial.at)
        assert said.visit == newest


def test_the_random_rule_gives_no_number_to_two_at_a_time() -> None:
    verdicts = random_free(world(), 2, 1)
    assert 0 < score(verdicts).coverage < 1
    assert {call.line for call, _ in verdicts} == {None, 0, 1}


def test_the_random_rule_knows_nobody_after_a_quarter_of_an_hour() -> None:
    late = replace(a_dial(0, 1000.0, visit=0), cause="late")
    small = World(BUSY, 2000.0, (a_visit(0, 0, 0.0),), (late,))
    assert [said.visit for _, said in random_free(small, 1, 1)] == [None]


def test_no_rule_beats_the_perfect_judge_with_its_own_leases() -> None:
    calls = [each for each in ring_all(world(), in_turn(world()), LINES) if each.line is not None]
    judge = PerfectJudge(world(), in_turn(world()))
    known = [judge.judge(each) for each in calls]
    last = {each.dial.number: said.visit for each, said in oldest_number(world(), LINES)}
    for posterior, call in zip(known, calls, strict=True):
        assert sum(posterior.values()) == pytest.approx(1.0)
        assert posterior.get(last[call.dial.number], 0.0) <= max(posterior.values())
    limit = sum(max(posterior.values()) for posterior in known) / len(known)
    naming_the_last = sum(last[each.dial.number] == each.truth for each in calls) / len(calls)
    assert limit > naming_the_last


def test_the_perfect_judge_expects_what_he_reaches() -> None:
    calls = [each for each in ring_all(world(), in_turn(world()), LINES) if each.line is not None]
    judge = PerfectJudge(world(), in_turn(world()))
    surprises, variance = 0.0, 0.0
    for call in calls:
        posterior = judge.judge(call)
        best = max(posterior, key=lambda visit: posterior[visit])
        surprises += (best == call.truth) - posterior[best]
        variance += posterior[best] * (1 - posterior[best])
    assert abs(surprises) < 4 * sqrt(variance)


def test_scores_count_what_was_right_and_what_misleads() -> None:
    found = score([
        (rang(1, 5), Judged(5, 0.9)),
        (rang(1, 5), Judged(6, 0.8)),
        (rang(1, 5), Judged(6, 0.4, is_marked=True)),
        (rang(1, None), Judged()),
        (rang(None, 5), Judged()),
    ])  # fmt: skip
    assert (found.calls, found.website_calls) == (4, 4)
    assert (found.coverage, found.right, found.right_all) == (0.75, 0.5, 0.25)
    assert (found.wrong_unmarked, found.marked) == (0.25, 0.25)
    assert found.brier == pytest.approx((0.1**2 + 0.8**2 + 0.4**2) / 3)


def test_numbers_needed_lie_between_the_sizes_tried() -> None:
    curve = [(0.0, 0.0), (10.0, 0.5), (20.0, 0.7)]
    assert needed(curve, 0.25) == pytest.approx(5)
    assert needed(curve, 0.6) == pytest.approx(15)
    assert needed(curve, 0.8) is None


def test_the_product_lives_through_a_world_and_judges_every_call() -> None:
    small = draw_world(replace(BUSY, fresh_per_hour=20.0), 1.0, LINES, 5)
    product = Product(small, LINES)
    verdicts = product.live()
    rung = [(call, said) for call, said in verdicts if call.line is not None]
    assert rung
    assert all((said.visit is None) == (said.probability is None) for _, said in rung)
    judge = PerfectJudge(small, product.shown)
    limit = sum(max(judge.judge(call).values()) for call, _ in rung)
    assert score(verdicts).right * len(rung) <= limit + 4 * sqrt(len(rung))
