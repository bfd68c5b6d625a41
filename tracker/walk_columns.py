"""What persons did before they became customers, read as columns: as tracker.walks tells it of each of them.

walks = read_walks(asked, sales)            # None: too many days have no sheet
walks.of(walks.target_calls), walks.of(walks.sold)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import eq
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from tracker.models import Call, Visit
from tracker.policy import person_columns
from tracker.policy.column_counts import rows_of
from tracker.policy.columns import Bits, Column, Ints, places_of
from tracker.policy.credit import USUAL, Model
from tracker.policy.credit_columns import Steps, Walks, walked
from tracker.policy.journeys import Conversion, Journey, Step, journey_of
from tracker.policy.report import Key
from tracker.policy.report_words import Cell
from tracker.policy.sheets import Interval
from tracker.policy.spans import midnight
from tracker.policy.touches import DIRECT
from tracker.policy.worth import Category
from tracker.report_cells import Asked
from tracker.report_columns import CALLER, ORIGINS, number_of, read_calls
from tracker.report_counts import TOLD_OF, chosen
from tracker.sheet_columns import Facts, at_of, instant_of
from tracker.sold import SaleFact, first_sold_call
from tracker.visit_columns import read_visits
from tracker.walks import OUTSIDE, name_of

# Persons' numbers: visitors even, telephones odd, who is known by neither below zero and even.
_CALL, _SALE = -2, -4


@dataclass(frozen=True, eq=False)
class Ends:
    """What persons came to: instants in microseconds, and who it was."""

    at: Ints
    persons: Ints


@dataclass(frozen=True, eq=False)
class WalkColumns:
    """The steps in order; `keys` are the rows that their names stand for, None: not asked for."""

    calls: Facts
    steps: Steps
    keys: Sequence[Key | None]
    target_calls: Ends
    sold: Ends  # in the order of the sales

    def of(self, ends: Ends) -> Walks:
        return walked(self.steps, ends.persons, ends.at, USUAL.look_back)

    @property
    def cells(self) -> dict[str, Cell]:
        """What the steps' keys stand for, where a row is one word."""
        told = zip(self.steps.names, self.keys, strict=True)
        return {name: key[0] for name, key in told if key is not None}

    def journeys(self, ends: Ends, conversions: Sequence[Conversion]) -> list[Journey]:
        """One by one those of all who came to something; the conversions are in the order of `ends`."""
        won = defaultdict[int, list[Conversion]](list)
        for person, at, conversion in zip(ends.persons.tolist(), ends.at.tolist(), conversions, strict=True):
            won[person].append(conversion._replace(at=at_of(at)))
        theirs = np.flatnonzero(np.isin(self.steps.persons, ends.persons))
        columns = (self.steps.persons, self.steps.at, self.steps.keys, self.steps.direct)
        walked = defaultdict[int, list[Step]](list)
        for place, (person, at, key, direct) in enumerate(
            zip(*(each[theirs].tolist() for each in columns), strict=True)
        ):
            step = Step(at_of(at), self.steps.names[key], direct, fact_id=place)
            walked[person].append(step)
        return [journey_of(walked.get(person, ()), reached) for person, reached in won.items()]


def read_walks(asked: Asked, sales: Sequence[SaleFact]) -> WalkColumns | None:
    """The walks that led to the target calls and sales of the span."""
    span = asked.span
    first = first_sold_call(asked.session, asked.company, span.since, span.until)
    begun = min(span.since, first or span.since) - USUAL.look_back
    zone = ZoneInfo(asked.company.timezone)
    # Whole days, of which there are sheets; what is before is left out again.
    time = Interval(midnight(begun.astimezone(zone).date(), zone), span.until)
    words = [*(by.value for by in asked.wish.parts), *asked.wish.only]
    calls = read_calls(asked, time, [*TOLD_OF, "visitor", *words])
    visits = None if calls is None else read_visits(asked, time, ["visitor", "source", *words])
    if calls is None or visits is None:
        return None
    return _Reader(asked, calls, visits, instant_of(begun)).read(sales)


