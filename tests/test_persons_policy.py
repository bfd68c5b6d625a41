"""Which browsers and telephones are one person's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.persons import MOST_PHONES, MOST_VISITORS, join

PHONES = [f"+7495000000{digit}" for digit in range(6)]
Pair = tuple[int | None, str | None]


def test_browsers_that_call_from_one_telephone_are_one_person() -> None:
    persons = join([(1, "+1"), (2, "+1"), (2, "+2"), (3, "+2"), (4, "+3")])
    assert {persons.of(visitor, None) for visitor in (1, 2, 3)} == {persons.of(None, "+2")}
    assert persons.of(4, None) == persons.of(None, "+3") != persons.of(1, None)


def test_whoever_is_in_no_pair_is_himself() -> None:
    persons = join([(1, "+1"), (None, "+2"), (5, None)])
    assert len({persons.of(1, None), persons.of(5, None), persons.of(None, "+2")}) == 3
    assert persons.of(None, None) is None
    assert persons.of(1, "+2") == persons.of(1, None), (
        "a call of a visitor is his, whatever telephone he took"
    )


def test_an_offices_telephone_joins_nobody() -> None:
    office = [(visitor, "+1") for visitor in range(MOST_VISITORS + 1)]
    persons = join([*office, (0, "+2"), (99, "+2")])
    assert len({persons.of(visitor, None) for visitor in range(MOST_VISITORS + 1)}) == MOST_VISITORS + 1
    assert persons.of(0, None) == persons.of(99, None), "its other telephone still does"
    assert persons.of(None, "+1") not in {persons.of(0, None), persons.of(1, None)}
    assert len({join(office[1:]).of(visitor, None) for visitor in range(1, MOST_VISITORS + 1)}) == 1


def test_a_browser_that_stands_in_a_shop_joins_nobody() -> None:
    persons = join([(1, f"+{phone}") for phone in range(MOST_PHONES + 1)])
    assert len({persons.of(None, f"+{phone}") for phone in range(MOST_PHONES + 1)}) == MOST_PHONES + 1


def test_the_same_pair_many_times_is_one() -> None:
    persons = join([(1, "+1")] * 50 + [(2, "+1")], most_visitors=2)
    assert persons.of(1, None) == persons.of(2, None)


PAIRS = st.lists(
    st.tuples(st.none() | st.integers(0, 9), st.none() | st.sampled_from(PHONES)), max_size=25
)  # fmt: skip


@given(PAIRS, st.randoms(use_true_random=False))
def test_persons_are_the_same_whatever_the_order(pairs: list[Pair], random: st.DataObject) -> None:
    other = list(pairs)
    random.shuffle(other)  # type: ignore[attr-defined]
    assert join(pairs, 3, 3) == join(other, 3, 3)


@given(PAIRS)
def test_persons_are_what_a_walk_along_the_pairs_finds(pairs: list[Pair]) -> None:
    persons = join(pairs, 99, 99)
    links = {(visitor, phone) for visitor, phone in pairs if visitor is not None and phone is not None}
    for start in range(10):
        visitors, phones = {start}, set[str]()
        for _ in range(10):
            phones |= {phone for visitor, phone in links if visitor in visitors}
            visitors |= {visitor for visitor, phone in links if phone in phones}
        mine = persons.of(start, None)
        assert {visitor for visitor in range(10) if persons.of(visitor, None) == mine} == visitors
        assert {phone for phone in PHONES if persons.of(None, phone) == mine} == phones
