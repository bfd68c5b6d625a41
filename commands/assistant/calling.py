"""Tools about calls: list_calls and show_call."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from commands.assistant import words as w
from commands.assistant.cleaning import mask, page_of, told
from commands.assistant.desk import Desk
from commands.assistant.figures import LeftOff
from commands.assistant.things import CallAnswer, CallsAnswer
from tracker import calls, recovery, worth
from tracker.errors import Rejected
from tracker.policy.call_filter import read_filter

_BESIDE = 10  # calls of the same caller before and after
_PAGES = 50
_EVENTS = 60

Which = Annotated[
    w.CallFilter | None,
    Field(description="Which calls; without it all that reports count."),
]


def list_calls(
    desk: Desk,
    *,
    filter: Which = None,  # noqa: A002  (the word of the answers)
    limit: Annotated[int, Field(ge=1, le=100, description="How many calls a page.")] = 20,
    before: Annotated[str | None, Field(max_length=40, description="The `next` of the page before.")] = None,
    company: w.CompanyName = None,
) -> CallsAnswer:
    """Calls, newest first: all, or those that are everything the filter says; `found` counts them all.

    To count or to compare, `report` and `overview` are better. A row's `filter` out of a report may be given
    as it is.
    """
    words = filter.words() if filter else {}
    if "q" in words and not desk.with_numbers:
        raise Rejected(
            "filter.masked",
            "Callers' numbers, names and notes are not shown, so they cannot be searched",
            "Leave `q` out, or have the owner start this server with --with-numbers",
        )
    with desk.look(company) as (session, owner):
        zone = ZoneInfo(owner.timezone)
        by = read_filter(words, zone, desk.now().astimezone(zone).date())
        page = calls.list_calls(session, [owner.id], before, limit, by)
        answer = {
            "company": owner.slug,
            "timezone": owner.timezone,
            "found": calls.count_calls(session, [owner.id], by),
            "calls": [_shown(desk, each) for each in told([calls.describe(each) for each in page.calls])],
            "next": page.next,
        }
    return CallsAnswer.model_validate(answer)


def show_call(
    desk: Desk,
    *,
    key: Annotated[str, Field(max_length=100, description="As `list_calls` gives it.")],
    company: w.CompanyName = None,
) -> CallAnswer:
    """One call's story: its possible sources and how sure each is, the visit, what happened, what was said of
    it.

    With the same caller's calls before and after. Recordings cannot be heard here.
    """
    with desk.look(company) as (session, owner):
        story = calls.get_call(session, [owner.id], key)
        said = worth.describe_worth(worth.read_worth(session, story.call))
        became = recovery.describe_call(session, story.call)
        it = told(calls.describe_story(story) | said | became)
        company, timezone = owner.slug, owner.timezone
    earlier, later = (it[name][:_BESIDE] for name in ("earlier", "later"))
    more = it["earlier_count"] - len(earlier) + len(it["later"]) - len(later)
    rest = LeftOff(count=more, advice="The call's page shows the caller's other calls") if more else None
    answer = {
        "company": company,
        "timezone": timezone,
        "call": _shown(desk, it["call"]),
        "candidates": it["call"]["attribution"]["candidates"],
        "visit": _visit(it["call"]["visit"]),
        "events": it["events"][:_EVENTS],
        "earlier": [_shown(desk, each) for each in earlier],
        "earlier_count": it["earlier_count"],
        "later": [_shown(desk, each) for each in later],
        "notes_count": len(it["notes"]),
        "notes": it["notes"] if desk.with_numbers else [],
        "category_history": it["category_history"],
        "suggestion": it["suggestion"],
        "missed": it["missed"],
        "left_off": rest,
    }
    return CallAnswer.model_validate(answer)


def _shown(desk: Desk, call: dict[str, Any]) -> dict[str, Any]:
    """The call with its caller as far as the owner shows him."""
    if desk.with_numbers:
        return call
    return call | {"caller": mask(call["caller"]), "caller_name": None}


def _visit(it: dict[str, Any] | None) -> dict[str, Any] | None:
    if it is None:
        return None
    pages = [{**each, "page": page_of(each["url"])} for each in it["pages"][:_PAGES]]
    return it | {
        "landing_page": page_of(it["landing_url"]),
        "referrer": page_of(it["referrer"]),
        "pages": pages,
        "events": it["events"][:_EVENTS],
    }