class _Reader:
    """Puts persons, steps and what they came to together."""

    def __init__(self, asked: Asked, calls: Facts, visits: Facts, begun: int) -> None:
        self._asked, self._calls, self._visits, self._begun = asked, calls, visits, begun
        self._persons = self._join()
        self._names: dict[Key | None, int] = {None: 0}

    def _join(self) -> person_columns.Persons:
        sure = self._origin(ORIGINS.sure_visits) & (self._calls.numbers["at"] >= self._begun)
        numbers = self._calls.numbers
        return person_columns.join(numbers["visitor"][sure], numbers["phone"][sure])

    def _origin(self, wanted: frozenset[int]) -> Bits:
        return self._calls.words["origin"].where(wanted.__contains__)

    def read(self, sales: Sequence[SaleFact]) -> WalkColumns:
        targets, sold_ends = self._target_calls(), self._sold(sales)
        ends = np.concatenate([targets.persons, sold_ends.persons])
        # Whoever calls at once has looked first: visits stand before calls of the same instant.
        parts = zip(self._visit_steps(ends), self._call_steps(), strict=True)
        persons, at, keys, direct = (np.concatenate(both) for both in parts)
        _known, codes = np.unique(np.concatenate([persons, ends]), return_inverse=True)
        split = (len(persons), len(persons) + len(targets.persons))
        of_steps, of_targets, of_sold = np.split(codes, split)
        names = [OUTSIDE if key is None else name_of(key) for key in self._names]
        steps = Steps(of_steps, at, keys, direct, names).in_order
        return WalkColumns(
            self._calls,
            steps,
            list(self._names),
            Ends(targets.at, of_targets),
            Ends(sold_ends.at, of_sold),
        )

    # ---- what they came to ----

    def _target_calls(self) -> Ends:
        at = self._calls.numbers["at"]
        target = self._calls.words["judged"].where(partial(eq, Category.TARGET))
        here = np.flatnonzero(target & (at >= instant_of(self._asked.span.since)))
        return Ends(at[here], self._callers(here))

    def _callers(self, places: Ints) -> Ints:
        numbers = self._calls.numbers
        singles: Ints = _CALL - 4 * numbers["id"][places]
        return self._who(numbers["visitor"][places], numbers["phone"][places], singles)

    def _who(self, visitors: Ints, phones: Ints, singles: Ints) -> Ints:
        """A number for each person: of the visitor he is named for, else of his telephone, else his own."""
        named, phones = self._persons.names(visitors, phones)
        return np.where(named > 0, 2 * named, np.where(phones != 0, 2 * phones + 1, singles))

    def _sold(self, sales: Sequence[SaleFact]) -> Ends:
        """A sale that is known to come of a call is made at the call's instant."""
        own = np.array(
            [(it.call_id or 0, it.visitor_id or 0, instant_of(it.at), _SALE - 4 * it.id) for it in sales],
            np.int64,
        ).reshape(-1, 4)
        calls, visitors, at, singles = own.T.copy()
        places = places_of(calls, self._calls.numbers["id"])
        of_call, there = calls > 0, (calls > 0) & (places >= 0)
        phones = np.zeros(len(calls), np.int64)
        for told, name in ((at, "at"), (visitors, "visitor"), (phones, "phone")):
            told[there] = self._calls.numbers[name][places[there]]
        for place in np.flatnonzero(of_call & ~there).tolist():  # of calls that came after the span
            at[place], visitors[place], phones[place] = self._later(int(calls[place]))
        singles[of_call] = _CALL - 4 * calls[of_call]
        return Ends(at, self._who(visitors, phones, singles))

    def _later(self, call_id: int) -> tuple[int, int, int]:
        wanted = sa.select(Call.started_at, Visit.visitor_id, CALLER).select_from(Call)
        wanted = wanted.outerjoin(Visit, Visit.id == Call.visit_id).where(Call.id == call_id)
        at, visitor, caller = self._asked.session.connection().execute(wanted).one()
        return instant_of(at), visitor or 0, number_of(caller)

    # ---- steps ----

    def _visit_steps(self, ends: Ints) -> tuple[Ints, Ints, Ints, Bits]:
        numbers, source = self._visits.numbers, self._visits.words["source"]
        there = numbers["at"] >= self._begun
        # A data-driven model learns from those who came to nothing, too.
        if self._asked.wish.model is not Model.DATA_DRIVEN:
            there &= np.isin(numbers["visitor"], self._visitors_of(ends))
        places = np.flatnonzero(there)
        visitors = numbers["visitor"][places]
        nobody = np.zeros(len(places), np.int64)
        direct = _some(source, places).where(partial(eq, DIRECT))
        persons = self._who(visitors, nobody, nobody)
        return persons, numbers["at"][places], self._keys(self._visits, places), direct

    def _visitors_of(self, ends: Ints) -> Ints:
        """All visitors that these persons are."""
        named = ends[(ends > 0) & (ends % 2 == 0)] // 2
        joined = self._persons.visitors[np.isin(self._persons.of_visitors, named)]
        return np.union1d(named, joined)

    def _call_steps(self) -> tuple[Ints, Ints, Ints, Bits]:
        """Calls to channels' numbers: no visit explains them."""
        at = self._calls.numbers["at"]
        places = np.flatnonzero(self._origin(ORIGINS.channels) & (at >= self._begun))
        direct = np.zeros(len(places), np.bool_)
        return self._callers(places), at[places], self._keys(self._calls, places), direct

    def _keys(self, facts: Facts, places: Ints) -> Ints:
        """The row that each of these facts stands in, as the place of its name."""
        wanted = chosen(facts, self._asked.wish.only)[places]
        parts = [_some(facts.words[by.value], places) for by in self._asked.wish.parts]
        rows = rows_of(parts, wanted)
        codes = [self._names.setdefault(key, len(self._names)) for key in rows.keys]
        found = np.zeros(len(places), np.int64)
        found[rows.facts] = np.array(codes, np.int64)[rows.at] if codes else 0
        return found


def _some(column: Column, places: Ints) -> Column:
    return Column(column.words, column.codes[places])
