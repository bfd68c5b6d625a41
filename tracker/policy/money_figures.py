"""What advertising cost and brought: conversion, costs per call, lead and order, profit, ROMI and ROAS.

    row = Sums(cost=Decimal(35000), leads=30, orders=7, gross_profit=Decimal(60900))
    percent(row.romi, 2)                # Decimal("74.00"); a loss begins below 0 %
    percent(row.gross_return, 2)        # Decimal("174.00"): below 100 %

Figures are exact fractions until `rounded` or `percent` print them. Where there is nothing to divide by, a
figure is None: no cost per order without an order, neither 0 nor infinite.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from tracker.policy.intervals import Count, Interval, count_interval, per_interval, share_interval

FEW_ORDERS = 10  # chance alone halves or doubles what fewer say
Number = int | Fraction | Decimal


@dataclass(frozen=True)
class Sums:
    """Counts and money of a group; counts may be parts (credit), and money None is what nobody has said.

    A lead is what the company calls one: a target call, unless a CRM says otherwise.
    """

    cost: Decimal | None = None
    calls: Count = 0
    callers: int | None = None  # not counted
    missed: Count = 0
    target: Count = 0
    leads: Count = 0
    orders: Count = 0
    revenue: Decimal | None = None
    gross_profit: Decimal | None = None

    @property
    def conversion(self) -> Fraction | None:
        """Orders of leads."""
        return quotient(self.orders, self.leads)

    @property
    def target_share(self) -> Fraction | None:
        """Target calls of all."""
        return quotient(self.target, self.calls)

    @property
    def missed_share(self) -> Fraction | None:
        return quotient(self.missed, self.calls)

    @property
    def cost_per_call(self) -> Fraction | None:
        return quotient(self.cost, self.calls)

    @property
    def cost_per_caller(self) -> Fraction | None:
        return quotient(self.cost, self.callers)

    @property
    def cost_per_target(self) -> Fraction | None:
        return quotient(self.cost, self.target)

    @property
    def cost_per_lead(self) -> Fraction | None:
        return quotient(self.cost, self.leads)

    @property
    def cost_per_order(self) -> Fraction | None:
        return quotient(self.cost, self.orders)

    @property
    def net(self) -> Decimal | None:
        """Gross profit less the cost; a cost of which nobody has said anything is none."""
        return None if self.gross_profit is None else self.gross_profit - (self.cost or 0)

    @property
    def romi(self) -> Fraction | None:
        """(Gross profit - cost) / cost: a loss begins below 0."""
        return quotient(self.net, self.cost)

    @property
    def gross_return(self) -> Fraction | None:
        """Gross profit / cost: a loss begins below 1. "Break-even is 100 %" is said of this."""
        return quotient(self.gross_profit, self.cost)

    @property
    def roas(self) -> Fraction | None:
        """Revenue / cost: a loss begins below `roas_break_even`."""
        return quotient(self.revenue, self.cost)

    @property
    def roas_break_even(self) -> Fraction | None:
        """Revenue / gross profit: what each unit of cost must bring in so that its goods are paid for too."""
        if self.gross_profit is None or self.gross_profit <= 0:
            return None
        return quotient(self.revenue, self.gross_profit)

    @property
    def verdict(self) -> Verdict | None:
        """Whether it paid; None where cost or gross profit is unknown."""
        if self.net is None or self.cost is None:
            return None
        return Verdict.EARNS if self.net > 0 else Verdict.LOSES if self.net < 0 else Verdict.EVEN


class Verdict(enum.StrEnum):
    EARNS = "earns"
    EVEN = "even"
    LOSES = "loses"


class Convention(enum.StrEnum):
    """The ways in which returns on advertising are written."""

    ROMI = "romi"
    GROSS_RETURN = "gross_return"
    ROAS = "roas"


def told_as(row: Sums, convention: Convention) -> Fraction | None:
    """The row's return, written by that convention."""
    return {
        Convention.ROMI: row.romi,
        Convention.GROSS_RETURN: row.gross_return,
        Convention.ROAS: row.roas,
    }[convention]


def break_even(row: Sums, convention: Convention) -> Fraction | None:
    """Below what the row makes a loss, written by that convention; ROAS' depends on the margin."""
    if convention is Convention.ROAS:
        return row.roas_break_even
    return Fraction(0) if convention is Convention.ROMI else Fraction(1)


