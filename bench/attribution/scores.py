"""What a judge's word is worth: right, wrong without a mark, and whether its probabilities are true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.attribution.dialled import Rang

BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a call: due to that visit, so surely, marked as uncertain; or due to nobody known."""

    visit: int | None = None
    probability: float | None = None  # None: no visit is named
    is_marked: bool = False


@dataclass(frozen=True)
class Bin:
    """Calls that were said to be right with about the same probability, and how many were."""

    calls: int
    said: float
    right: float


@dataclass(frozen=True)
class Scores:
    """Shares of the calls that rang the pool's numbers; `coverage`, `right_all`: of all visits caused.

    `brier` and `bins` are about the calls for which a visit was named: only there a probability is said.
    """

    calls: int
    website_calls: int
    coverage: float  # their visitor had a number of his own
    right_all: float  # named right, of all that visits caused: without a number of their own, none is
    right: float
    wrong_unmarked: float
    marked: float
    brier: float
    calibration_error: float
    bins: tuple[Bin, ...]


Verdict = tuple[Rang, Judged]


def score(verdicts: Sequence[Verdict]) -> Scores:
    """The figures of one rule in one world."""
    rung = [each for each in verdicts if each[0].line is not None]
    website = [each for each in verdicts if each[0].truth is not None]
    bins = reliability(rung)
    return Scores(
        calls=len(rung),
        website_calls=len(website),
        coverage=_share(website, lambda rang, _: rang.line is not None),
        right_all=_share(website, lambda rang, said: rang.line is not None and _is_right(rang, said)),
        right=_share(rung, _is_right),
        wrong_unmarked=_share(rung, is_silently_wrong),
        marked=_share(rung, lambda _, said: said.is_marked),
        brier=_brier(rung),
        calibration_error=calibration_error(bins),
        bins=bins,
    )


def _is_right(rang: Rang, said: Judged) -> bool:
    return said.visit == rang.truth


def is_silently_wrong(rang: Rang, said: Judged) -> bool:
    """Named the wrong visit, and looked sure; a call said to be nobody's misleads no report."""
    return said.visit is not None and not said.is_marked and said.visit != rang.truth


def _share(verdicts: Sequence[Verdict], holds: Callable[[Rang, Judged], bool]) -> float:
    return sum(holds(rang, said) for rang, said in verdicts) / max(1, len(verdicts))


def _brier(verdicts: Iterable[Verdict]) -> float:
    errors = [
        (said.probability - _is_right(rang, said)) ** 2
        for rang, said in verdicts
        if said.probability is not None
    ]
    return sum(errors) / max(1, len(errors))


def reliability(verdicts: Iterable[Verdict]) -> tuple[Bin, ...]:
    """Calls by the probability they were given, in ten equal steps."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for rang, said in verdicts:
        if said.probability is not None:
            place = min(BINS - 1, int(said.probability * BINS))
            bins[place].append((said.probability, _is_right(rang, said)))
    return tuple(
        Bin(
            len(each),
            sum(probability for probability, _ in each) / max(1, len(each)),
            sum(right for _, right in each) / max(1, len(each)),
        )
        for each in bins
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: how far said and right are apart, weighed by calls."""
    calls = sum(each.calls for each in bins)
    return sum(each.calls * abs(each.said - each.right) for each in bins) / max(1, calls)
