"""Attribution models: how the steps of a journey share in the conversions that it led to.

    credited = credit(Model.LINEAR, journeys)
    for key, earned in by_key(credited.credits).items(): ...   # earned.sales, earned.revenue

Nothing is stored: a model is chosen when a report is made, and all of history is credited by it anew. Credit
is counted in parts of a conversion (tracker.policy.parts), so that it adds up exactly.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tracker.errors import Rejected
from tracker.policy.journeys import Conversion, Goal, Journey, Reached, Step, collapsed, led_nowhere, reached
from tracker.policy.markov import Chain, learn
from tracker.policy.origins import NOWHERE
from tracker.policy.parts import WHOLE, split, split_amount
from tracker.policy.touches import LOOK_BACK


class Model(enum.StrEnum):
    FIRST = "first"
    LAST = "last"
    LAST_NON_DIRECT = "last_non_direct"  # the last, if all are direct
    LINEAR = "linear"
    POSITION = "position"
    DECAY = "decay"
    DATA_DRIVEN = "data_driven"


@dataclass(frozen=True)
class Rules:
    """What models can be told; the middle has what first and last leave it."""

    look_back: timedelta = LOOK_BACK
    first_percent: int = 40
    last_percent: int = 40
    half_life: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        if min(self.first_percent, self.last_percent) < 0 or self.first_percent + self.last_percent > 100:
            raise Rejected(
                "model.malformed", "First and last have more than there is", "Give both 100 per cent at most"
            )
        if min(self.look_back, self.half_life) <= timedelta(0):
            raise Rejected("model.malformed", "Days are above zero", "Give a day at least")


USUAL = Rules()


class Share(NamedTuple):
    """A step's parts of a conversion; step None: nothing is known of what led to it."""

    step: Step | None
    parts: int


class Credit(NamedTuple):
    """A conversion (or so many alike: `times`) and who shares in it; its shares' parts make WHOLE."""

    conversion: Conversion
    shares: tuple[Share, ...]
    times: int = 1


@dataclass(frozen=True)
class Credited:
    """All conversions of the journeys, credited; `chain` is what a data-driven model rests on."""

    credits: tuple[Credit, ...]
    chain: Chain | None = None


def credit(
    model: Model, journeys: Iterable[Journey], rules: Rules = USUAL, chain: Chain | None = None
) -> Credited:
    """Each conversion shared among the steps that led to it.

    A data-driven model learns from these journeys, unless it has learned already (`chain`: a month is well
    credited by what a year has taught).
    """
    journeys = list(journeys)
    if model is Model.DATA_DRIVEN:
        chain = chain or learned(journeys, rules)
        weigh: Callable[[Sequence[Step]], list[int]] = _by_chain(chain)
    else:
        chain, weigh = None, _weighing(model, rules)
    found = (each for journey in journeys for each in reached(journey, rules.look_back))
    return Credited(tuple(Credit(each.conversion, _shares(each, weigh), each.times) for each in found), chain)


def _shares(found: Reached, weigh: Callable[[Sequence[Step]], list[int]]) -> tuple[Share, ...]:
    if not found.steps:
        return (Share(None, WHOLE),)
    parts = split(WHOLE, weigh(found.steps))
    return tuple(Share(step, part) for step, part in zip(found.steps, parts, strict=True) if part)


def learned(journeys: Iterable[Journey], rules: Rules = USUAL) -> Chain:
    """What these journeys teach: each conversion's steps are a path, and those that led nowhere are one."""
    won: Counter[tuple[str, ...]] = Counter()
    lost: Counter[tuple[str, ...]] = Counter()
    for journey in journeys:
        for each in reached(journey, rules.look_back):
            won[collapsed(step.key for step in each.steps)] += each.times
        lost[collapsed(step.key for step in led_nowhere(journey))] += journey.times
    for unknown in (won, lost):
        unknown.pop((), None)
    return learn(won, lost)


# ---- the weights that each model gives to steps ----


def _weighing(model: Model, rules: Rules) -> Callable[[Sequence[Step]], list[int]]:
    return {
        Model.FIRST: _first,
        Model.LAST: _last,
        Model.LAST_NON_DIRECT: _last_non_direct,
        Model.LINEAR: _linear,
        Model.POSITION: lambda steps: position_weights(len(steps), rules.first_percent, rules.last_percent),
        Model.DECAY: lambda steps: _decay(steps, rules.half_life),
    }[model]


def _only(place: int, of: int) -> list[int]:
    return [int(each == place) for each in range(of)]


