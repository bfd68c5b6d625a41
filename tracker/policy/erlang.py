"""How many numbers a pool needs, by Erlang's loss formula: visitors who find all numbers leased get none.

The load is in erlangs: how many numbers would be leased on average if there were enough of them. The formula
(A. K. Erlang, 1917) holds for visitors who come independently of each other, however long they stay.
"""

from __future__ import annotations

MOST = 100_000  # numbers; a load that needs more is a slip of the keyboard


def offered_load(visitors_per_hour: float, minutes: float, hold_seconds: float) -> float:
    """Erlangs, of visitors who each occupy a number for their visit and the hold time after it."""
    return visitors_per_hour * (minutes + hold_seconds / 60) / 60


def missed(load: float, numbers: int) -> float:
    """Share of visitors who find no number free, 0 to 1 (Erlang B, by the recursion that stays stable)."""
    if load <= 0:
        return 0.0
    share = 1.0
    for count in range(1, numbers + 1):
        share = load * share / (count + load * share)
    return share


def numbers_needed(load: float, target: float) -> int:
    """The fewest numbers with which at most the share `target` of visitors get none."""
    share, numbers = 1.0 if load > 0 else 0.0, 0
    while share > target and numbers < MOST:
        numbers += 1
        share = load * share / (numbers + load * share)
    return numbers
