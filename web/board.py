"""The board: what goes on at this moment, on a page that keeps itself fresh."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request

from tracker.board import Board, Crowd, read_board
from tracker.calls import Source
from tracker.stock import PoolStock
from web.house import house
from web.now import Now, look_now
from web.viewer import viewer
from web.words import source_detail, source_title

pages = Blueprint("board", __name__)

SOURCES = 6  # of a site that are named; the others are counted


@dataclass(frozen=True)
class Part:
    """A stretch of a pool's meter, in per cent of its width."""

    kind: str  # leased, resting, free
    start: float
    width: float


@pages.get("/now")
def show() -> str:
    """Calls, pools and visitors at this moment, and the last hour."""
    board, now = _look()
    return render_template("board.html", board=board, now=now)


@pages.get("/now/parts")
def parts() -> Response:
    """What of the board changes, as pieces of HTML; 304 when it is as it was."""
    board, now = _look()
    response = make_response(render_template("_parts.html", board=board, now=now))
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]


def meter(pool: PoolStock) -> list[Part]:
    """A pool's numbers as stretches of one line."""
    found, start = [], 0.0
    for kind, count in (("leased", pool.leased), ("resting", pool.resting), ("free", pool.free)):
        width = 100 * count / pool.size if pool.size else 0.0
        if width:
            found.append(Part(kind, round(start, 2), round(width, 2)))
        start += width
    return found


def crowd_title(crowd: Crowd) -> str:
    return source_title(_source(crowd))


def crowd_detail(crowd: Crowd) -> str:
    return source_detail(_source(crowd))


def _source(crowd: Crowd) -> Source:
    return Source(crowd.medium, crowd.source, crowd.campaign, None, None)


def _look() -> tuple[Board, Now]:
    ids, at = viewer().company_ids, house().clock()
    with house().database.read() as session:
        return read_board(session, ids, at), look_now(session, ids)
