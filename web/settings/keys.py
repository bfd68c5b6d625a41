"""Keys of programs: made, shown once, revoked."""

from __future__ import annotations

from flask import Blueprint, make_response, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from tracker import api_keys
from tracker.policy.rights import MONEY, Scope, read_scopes
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.room import changing, reading, show

pages = Blueprint("settings_keys", __name__)

SCOPES = {
    Scope.CALLS_READ: lazy_gettext("Read calls"),
    Scope.CALLS_WRITE: lazy_gettext("Say what calls were worth"),
    Scope.CALLS_REPORT: lazy_gettext("Report calls of a phone system"),
    Scope.RECORDINGS_READ: lazy_gettext("Listen to recordings"),
    Scope.RECORDINGS_WRITE: lazy_gettext("Delete recordings"),
    Scope.CALLBACKS_READ: lazy_gettext("Read callbacks"),
    Scope.CALLBACKS_WRITE: lazy_gettext("Ask for callbacks"),
    Scope.VISITS_READ: lazy_gettext("Read visits and leases"),
    Scope.MONEY_READ: lazy_gettext("Read costs and sales"),
    Scope.MONEY_WRITE: lazy_gettext("Tell costs and sales"),
    Scope.REPORTS_READ: lazy_gettext("Read reports"),
    Scope.DELIVERIES_READ: lazy_gettext("Read destinations and deliveries"),
    Scope.DELIVERIES_WRITE: lazy_gettext("Change destinations, send again"),
    Scope.SETTINGS_READ: lazy_gettext("Read settings"),
    Scope.SETTINGS_WRITE: lazy_gettext("Change settings"),
    Scope.USERS_READ: lazy_gettext("Read people and the audit log"),
    Scope.USERS_WRITE: lazy_gettext("Invite people, change roles"),
}
FIELDS = {"key.name": ("name",), "key.duplicate": ("name",), "key.scopes": ("scopes",)}


@pages.get("/settings/<company>/keys")
def index(company: str) -> str:
    """The company's keys, and when each was used last."""
    return _page(company)


@pages.post("/settings/<company>/keys")
def change(company: str) -> Response:
    """Makes the key `name` for its `scopes` and shows its text, this once; or revokes it (`do`: `revoke`)."""

    def act() -> str | Response:
        with changing(company) as (session, owner, by):
            if text("do") == "revoke":
                api_keys.revoke_key(session, by, owner, text("name"))
                return f"/settings/{company}/keys?saved"
            scopes = read_scopes(request.form.getlist("scopes"))
            made, token = api_keys.add_key(session, by, owner, text("name"), scopes)
            name = made.name
        answer = make_response(_page(company, made=name, token=token))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return attempt(act, lambda form: _page(company, form), FIELDS)


def _page(company: str, form: Form = EMPTY, made: str = "", token: str = "") -> str:
    with reading(company) as (session, owner):
        rows = api_keys.list_keys(session, owner)
        told = {"rows": rows, "made": made, "token": token, "SCOPES": SCOPES, "usual": MONEY}
        return show(session, owner, "keys.html", form=form, **told)
