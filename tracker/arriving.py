"""Messages that come in by inlets: looked at, carried out in one transaction, written down.

    taken = take(session, inlet, told, by, message_id)    # results, row by row
    looked = look(session, company, inlet, told, now)     # the same, and nothing is stored

The same message again changes nothing: a call has its category, a sale its reference, a caller his one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import costs, responsibles, sale_matching, sales, worth
from tracker.audit import By
from tracker.call_words import IS_COUNTED
from tracker.calls import amount
from tracker.companies import one_at_a_time
from tracker.models import Arrival, Call, CallCategory, Company, Inlet, Sale, Target
from tracker.policy.costs import Entered
from tracker.policy.facts import Presentation
from tracker.policy.inlets import DOES, Became, Fact, Result, What, choose_call, facts_of, places_of, read_way
from tracker.policy.sale_list import told_sales
from tracker.policy.sales import PossibleCall, SaleStatus
from tracker.policy.worth import Category
from tracker.responsibles import NOBODY, Persons
from tracker.worth import INLET

Judge = Callable[[Call, Category], None]
KEPT, KEPT_REFUSED = 200, 20  # arrivals of an inlet: those that were read, and those that were not
MOST_RESULTS = 100  # that are kept of an arrival
_LATEST = 50  # calls of a person that a status may be about


@dataclass(frozen=True)
class Planned:
    """What a message says and does. `sales` is None where none is told."""

    results: Sequence[Result]
    sales: sales.SalePlan | None
    responsibles: Mapping[str, Target | None]  # by the caller's number


def actor_of(inlet: Inlet) -> str:
    """Whose hand it is."""
    return INLET + inlet.name


def look(session: Session, company: Company, inlet: Inlet, told: Any, now: datetime) -> Sequence[Result]:
    """What a message says and would do; nothing is stored. Raises Rejected rows.many, BadRows."""
    return _plan(_Planning(session, company, inlet, now), told).results


def take(
    session: Session, inlet: Inlet, told: Any, by: By, message_id: str | None = None
) -> Sequence[Result]:
    """Do what a message says, and write down that it came. Raises Rejected rows.many, BadRows."""
    company = session.get_one(Company, inlet.company_id)
    one_at_a_time(session, company)
    if message_id and (earlier := _earlier(session, inlet, message_id)):
        earlier.times, earlier.at = earlier.times + 1, by.at
        return [Result.read(each) for each in earlier.results]

    def judge(call: Call, category: Category) -> None:
        worth.categorise(session, by, [call], category)
        session.flush()

    planned = _plan(_Planning(session, company, inlet, by.at, judge), told)
    if planned.sales and (planned.sales.new or planned.sales.changed):
        sale_matching.match_again(session, by, company, since=by.at - sale_matching.LATE)
        sales.carry_out(session, by, company, planned.sales, entered=Entered.API)
    responsibles.tell(session, by, company, planned.responsibles)
    became = Became.TAKEN if any(it.what in DOES for it in planned.results) else Became.NOTHING
    results = [it.document() for it in planned.results[:MOST_RESULTS]]
    _write(session, inlet, Arrival(
        inlet_id=inlet.id, at=by.at, times=1, became=became, message_id=message_id, results=results,
        places=places_of(told),
    ))  # fmt: skip
    return planned.results


def _plan(planning: _Planning, told: Any) -> Planned:
    """Calls are judged first: a sale belongs to a target call rather than to another one."""
    way = read_way(planning.inlet.mapping)
    facts = list(facts_of(told, way, planning.company.default_region))
    planning.judge(facts)
    persons, plan = planning.persons(facts), planning.sales(facts)
    results = [result for fact in facts for result in fact.results] + planning.results
    return Planned(sorted(results, key=lambda it: it.row), plan, persons)


def refuse(session: Session, inlet: Inlet, at: datetime, problem: str, told: Any) -> None:
    """Write down that a message was not taken, and why."""
    # What nobody has proven to be theirs is not looked into.
    _write(session, inlet, Arrival(
        inlet_id=inlet.id, at=at, times=1, became=Became.REFUSED, problem=problem[:300], results=[],
        places=[] if told is None else places_of(told),
    ))  # fmt: skip


def _earlier(session: Session, inlet: Inlet, message_id: str) -> Arrival | None:
    """The message when it was taken; one that came to nothing may come to something now."""
    wanted = sa.select(Arrival).where(
        Arrival.inlet_id == inlet.id, Arrival.message_id == message_id, Arrival.became == Became.TAKEN
    )
    return session.scalars(wanted.limit(1)).first()


def _write(session: Session, inlet: Inlet, it: Arrival) -> None:
    """Keeps it as the newest; one that is like another counts there, so that a flood is one row.

    Anybody who knows the address is refused as often as he likes: that pushes out nothing else.
    """
    refused = it.became is Became.REFUSED
    of_its_sort = (Arrival.became == Became.REFUSED) if refused else (Arrival.became != Became.REFUSED)
    mine = sa.select(Arrival).where(Arrival.inlet_id == inlet.id, of_its_sort)
    mine = mine.order_by(Arrival.at.desc(), Arrival.id.desc())
    # Of refused ones the problem is all there is: several may take turns.
    wanted = mine.where(Arrival.problem == it.problem) if refused else mine
    newest = session.scalars(wanted.limit(1)).first()
    if newest and it.became is not Became.TAKEN and _looks(newest) == _looks(it):
        newest.times, newest.at = newest.times + 1, it.at
        return
    session.add(it)
    session.flush()
    kept = KEPT_REFUSED if refused else KEPT
    if gone := session.scalars(mine.with_only_columns(Arrival.id).offset(kept)).all():
        session.execute(sa.delete(Arrival).where(Arrival.id.in_(gone)))


def _looks(it: Arrival) -> tuple[Any, ...]:
    return it.became, it.problem, it.message_id, it.results


class _Planning:
    """What a message would do to the books of one company."""

    def __init__(
        self, session: Session, company: Company, inlet: Inlet, now: datetime, judge: Judge | None = None
    ) -> None:
        """`judge` gives a call its category; None: the books are only looked at."""
        self.company, self.inlet = company, inlet
        self._session, self._now, self._judge = session, now, judge
        self.results: list[Result] = []

    def _say(self, fact: Fact, what: What, about: str = "", call: str | None = None) -> None:
        self.results.append(Result(fact.row, what, about, call))

    # ---- what calls were worth ----

    def judge(self, facts: Iterable[Fact]) -> None:
        """Has calls judged as is told of them, except for those that a person has judged."""
        for fact in facts:
            if fact.category is None:
                continue
            call = self._call_of(fact)
            if call is not None and self._judge:
                self._session.refresh(call, with_for_update=True)
            if call is None:
                self._say(fact, What.NO_CALL, fact.call or fact.phone or fact.reference or "")
            elif call.category is fact.category:
                self._say(fact, What.CATEGORY_SAME, fact.category.value, call.key)
            elif not self.inlet.over_people and self._is_judged(call):
                kept = call.category.value if call.category else "none"
                self._say(fact, What.CATEGORY_KEPT, kept, call.key)
            else:
                self._say(fact, What.CATEGORY, fact.category.value, call.key)
                if self._judge:
                    self._judge(call, fact.category)

    def _call_of(self, fact: Fact) -> Call | None:
        """The call that is named; else the caller's, else that of the sale with this reference."""
        mine = sa.select(Call).where(Call.company_id == self.company.id)
        named = mine.where(Call.key == fact.call)
        if fact.call and (call := self._session.scalars(named).one_or_none()):
            return call
        if fact.phone and (chosen := choose_call(self._calls_of(fact.phone))):
            return self._session.scalars(mine.where(Call.id == chosen.id)).one()
        if fact.reference:
            sold = mine.join(Sale, Sale.call_id == Call.id)
            wanted = sold.where(Sale.company_id == self.company.id, Sale.reference == fact.reference)
            return self._session.scalars(wanted).first()
        return None

    def _calls_of(self, phone: str) -> list[PossibleCall]:
        wanted = sa.select(Call.id, Call.started_at, Call.category).where(
            Call.company_id == self.company.id, Call.caller == phone, IS_COUNTED,
            Call.presentation == Presentation.ALLOWED,
        )  # fmt: skip
        rows = self._session.execute(wanted.order_by(Call.started_at.desc()).limit(_LATEST))
        return [PossibleCall(row.id, row.started_at, row.category) for row in rows]

    def _is_judged(self, call: Call) -> bool:
        """Whether a person has judged it, or has taken a judgement back, after all that CRMs said of it."""
        wanted = sa.select(CallCategory.actor).where(CallCategory.call_id == call.id)
        newest = wanted.order_by(CallCategory.at.desc(), CallCategory.id.desc()).limit(1)
        actor = self._session.scalar(newest)
        return not actor.startswith(INLET) if actor is not None else call.category is not None

    # ---- who is responsible ----

    def persons(self, facts: Iterable[Fact]) -> dict[str, Target | None]:
        """Callers' numbers, and who is responsible for each from now on."""
        found: dict[str, Target | None] = {}
        told = [fact for fact in facts if fact.responsible is not None]
        persons = Persons(self._session, self.company, self.inlet.persons) if told else None
        for fact in told:
            word, phone = fact.responsible or "", fact.phone or self._caller_of(fact)
            target = persons.find(word) if persons and word not in NOBODY else None
            if phone is None:
                if not fact.results:
                    self._say(fact, What.NO_CALL, fact.call or fact.reference or "")
            elif target is None and word not in NOBODY:
                self._say(fact, What.PERSON_UNKNOWN, word[:60])
            else:
                found[phone] = target
                self._say(fact, self._of_person(phone, target), target.name if target else "")
        return found

    def _caller_of(self, fact: Fact) -> str | None:
        call = self._call_of(fact) if fact.call else None
        if call is None or call.presentation is not Presentation.ALLOWED:
            return None
        return call.caller if call.caller and call.caller.startswith("+") else None

    def _of_person(self, phone: str, target: Target | None) -> What:
        before = responsibles.target_of(self._session, self.company, phone)
        if before == (target.id if target else None):
            return What.RESPONSIBLE_SAME
        return What.RESPONSIBLE if target else What.RESPONSIBLE_GONE

    # ---- what was sold ----

    def sales(self, facts: Iterable[Fact]) -> sales.SalePlan | None:
        """What the sales among them would do. Raises BadRows."""
        told = [fact for fact in facts if fact.sale]
        there = self._there([str(fact.reference) for fact in told])
        rows = list(self._rows(told, there))
        if not rows:
            return None
        wanted = costs.wanted_of(self._session, self.company)
        found = told_sales([row for _, row in rows], wanted, sales.place_of(self.company, self._now))
        plan = sales.plan_import(self._session, self.company, found)
        new = {line.reference for line in plan.new}
        changed = {it.reference for it in plan.changed}
        for fact, _ in rows:
            name = str(fact.reference)
            what = What.SALE if name in new else What.SALE_CHANGED if name in changed else What.SALE_SAME
            self._say(fact, what, name[:60])
        return plan

    def _there(self, references: Sequence[str]) -> dict[str, Sale]:
        wanted = sa.select(Sale).where(Sale.company_id == self.company.id, Sale.reference.in_(references))
        return {str(it.reference): it for it in self._session.scalars(wanted)}

    def _rows(self, told: Sequence[Fact], there: Mapping[str, Sale]) -> Iterator[tuple[Fact, dict[str, Any]]]:
        """Told rows, of each reference the last; what a CRM does not repeat of a sale that is there stays."""
        last = {str(fact.reference): fact for fact in told}
        for name, fact in last.items():
            sale, row = there.get(name), {k: v for k, v in (fact.sale or {}).items() if v not in {None, ""}}
            if row.get("status") == SaleStatus.CANCELLED and sale is None:
                self._say(fact, What.SALE_NEVER, name[:60])
                continue
            row.setdefault("at", (sale.at if sale else self._now).isoformat())
            if sale is not None and "revenue" not in row:
                row |= {"revenue": amount(sale.revenue), "currency": sale.currency}
            yield fact, row
