"""Columns: of many facts in one order, what is told of each, as arrays; and as bytes for a day sheet.

    column = Column.of_words(["google", None, "google"])    # each word once, and a code for each fact
    column = read(write(column))
    joined([yesterdays, todays])

Words are what rows of reports are named by: texts, whole numbers, and why there is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.policy.call_words import Delay
from tracker.policy.report_words import Blank, Calendar, Cell, Weekday

Ints = NDArray[np.int64]
Codes = NDArray[np.unsignedinteger]
Bits = NDArray[np.bool_]
_WIDTHS = ("<u1", "<u2", "<u4")
_NUMBERS = "<i8"


@dataclass(frozen=True, eq=False)
class Column:
    """Of each fact a code: the place of its word. `places`: which fact, where some have several words."""

    words: Sequence[Cell]
    codes: Codes
    places: Codes | None = None

    @classmethod
    def of_words(cls, cells: Iterable[Cell], places: Sequence[int] | None = None) -> Column:
        codes = _Coder()
        told = [codes.of(cell) for cell in cells]
        words = codes.words
        return cls(
            words,
            np.array(told, _width(len(words))),
            None if places is None else np.array(places, _WIDTHS[-1]),
        )

    def __len__(self) -> int:
        return len(self.codes)

    def where(self, holds: Callable[[Cell], bool]) -> Bits:
        """Which facts have a word that it holds of."""
        found: Bits = np.array([holds(word) for word in self.words], np.bool_)[self.codes]
        return found


class _Coder:
    """Gives each word a code; a weekday is another word than the hour with its number."""

    def __init__(self) -> None:
        self.words: list[Cell] = []
        self._codes: dict[Hashable, int] = {}

    def of(self, cell: Cell) -> int:
        key = (type(cell), cell)
        if (code := self._codes.get(key)) is None:
            code = self._codes[key] = len(self.words)
            self.words.append(cell)
        return code


def _width(words: int) -> str:
    return next(width for width in _WIDTHS if words <= np.iinfo(width).max + 1)


def joined(columns: Sequence[Column], counts: Sequence[int]) -> Column:
    """One after the other; `counts` of facts that each is about."""
    codes = _Coder()
    theirs = [[codes.of(word) for word in each.words] for each in columns]
    width = _width(len(codes.words))
    told = [np.array(mine, width)[each.codes] for mine, each in zip(theirs, columns, strict=True)]
    begun = np.cumsum([0, *counts])
    places = [
        each.places + start for each, start in zip(columns, begun, strict=False) if each.places is not None
    ]
    return Column(
        codes.words,
        np.concatenate(told) if told else np.zeros(0, width),
        np.concatenate(places).astype(np.uint32) if places else None,
    )


def places_of(wanted: Ints, among: Ints) -> Ints:
    """Where each of these numbers stands among the others, which are in hardly any disorder; -1: nowhere."""
    if not len(among):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(among, kind="stable")
    places = order[np.minimum(np.searchsorted(among, wanted, sorter=order), len(among) - 1)]
    found: Ints = np.where(among[places] == wanted, places, -1)
    return found


# ---- as bytes ----


def write(column: Column) -> bytes:
    """The words as JSON in a line, then the codes, then the places where there are any."""
    several = column.places is not None
    head = [[_told(word) for word in column.words], len(column.codes), several]
    places = b"" if column.places is None else column.places.astype(_WIDTHS[-1]).tobytes()
    codes = column.codes.astype(_width(len(column.words)))
    return _line(head) + codes.tobytes() + places


def read(data: bytes) -> Column:
    """What `write` wrote."""
    end = data.index(b"\n")
    told, count, several = json.loads(data[:end])
    width = _width(len(told))
    codes = np.frombuffer(data, width, count, end + 1)
    begun = end + 1 + codes.nbytes
    places = np.frombuffer(data, _WIDTHS[-1], count, begun) if several else None
    return Column([_word(each) for each in told], codes, places)


def write_numbers(numbers: Iterable[int]) -> bytes:
    return np.array(list(numbers), _NUMBERS).tobytes()


def read_numbers(data: bytes) -> Ints:
    return np.frombuffer(data, _NUMBERS)


def _line(head: object) -> bytes:
    return json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# Words that are no mere texts and numbers, by what they are.
_KINDS: dict[str, Callable[[Any], Cell]] = {
    "blank": Blank.__getitem__, "weekday": Weekday, "calendar": Calendar, "delay": Delay
}  # fmt: skip


def _told(cell: Cell) -> object:
    if isinstance(cell, Blank):
        return ["blank", cell.name]
    if isinstance(cell, Weekday):
        return ["weekday", int(cell)]
    if isinstance(cell, Calendar):
        return ["calendar", str(cell)]
    return ["delay", cell.value] if isinstance(cell, Delay) else cell


def _word(told: Any) -> Cell:
    if isinstance(told, list):
        kind, value = told
        return _KINDS[kind](value)
    cell: Cell = told
    return cell
