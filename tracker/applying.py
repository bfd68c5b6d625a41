"""Making changes live from the page: asking for it, and telling whether it is so.

The page cannot render Asterisk's configuration; each node's worker does, and writes down what it saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.models import ApplyRequest, AuditEntry, Company, NodeConfiguration
from tracker.policy.liveness import Liveness, NodeSight, read_liveness

# Changes that may reach Asterisk, by how their actions begin in the audit log.
_CONFIGURES = (
    "number.", "channel.", "pool.", "forward.", "target.", "trunk.", "company.", "block.", "outgoing.",
    "plan.", "consent.", "prompt.",
)  # fmt: skip


def ask(session: Session, by: By, company: Company) -> ApplyRequest:
    """Have the workers make live what the database says; of the whole installation, as Asterisk is one."""
    request = ApplyRequest(company_id=company.id, actor=by.actor, client=by.client, asked_at=by.at)
    session.add(request)
    session.flush()
    by.note(session, "apply.ask", company.id, subject=company.slug)
    return request


def newest_request(session: Session) -> ApplyRequest | None:
    """What was asked for last: one answer serves all that was asked before."""
    return session.scalar(sa.select(ApplyRequest).order_by(ApplyRequest.id.desc()).limit(1))


def newest_change(session: Session, after: int = 0) -> int:
    """The id of the newest change that may reach Asterisk; `after` where there was none since."""
    is_one = sa.or_(*(AuditEntry.action.startswith(word) for word in _CONFIGURES))
    newest = sa.select(sa.func.max(AuditEntry.id)).where(AuditEntry.id > after, is_one)
    return session.scalar(newest) or after


def liveness(session: Session, now: datetime) -> Liveness:
    """Whether everything that was changed is live. Three small statements."""
    rows = session.scalars(sa.select(NodeConfiguration)).all()
    seen = min((row.audit_id for row in rows), default=0)
    newest = newest_change(session, seen) if rows else 0
    request = newest_request(session)
    sights = [
        NodeSight(
            looked_at=row.looked_at,
            behind=row.audit_id < newest,
            waiting=bool(row.waiting),
            request_id=row.request_id,
            live_at=row.live_at,
            runs=row.runs,
            restart=tuple(row.restart),
            problem=row.problem,
            fix=row.fix,
        )
        for row in rows
    ]
    return read_liveness(sights, request.id if request else 0, request.asked_at if request else None, now)


def companies_beside(session: Session, company_ids: Iterable[int]) -> int:
    """How many companies there are beside these."""
    others = sa.select(sa.func.count()).select_from(Company).where(Company.id.not_in(list(company_ids)))
    return session.scalar(others) or 0


def endpoints(session: Session) -> dict[str, str]:
    """What Asterisk last said of each trunk and target, by their names there ("trunk-1", "target-3")."""
    rows = session.scalars(sa.select(NodeConfiguration).order_by(NodeConfiguration.looked_at)).all()
    return {name: state for row in rows for name, state in row.endpoints.items()}
