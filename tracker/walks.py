"""What persons did before they became customers, read for the models and for the ways that were gone.

    walks = Walks(asked, sales)
    journeys = gather(walks.steps, walks.target_calls())

A step's key names the row of the report that it belongs to: `walks.key(name)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tracker.call_search import IS_COUNTED, KNOWN, of_companies
from tracker.models import Call, Visit, Visitor
from tracker.policy.credit import USUAL
from tracker.policy.journeys import Conversion, Goal, Kind, Step
from tracker.policy.origins import NOWHERE
from tracker.policy.persons import Persons, join
from tracker.policy.report_words import Blank, Cell
from tracker.policy.spans import Span
from tracker.policy.touches import DIRECT
from tracker.policy.worth import Category
from tracker.portions import portions
from tracker.report_cells import Asked, Key, conditions
from tracker.sold import SaleFact

OUTSIDE = "outside"  # steps that the report is narrowed away from
_CALLER = sa.case((KNOWN, Call.caller))
# A call that no visit explains is a step of its own.
IS_STATIC = sa.and_(Call.visit_id.is_(None), Call.channel_id.is_not(None))


class Walks:
    """What is read of the persons: their steps, and what they came to."""

    def __init__(self, asked: Asked, sales: Sequence[SaleFact]) -> None:
        self._session, self._company = asked.session, asked.company
        self._wish, self._cells, span = asked.wish, asked.cells, asked.span
        self._sales, self._names = sales, dict[Key, str]()
        self.calls = self._target_calls(span)
        self._sold = self._calls_of([fact.call_id for fact in sales if fact.call_id is not None])
        instants = [span.since, *(at for at, _, _ in self._sold.values())]
        self._since, self._until = min(instants) - USUAL.look_back, span.until
        self._persons = self._join()
        self.steps = [*self._visits(), *self._static_calls()]
        self._keys = {name: key for key, name in self._names.items()}

    def key(self, name: str) -> Key | None:
        """The row that is named so; None: it is not asked for."""
        if name == NOWHERE.word:
            return None if self._wish.only else tuple(Blank.UNKNOWN for _ in self._cells.names)
        return None if name == OUTSIDE else self._keys[name]

    @property
    def cells(self) -> dict[str, Cell]:
        """What the steps' keys stand for, where a row is one word."""
        return {name: key[0] for name, key in self._keys.items()}

    def target_calls(self) -> Iterator[tuple[str, Conversion]]:
        for number, (at, visitor, caller) in self.calls.items():
            yield self._person("call", number, visitor, caller), Conversion(at, Goal.TARGET_CALL, number)

    def sold(self) -> Iterator[tuple[str, Conversion]]:
        for fact in self._sales:
            at, visitor, caller = self._sold.get(fact.call_id or 0, (fact.at, fact.visitor_id, None))
            who = ("call", fact.call_id) if fact.call_id else ("sale", fact.id)
            yield (
                self._person(*who, visitor, caller),
                Conversion(at, Goal.SALE, fact.id, fact.revenue, fact.profit),
            )

    def _person(self, kind: str, number: int, visitor: int | None, caller: str | None) -> str:
        return self._persons.of(visitor, caller) or f"{kind} {number}"

    def _calls(self, *where: Any) -> dict[int, tuple[datetime, int | None, str | None]]:
        wanted = sa.select(Call.id, Call.started_at, Visit.visitor_id, _CALLER).select_from(Call)
        wanted = wanted.outerjoin(Visit, Visit.id == Call.visit_id).where(
            of_companies([self._company.id]), *where
        )
        return {row[0]: (row[1], row[2], row[3]) for row in self._session.connection().execute(wanted)}

    def _target_calls(self, span: Span) -> dict[int, tuple[datetime, int | None, str | None]]:
        within = (Call.started_at >= span.since, Call.started_at < span.until)
        return self._calls(*within, Call.category == Category.TARGET, IS_COUNTED)

    def _calls_of(self, ids: Sequence[int]) -> dict[int, tuple[datetime, int | None, str | None]]:
        found: dict[int, tuple[datetime, int | None, str | None]] = {}
        for part in portions(ids):
            found |= self._calls(Call.id.in_(part))
        return found

    def _join(self) -> Persons:
        """Calls whose source is sure join browsers and telephones."""
        within = (Call.started_at >= self._since, Call.started_at < self._until)
        sure = self._calls(*within, Call.visit_id.is_not(None), Call.uncertain.is_(False), KNOWN)
        return join((visitor, caller) for _, visitor, caller in sure.values())

    def _visits(self) -> Iterator[tuple[str, Step]]:
        wanted = self._cells.of_visits(
            sa.select(Visit.id, Visit.started_at, Visit.visitor_id, Visit.source, *self._columns())
        ).join(Visitor, Visitor.id == Visit.visitor_id)
        within = (
            Visitor.company_id == self._company.id,
            Visit.started_at >= self._since,
            Visit.started_at < self._until,
        )
        for number, at, visitor, source, *told in self._session.connection().execute(wanted.where(*within)):
            step = Step(at, self._name(told), source == DIRECT, Kind.VISIT, number)
            yield self._person("visit", number, visitor, None), step

    def _static_calls(self) -> Iterator[tuple[str, Step]]:
        wanted = self._cells.of_calls(sa.select(Call.id, Call.started_at, _CALLER, *self._columns()))
        within = (
            of_companies([self._company.id]),
            Call.started_at >= self._since,
            Call.started_at < self._until,
            IS_STATIC,
            IS_COUNTED,
        )
        for number, at, caller, *told in self._session.connection().execute(wanted.where(*within)):
            step = Step(at, self._name(told), False, Kind.CALL, number)
            yield self._person("call", number, None, caller), step

    def _columns(self) -> Iterable[Any]:
        """The row's words, and whether the report is about such."""
        return (*self._cells.columns, sa.and_(sa.true(), *conditions(self._wish.only)))

    def _name(self, told: Sequence[Any]) -> str:
        *values, is_wanted = told
        if not is_wanted:
            return OUTSIDE
        key = self._cells.key(values)
        return self._names.setdefault(key, name_of(key))


def name_of(key: Key) -> str:
    """The same whatever else there is: where origins are alike for a model, their names decide."""
    return repr(key)