def completed(rows: Mapping[str, Sums]) -> dict[str, Sums]:
    """With 0 for what rows without orders brought, where it is known of other rows.

    Where it is known of none, the company does not count it: then it stays unknown, and no ROMI is -100 %.
    """
    everything = total(rows.values())
    revenue, profit = (
        Decimal(0) if everything.orders and amount is not None else None
        for amount in (everything.revenue, everything.gross_profit)
    )
    return {name: _completed(row, revenue, profit) for name, row in rows.items()}


def _completed(row: Sums, revenue: Decimal | None, profit: Decimal | None) -> Sums:
    if row.orders:
        return row
    return replace(
        row,
        revenue=revenue if row.revenue is None else row.revenue,
        gross_profit=profit if row.gross_profit is None else row.gross_profit,
    )


def total(rows: Iterable[Sums], callers: int | None = None) -> Sums:
    """All rows together. Callers do not add up, for one person may stand in two rows: so they are given."""
    rows = list(rows)
    return Sums(
        _sum(row.cost for row in rows),
        sum(row.calls for row in rows),
        callers,
        sum(row.missed for row in rows),
        sum(row.target for row in rows),
        sum(row.leads for row in rows),
        sum(row.orders for row in rows),
        _sum(row.revenue for row in rows),
        _sum(row.gross_profit for row in rows),
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


# ---- as it is printed ----


def quotient(part: Number | None, of: Number | None) -> Fraction | None:
    """The one divided by the other, exactly; None where there is nothing to divide, or to divide by."""
    return Fraction(part) / Fraction(of) if part is not None and of else None


def rounded(value: Number | None, decimals: int = 0) -> Decimal | None:
    """The value with so many decimals, half up (away from zero); None stays None."""
    if value is None:
        return None
    scaled = abs(Fraction(value)) * 10**decimals
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(units if value >= 0 else -units).scaleb(-decimals)


def percent(value: Number | None, decimals: int = 1) -> Decimal | None:
    """The fraction in per cent, with so many decimals, half up.

    Shares are each rounded for themselves, so a column may add up to 99.9 while its total row says 100:
    a figure that is nudged to make the column right is wrong itself (T2).
    """
    return None if value is None else rounded(Fraction(value) * 100, decimals)


# ---- how much they say ----


class Doubt(enum.StrEnum):
    """Why a row says less than it seems to."""

    NO_COST = "no_cost"  # nobody has said what it cost
    NO_PROFIT = "no_profit"  # there are orders, and nobody has said what they brought
    FEW_ORDERS = "few_orders"
    EVERY_CALL_A_LEAD = "every_call_a_lead"  # neither spam nor repeats were taken out (T5)
    MORE_ORDERS_THAN_LEADS = "more_orders_than_leads"  # sales of earlier leads, or leads not counted


def doubts(row: Sums) -> Iterator[Doubt]:
    """What a reader should know before he trusts the row."""
    if row.cost is None:
        yield Doubt.NO_COST
    if row.orders and row.gross_profit is None:
        yield Doubt.NO_PROFIT
    if row.orders < FEW_ORDERS:
        yield Doubt.FEW_ORDERS
    if row.calls >= FEW_ORDERS and row.leads >= row.calls:
        yield Doubt.EVERY_CALL_A_LEAD
    if row.orders > row.leads:
        yield Doubt.MORE_ORDERS_THAN_LEADS


def conversion_interval(row: Sums) -> Interval | None:
    """Wilson's interval of orders of leads; None where there are none, or more orders than leads."""
    return share_interval(row.orders, row.leads) if row.orders <= row.leads else None


def cost_per_order_interval(row: Sums) -> Interval | None:
    """Between which the cost per order may lie, by the chance of the number of orders."""
    return None if row.cost is None else per_interval(Fraction(row.cost), row.orders)


def net_interval(row: Sums, profit_per_order: Fraction | None = None) -> Interval | None:
    """Between which the profit net of cost may lie, were the time lived again.

    By the number of orders alone, each taken to bring as much as the row's (without orders: as
    `profit_per_order` says); so it is rather wider still where orders differ much.
    """
    each = quotient(row.gross_profit, row.orders)
    each = each if each is not None else profit_per_order
    if row.cost is None or each is None or each < 0:
        return None
    orders = count_interval(row.orders)
    high = None if orders.high is None else float(each) * orders.high - float(row.cost)
    return Interval(float(each) * orders.low - float(row.cost), high)


def romi_interval(row: Sums, profit_per_order: Fraction | None = None) -> Interval | None:
    """The same, of the ROMI."""
    found = net_interval(row, profit_per_order)
    if found is None or not row.cost:
        return None
    cost = float(row.cost)
    return Interval(found.low / cost, None if found.high is None else found.high / cost)
