"""Where a call came from: situations, who is named, and whether the name is marked as uncertain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tracker.policy.attribution import (
    Attribution,
    Basis,
    Belief,
    CallFacts,
    Earlier,
    History,
    Reason,
    Used,
    attribute,
)
from tracker.policy.delays import PRIOR
from tracker.policy.sights import Holder

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NUMBER = 1
CALLER = "+79161234567"


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def visitor(who: int, came: float, seen: float, **more: Any) -> Holder:
    """Somebody who was shown the number `came` seconds before noon and last seen `seen` seconds before."""
    return Holder(who, 10 + who, 20 + who, ago(came), seen=((ago(came), ago(seen)),), **more)


def there(who: int, came: float = 120, **more: Any) -> Holder:
    return visitor(who, came, 0, **more)


def gone(who: int, left: float, stayed: float = 120, **more: Any) -> Holder:
    return visitor(who, left + stayed, left, left=True, until_at=ago(left - 300), **more)


def judged(
    *holders: Holder, history: History | None = None, caller: str | None = CALLER, country: str | None = None
) -> Attribution:
    return attribute(CallFacts(NUMBER, NOON, caller, country), holders, history or History(), PRIOR)


def before(hours: float, who: int | None = None, sure: float = 0.99, number: int = NUMBER) -> Earlier:
    """An earlier call of the caller, attributed to that visitor."""
    beliefs = (Belief(sure, 20 + who, 10 + who),) if who is not None else ()
    return Earlier(ago(hours * 3600), number, beliefs)


@dataclass(frozen=True)
class Case:
    name: str
    holders: tuple[Holder, ...]
    winner: int | None  # who
    uncertain: bool
    reasons: frozenset[Reason] = frozenset()
    more: dict[str, Any] = field(default_factory=dict)


MINE, STRANGER = 1, 2
CASES = (
    Case("nobody ever had it", (), None, True),
    Case("one is there", (there(1),), 1, False, frozenset({Reason.PRESENT})),
    Case(
        "one left half an hour ago, nobody since",
        (gone(1, 2000),),
        1,
        True,
        frozenset({Reason.LEFT_MINUTES_AGO}),
    ),
    Case("one left hours ago, nobody since", (gone(1, 9000),), None, True),
    Case("left 2 minutes ago, the new one there", (gone(1, 120), there(2, 60)), 2, True),
    Case("left 20 minutes ago, the new one there", (gone(1, 1200), there(2)), 2, False),
    Case("left a minute ago, the new one just came", (gone(1, 60), there(2, 5)), 1, True),
    Case("left 2 minutes ago, nobody since", (gone(1, 120),), 1, False, frozenset({Reason.JUST_LEFT})),
    Case("left a month ago", (gone(1, 30 * 86400),), None, True),
    Case(
        "pressed the phone link 4 s ago and left, the new one there",
        (gone(1, 3, clicks=(ago(4),), device="phone"), there(2)),
        1,
        False,
        frozenset({Reason.PHONE_CLICK, Reason.DEVICE_PHONE}),
    ),
    Case("a phone and a desktop, alike", (there(1, device="phone"), there(2, device="desktop")), 1, True),
    Case(
        "a foreign phone while a visitor from there and one from here were on the site",
        (there(1, country="RU"), there(2, country="DE")),
        2,
        False,
        more={"country": "DE"},
    ),
    Case(
        "he called an hour ago, a stranger has his number now",
        (there(STRANGER), gone(MINE, 3700)),
        MINE,
        False,
        frozenset({Reason.KNOWN_CALLER}),
        {"history": History((before(1, MINE),))},
    ),
    Case(
        "he called yesterday and is there himself",
        (there(MINE), gone(STRANGER, 600)),
        MINE,
        False,
        frozenset({Reason.KNOWN_CALLER, Reason.PRESENT}),
        {"history": History((before(24, MINE, number=7),))},
    ),
    Case(
        "he called yesterday for a reason nobody knew, a stranger has the number now",
        (there(STRANGER),),
        None,
        True,
        more={"history": History((before(24),))},
    ),
    Case(
        "he dials a number he never dialled, whose holder is there",
        (there(STRANGER),),
        STRANGER,
        False,
        more={"history": History((before(24, MINE, number=7),))},
    ),
    Case("withheld, one is there", (there(1), gone(2, 3600)), 1, False, more={"caller": None}),
    Case(
        "the one there has just called, from another phone",
        (there(1), gone(2, 400)),
        2,
        True,
        more={"history": History(phones={21: {"+79990000000": 0.99}})},
    ),
    Case("came again under another number", (gone(1, 900, next_at=ago(300)), gone(2, 1700)), 2, True),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_is_named_and_how_surely(case: Case) -> None:
    found = judged(*case.holders, **case.more)
    assert (found.named and found.named.visit_id) == (case.winner and 10 + case.winner), found
    assert found.uncertain is case.uncertain, found
    if found.named:
        assert case.reasons <= set(found.named.reasons)


def test_a_lease_that_began_after_the_call_is_never_named() -> None:
    assert judged(Holder(1, 11, 21, NOON + timedelta(seconds=1))) == Attribution(None, True, 1.0)


def test_a_call_after_the_release_is_the_old_holders_and_never_silently_the_new_ones() -> None:
    old = gone(1, 310)  # left, was held for five minutes, released ten seconds ago
    assert judged(old).named is not None
    for age in (0.5, 3, 9):
        found = judged(old, there(2, age))
        assert found.named is not None
        assert found.named.visit_id == 11 or found.uncertain


BILLBOARD = Used(7, None, ago(90 * 86400), None)


def test_the_channel_of_a_number_that_is_leased_to_nobody_is_certain() -> None:
    found = judged(history=History(uses=(BILLBOARD,)))
    assert found.named is not None
    assert (found.named.channel_id, found.named.probability, found.uncertain) == (7, 1.0, False)
    assert judged(history=History((before(24, MINE),), uses=(BILLBOARD,))) == found


def test_before_a_number_was_anything_a_call_to_it_is_nobodys() -> None:
    assert judged(history=History(uses=(replace(BILLBOARD, from_at=NOON + timedelta(1)),))).named is None


@pytest.mark.parametrize(("left", "visit", "channel"), [(20, 11, None), (86400, None, 7)])
def test_a_number_that_moved_from_a_pool_to_a_channel(
    left: float, visit: int | None, channel: int | None
) -> None:
    uses = (Used(7, None, ago(15), None), Used(None, 3, ago(86400), ago(15)))
    found = judged(gone(1, left), history=History(uses=uses))
    assert found.named is not None
    assert (found.named.visit_id, found.named.channel_id) == (visit, channel)


def test_the_callers_of_a_channel_are_still_reckoned_with_after_its_number_became_a_pools() -> None:
    uses = (Used(None, 3, ago(3600), None), Used(7, None, ago(90 * 86400), ago(3600)))
    found = judged(gone(1, 1800), history=History(uses=uses))
    assert found.named is not None
    assert found.named.channel_id == 7
    assert Reason.FORMER_CHANNEL in found.named.reasons


def test_a_channel_that_had_a_number_for_a_moment_has_no_callers_left() -> None:
    uses = (Used(None, 3, ago(3600), None), Used(7, None, ago(3700), ago(3600)))
    found = judged(gone(1, 1200), history=History(uses=uses))
    assert found.named is not None
    assert found.named.visit_id == 11


def test_a_code_that_was_told_decides() -> None:
    found = judged(there(1), history=History(code=Holder(0, 12, 22, ago(3600))))
    assert found.named is not None
    assert (found.named.basis, found.named.visit_id, found.named.lease_id) == (Basis.CODE, 12, None)
    assert not found.uncertain


def test_a_repeat_call_shares_the_doubt_of_the_first() -> None:
    found = judged(history=History((before(24, MINE, sure=0.6),)))
    assert found.named is not None
    assert (found.named.basis, found.named.visit_id) == (Basis.REPEAT, 11)
    assert found.named.probability == pytest.approx(0.6, abs=0.02)
    assert found.uncertain


@pytest.mark.parametrize(("was_named", "winner"), [(True, 11), (False, None)])
def test_a_repeat_call_is_named_as_the_first_was_though_most_were_too_unlikely_to_be_kept(
    was_named: bool, winner: int | None
) -> None:
    first = replace(before(24, MINE, sure=0.3), was_named=was_named)
    found = judged(history=History((first,)))
    assert (found.named.visit_id if found.named else None) == winner
    assert found.uncertain
    assert found.unknown == pytest.approx(0.7, abs=0.02)


def test_a_repeat_call_names_the_lease_by_which_he_was_shown_the_number() -> None:
    found = judged(gone(1, 90000), history=History((before(24, MINE),)))
    assert found.named is not None
    assert (found.named.basis, found.named.lease_id) == (Basis.REPEAT, 1)


def test_a_withheld_caller_may_be_the_one_who_withheld_his_number_before() -> None:
    recent = Earlier(ago(120), NUMBER, (Belief(0.97, 21, 11),))
    found = judged(gone(1, 300), there(2, 100), caller=None, history=History((recent,)))
    assert found.named is not None
    assert (found.named.visit_id, found.named.basis) == (11, Basis.REPEAT)
    assert {each.visit_id for each in found.candidates} == {11, 12}
