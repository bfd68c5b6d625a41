"""What must hold of every attribution model, whatever the journeys; and of the chain that one learns."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.credit import Credited, Model, Rules, acquisition, by_key, credit, learned
from tracker.policy.journeys import Conversion, Goal, Journey, Kind, Step, collapsed, journey_of
from tracker.policy.markov import ENOUGH_CONVERSIONS, MOST_STATES, REST, Paths, learn
from tracker.policy.parts import WHOLE
from tracker.policy.paths import ways

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = ["ads", "seo", "mail", "direct", "board"]
AMOUNTS = st.decimals(0, 100_000, places=2)


def hours_ago(hours: int) -> datetime:
    return NOON - timedelta(hours=hours)


@st.composite
def journeys(draw: st.DrawFn) -> list[Journey]:
    """A few people, each with steps and conversions in any order, some with neither before the other."""
    found = []
    fact_id = 0
    for _ in range(draw(st.integers(1, 5))):
        walked, won = [], []
        for hours in draw(st.lists(st.integers(0, 24 * 120), max_size=6)):
            fact_id += 1
            key = draw(st.sampled_from(KEYS))
            walked.append(Step(hours_ago(hours), key, key == "direct", Kind.VISIT, fact_id))
        for hours in draw(st.lists(st.integers(0, 24 * 100), max_size=3)):
            fact_id += 1
            goal = draw(st.sampled_from(Goal))
            won.append(Conversion(hours_ago(hours), goal, fact_id, draw(AMOUNTS), draw(st.none() | AMOUNTS)))
        found.append(journey_of(walked, won))
    return found


MODELS = st.sampled_from(Model)


@given(MODELS, journeys())
def test_credit_adds_up_to_the_conversions_and_money_to_the_cent(model: Model, people: list[Journey]) -> None:
    credited = credit(model, people)
    won = [each for journey in people for each in journey.conversions]
    assert all(sum(share.parts for share in each.shares) == WHOLE for each in credited.credits)
    sums = by_key(credited.credits).values()
    assert sum(each.sales for each in sums) == sum(each.goal is Goal.SALE for each in won)
    assert sum(each.target_calls for each in sums) == sum(each.goal is Goal.TARGET_CALL for each in won)
    assert sum(each.revenue for each in sums) == sum(each.revenue for each in won)
    assert sum(each.gross_profit or 0 for each in sums) == sum(each.gross_profit or 0 for each in won)


@given(MODELS, journeys(), st.dictionaries(st.sampled_from(KEYS), AMOUNTS))
def test_every_cost_is_shared_or_in_vain(
    model: Model, people: list[Journey], costs: dict[str, Decimal]
) -> None:
    found = acquisition(credit(model, people).credits, costs)
    shared = sum(sum(parts.values()) for parts in found.by_conversion.values())
    assert shared + sum(found.in_vain.values()) == sum(costs.values())


@given(MODELS, journeys(), st.data())
def test_the_order_in_which_facts_come_changes_nothing(
    model: Model, people: list[Journey], data: st.DataObject
) -> None:
    other = [
        journey_of(
            data.draw(st.permutations(each.steps)),
            data.draw(st.permutations(each.conversions)),
        )
        for each in data.draw(st.permutations(people))
    ]
    one, two = credit(model, people), credit(model, other)
    assert set(one.credits) == set(two.credits)
    assert one.chain == two.chain
    assert by_key(one.credits) == by_key(two.credits)


@given(MODELS, journeys(), st.integers(2, 9))
def test_people_who_went_alike_are_credited_together(model: Model, people: list[Journey], count: int) -> None:
    one_by_one, together = people * count, [replace(each, times=count) for each in people]
    found, expected = credit(model, together), credit(model, one_by_one)
    assert found.chain == expected.chain
    counted = {key: (each.sale_parts, each.target_call_parts) for key, each in by_key(found.credits).items()}
    assert counted == {
        key: (each.sale_parts, each.target_call_parts) for key, each in by_key(expected.credits).items()
    }
    assert (ways(together).steps, ways(together).days) == (ways(one_by_one).steps, ways(one_by_one).days)
    assert ways(together).over_several == ways(one_by_one).over_several


def only_step(people: list[Journey]) -> list[Journey]:
    return [replace(each, steps=each.steps[:1]) for each in people]


@given(journeys())
def test_of_a_single_step_all_models_say_the_same(people: list[Journey]) -> None:
    found = {model: by_key(credit(model, only_step(people)).credits) for model in Model}
    assert all(each == found[Model.FIRST] for each in found.values())


@given(journeys())
def test_the_first_and_last_are_whom_position_may_give_everything(people: list[Journey]) -> None:
    for model, rules in (
        (Model.FIRST, Rules(first_percent=100, last_percent=0)),
        (Model.LAST, Rules(first_percent=0, last_percent=100)),
    ):
        assert credit(model, people).credits == credit(Model.POSITION, people, rules).credits


# ---- the chain ----


def test_the_removal_effects_are_those_of_the_textbook() -> None:
    """One of three paths converts; without the first origin one of six would, without the others none."""
    chain = learn({("a", "b", "c"): 1}, {("a",): 1, ("b", "c"): 1})
    assert chain.effects == pytest.approx({"a": 0.5, "b": 1.0, "c": 1.0})
    assert (chain.conversions, chain.journeys, chain.several) == (1, 3, 1)
    assert chain.weigh(["a", "b", "a", "c"]) == pytest.approx([0.25, 1.0, 0.25, 1.0])


def test_what_rests_on_few_journeys_says_so() -> None:
    assert not learn({("a", "b"): ENOUGH_CONVERSIONS - 1}, {}).is_enough
    assert learn({("a", "b"): ENOUGH_CONVERSIONS}, {}).is_enough
    assert not learn({("a",): 10 * ENOUGH_CONVERSIONS}, {}).is_enough, "nobody came over two"
    assert not learn({}, {}).is_enough


PATHS = st.dictionaries(
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=5).map(collapsed), st.integers(1, 9), max_size=6
)


def conversions_without(won: Paths, lost: Paths, removed: str | None) -> float:
    """The chance to convert, by walking the chain step by step until hardly anybody is left in it."""
    flows: Counter[tuple[str, str]] = Counter()
    earned = {key for path in won for key in path}
    for paths, end in ((won, "won"), (lost, "lost")):
        for path, count in paths.items():
            way = ["start", *collapsed(key for key in path if key in earned), end]
            for here, there in pairwise(way):
                flows[here, there] += count
    leaving: defaultdict[str, float] = defaultdict(float)
    for (here, _), count in flows.items():
        leaving[here] += count
    at, found = {"start": 1.0}, 0.0
    for _ in range(3000):
        then: defaultdict[str, float] = defaultdict(float)
        for (here, there), count in flows.items():
            then[there] += at.get(here, 0.0) * count / leaving[here]
        found += then.pop("won", 0)
        then.pop("lost", 0)
        then.pop(removed or "", 0)
        at = dict(then)
        if sum(at.values()) < 1e-13:
            break
    return found


@given(PATHS.filter(bool), PATHS)
def test_the_removal_effect_is_what_is_lost_without_the_origin(won: Paths, lost: Paths) -> None:
    chain = learn(won, lost)
    everything = conversions_without(won, lost, None)
    for key, effect in chain.effects.items():
        assert effect == pytest.approx(1 - conversions_without(won, lost, key) / everything, abs=1e-7)
        assert 0 < effect <= 1


@given(journeys(), st.lists(st.integers(0, 24 * 120), max_size=5))
def test_an_origin_without_part_in_any_conversion_changes_nothing(
    people: list[Journey], visits: list[int]
) -> None:
    """Such as a robot's visits, among those of people who bought nothing."""
    lost = [each for each in people if not each.conversions]
    won = [each for each in people if each.conversions]
    robots = [Step(hours_ago(hours), "robot", fact_id=1000 + hours) for hours in visits]
    more = [journey_of([*each.steps, *robots]) for each in lost] + [journey_of(robots)]
    with_robots, without = learned([*won, *more]), learned(people)
    assert with_robots.effects == without.effects
    assert credit(Model.DATA_DRIVEN, won, chain=with_robots).credits == credited_by(won, people).credits


def credited_by(won: list[Journey], people: list[Journey]) -> Credited:
    return credit(Model.DATA_DRIVEN, won, chain=learned(people))


def test_rare_origins_are_one_state_together_and_keep_their_credit() -> None:
    people = [
        journey_of(
            [Step(hours_ago(2), f"word {number}", fact_id=1), Step(hours_ago(1), "often", fact_id=2)],
            [Conversion(NOON, Goal.SALE, number)],
        )
        for number in range(MOST_STATES + 50)
    ]
    credited = credit(Model.DATA_DRIVEN, people)
    assert credited.chain is not None
    assert len(credited.chain.effects) == MOST_STATES
    assert len(credited.chain.pooled) == 52
    assert {credited.chain.state_of(key) for key in credited.chain.pooled} == {REST}
    assert credited.chain.state_of("often") == "often"
    found = by_key(credited.credits)
    assert len(found) == MOST_STATES + 51
    assert sum((each.sales for each in found.values()), Fraction(0)) == len(people)
    assert all(each.sales > 0 for each in found.values())
