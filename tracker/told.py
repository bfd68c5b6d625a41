"""The visitor code that a caller told: an employee types it on the call's page, or he himself in a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Call
from tracker.policy.facts import Passed
from tracker.standing import CODE_HOURS, code_holder


def type_code(session: Session, by: By, call: Call, code: str) -> Call:
    """Notes the code for the call; the worker attributes the call by it within a second.

    Raises Rejected `code.malformed`, and `code.unknown` when nobody was shown that code in the 24 hours
    before the call.
    """
    digits = re.sub(r"[\s-]", "", code)
    if not re.fullmatch(r"[0-9]{3,8}", digits, re.ASCII):
        raise Rejected(
            "code.malformed", "%(code)r is no visitor code", "Type its three or more digits", code=code[:20]
        )
    if code_holder(session, call.company_id, digits, call.started_at) is None:
        raise Rejected(
            "code.unknown",
            "Nobody was shown the code %(digits)s in the %(hours)s hours before this call",
            "Ask the caller for the number beside the telephone number once more",
            digits=digits,
            hours=CODE_HOURS,
        )
    before, call.visitor_code, call.attributed_at = call.visitor_code, digits, None
    detail = {"code": digits, "before": before}
    by.note(session, "call.code", call.company_id, subject=call.key, detail=detail)
    return call


def take_codes(session: Session, call_id: int, typed: Iterable[Passed]) -> None:
    """Notes the first code that somebody held; what a person typed stays, as does a code that nobody held."""
    for fact in sorted(typed, key=lambda it: it.at):
        call = session.get_one(Call, call_id, populate_existing=True)
        if call.visitor_code is not None:
            return
        if code_holder(session, call.company_id, fact.about, call.started_at) is not None:
            call.visitor_code, call.attributed_at = fact.about, None
            session.flush()
