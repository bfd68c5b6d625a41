"""Trunks: the carriers of the whole installation, to look at."""

from __future__ import annotations

from flask import Blueprint

from tracker import trunks
from web.settings.room import reading, show

pages = Blueprint("settings_trunks", __name__)


@pages.get("/settings/<company>/trunks")
def index(company: str) -> str:
    """The carriers, how each is known, and whether it answers."""
    with reading(company) as (session, owner):
        return show(session, owner, "trunks.html", trunks=trunks.everyone(session))
