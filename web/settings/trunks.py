"""Trunks: the carriers of the whole installation, to look at."""

from __future__ import annotations

from flask import Blueprint

from tracker import applying, trunks
from web.settings.reach import reach_of
from web.settings.room import reading, show

pages = Blueprint("settings_trunks", __name__)


@pages.get("/settings/<company>/trunks")
def index(company: str) -> str:
    """The carriers, how each is known, and whether it answers."""
    with reading(company) as (session, owner):
        states = applying.endpoints(session)
        rows = [(each, reach_of(each, states)) for each in trunks.everyone(session)]
        return show(session, owner, "trunks.html", rows=rows)
