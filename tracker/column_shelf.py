"""Columns of days that are over, as they were read last: kept in memory up to a size.

    keep(key, column)
    kept(key)               # None: not among those that were used last

A key names what the column says, not when it was read, so that nothing that is kept can be out of date.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable

from cachetools import LRUCache

from tracker.policy.columns import Column, Ints

MOST_BYTES = 128 * 2**20  # a busy company's year: a million calls, and the visits before them
_WORD_BYTES = 100  # a word with its places in lists and tables
_lock = threading.Lock()


def _bytes_of(column: Column | Ints) -> int:
    if not isinstance(column, Column):
        return column.nbytes
    places = 0 if column.places is None else column.places.nbytes
    return column.codes.nbytes + places + _WORD_BYTES * len(column.words)


_shelf: LRUCache[Hashable, Column | Ints] = LRUCache(MOST_BYTES, getsizeof=_bytes_of)


def kept(key: Hashable) -> Column | Ints | None:
    with _lock:
        return _shelf.get(key)


def keep(key: Hashable, column: Column | Ints) -> None:
    with _lock:
        if _bytes_of(column) <= MOST_BYTES // 4:
            _shelf[key] = column


def bytes_kept() -> int:
    """By all of this process."""
    with _lock:
        return int(_shelf.currsize)
