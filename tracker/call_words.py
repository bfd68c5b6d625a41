"""The words that reports group calls by and the filter finds them by, as one expression each.

A report's row leads to exactly its calls because both say the same here. The visit has to be joined where an
expression speaks of it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from tracker.models import Call, Number, OutgoingRule, Visit
from tracker.policy.attribution import Basis
from tracker.policy.call_words import Heard, Kind, delays
from tracker.policy.caller_regions import DIGITS, NORTH_AMERICA
from tracker.policy.facts import Direction, Presentation

# Who shows his number.
KNOWN = sa.and_(Call.caller.is_not(None), Call.presentation == Presentation.ALLOWED)


HAS_CALLED = Call.direction != Direction.OUT  # whom we called has not called us
# What reports and alerts count and sources are learned from.
IS_COUNTED = sa.and_(HAS_CALLED, Call.spam.is_(None))


# Whether a call is to be recorded; its number has to be joined.
TO_BE_RECORDED = sa.case(
    (
        Call.direction == Direction.OUT,
        sa.exists().where(OutgoingRule.company_id == Call.company_id, OutgoingRule.record).correlate(Call),
    ),
    else_=Number.record,
)


class seconds_since(GenericFunction[float]):  # noqa: N801  (named as in SQL)
    """`seconds_since(earlier, later)`, to the millisecond."""

    type = sa.Float()
    inherit_cache = True


@compiles(seconds_since, "sqlite")
def _sqlite_seconds(element: Any, compiler: Any, **more: Any) -> str:
    earlier, later = (compiler.process(each, **more) for each in element.clauses)
    # Its instants are whole milliseconds, which a difference of days as a fraction would blur.
    return f"(round((julianday({later}) - julianday({earlier})) * 86400000) / 1000.0)"


@compiles(seconds_since, "postgresql")
def _postgres_seconds(element: Any, compiler: Any, **more: Any) -> str:
    earlier, later = (compiler.process(each, **more) for each in element.clauses)
    return f"trunc(extract(epoch FROM {later} - {earlier}) * 1000) / 1000"


class page_of(GenericFunction[str]):  # noqa: N801
    """An address without its scheme and without what follows its path."""

    type = sa.String()
    inherit_cache = True


@compiles(page_of, "sqlite")
def _sqlite_page(element: Any, compiler: Any, **more: Any) -> str:
    (url,) = (compiler.process(each, **more) for each in element.clauses)
    path = f"substr({url}, 1, instr({url} || '?', '?') - 1)"
    path = f"substr({path}, 1, instr({path} || '#', '#') - 1)"
    return f"substr({path}, CASE instr({path}, '://') WHEN 0 THEN 1 ELSE instr({path}, '://') + 3 END)"


@compiles(page_of, "postgresql")
def _postgres_page(element: Any, compiler: Any, **more: Any) -> str:
    (url,) = (compiler.process(each, **more) for each in element.clauses)
    path = f"split_part(split_part({url}, '?', 1), '#', 1)"
    return f"substr({path}, CASE strpos({path}, '://') WHEN 0 THEN 1 ELSE strpos({path}, '://') + 3 END)"


landing_page: sa.ColumnElement[Any] = page_of(Visit.landing_url)
_seconds = seconds_since(Visit.started_at, Call.started_at)
call_delay: sa.ColumnElement[Any] = sa.case(
    (sa.or_(Visit.id.is_(None), Call.id.is_(None)), sa.null()),
    *((_seconds < end, each.value) for each, _, end in delays() if end is not None),
    else_=delays()[-1][0].value,
)
call_kind: sa.ColumnElement[Any] = sa.case(
    (Call.channel_id.is_not(None), Kind.STATIC.value),
    (Call.visit_id.is_(None), sa.null()),
    (Call.basis == Basis.REPEAT, Kind.KNOWN_CALLER.value),
    else_=Kind.DYNAMIC.value,
)
caller_heard: sa.ColumnElement[Any] = sa.case(
    (Call.id.is_(None), sa.null()),
    (~KNOWN, Heard.WITHHELD.value),
    (Call.repeat.is_(True), Heard.REPEAT.value),
    else_=Heard.FIRST.value,
)
_FULL = sa.and_(KNOWN, sa.func.substr(Call.caller, 1, 1) == "+")
# The first digits of the caller's number, which say its country; null where it is not known, or an extension.
caller_digits: sa.ColumnElement[Any] = sa.case(
    (
        sa.and_(_FULL, sa.func.substr(Call.caller, 2, 1) == NORTH_AMERICA),
        sa.func.substr(Call.caller, 1, 1 + DIGITS + 1),
    ),
    (_FULL, sa.func.substr(Call.caller, 1, 1 + DIGITS)),
    else_=sa.null(),
)
