"""Whether a call to a number would reach somebody, and whether one came: “call my number”."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.call_words import HAS_CALLED
from tracker.models import Call, Number, NumberUse, Refusal
from tracker.number_states import WhoRings, who_rings


@dataclass(frozen=True)
class NumberCheck:
    """What is known of a number before anybody calls it, and what came since.

    `refused`: a call that the phone system turned away, most often because it does not know the number yet.
    """

    use: NumberUse | None
    rings: WhoRings
    call: Call | None
    refused: Refusal | None


def look(session: Session, number: Number, since: datetime) -> NumberCheck:
    """The number as it stands, with the newest call since that instant."""
    use = sa.select(NumberUse).where(NumberUse.number_id == number.id, NumberUse.until_at.is_(None))
    called = (
        sa.select(Call)
        .options(joinedload(Call.target), joinedload(Call.company))
        .where(Call.number_id == number.id, Call.started_at >= since, HAS_CALLED)
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(1)
    )
    turned = sa.select(Refusal).where(Refusal.did == number.e164, Refusal.at >= since)
    turned = turned.where(Refusal.target_id.is_(None))  # somebody called it from outside
    return NumberCheck(
        use=session.scalar(use),
        rings=who_rings(session, [number.id])[number.id],
        call=session.scalar(called),
        refused=session.scalar(turned.order_by(Refusal.id.desc()).limit(1)),
    )
