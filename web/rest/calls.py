"""Calls over the API: the list with the filter of the page, and one with all that is known of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import calls, recovery
from tracker.calls import describe, describe_story
from tracker.policy.rights import Scope
from tracker.worth import describe_worth, read_worth
from web import filters
from web.house import house
from web.rest.answering import answer_of, dumped
from web.rest.call_asked import CallsAsked
from web.rest.call_shapes import CallPage, CallStoryOut
from web.rest.operation import Asked, operation
from web.rest.reading import read_query
from web.rest.shapes import Query
from web.viewer import viewer

api = Blueprint("rest_calls", __name__, url_prefix="/api/v1")


@api.get("/calls")
@operation(Scope.CALLS_READ, query=CallsAsked, answer=CallPage, bare=True)
def list_calls() -> Response:
    """Calls, newest first.

    People who see several companies get the calls of all of them; `company` narrows them to one.
    """
    asked, by = read_query(CallsAsked), filters.asked()
    with house().database.read() as session:
        page = calls.list_calls(session, viewer().company_ids, asked.cursor or asked.before, asked.limit, by)
        told = {"calls": [describe(call) for call in page.calls], "next": page.next}
    return answer_of(200, dumped(told))


def owner_of(session: Session, company_ids: Collection[int], path: Mapping[str, str]) -> int:
    """The company of the call that an address names. Raises Rejected call.unknown."""
    return calls.find_call(session, company_ids, path["key"]).company_id


@api.get("/calls/<key>")
@operation(Scope.CALLS_READ, answer=CallStoryOut, owner=owner_of)
def show_call(asked: Asked[Query, None], key: str) -> dict[str, Any]:
    """One call with all that is known of it.

    Its possible sources, the visit, the facts its witnesses wrote down, the same caller's other calls, what
    people said.
    """
    return told_of(asked.session, asked.company.id, key)


def told_of(session: Session, company_id: int, key: str) -> dict[str, Any]:
    """What is answered of one call. Raises Rejected call.unknown."""
    story = calls.get_call(session, [company_id], key)
    said = describe_worth(read_worth(session, story.call))
    return describe_story(story) | said | recovery.describe_call(session, story.call)
