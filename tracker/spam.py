"""Calls that are spam: marked and revoked by people, and what the guard did in the last days.

A mark is a fact of the call like those of its witnesses, so its history stands among the call's events. What
a person said last holds; what the guard found holds until somebody has said a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import blocks, books
from tracker.audit import By
from tracker.call_search import HAS_CALLED, of_companies
from tracker.calls import listed, shown_caller
from tracker.models import Call, CallerRule, CallEvent
from tracker.policy.block_list import Callers, may_be_blocked
from tracker.policy.facts import GuardStep, Presentation, Spam, SpamSaid
from tracker.policy.worth import Category

DAYS = 30
MOST = 200  # calls that the page lists

_GUARDED = sa.or_(Call.guard.is_not(None), Call.spam.is_not(None))
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Figures:
    """How many calls of the last days were what; `left`: their callers hung up when challenged."""

    blocked: int = 0
    challenged: int = 0
    passed: int = 0
    failed: int = 0
    left: int = 0
    marked: int = 0  # by a person


@dataclass(frozen=True)
class Kept:
    """A call that did not simply ring, or was marked. `rule`: whom the rule is about, if one said so."""

    call: Call
    rule: Callers | None
    ground: str | None
    was_wanted: bool  # an earlier call of this caller was a target call


@dataclass(frozen=True)
class SpamPage:
    figures: Figures
    calls: Sequence[Kept]
    doubtful: int  # of these calls: kept out, though an earlier call was a target call


def mark(session: Session, by: By, calls: Iterable[Call], is_spam: bool) -> int:
    """Say that calls are spam, or that they are none; gives how many were not said so before."""
    changed = [call for call in calls if (call.spam is not None) is not is_spam]
    newest = _last_said(session, [call.id for call in changed])
    for call in changed:
        at = max(by.at, newest.get(call.id, by.at - _MOMENT) + _MOMENT)
        before = call.spam
        books.record(session, SpamSaid(call.key, "", at, by.actor[:200], is_spam))
        session.refresh(call, ["spam"])
        detail = {"spam": is_spam, "before": before}
        by.note(session, "call.spam", call.company_id, subject=call.key, detail=detail)
    return len(changed)


def _last_said(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    wanted = sa.select(CallEvent.call_id, sa.func.max(CallEvent.at)).group_by(CallEvent.call_id)
    found = session.execute(wanted.where(CallEvent.call_id.in_(ids), CallEvent.kind == "spam_said"))
    return {row[0]: row[1] for row in found}


@dataclass(frozen=True)
class Unwanted:
    """What is said of a call's caller: the rule about him, if any, whether it is about him alone."""

    rule: CallerRule | None
    callers: str  # whom the rule is about
    is_own: bool
    may_block: bool  # he shows a telephone number


def unwanted_of(session: Session, call: Call, now: datetime) -> Unwanted:
    """What is said of the caller now, whatever it was when he called."""
    number = shown_caller(call)
    rule = blocks.rule_for(session, call.company_id, number, now)
    word = blocks.callers_of(rule).word if rule else ""
    return Unwanted(rule, word, word == number, may_be_blocked(number))


# ---- the page ----


def read_spam(session: Session, company_ids: Iterable[int], now: datetime) -> SpamPage:
    """What the guard did for these companies in the last days, and what people marked. Four statements."""
    ids = list(company_ids)
    within = (of_companies(ids), HAS_CALLED, _GUARDED, Call.started_at > now - timedelta(days=DAYS))
    newest = (Call.started_at.desc(), Call.id.desc())
    found = session.scalars(listed(sa.select(Call).where(*within)).order_by(*newest).limit(MOST)).all()
    why, wanted = _why(session, found), _wanted(session, found)
    kept = [Kept(call, *why.get(call.id, (None, None)), call.id in wanted) for call in found]
    doubtful = sum(it.was_wanted and it.call.spam is not None for it in kept)
    return SpamPage(_figures(session, within), kept, doubtful)


def _figures(session: Session, within: Sequence[sa.ColumnElement[bool]]) -> Figures:
    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(condition)

    asked = (GuardStep.CHALLENGED, GuardStep.PASSED, GuardStep.FAILED)
    counts = sa.select(
        count(Call.guard == GuardStep.BLOCKED),
        count(Call.guard.in_(asked)),
        count(Call.guard == GuardStep.PASSED),
        count(Call.guard == GuardStep.FAILED),
        count(sa.and_(Call.guard == GuardStep.CHALLENGED, Call.ended_at.is_not(None))),
        count(Call.spam == Spam.PERSON),
    )
    return Figures(*session.execute(counts.where(*within)).one())


def _why(session: Session, calls: Sequence[Call]) -> dict[int, tuple[Callers | None, str | None]]:
    """By call: whom the rule is about, and the ground, as its first step says."""
    guarded = [call.id for call in calls if call.guard is not None]
    wanted = sa.select(CallEvent.call_id, CallEvent.detail).where(
        CallEvent.call_id.in_(guarded), CallEvent.kind == "guarded"
    )
    details = {row.call_id: row.detail for row in session.execute(wanted.order_by(CallEvent.at.desc()))}
    ids = {detail.get("rule_id") for detail in details.values()} - {None}
    rules = sa.select(CallerRule.id, CallerRule.kind, CallerRule.digits).where(CallerRule.id.in_(ids))
    words = {row.id: Callers(row.kind, row.digits) for row in session.execute(rules)}
    return {
        call_id: (words.get(detail.get("rule_id")), detail.get("ground"))
        for call_id, detail in details.items()
    }


def _wanted(session: Session, calls: Sequence[Call]) -> set[int]:
    """Those of the calls whose caller had a target call before, told by the numbers they show."""
    shown = {call.caller for call in calls if call.caller and call.presentation is Presentation.ALLOWED}
    if not shown:
        return set()
    first = sa.select(Call.company_id, Call.caller, sa.func.min(Call.started_at)).where(
        Call.company_id.in_({call.company_id for call in calls}),
        Call.caller.in_(shown),
        Call.presentation == Presentation.ALLOWED,
        Call.category == Category.TARGET,
    )
    since = {
        (row[0], row[1]): row[2] for row in session.execute(first.group_by(Call.company_id, Call.caller))
    }
    return {
        call.id
        for call in calls
        if (at := since.get((call.company_id, call.caller or ""))) is not None and at < call.started_at
    }
