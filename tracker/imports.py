"""Taking long lists: looked at while others write, written in one short transaction.

    plan = take(database, company_id, plan, store)

What was planned may be outdated when it is written: then nothing is, and it is planned anew. Who is unlucky
several times keeps others waiting at last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tracker.companies import one_at_a_time
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Company

Plan = TypeVar("Plan")
Planner = Callable[[Session, Company], Plan]
Storer = Callable[[Session, Company, Plan], None]
TIMES = 3


class Outdated(Exception):
    """What was planned on has changed meanwhile."""


def take(database: Database, company_id: int, plan: Planner[Plan], store: Storer[Plan] | None) -> Plan:
    """Plan and store a list of the company's, or with no `store` only plan it; gives the plan.

    Raises what both raise, and Rejected import.busy where even who keeps others waiting has no luck.
    """
    for _ in range(TIMES):
        with database.read() as session:
            found = plan(session, session.get_one(Company, company_id))
        if store is None or _is_stored(database, company_id, found, store):
            return found
    return _take_held(database, company_id, plan, store) if store else found


def _is_stored(database: Database, company_id: int, found: Plan, store: Storer[Plan]) -> bool:
    """Whether it could be stored as planned; else nothing of it was."""
    try:
        with database.write() as session:
            store(session, session.get_one(Company, company_id), found)
    except (Outdated, IntegrityError):  # the reference is there now; the channel or the call is no more
        return False
    return True


def _take_held(database: Database, company_id: int, plan: Planner[Plan], store: Storer[Plan]) -> Plan:
    """The same in one transaction, in which nobody else changes the company's money."""
    try:
        with database.write() as session:
            company = session.get_one(Company, company_id)
            one_at_a_time(session, company)
            found = plan(session, company)
            store(session, company, found)
    except (Outdated, IntegrityError):
        raise Rejected("import.busy", "Somebody else is changing the same", "Try again") from None
    return found
