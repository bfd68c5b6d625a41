"""What to stop paying for: what dropping a channel changes, which rows lose, which keywords waste calls.

    dropping(rows, ["Social", "Billboard"]).loses       # 26 600, though the ROMI of the rest is higher

A loss that chance may have made is told as one that may be chance: only a person drops a channel.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tracker.policy.intervals import Interval, share_interval
from tracker.policy.money_figures import Sums, completed, net_interval, quotient, total


@dataclass(frozen=True)
class Dropping:
    """What changes without some rows, if their money is not spent elsewhere."""

    before: Sums
    after: Sums
    dropped: Sums

    @property
    def loses(self) -> Decimal | None:
        """By how much the profit net of cost falls; below zero: it rises."""
        return self.dropped.net

    @property
    def must_earn(self) -> Fraction | None:
        """The marginal ROMI above which their money is better spent elsewhere."""
        return self.dropped.romi

    @property
    def misleads(self) -> bool:
        """Whether the ratio rises while there is less money."""
        before, after = self.before.romi, self.after.romi
        if before is None or after is None or self.loses is None:
            return False
        return after > before and self.loses > 0


def dropping(rows: Mapping[str, Sums], names: Collection[str]) -> Dropping:
    """The rows without those named; people in several rows are not counted here.

    A row may have helped what others are credited with: choose the attribution model that shares it.
    """
    told = completed(rows)
    return Dropping(
        total(told.values()),
        total(row for name, row in told.items() if name not in names),
        total(row for name, row in told.items() if name in names),
    )


@dataclass(frozen=True)
class Losing:
    """A row that cost more than it brought: so much, and between which the net may lie by chance."""

    name: str
    loss: Decimal
    net: Interval | None

    @property
    def is_sure(self) -> bool:
        """Whether it loses even if chance was as much against it as it hardly ever is."""
        return self.net is not None and self.net.high is not None and self.net.high < 0


def losing(rows: Mapping[str, Sums]) -> list[Losing]:
    """The rows that cost more than they brought, sure losses first, then the largest.

    A row without orders is taken to bring by an order what all rows do. Without the gross profit of any sale
    nothing can be said.
    """
    told, everything = completed(rows), total(rows.values())
    usual = quotient(everything.gross_profit, everything.orders)
    found = [
        Losing(name, -row.net, net_interval(row, usual))
        for name, row in told.items()
        if row.cost and row.net is not None and row.net < 0
    ]
    return sorted(found, key=lambda each: (not each.is_sure, -each.loss, each.name))


# ---- keywords that bring calls of no use ----

ENOUGH_JUDGED = 5  # a keyword with fewer judged calls is nobody's candidate


@dataclass(frozen=True)
class KeywordCalls:
    """A keyword's calls that a person has judged, and how many of them were non-target; what it cost."""

    judged: int
    non_target: int
    cost: Decimal | None = None


@dataclass(frozen=True)
class Negative:
    """A keyword to exclude, and why: its share of non-target calls, and that of all the others together."""

    keyword: str
    facts: KeywordCalls
    share: Interval
    others: Interval

    @property
    def wasted(self) -> Decimal | None:
        """What its non-target calls cost, at its cost per judged call."""
        if self.facts.cost is None:
            return None
        return self.facts.cost * self.facts.non_target / self.facts.judged


def negatives(keywords: Mapping[str, KeywordCalls]) -> list[Negative]:
    """Candidates for the list of negative keywords, those with the most non-target calls first.

    Most of the keyword's judged calls are non-target, and its share lies above that of all others by more
    than chance explains: the intervals of the two do not meet.
    """
    judged = sum(each.judged for each in keywords.values())
    non_target = sum(each.non_target for each in keywords.values())
    found = [
        _negative(name, each, share_interval(non_target - each.non_target, judged - each.judged))
        for name, each in keywords.items()
    ]
    return sorted(
        (each for each in found if each is not None),
        key=lambda each: (-each.facts.non_target, each.keyword),
    )


def _negative(keyword: str, facts: KeywordCalls, others: Interval | None) -> Negative | None:
    share = share_interval(facts.non_target, facts.judged)
    if share is None or others is None or others.high is None:
        return None
    if facts.judged < ENOUGH_JUDGED or 2 * facts.non_target <= facts.judged or share.low <= others.high:
        return None
    return Negative(keyword, facts, share, others)
