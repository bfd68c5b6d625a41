"""The ways to target calls or sales as tables: those that were gone most; who began, ended and helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tracker.errors import Rejected
from tracker.policy.addresses import clean
from tracker.policy.call_filter import LONGEST
from tracker.policy.journeys import Goal
from tracker.policy.money_figures import quotient
from tracker.policy.paths import Path, Ways, Won
from tracker.policy.report_asks import asks_of
from tracker.policy.report_wish import read_word
from tracker.policy.report_words import By, Cell
from tracker.policy.spans import Asks, Span

BY = (By.CHANNEL, By.SOURCE, By.CAMPAIGN)
USUAL, MOST = 20, 500  # ways that are told one by one


@dataclass(frozen=True)
class PathWish:
    """What somebody wants to see; goal None: sales, if anything was sold in these days, else target calls."""

    by: By = By.CHANNEL
    goal: Goal | None = None
    top: int = USUAL

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise Rejected(
                "report.malformed",
                "Paths have no steps by %(by)s",
                "Give one of %(words)s",
                by=self.by.value,
                words=[by.value for by in BY],
            )
        if not 1 <= self.top <= MOST:
            raise _no_number(str(self.top))


def _no_number(top: str) -> Rejected:
    return Rejected(
        "report.malformed", "top is %(top)r", "Give a number from 1 to %(most)s", top=top, most=MOST
    )


@dataclass(frozen=True)
class Gone:
    """A way as the table has it; without cells: nothing is known of what led there."""

    cells: tuple[Cell, ...]
    conversions: int
    share: Fraction | None
    revenue: Decimal
    touches: float
    days: float | None


@dataclass(frozen=True)
class Origin:
    """What an origin did; `asks` lists the calls that came from it in these days."""

    cell: Cell
    began: Won
    ended: Won
    helped: Won
    ratio: float | None  # helped for one ended: above 1 it rather prepares than closes
    asks: Asks | None


@dataclass(frozen=True)
class PathTable:
    """`persons` made so many `conversions`, of which `known` have a way, over several origins `several`."""

    wish: PathWish
    goal: Goal
    currency: str
    span: Span
    persons: int
    conversions: int
    known: int
    several: int
    days: float | None  # from the first step on: half of them took more, half less
    paths: Sequence[Gone]
    others: Gone | None  # all ways that are not told one by one; its cells are none
    origins: Sequence[Origin]

    @property
    def has_money(self) -> bool:
        return self.goal is Goal.SALE


def read_path_wish(words: Mapping[str, str]) -> PathWish:
    """`by`, `goal` and `top` out of these words. Raises Rejected report.malformed."""
    given = {name: word for name in words if (word := clean(words[name], LONGEST))}
    top = given.get("top", str(USUAL))
    if not top.isascii() or not top.isdecimal() or len(top) > len(str(MOST)):
        raise _no_number(top[:20])
    return PathWish(read_word(By, "by", given) or By.CHANNEL, read_word(Goal, "goal", given), int(top))


@dataclass(frozen=True)
class Walked:
    """What was found: so many persons' ways to a goal, and the cells that their keys stand for."""

    goal: Goal
    ways: Ways
    persons: int
    cells: Mapping[str, Cell]


def tabulate(wish: PathWish, currency: str, span: Span, walked: Walked, also: Asks = ()) -> PathTable:
    """The tables of these ways; `also` are words that every origin's filter needs besides."""
    found, cells = walked.ways, walked.cells
    whole = found.conversions
    told = [_gone(path, cells, whole) for path in found.paths]
    unknown = [each for each in told if not each.cells]
    ranked = [each for each in told if each.cells]
    return PathTable(
        wish,
        walked.goal,
        currency,
        span,
        walked.persons,
        whole,
        whole - sum(each.conversions for each in unknown),
        found.over_several,
        found.median_days,
        [*ranked[: wish.top], *unknown],
        _together(ranked[wish.top :], whole),
        _origins(wish.by, found, cells, span, (*also, *span.asks)),
    )


def _gone(path: Path, cells: Mapping[str, Cell], whole: int) -> Gone:
    return Gone(
        tuple(cells[key] for key in path.keys),
        path.won.conversions,
        quotient(path.won.conversions, whole),
        path.won.revenue,
        path.touches,
        path.days,
    )


def _together(rest: Sequence[Gone], whole: int) -> Gone | None:
    if not rest:
        return None
    conversions = sum(each.conversions for each in rest)
    revenue = sum((each.revenue for each in rest), Decimal(0))
    return Gone((), conversions, quotient(conversions, whole), revenue, 0, None)


def _origins(by: By, found: Ways, cells: Mapping[str, Cell], span: Span, base: Asks) -> Sequence[Origin]:
    origins = [
        Origin(
            cells[key],
            part.began,
            part.ended,
            part.helped,
            part.helps_per_end,
            asks_of((by,), (cells[key],), span, base),
        )
        for key, part in found.parts.items()
    ]
    return sorted(origins, key=lambda it: (-it.ended.conversions - it.helped.conversions, str(it.cell)))
