"""How each attribution model shares a conversion, what it brought, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from tracker.errors import Rejected
from tracker.policy.credit import Credited, Model, Rules, acquisition, by_key, credit
from tracker.policy.journeys import Conversion, Goal, Journey, Kind, Step, gather, journey_of
from tracker.policy.parts import WHOLE, split, split_amount
from tracker.policy.paths import ways

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def steps(*told: str) -> list[Step]:
    """Steps like "7 ads" or "0 direct": so many days ago, from there."""
    found = []
    for number, each in enumerate(told, 1):
        days, key = each.split(maxsplit=1)
        at = NOON - timedelta(days=float(days))
        found.append(Step(at, key, key == "direct", Kind.VISIT, number))
    return found


def sale(days: float = 0, revenue: str = "0", fact_id: int = 1, profit: str | None = None) -> Conversion:
    at = NOON - timedelta(days=days)
    return Conversion(at, Goal.SALE, fact_id, Decimal(revenue), None if profit is None else Decimal(profit))


def one(*told: str, revenue: str = "0") -> Journey:
    return journey_of(steps(*told), [sale(revenue=revenue)])


def shares(credited: Credited) -> list[list[Fraction]]:
    return [[Fraction(share.parts, WHOLE) for share in each.shares] for each in credited.credits]


WAY = ("30 ads", "14 mail", "7 seo", "0 direct")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Model.FIRST, {"ads": "1"}),
        (Model.LAST, {"direct": "1"}),
        (Model.LAST_NON_DIRECT, {"seo": "1"}),
        (Model.LINEAR, {"ads": "1/4", "mail": "1/4", "seo": "1/4", "direct": "1/4"}),
        (Model.POSITION, {"ads": "2/5", "mail": "1/10", "seo": "1/10", "direct": "2/5"}),
    ],
)
def test_a_model_shares_a_sale_exactly(model: Model, expected: dict[str, str]) -> None:
    found = by_key(credit(model, [one(*WAY)]).credits)
    assert {key: earned.sales for key, earned in found.items()} == {
        key: Fraction(share) for key, share in expected.items()
    }


def test_a_step_a_half_life_earlier_has_half_the_credit() -> None:
    found = by_key(credit(Model.DECAY, [one("14 mail", "7 seo", "0 direct")]).credits)
    assert [float(found[key].sales) for key in ("mail", "seo", "direct")] == pytest.approx(
        [1 / 7, 2 / 7, 4 / 7], abs=1e-11
    )
    quick = Rules(half_life=timedelta(hours=1))
    assert shares(credit(Model.DECAY, [one("80 mail", "0 seo")], quick)) == [[1]], (
        "next to nothing is nothing"
    )


@pytest.mark.parametrize(
    ("told", "rules", "expected"),
    [
        (("3 ads",), Rules(), "1"),
        (("3 ads", "1 seo"), Rules(), "1/2 1/2"),
        (("3 ads", "1 seo"), Rules(first_percent=60, last_percent=20), "3/4 1/4"),
        (("3 ads", "1 seo"), Rules(first_percent=0, last_percent=0), "1/2 1/2"),
        (("3 ads", "2 mail", "1 seo"), Rules(first_percent=0, last_percent=100), "1"),
        (
            ("4 ads", "3 mail", "2 mail", "1 seo"),
            Rules(first_percent=30, last_percent=30),
            "3/10 1/5 1/5 3/10",
        ),
    ],
)
def test_position_leaves_the_middle_the_rest(told: Sequence[str], rules: Rules, expected: str) -> None:
    assert shares(credit(Model.POSITION, [one(*told)], rules)) == [
        [Fraction(each) for each in expected.split()]
    ]


def test_directs_alone_share_as_if_they_were_telling() -> None:
    assert by_key(credit(Model.LAST_NON_DIRECT, [one("2 direct", "1 direct")]).credits)["direct"].sales == 1


def test_what_is_older_than_the_look_back_or_later_than_the_sale_has_no_credit() -> None:
    journey = journey_of(steps("90.1 old", "90 ads", "0 seo", "-1 later"), [sale()])
    assert by_key(credit(Model.LINEAR, [journey]).credits).keys() == {"ads", "seo"}
    week = Rules(look_back=timedelta(days=7))
    assert by_key(credit(Model.FIRST, [journey], week).credits).keys() == {"seo"}


@pytest.mark.parametrize("model", Model)
def test_a_sale_of_which_nothing_is_known_is_nobodys(model: Model) -> None:
    found = by_key(credit(model, [journey_of((), [sale(revenue="100.10")])]).credits)
    assert found.keys() == {"none"}
    assert (found["none"].sales, found["none"].revenue) == (Fraction(1), Decimal("100.10"))


def test_a_step_counts_for_every_sale_after_it() -> None:
    journey = journey_of(steps("9 ads", "3 seo"), [sale(5, fact_id=1), sale(1, fact_id=2)])
    found = by_key(credit(Model.FIRST, [journey]).credits)
    assert {key: earned.sales for key, earned in found.items()} == {"ads": Fraction(2)}


def test_journeys_are_gathered_from_facts_in_any_order() -> None:
    ads, seo, call = *steps("9 ads", "3 seo"), Step(NOON, "channel/Billboard", kind=Kind.CALL, fact_id=5)
    found = gather(
        [("ann", call), ("bob", seo), ("ann", ads)], [("ann", sale()), ("eve", sale(4)), ("ann", sale(1))]
    )
    assert found == [
        Journey((ads, call), (sale(1), sale())),
        Journey((), (sale(4),)),
        Journey((seo,)),
    ]


def test_calls_and_sales_are_counted_apart_and_money_is_shared_to_the_cent() -> None:
    call = Conversion(NOON, Goal.TARGET_CALL, 7)
    journey = journey_of(steps("3 a", "2 b", "1 c"), [call, sale(revenue="100.00", profit="-10.00")])
    found = by_key(credit(Model.LINEAR, [journey]).credits)
    assert [found[key].target_calls for key in "abc"] == [Fraction(1, 3)] * 3
    assert [found[key].revenue for key in "abc"] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert sum(found[key].gross_profit or 0 for key in "abc") == -10
    unsaid = by_key(credit(Model.LAST, [one("1 a", revenue="5")]).credits)
    assert unsaid["a"].gross_profit is None


def test_a_report_chooses_what_is_credited() -> None:
    found = by_key(credit(Model.LINEAR, [one("1 a", "1 b")]).credits, key=lambda step: str(step.fact_id))
    assert found.keys() == {"1", "2"}


def test_a_sale_costs_what_several_channels_spent_on_it() -> None:
    """SR-067."""
    journeys = [
        journey_of(steps("9 ads", "3 seo"), [sale(fact_id=1)]),
        journey_of(steps("2 ads"), [sale(fact_id=2)]),
    ]
    costs = {"ads": Decimal("100.00"), "seo": Decimal("50.00"), "billboard": Decimal("80.00")}
    found = acquisition(credit(Model.LINEAR, journeys).credits, costs)
    assert found.by_conversion[sale(fact_id=1)] == {"ads": Decimal("33.33"), "seo": Decimal("50.00")}
    assert found.by_conversion[sale(fact_id=2)] == {"ads": Decimal("66.67")}
    assert found.in_vain == {"billboard": Decimal("80.00")}


def test_parts_and_amounts_add_up() -> None:
    assert split(10, [1, 1, 1]) == [4, 3, 3]
    assert split(-10, [1, 1, 1]) == [-4, -3, -3]
    assert split(1, [0, 3, 0]) == [0, 1, 0]
    assert split_amount(Decimal("0.05"), [1, 1]) == [Decimal("0.03"), Decimal("0.02")]
    assert split_amount(Decimal(1000), [2, 1], decimals=0) == [Decimal(667), Decimal(333)]
    assert split_amount(Decimal("10.000000"), [1, 2]) == [Decimal("3.33"), Decimal("6.67")]
    assert sum(split_amount(Decimal("0.0001"), [1, 1])) == Decimal("0.0001")


@pytest.mark.parametrize(
    "words",
    [{"first_percent": 60, "last_percent": 41}, {"first_percent": -1}, {"half_life": timedelta(0)},
     {"look_back": timedelta(days=-1)}],
)  # fmt: skip
def test_rules_that_cannot_be_followed_are_refused(words: dict[str, int]) -> None:
    with pytest.raises(Rejected, match=r"above zero|more than there is"):
        Rules(**words)  # type: ignore[arg-type]


def test_the_ways_to_sales_are_told() -> None:
    found = ways(
        [
            journey_of(steps("9 ads", "8 ads", "3 seo"), [sale(revenue="10", fact_id=1)]),
            journey_of(steps("2.5 ads", "2 seo"), [sale(revenue="20", fact_id=2)]),
            journey_of(steps("2 seo"), [sale(revenue="99", fact_id=3)]),
            journey_of((), [sale(fact_id=4)]),
            journey_of(steps("2 mail")),
        ]
    )
    assert [(path.keys, path.won.conversions, path.won.revenue) for path in found.paths] == [
        (("ads", "seo"), 2, Decimal(30)), (("seo",), 1, Decimal(99)), ((), 1, Decimal(0)),
    ]  # fmt: skip
    ads, seo = found.parts["ads"], found.parts["seo"]
    assert found.parts.keys() == {"ads", "seo"}
    assert (ads.began.conversions, ads.ended.conversions, ads.helped.conversions) == (2, 0, 2)
    assert (seo.began.conversions, seo.ended.conversions, seo.helped.conversions) == (1, 3, 0)
    assert (ads.helped.revenue, seo.helps_per_end, ads.helps_per_end) == (Decimal(30), 0, None)
    assert found.steps == {0: 1, 1: 1, 2: 1, 3: 1}
    assert found.days == {2: 2, 9: 1}
    assert found.over_several == 2
