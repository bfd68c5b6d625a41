"""Reports are of one company: the one that is meant, a choice among several, or why the words cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Response, make_response, render_template

from tracker.errors import Rejected
from tracker.policy.rights import Right
from tracker.policy.spans import Asks
from web.money import having
from web.viewer import SeenCompany, viewer, wants_json

RIGHT = Right.JUDGE
MALFORMED = ("report.malformed", "filter.malformed", "filter.future", "filter.too_long", "rate.missing")
Found = TypeVar("Found")


def shown_of_one(
    link: Callable[[str], str],
    read: Callable[[SeenCompany], Found],
    page: Callable[[SeenCompany, Found | None, Rejected | None], str],
) -> Response:
    """The page of what was read; `link` is its address for a company that has such a name."""
    mine = having(RIGHT)
    if len(mine) > 1:
        return make_response(render_template("report_company.html", companies=mine, link=link))
    try:
        found = read(mine[0])
    except Rejected as problem:
        if wants_json() or problem.id not in MALFORMED:
            raise
        return make_response(page(mine[0], None, problem), 400)
    return make_response(page(mine[0], found, None))


def only_one() -> SeenCompany:
    """The one that a file is of. Raises Rejected company.which."""
    mine = having(RIGHT)
    if len(mine) > 1:
        raise Rejected("company.which", "A report is about one company", "Choose one in the header")
    return mine[0]


def also_asked(mine: SeenCompany) -> Asks:
    """Which company's calls are meant, where one sees several."""
    return (("company", mine.slug),) if len(viewer().all_companies) > 1 else ()
