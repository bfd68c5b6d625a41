"""Long lists in portions that a statement can carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

AT_ONCE = 5_000  # rows, or values of an IN; SQLite takes some thirty thousand values in one statement

T = TypeVar("T")


def portions(rows: Sequence[T], size: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """The rows in their order, at most `size` at a time."""
    return (rows[first : first + size] for first in range(0, len(rows), size))
