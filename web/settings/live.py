"""Whether what was changed is live, on every page of the settings, and the button that has it made so."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from tracker import applying
from web.settings.room import changing, reading, show

pages = Blueprint("settings_live", __name__)


@pages.get("/settings/<company>/live")
def state(company: str) -> str:
    """How it stands, as the piece of a page that its script asks for again."""
    with reading(company) as (session, owner):
        return show(session, owner, "live.html")


@pages.post("/settings/<company>/live")
def make_live(company: str) -> Response:
    """Has the worker make live what was changed, and leads `back` to the page of the button."""
    with changing(company) as (session, owner, by):
        applying.ask(session, by, owner)
    base, back = f"/settings/{company}", request.form.get("back", "")
    inside = back == base or back.startswith(f"{base}/")
    return redirect(back if inside and "\\" not in back else base, 303)
