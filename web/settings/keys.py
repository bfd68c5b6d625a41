"""Keys of programs: made, shown once, revoked."""

from __future__ import annotations

from flask import Blueprint, make_response
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from tracker import api_keys
from tracker.policy.rights import Scope
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.room import changing, reading, show

pages = Blueprint("settings_keys", __name__)

SCOPES = {
    Scope.MONEY: lazy_gettext("Costs, sales and reports"),
    Scope.CALLS: lazy_gettext("Reporting calls"),
}
FIELDS = {"key.name": ("name",), "key.duplicate": ("name",)}


@pages.get("/settings/<company>/keys")
def index(company: str) -> str:
    """The company's keys, and when each was used last."""
    return _page(company)


@pages.post("/settings/<company>/keys")
def change(company: str) -> Response:
    """Makes the key `name` for its `scope` and shows its text, this once; or revokes it (`do`: `revoke`)."""

    def act() -> str | Response:
        with changing(company) as (session, owner, by):
            if text("do") == "revoke":
                api_keys.revoke_key(session, by, owner, text("name"))
                return f"/settings/{company}/keys?saved"
            scope = Scope.CALLS if text("scope") == Scope.CALLS else Scope.MONEY
            made, token = api_keys.add_key(session, by, owner, text("name"), scope)
            name = made.name
        answer = make_response(_page(company, made=name, token=token))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return attempt(act, lambda form: _page(company, form), FIELDS)


def _page(company: str, form: Form = EMPTY, made: str = "", token: str = "") -> str:
    with reading(company) as (session, owner):
        rows = api_keys.list_keys(session, owner)
        return show(session, owner, "keys.html", rows=rows, form=form, made=made, token=token, SCOPES=SCOPES)
