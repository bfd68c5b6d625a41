"""Models over columns say of all journeys at once what they say of each; so do persons."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_credit_properties import MODELS, NOON, journeys

from tracker.policy import credit_columns, person_columns, persons
from tracker.policy.credit import Model, credit, learned
from tracker.policy.credit_columns import Steps, Walks, share_out, split_all, walked
from tracker.policy.journeys import Conversion, Goal, Journey, Step, journey_of
from tracker.policy.markov import MOST_STATES
from tracker.policy.parts import WHOLE, split
from tracker.policy.touches import LOOK_BACK


def microseconds(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


def walks_of(people: list[Journey]) -> Walks:
    """All journeys as columns, the steps in any order."""
    names = sorted({step.key for each in people for step in each.steps})
    facts = [(it.fact_id, person, it) for person, each in enumerate(people) for it in each.steps]
    told = [
        (person, microseconds(it.at), names.index(it.key), it.is_direct)
        for _, person, it in sorted(facts, key=lambda fact: fact[0])
    ]
    owners, at, keys, direct = np.array(told, np.int64).reshape(-1, 4).T
    steps = Steps(owners, at, keys, direct > 0, names)
    won = [(person, microseconds(it.at)) for person, each in enumerate(people) for it in each.conversions]
    ends = np.array(won, np.int64).reshape(-1, 2).T
    return walked(steps.in_order, ends[0], ends[1], LOOK_BACK)


@given(MODELS, journeys())
def test_each_step_has_the_same_share(model: Model, people: list[Journey]) -> None:
    walks = walks_of(people)
    found = share_out(model, walks)
    shares = defaultdict[int, list[tuple[str, int, int]]](list)
    for conversion, step, parts in zip(found.conversions, found.steps, found.parts, strict=True):
        shares[int(conversion)].append(
            (walks.steps.names[walks.steps.keys[step]], int(walks.steps.at[step]), int(parts))
        )
    for place, each in enumerate(credit(model, people).credits):
        own = [(it.step, it.parts) for it in each.shares if it.step is not None]
        assert shares[place] == [(step.key, microseconds(step.at), parts) for step, parts in own]


@given(journeys())
def test_a_chain_learns_the_same(people: list[Journey]) -> None:
    assert credit_columns.learned(walks_of(people)) == learned(people)


def some_steps(draw: random.Random, person: int) -> list[Step]:
    """A few, over origins of which most are rare."""
    return [
        Step(
            NOON - timedelta(hours=draw.randrange(1000)),
            f"{draw.randrange(20) ** 2} {draw.randrange(1, person + 2) // 40}",
            fact_id=20 * person + place,
        )
        for place in range(draw.randrange(5))
    ]


def test_of_many_origins_the_rare_ones_are_the_same() -> None:
    draw = random.Random(7)
    people = [
        journey_of(some_steps(draw, person), [Conversion(NOON, Goal.SALE, person)] * (person % 3))
        for person in range(4 * MOST_STATES)
    ]
    found = credit_columns.learned(walks_of(people))
    assert found.pooled
    assert found == learned(people)


@given(st.lists(st.lists(st.integers(0, 2**24), min_size=1, max_size=6).filter(any), min_size=1, max_size=5))
def test_wholes_are_split_alike(weights: list[list[int]]) -> None:
    of = np.repeat(np.arange(len(weights)), [len(each) for each in weights])
    parts = split_all(np.array([it for each in weights for it in each]), of)
    assert parts.tolist() == [part for each in weights for part in split(WHOLE, each)]


nodes = st.tuples(st.integers(0, 9), st.integers(-3, 9))


@given(st.lists(nodes, max_size=40), st.integers(1, 4), st.integers(1, 4))
def test_persons_are_the_same(pairs: list[tuple[int, int]], visitors: int, phones: int) -> None:
    told = [(visitor or None, str(phone) if phone else None) for visitor, phone in pairs]
    joined = persons.join(told, visitors, phones)
    columns = np.array(pairs, np.int64).reshape(-1, 2).T
    found = person_columns.join(columns[0], columns[1], visitors, phones)
    names = found.names(columns[0], columns[1])
    for (visitor, phone), by_visitor, by_phone in zip(told, *(each.tolist() for each in names), strict=True):
        name = f"visitor {by_visitor}" if by_visitor else f"phone {by_phone}" if by_phone else None
        assert joined.of(visitor, phone) == name
