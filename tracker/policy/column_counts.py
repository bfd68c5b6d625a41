"""Counting columns: the rows of a report out of words, outcomes, categories and callers of many calls.

rows, everything = count(rows_of([sources, devices], chosen), calls)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.policy.columns import Bits, Column, Ints
from tracker.policy.figures import Counts
from tracker.policy.report import Grouped, Key

_OUTCOMES, _CATEGORIES = Counts._fields[1:7], Counts._fields[7:10]
_UNKNOWN = 0  # a caller of whom nothing is known
_DENSE = 2**18  # keys that are counted in one table, also where few of them have calls


@dataclass(frozen=True, eq=False)
class Calls:
    """What is told of each call, all in one order."""

    outcomes: Column
    categories: Column
    callers: Ints


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows' keys, and of each fact in `facts` the row it is in: `at[k]` is of call `facts[k]`."""

    keys: Sequence[Key]
    facts: Ints
    at: Ints
    is_overlapping: bool = False  # a fact may be in several rows


def rows_of(parts: Sequence[Column], chosen: Bits) -> Rows:
    """The rows that these columns make; a fact with several words is in several of them."""
    facts = np.flatnonzero(chosen)
    codes = np.zeros(len(facts), np.int64)
    several = next((part for part in parts if part.places is not None), None)
    if several is not None and several.places is not None:
        within = chosen[several.places]
        facts = several.places[within].astype(np.int64)
        codes = np.zeros(len(facts), np.int64)
    for part in parts:
        mine = part.codes[facts] if part is not several else part.codes[within]
        codes = codes * max(len(part.words), 1) + mine
    size = int(np.prod([max(len(part.words), 1) for part in parts], dtype=np.int64))
    if size <= _DENSE:
        found = np.flatnonzero(np.bincount(codes, minlength=size))
        table = np.zeros(size, np.int64)
        table[found] = np.arange(len(found))
        return Rows(list(_keys(parts, found)), facts, table[codes], several is not None)
    found, at = np.unique(codes, return_inverse=True)
    return Rows(list(_keys(parts, found)), facts, at.astype(np.int64), several is not None)


def _keys(parts: Sequence[Column], codes: Ints) -> Iterator[Key]:
    columns = []
    for part in reversed(parts):
        codes, places = np.divmod(codes, max(len(part.words), 1))
        columns.append([part.words[place] for place in places.tolist()])
    return zip(*reversed(columns), strict=True)


def count(rows: Rows, calls: Calls) -> tuple[dict[Key, Grouped], Grouped]:
    """Of each row how many calls were what, and how many callers can be told apart; and of all together."""
    columns = _counted(rows.at, rows.facts, len(rows.keys), calls)
    callers, everybody = _distinct(rows.at, calls.callers[rows.facts], len(rows.keys))
    if rows.is_overlapping:
        there = np.zeros(len(calls.callers), np.bool_)
        there[rows.facts] = True
        each = np.flatnonzero(there)
        sums = _counted(np.zeros(len(each), np.int64), each, 1, calls)[:, 0]
    else:
        sums = columns.sum(axis=1)
    grouped = {
        key: Grouped(Counts(*vector), known)
        for key, vector, known in zip(rows.keys, columns.T.tolist(), callers, strict=True)
    }
    return grouped, Grouped(Counts(*sums.tolist()), everybody)


def _counted(at: Ints, facts: Ints, size: int, calls: Calls) -> Ints:
    """A column for each row: all calls, and those of each outcome and category."""
    counts = [np.bincount(at, minlength=size)]
    for told, words in ((calls.outcomes, _OUTCOMES), (calls.categories, _CATEGORIES)):
        width = len(told.words)
        table = np.bincount(at * width + told.codes[facts], minlength=size * width)
        counts += _columns(table.reshape(size, width), told, words)
    return np.array(counts)


def _columns(table: Ints, told: Column, words: Sequence[str]) -> Iterator[Ints]:
    places = {word: place for place, word in enumerate(told.words)}
    for word in words:
        place = places.get(word)
        yield np.zeros(len(table), np.int64) if place is None else table[:, place]


def _distinct(rows: Ints, callers: Ints, size: int) -> tuple[list[int], int]:
    """How many different callers each row has, and all rows together."""
    known = callers != _UNKNOWN
    rows, callers = rows[known], callers[known]
    if not len(callers):
        return [0] * size, 0
    width = size.bit_length()
    if callers.min() < 0 or int(callers.max()).bit_length() + width > 62:
        callers = np.unique(callers, return_inverse=True)[1]
    each = np.sort(callers << width | rows)
    first = np.concatenate([[True], each[1:] != each[:-1]])
    each = each[first]
    found: list[int] = np.bincount(each & ((1 << width) - 1), minlength=size).tolist()
    each >>= width
    return found, 1 + int((each[1:] != each[:-1]).sum())
