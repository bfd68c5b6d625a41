"""Share links: one call, for somebody without an account, until the link expires or is taken back.

A link (tracker.links) shows no more than its maker chose, and never notes, the visitor's journey or other
calls.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.calls import find_call
from tracker.errors import Rejected
from tracker.links import LINK, Made, check_maker, count_one, living_link, new_link, revoke, told
from tracker.models import AuditEntry, Call, ShareLink

DAYS = (1, 7, 30)  # that a link may live
SAME_LISTENING = timedelta(minutes=10)  # a player asks for many ranges: that is one listening, one entry


def make_link(session: Session, by: By, call: Call, *, days: int, shows_caller: bool) -> str:
    """The token of a new link that lives so many days. Raises Rejected `share.days` and `share.going_on`."""
    if days not in DAYS:
        raise Rejected("share.days", "A link cannot live %(days)s days", "Choose 1, 7 or 30", days=days)
    if call.ended_at is None:
        raise Rejected("share.going_on", "The call is still going on", "Share it when it is over")
    kept, token = new_link(by, days)
    link = ShareLink(**kept, call_id=call.id, shows_caller=shows_caller)
    session.add(link)
    session.flush()
    detail = {"link": link.id, "days": days, "shows_caller": shows_caller}
    by.note(session, "share.make", call.company_id, subject=call.key, detail=detail)
    return token


def links_of(session: Session, call: Call) -> list[Made[ShareLink]]:
    """Every link of a call that was ever made, the newest first."""
    wanted = sa.select(ShareLink).where(ShareLink.call_id == call.id).order_by(ShareLink.id.desc())
    return told(session, [(link, call.company_id) for link in session.scalars(wanted)])


def revoke_link(session: Session, by: By, call: Call, link_id: int) -> None:
    """Let a link open nothing from now on; twice changes nothing. Raises Rejected `share.unknown`."""
    which = sa.and_(ShareLink.id == link_id, ShareLink.call_id == call.id)
    if revoke(session, by, ShareLink, which):
        by.note(session, "share.revoke", call.company_id, subject=call.key, detail={"link": link_id})


def find_link(session: Session, token: str, now: datetime) -> tuple[ShareLink, Call]:
    """The living link of a token, and its call.

    Raises Rejected `share.unknown`, `share.revoked` and `share.expired`.
    """
    link = living_link(session, ShareLink, token, now)
    wanted = sa.select(Call.key, Call.company_id).where(Call.id == link.call_id)
    key, company_id = session.execute(wanted).one()
    check_maker(session, link, company_id)
    return link, find_call(session, [company_id], key)


def note_opened(session: Session, by: By, link: ShareLink, call: Call) -> None:
    """Count an opening of the link's page, and write it down."""
    count_one(session, link, ShareLink.opened)
    by.note(session, "share.open", call.company_id, subject=call.key, detail={"link": link.id})


def note_played(session: Session, by: By, link: ShareLink, call: Call) -> None:
    """Count a listening, and write it down."""
    count_one(session, link, ShareLink.played)
    by.note(session, "recording.play", call.company_id, subject=call.key, detail={"link": link.id})


def was_played(session: Session, by: By, call: Call) -> bool:
    """Whether this hand, from the same client, is at the same listening still."""
    wanted = sa.select(AuditEntry.id).where(
        AuditEntry.at > by.at - SAME_LISTENING,
        AuditEntry.actor == by.actor,
        AuditEntry.client == by.client,
        AuditEntry.action == "recording.play",
        AuditEntry.subject == call.key,
    )
    return session.scalar(wanted.limit(1)) is not None


def actor_of(link: ShareLink) -> str:
    """How the audit log calls whoever came by a link."""
    return f"{LINK}{link.id}"
