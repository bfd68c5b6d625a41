"""What must hold of every attribution, whatever the situation."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.attribution import (
    CANDIDATES,
    SURE,
    Attribution,
    Belief,
    CallFacts,
    Earlier,
    History,
    Used,
    attribute,
)
from tracker.policy.delays import PRIOR, DelayModel
from tracker.policy.sights import DEVICES, WINDOW, Holder, sight_of, spells

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NUMBER = 1


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


@st.composite
def holders(draw: st.DrawFn) -> list[Holder]:
    """Leases of one number: of a few visitors, one after the other or not, some not yet begun."""
    found = []
    for number in range(draw(st.integers(0, 8))):
        came = draw(st.floats(-600, 9 * 86400))
        stayed = draw(st.floats(0, 1200))
        seen = ((ago(came), ago(came - stayed)),) if draw(st.booleans()) else ()
        found.append(
            Holder(
                lease_id=number + 1,
                visit_id=100 + number,
                visitor_id=200 + draw(st.integers(0, 4)),
                from_at=ago(came),
                seen=seen,
                left=draw(st.booleans()),
                clicks=(ago(came - stayed),) if draw(st.booleans()) else (),
                device=draw(st.sampled_from([None, "toaster", *DEVICES])),
                country=draw(st.sampled_from([None, "RU", "DE"])),
                next_at=ago(came - 7200) if draw(st.booleans()) else None,
            )
        )
    return found


@st.composite
def histories(draw: st.DrawFn) -> History:
    earlier = []
    for at in draw(st.lists(st.integers(1, 100 * 86400), max_size=4, unique=True)):
        parts = draw(st.lists(st.integers(0, 4), max_size=3, unique=True))
        beliefs = tuple(Belief(0.9 / len(parts), 200 + who, 100 + who) for who in parts)
        earlier.append(Earlier(ago(at), NUMBER + draw(st.integers(0, 1)), beliefs))
    phones = {200 + who: {"+7000": 0.9} for who in draw(st.sets(st.integers(0, 4)))}
    use = draw(st.sampled_from([(), (Used(None, 3, ago(9e5), None),), (Used(7, None, ago(9e5), None),)]))
    return History(tuple(earlier), phones, draw(st.integers(0, 1000)), use)


callers = st.sampled_from([None, "+7000", "+7001"])


def judged(caller: str | None, held: list[Holder], history: History) -> Attribution:
    return attribute(CallFacts(NUMBER, NOON, caller, "RU"), held, history, PRIOR)


@given(callers, holders(), histories())
def test_probabilities_are_probabilities(caller: str | None, held: list[Holder], history: History) -> None:
    found = judged(caller, held, history)
    shares = [each.probability for each in found.candidates]
    assert all(0 < share <= 1 for share in shares)
    assert sum(shares) + found.unknown <= 1 + 1e-9
    assert len(shares) <= CANDIDATES
    assert shares == sorted(shares, reverse=True)
    if found.named is None:
        assert found.uncertain
    else:
        assert found.named == found.candidates[0]
        assert found.uncertain is (found.named.probability < SURE)
        assert found.named.probability >= found.unknown


@given(callers, holders(), histories())
def test_the_order_in_which_facts_were_found_is_all_one(
    caller: str | None, held: list[Holder], history: History
) -> None:
    found = judged(caller, held, history)
    again = judged(caller, held[::-1], replace(history, earlier=history.earlier[::-1]))
    assert [each.visit_id for each in again.candidates] == [each.visit_id for each in found.candidates]
    assert again.unknown == pytest.approx(found.unknown)


@given(callers, holders(), histories())
def test_a_lease_that_had_not_begun_changes_nothing(
    caller: str | None, held: list[Holder], history: History
) -> None:
    found = judged(caller, held, history)
    assert found == judged(caller, [each for each in held if each.from_at <= NOON], history)
    begun = {each.lease_id for each in held if each.from_at <= NOON}
    assert {each.lease_id for each in found.candidates} - {None} <= begun


@given(
    st.floats(120, 80000),
    st.floats(0, 80000),
    st.floats(0, 80000),
    st.booleans(),
    st.floats(0, 3600),
)
def test_who_was_seen_later_is_never_less_likely(
    came: float, one: float, other: float, left: bool, rival: float
) -> None:
    early, late = sorted((min(one, came), min(other, came)), reverse=True)
    stranger = Holder(9, 109, 209, ago(rival + 60), seen=((ago(rival + 60), ago(rival)),), left=True)

    def share(seen: float) -> float:
        mine = Holder(1, 101, 201, ago(came), seen=((ago(came), ago(seen)),), left=left)
        found = judged("+7000", [mine, stranger], History())
        return next(each.probability for each in found.candidates if each.visit_id == 101)

    assert share(late) >= share(early) - 1e-12


@given(st.floats(20, 300), st.integers(1, 30))
def test_those_of_last_week_hardly_matter_while_somebody_is_there(came: float, many: int) -> None:
    there = Holder(1, 101, 201, ago(came), seen=((ago(came), NOON),), device="phone")
    old = [Holder(9 + n, 109 + n, 209 + n, ago(5 * 86400 + n * 600), left=True) for n in range(many)]
    alone, among = judged("+7000", [there], History()), judged("+7000", [there, *old], History())
    assert alone.named is not None
    assert among.named is not None
    assert among.named.visit_id == 101
    assert alone.named.probability - among.named.probability < 0.005


@given(holders())
def test_with_a_withheld_number_who_called_before_is_no_evidence(held: list[Holder]) -> None:
    assert judged(None, held, History(callers=1)) == judged(None, held, History(callers=1000))


@given(holders(), st.floats(-86400, 9 * 86400), st.floats(0, 9 * 86400))
def test_a_lease_is_learned_from_by_the_cells_it_is_judged_in(
    held: list[Holder], since: float, long: float
) -> None:
    first, last = ago(since).timestamp(), ago(since).timestamp() + long
    for each in held:
        cut = list(spells(each, first, last))
        for spell in cut:
            sight = sight_of(each, spell.began + spell.seconds / 2)
            assert sight is not None
            if spell.seconds > 1e-3:  # the middle of less is its edge
                assert (sight.bin, sight.came_again) == (spell.bin, spell.came_again)
        whole = min(last, each.began + WINDOW.total_seconds()) - max(first, each.began)
        assert sum(spell.seconds for spell in cut) == pytest.approx(max(0.0, whole), abs=1e-3)


def test_a_model_survives_being_kept() -> None:
    assert DelayModel.from_json(json.loads(json.dumps(PRIOR.to_json()))) == PRIOR


def test_a_model_of_other_bins_is_not_taken() -> None:
    kept = PRIOR.to_json()
    assert DelayModel.from_json(kept | {"edges": [[1.0]]}) is None
    assert DelayModel.from_json({}) is None
    assert DelayModel.from_json({name: kept[name] for name in kept if name != "device_away"}) is None
