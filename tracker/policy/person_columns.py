"""Who is one person, of many visitors and telephones at once: as tracker.policy.persons joins them.

    persons = join(visitors, phones)            # of calls whose source is sure
    persons.of(visitors, phones)                # 0: nobody known

Telephones are whole numbers other than 0, visitors such above 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.policy.columns import Ints
from tracker.policy.persons import MOST_PHONES, MOST_VISITORS

_TABLE = 2**20  # numbers up to here are looked up in a table, and more where there are many


@dataclass(frozen=True, eq=False)
class Persons:
    """Of visitors and telephones that are joined, in their order, each the visitor it is named for."""

    visitors: Ints
    of_visitors: Ints
    phones: Ints
    of_phones: Ints

    def names(self, visitors: Ints, phones: Ints) -> tuple[Ints, Ints]:
        """Of each call the visitor it is named for, else 0; and then its telephone, else 0."""
        named = _found(self.visitors, self.of_visitors, visitors)
        named = np.where((named == 0) & (visitors > 0), visitors, named)
        by_phone = _found(self.phones, self.of_phones, phones)
        named = np.where(visitors > 0, named, by_phone)
        return named, np.where(named == 0, phones, 0)


def _found(known: Ints, values: Ints, wanted: Ints) -> Ints:
    if not len(known) or not len(wanted) or not wanted.any():
        return np.zeros(len(wanted), np.int64)
    highest = int(max(known[-1], wanted.max()))
    if known[0] >= 0 and wanted.min() >= 0 and highest < _TABLE + 8 * len(wanted):
        table = np.zeros(highest + 1, np.int64)
        table[known] = values
        return table[wanted]
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found: Ints = np.where(known[places] == wanted, values[places], 0)
    return found


def join(
    visitors: Ints, phones: Ints, most_visitors: int = MOST_VISITORS, most_phones: int = MOST_PHONES
) -> Persons:
    """The persons behind pairs of a visitor and a telephone; pairs without one of them join nobody."""
    both = (visitors > 0) & (phones != 0)
    order = np.lexsort((phones[both], visitors[both]))
    visitors, phones = visitors[both][order], phones[both][order]
    if len(visitors):
        new = np.concatenate([[True], (visitors[1:] != visitors[:-1]) | (phones[1:] != phones[:-1])])
        visitors, phones = visitors[new], phones[new]
    _, of_visitor, counts = np.unique(visitors, return_inverse=True, return_counts=True)
    _, of_phone, times = np.unique(phones, return_inverse=True, return_counts=True)
    kept = (counts[of_visitor] <= most_phones) & (times[of_phone] <= most_visitors)
    names, of_visitor = np.unique(visitors[kept], return_inverse=True)
    numbers, of_phone = np.unique(phones[kept], return_inverse=True)
    first = np.arange(len(names))  # of each visitor the first one that he is joined with
    while True:
        lowest = np.full(len(numbers), len(names))
        np.minimum.at(lowest, of_phone, first[of_visitor])
        after = first.copy()
        np.minimum.at(after, of_visitor, lowest[of_phone])
        if np.array_equal(after, first):
            return Persons(names, names[first], numbers, names[lowest] if len(names) else lowest)
        first = after
