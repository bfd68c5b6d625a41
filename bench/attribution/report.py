"""The tables that people read, and the figures of the last line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import sqrt

from bench.attribution.measure import Kind, Measured
from bench.attribution.scores import BINS, calibration_error, reliability

USUAL = 22  # numbers that a hundred visitors an hour need: Erlang B, 3 + 5 minutes, 1 % without one

Curve = Sequence[tuple[float, float]]  # numbers, share right


def show(measured: Sequence[Measured]) -> None:
    """Everything, in tables. Shares are of the calls that rang a number of the pool, unless said."""
    _show_shares(measured)
    _show_doubts(measured)
    _show_kinds(measured)
    _show_reliability(measured)
    _show_numbers(measured)


def _show_shares(measured: Sequence[Measured]) -> None:
    print("\nshare right, of the calls that rang a number of the pool, and of all that visits caused")
    print(f"{'':16} | {'of the calls on the numbers':55} | of all website calls: coverage, right")
    print(
        f"numbers    calls | {'  ours  limit  found   lost  error | random oldest':55} |"
        " ours          random        oldest"
    )
    for each in measured:
        ours, error = each.ours, sqrt(each.ours.right * (1 - each.ours.right) / max(1, each.ours.calls))
        print(
            f"{each.lines:7} {ours.calls:8} | {_pc(ours.right)} {_pc(each.limit)} {_pc(each.perfect.right)}"
            f" {_pc(each.lost, 2)} {_pc(error)} | {_pc(each.random.right)} {_pc(each.oldest.right)}"
            + f"{'':6}|"
            + "|".join(
                f"{_pc(rule.coverage)}{_pc(rule.right_all)}" for rule in (ours, each.random, each.oldest)
            )
        )
    print(
        "limit: what a perfect judge expects to name right; found: what he did;"
        " lost: what he expects us to miss; error: one standard error of ours"
    )


def _show_doubts(measured: Sequence[Measured]) -> None:
    print("\nwrong without a mark, marked as uncertain, and how true the probabilities are")
    print("        | wrong unmarked              | marked | Brier                       | calibration error")
    print("numbers |   ours random oldest  ratio |   ours |   ours  limit random oldest |   ours  limit")
    for each in measured:
        ratio = each.ours.wrong_unmarked / max(1e-9, each.oldest.wrong_unmarked)
        print(
            f"{each.lines:7} | {_pc(each.ours.wrong_unmarked)} {_pc(each.random.wrong_unmarked)}"
            f" {_pc(each.oldest.wrong_unmarked)} {ratio:6.3f} | {_pc(each.ours.marked)} |"
            + "".join(f" {it.brier:6.3f}" for it in (each.ours, each.perfect, each.random, each.oldest))
            + f" | {each.ours.calibration_error:6.3f} {each.perfect.calibration_error:6.3f}"
        )


def _show_kinds(measured: Sequence[Measured]) -> None:
    """Where the product loses against the limit, all sizes together."""
    print(
        "\nby what made him call, all sizes: calls, named right by us and by the perfect judge, lost points"
    )
    kinds = sorted({kind for each in measured for kind in each.kinds})
    total = sum(found.calls for each in measured for found in each.kinds.values())
    for kind in kinds:
        found = [each.kinds[kind] for each in measured if kind in each.kinds]
        calls = sum(each.calls for each in found)
        print(
            f"{kind:17} {calls:6} {_pc(_weighed(found, lambda each: each.right))}"
            f" {_pc(_weighed(found, lambda each: each.limit))}"
            f" {_pc(_weighed(found, lambda each: each.lost) * calls / total, 2)}"
        )


def _weighed(found: Sequence[Kind], figure: Callable[[Kind], float]) -> float:
    return sum(each.calls * figure(each) for each in found) / max(1, sum(each.calls for each in found))


def _show_reliability(measured: Sequence[Measured]) -> None:
    bins = reliability([verdict for each in measured for verdict in each.verdicts])
    print(f"\nreliability, all sizes: calibration error {calibration_error(bins):.3f}")
    print("said        calls   mean  right")
    for place, each in enumerate(bins):
        if each.calls:
            print(
                f"{place / BINS:.1f} to {(place + 1) / BINS:.1f} {each.calls:6}"
                f" {_pc(each.said)} {_pc(each.right)}"
            )


def _show_numbers(measured: Sequence[Measured]) -> None:
    print("\nnumbers each rule needs to name the same share of all website calls right")
    print("  right   ours random oldest  saved")
    for each in measured:
        target = max(each.random.right_all, each.oldest.right_all)
        needs = [needed(curve, target) for curve in curves(measured)]
        print(_pc(target), *(_count(each) for each in (*needs, saved(measured, target))))


def curves(measured: Sequence[Measured]) -> list[Curve]:
    """By rule (ours, random, oldest): share of all website calls named right with so many numbers."""
    by_rule = ([each.ours, each.random, each.oldest] for each in measured)
    lines = [float(each.lines) for each in measured]
    return [
        [(0.0, 0.0), *zip(lines, (each.right_all for each in scores), strict=True)]
        for scores in zip(*by_rule, strict=True)
    ]


def needed(curve: Curve, target: float) -> float | None:
    """Numbers needed for that share, by a straight line between the sizes; None: more than were tried."""
    for (fewer, lower), (more, higher) in pairwise(curve):
        if lower < target <= higher:
            return fewer + (more - fewer) * (target - lower) / (higher - lower)
    return 0.0 if target <= 0 else None


def saved(measured: Sequence[Measured], target: float) -> float | None:
    """Numbers that the product needs less than the better of the rules, for that share."""
    ours, *others = (needed(curve, target) for curve in curves(measured))
    least = min((each for each in others if each is not None), default=None)
    return None if ours is None or least is None else least - ours


def figures(measured: Sequence[Measured]) -> dict[str, float]:
    """Of the usual size, or the next that was tried; calibration of all sizes together."""
    usual = min(measured, key=lambda each: abs(each.lines - USUAL))
    target = max(usual.random.right_all, usual.oldest.right_all)
    everything = reliability([verdict for each in measured for verdict in each.verdicts])
    return {
        "coverage": usual.ours.coverage,
        "right": usual.ours.right,
        "limit": usual.limit,
        "lost_worst": max(each.lost for each in measured),
        "right_random": usual.random.right,
        "right_oldest": usual.oldest.right,
        "wrong_unmarked": usual.ours.wrong_unmarked,
        "wrong_unmarked_oldest": usual.oldest.wrong_unmarked,
        "marked": usual.ours.marked,
        "brier": usual.ours.brier,
        "calibration_error": calibration_error(everything),
        "numbers_saved": saved(measured, target) or 0.0,
    }


def _pc(share: float, digits: int = 1) -> str:
    return f"{100 * share:6.{digits}f}"


def _count(numbers: float | None) -> str:
    return "  more" if numbers is None else f"{numbers:6.1f}"