def _first(steps: Sequence[Step]) -> list[int]:
    return _only(0, len(steps))


def _last(steps: Sequence[Step]) -> list[int]:
    return _only(len(steps) - 1, len(steps))


def _last_non_direct(steps: Sequence[Step]) -> list[int]:
    telling = [place for place, step in enumerate(steps) if not step.is_direct]
    return _only(telling[-1], len(steps)) if telling else _last(steps)


def _linear(steps: Sequence[Step]) -> list[int]:
    return [1] * len(steps)


def position_weights(count: int, first: int, last: int) -> list[int]:
    """Two have what first and last have of each other; where they have nothing, both are alike."""
    if count == 1:
        return [1]
    if count == 2:
        return [first, last] if first + last else [1, 1]
    middle = count - 2
    return [first * middle, *[100 - first - last] * middle, last * middle]


FINE = 2**24  # as fine as weights are: so that their products with WHOLE are 64 bits


def _decay(steps: Sequence[Step], half_life: timedelta) -> list[int]:
    """Half as much for each half-life before the last step: as long before the conversion, all the same."""
    last = steps[-1].at
    return [round(FINE * 0.5 ** ((last - step.at) / half_life)) for step in steps]


def _by_chain(chain: Chain) -> Callable[[Sequence[Step]], list[int]]:
    def weigh(steps: Sequence[Step]) -> list[int]:
        return [round(FINE * weight) for weight in chain.weigh([step.key for step in steps])]

    return weigh


# ---- sums ----


@dataclass
class Earned:
    """What an origin has been credited with, in parts of conversions and in money."""

    target_call_parts: int = 0
    sale_parts: int = 0
    revenue: Decimal = Decimal(0)
    gross_profit: Decimal | None = None  # nobody has said of any

    @property
    def target_calls(self) -> Fraction:
        return Fraction(self.target_call_parts, WHOLE)

    @property
    def sales(self) -> Fraction:
        return Fraction(self.sale_parts, WHOLE)


def _key(step: Step) -> str:
    return step.key


def by_key(
    credits_: Iterable[Credit], key: Callable[[Step], str] = _key, decimals: int = 2
) -> dict[str, Earned]:
    """Conversions, revenue and gross profit of each key; what is unknown stands under NOWHERE's word.

    They add up to those of the conversions, money to its last unit (`decimals` are the currency's).
    """
    found: defaultdict[str, Earned] = defaultdict(Earned)
    for conversion, shares, times in credits_:
        parts = [share.parts for share in shares]
        revenue = split_amount(conversion.revenue, parts, decimals)
        profit = conversion.gross_profit
        profits = [None] * len(parts) if profit is None else split_amount(profit, parts, decimals)
        for share, amount, gained in zip(shares, revenue, profits, strict=True):
            earned = found[NOWHERE.word if share.step is None else key(share.step)]
            if conversion.goal is Goal.SALE:
                earned.sale_parts += share.parts * times
            else:
                earned.target_call_parts += share.parts * times
            earned.revenue += amount
            if gained is not None:
                earned.gross_profit = (earned.gross_profit or Decimal(0)) + gained
    return dict(found)


@dataclass(frozen=True)
class Acquisition:
    """What each conversion cost, composed of several keys' costs, and the costs that led to none."""

    by_conversion: Mapping[Conversion, Mapping[str, Decimal]]
    in_vain: Mapping[str, Decimal]


def acquisition(
    credits_: Iterable[Credit],
    costs: Mapping[str, Decimal],
    key: Callable[[Step], str] = _key,
    decimals: int = 2,
) -> Acquisition:
    """Each key's cost shared among the conversions as its credit is (SR-067), to the last unit of money.

    Give credits of one goal: a cost that is shared among calls and their sales alike tells of neither.
    """
    had: defaultdict[str, Counter[Conversion]] = defaultdict(Counter)
    for conversion, shares, times in credits_:
        for step, parts in shares:
            if step is not None:
                had[key(step)][conversion] += parts * times
    found: defaultdict[Conversion, dict[str, Decimal]] = defaultdict(dict)
    for name, cost in costs.items():
        parts_of = had.get(name, Counter())
        amounts = split_amount(cost, list(parts_of.values()), decimals) if parts_of else []
        for conversion, amount in zip(parts_of, amounts, strict=True):
            found[conversion][name] = amount
    return Acquisition(dict(found), {name: cost for name, cost in costs.items() if name not in had})
