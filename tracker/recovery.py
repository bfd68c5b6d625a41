"""The missed-call recovery report: who called in vain, who was spoken to afterwards, who still waits.

found = read_recovery(session, company, {"period": ["7d"]}, now)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from tracker.call_search import KNOWN, of_companies
from tracker.journey import iso
from tracker.missed import FIRST_SPOKEN, MISSED_CALLER
from tracker.models import Call, Channel, Company, Target, Visit
from tracker.policy.facts import Direction, Outcome
from tracker.policy.origins import Origin, origin_of
from tracker.policy.recovery import Figures, MissedCall, MissedCaller, Recovery, Spoken, recovery
from tracker.policy.spans import Span, read_spans
from tracker.portions import portions

_spoken, _employee = aliased(Call), aliased(Target)


@dataclass(frozen=True)
class Found:
    """The days and what was found in them."""

    span: Span
    report: Recovery


def read_recovery(
    session: Session, company: Company, words: Mapping[str, Sequence[str]], now: datetime
) -> Found:
    """The report of the days that `words` ask for (the last 30 if none). Raises Rejected as `read_spans`."""
    span, _ = read_spans(words, ZoneInfo(company.timezone), now)
    within = [of_companies([company.id]), Call.started_at >= span.since, Call.started_at < span.until]
    calls = _missed(session, within)
    nobodys = sa.select(sa.func.count()).where(
        *within, Call.direction == Direction.IN, Call.outcome != Outcome.ANSWERED, ~KNOWN
    )
    unknown = session.scalar(nobodys) or 0
    waiting = {call.caller: call.began_at for call in reversed(calls) if call.spoken is None}
    return Found(span, recovery(calls, unknown, _tries(session, company.id, waiting)))


def is_missed(call: Call) -> bool:
    """Whether nobody took the call and we may know whom to call back: what `spoken_of` is asked about."""
    untaken = call.outcome is not None and call.outcome is not Outcome.ANSWERED
    return call.direction is Direction.IN and untaken and call.caller is not None


def spoken_of(session: Session, call_ids: Iterable[int]) -> dict[int, MissedCall]:
    """Those of these calls that nobody took though we know whom to call back, and what became of each."""
    found: dict[int, MissedCall] = {}
    for part in portions(list(call_ids)):
        found |= {row.id: _call(row) for row in _rows(session, [Call.id.in_(part)])}
    return found


def _missed(session: Session, within: Sequence[Any]) -> list[MissedCall]:
    return [_call(row) for row in _rows(session, within)]


def _rows(session: Session, within: Sequence[Any]) -> Sequence[sa.Row[Any]]:
    missed = (
        sa.select(
            Call.id, Call.key, Call.caller, Call.started_at, Call.ended_at, Visit.group, Visit.source,
            Channel.name.label("channel"), FIRST_SPOKEN.label("first"),
        )
        .select_from(Call)
        .outerjoin(Visit, Visit.id == Call.visit_id)
        .outerjoin(Channel, Channel.id == Call.channel_id)
        .where(*within, MISSED_CALLER)
        .subquery()
    )  # fmt: skip
    wanted = (
        sa.select(
            missed, _spoken.started_at.label("spoken_at"), _spoken.direction, _employee.name.label("employee")
        )
        .select_from(missed)
        .outerjoin(_spoken, _spoken.id == missed.c.first)
        .outerjoin(_employee, _employee.id == _spoken.target_id)
        .order_by(missed.c.started_at, missed.c.id)
    )
    return session.connection().execute(wanted).all()


def _call(row: sa.Row[Any]) -> MissedCall:
    spoken = Spoken(row.first, row.spoken_at, row.direction, row.employee) if row.first else None
    origin = origin_of(row.channel_group, row.source, row.channel)
    return MissedCall(row.key, row.caller, row.started_at, row.ended_at or row.started_at, origin, spoken)


def _tries(session: Session, company_id: int, waiting: Mapping[str, datetime]) -> dict[str, int]:
    """How often we have called those who wait, since they do, in vain."""
    found: dict[str, int] = {}
    for part in portions(sorted(waiting)):
        rows = session.execute(
            sa.select(Call.caller, Call.started_at).where(
                Call.company_id == company_id, Call.caller.in_(part), Call.direction != Direction.IN
            )
        )
        for caller, at in rows:
            if caller is not None and at > waiting[caller]:
                found[caller] = found.get(caller, 0) + 1
    return found


def describe(found: Found) -> dict[str, Any]:
    """The report as JSON."""
    it = found.report
    return {
        "since": found.span.first.isoformat(),
        "until": found.span.last.isoformat(),
        "missed_calls": it.calls,
        "unknown_callers": it.unknown,
        **_figures(it.whole),
        "by_source": [{"source": _source(origin), **_figures(each)} for origin, each in it.by_origin],
        "by_employee": [{"employee": name, **_figures(each)} for name, each in it.by_employee],
        "still_waiting": [_waiting(each) for each in it.waiting],
    }


def describe_call(session: Session, call: Call) -> dict[str, Any]:
    """What became of a missed caller, for the JSON of his call: `missed` is null of a call that is none."""
    return {"missed": _became(spoken_of(session, [call.id]).get(call.id))}


def _became(call: MissedCall | None) -> dict[str, Any] | None:
    if call is None:
        return None
    caller = MissedCaller([call])
    return {
        "recovered": caller.how.value,
        "seconds": caller.seconds,
        "by": call.spoken and call.spoken.employee,
    }


def _figures(it: Figures) -> dict[str, Any]:
    return {
        "missed_callers": it.callers,
        "called_back": it.by_us,
        "called_again": it.by_self,
        "waiting": it.waiting,
        "median_seconds": it.median_seconds,
        "p90_seconds": it.p90_seconds,
    }


def _source(origin: Origin) -> str | None:
    return None if origin.name is None else origin.word


def _waiting(it: MissedCaller) -> dict[str, Any]:
    return {
        "caller": it.first.caller,
        "since": iso(it.first.began_at),
        "last_call_at": iso(it.calls[-1].began_at),
        "calls": len(it.calls),
        "tries": it.tries,
        "source": _source(it.first.origin),
        "key": it.calls[-1].key,
    }
