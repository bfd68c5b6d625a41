"""The JSON API: the same calls as the page, in the shape of `leaseline calls list --json`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from tracker import calls, recovery
from tracker.calls import describe, describe_story
from tracker.errors import Rejected
from tracker.policy.rights import Scope
from tracker.worth import describe_worth, read_worth
from web import filters
from web.house import house
from web.rest.operation import operation
from web.viewer import viewer

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.get("/calls")
@operation(Scope.CALLS_READ, bare=True)
def list_() -> dict[str, Any]:
    """Newest first; `limit` (1 to 500, default 50), `before` (`next` of the page before), and the filter."""
    limit, before, by = _limit(request.args.get("limit", "50")), request.args.get("before"), filters.asked()
    with house().database.read() as session:
        page = calls.list_calls(session, viewer().company_ids, before, limit, by)
    return {"calls": [describe(call) for call in page.calls], "next": page.next}


@api.get("/calls/<key>")
@operation(Scope.CALLS_READ, bare=True)
def show(key: str) -> dict[str, Any]:
    """One call with all that is known of it: candidates, visit, facts, earlier calls, what people said."""
    with house().database.read() as session:
        story = calls.get_call(session, viewer().company_ids, key)
        said = describe_worth(read_worth(session, story.call))
        return describe_story(story) | said | recovery.describe_call(session, story.call)


@api.get("/<path:_rest>")
def unknown(_rest: str) -> dict[str, Any]:
    raise Rejected("api.unknown", "The API has no such address", "docs/integrator.md lists them")


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= calls.MOST:
        raise Rejected(
            "limit.malformed", f"limit is {text[:20]!r}", f"Give a whole number from 1 to {calls.MOST}"
        )
    return int(text)
