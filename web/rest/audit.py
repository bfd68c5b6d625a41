"""The audit log over the API: who did what, when, to which thing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import audit_log
from tracker.audit_log import Kind, Wanted
from tracker.policy.rights import Right, Scope
from web.rest.kinds import Instant
from web.rest.operation import Asked, operation
from web.rest.shapes import Id, Line, Page, Paged, Shape, row_cursor

api = Blueprint("rest_audit", __name__, url_prefix="/api/v1")


class AuditOut(Shape):
    """What somebody did."""

    id: Id
    at: datetime
    actor: Annotated[str, Field(description="An e-mail, `key:NAME`, `cli:NAME`, `phone:TARGET`")]
    client: Annotated[str | None, Field(description="The address it came from")]
    action: Annotated[str, Field(description="As `number.add`")]
    company: Annotated[str | None, Field(description="Null: it was the person's own account")]
    subject: str | None
    detail: dict[str, Any]


class AuditPage(Page):
    entries: list[AuditOut]


class AuditWords(Paged):
    """Which entries."""

    actor: Annotated[Line | None, Field(description="A part of who it was")] = None
    kind: Annotated[Kind | None, Field(description="What it is about")] = None
    since: Annotated[Instant | None, Field(description="From this instant on")] = None
    until: Annotated[Instant | None, Field(description="Before it")] = None


@api.get("/audit")
@operation(Scope.USERS_READ, Right.ADMINISTER, query=AuditWords, answer=AuditPage)
def list_entries(asked: Asked[AuditWords, None]) -> dict[str, Any]:
    """What was done in the company, and by its people to their own accounts; the newest first."""
    words, company = asked.query, asked.company
    found = audit_log.read_log(
        asked.session, [company.id], Wanted(words.actor, words.kind, words.since, words.until),
        limit=words.limit + 1, before=row_cursor(words.cursor),
    )  # fmt: skip
    shown = found[: words.limit]
    entries = [audit_log.describe(each, {company.id: company.slug}) for each in shown]
    return {"entries": entries, "next": str(shown[-1].id) if len(found) > len(shown) else None}
