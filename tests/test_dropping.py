"""What dropping a channel would lose, which losses are sure, and which keywords bring calls of no use."""

from __future__ import annotations

from decimal import Decimal

from test_money_figures import KEYWORDS, SOURCES

from tracker.policy.dropping import KeywordCalls, dropping, losing, negatives
from tracker.policy.money_figures import Sums, percent


def test_dropping_what_earns_little_raises_the_ratio_and_loses_money() -> None:
    """T5.2."""
    found = dropping(SOURCES, ["Социальные сети", "Билборд"])
    assert (found.before.net, found.after.net) == (Decimal(752_000), Decimal(725_400))
    assert found.loses == 26_600
    assert str(percent(found.before.romi, 2)) == "637.29"
    assert str(percent(found.after.romi, 2)) == "967.20"
    assert found.dropped.cost == 43_000
    assert str(percent(found.must_earn, 2)) == "61.86"
    assert found.misleads


def test_dropping_what_loses_wins_money() -> None:
    rows = {"good": Sums(Decimal(10), orders=5, gross_profit=Decimal(50)), "bad": Sums(Decimal(20), leads=2)}
    found = dropping(rows, {"bad"})
    assert found.loses == -20
    assert not found.misleads
    assert found.must_earn == -1


def test_dropping_everything_or_nothing_known_is_no_error() -> None:
    everything = dropping(SOURCES, list(SOURCES))
    assert everything.after.romi is None
    assert not everything.misleads
    unknown = dropping({"a": Sums(Decimal(5), leads=3)}, ["a"])
    assert (unknown.loses, unknown.must_earn) == (None, None)


def test_a_loss_that_may_be_chance_is_not_called_sure() -> None:
    rows = {
        **SOURCES,
        "leaflet": Sums(Decimal(20_000), leads=2),  # up to 3.7 orders could have come: 32 000
        "banners": Sums(Decimal(90_000), leads=9, orders=2, gross_profit=Decimal(17_400)),
        "unsaid": Sums(Decimal(90_000), leads=9, orders=2),
    }
    found = losing(rows)
    assert [(each.name, each.loss, each.is_sure) for each in found] == [
        ("banners", Decimal(72_600), True), ("leaflet", Decimal(20_000), False),
    ]  # fmt: skip


def test_nothing_is_said_to_lose_where_sales_are_not_counted() -> None:
    assert losing({"a": Sums(Decimal(5000), calls=40), "b": Sums(Decimal(100), calls=1)}) == []


def test_the_shower_tray_is_a_negative_keyword() -> None:
    """T2: the keyword with the most calls is of a different product."""
    facts = {name: KeywordCalls(calls, 0) for name, (calls, _) in KEYWORDS.items()}
    facts["душевой поддон деревянный"] = KeywordCalls(12, 12, Decimal(6000))
    facts["поддоны деревянные новые"] = KeywordCalls(1, 1)
    (found,) = negatives(facts)
    assert found.keyword == "душевой поддон деревянный"
    assert found.wasted == 6000
    assert found.others.high is not None
    assert found.share.low > found.others.high


def test_a_keyword_with_few_judged_calls_or_many_good_ones_is_no_candidate() -> None:
    rest = {"good": KeywordCalls(100, 2)}
    assert negatives({**rest, "few": KeywordCalls(4, 4)}) == []
    assert negatives({**rest, "half": KeywordCalls(40, 20)}) == []
    assert negatives({"all": KeywordCalls(100, 60), "alike": KeywordCalls(100, 58)}) == []
    assert negatives({"alone": KeywordCalls(50, 50)}) == [], "there is nothing to compare it with"
    assert [
        each.keyword for each in negatives({**rest, "c": KeywordCalls(6, 5), "b": KeywordCalls(9, 8)})
    ] == ["b", "c"]
