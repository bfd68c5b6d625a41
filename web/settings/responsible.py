"""Who is responsible for which caller: looked up, said, taken back, imported as a list."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from tracker import responsibles, targets
from tracker.errors import Rejected
from tracker.policy.phone import read_number
from tracker.policy.tables import BadRows
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.room import changing, reading, show

pages = Blueprint("settings_responsible", __name__)

SHOWN = 200
FIELDS = {"number.malformed": ("phone",), "target.unknown": ("target",)}


@pages.get("/settings/<company>/responsible")
def index(company: str) -> str:
    """The callers for whom somebody is responsible; `phone` looks for some."""
    return _page(company, EMPTY)


@pages.post("/settings/<company>/responsible")
def change(company: str) -> Response:
    """What `do` says: set, remove, import."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            if text("do") == "remove":
                responsibles.remove(session, by, owner, text("phone"))
            elif text("do") == "import":
                lines = responsibles.read_list(_content())
                told = responsibles.plan_list(session, owner, lines)
                responsibles.tell(session, by, owner, told, source=request.files["file"].filename)
            else:
                phone = read_number(text("phone"), owner.default_region)
                its = targets.get(session, owner, text("target"))
                responsibles.tell(session, by, owner, {phone: its})
        return f"/settings/{company}/responsible?saved"

    def again(form: Form) -> str:
        return _page(company, form)

    try:
        return attempt(act, again, FIELDS)
    except BadRows as bad:
        return Response(_page(company, EMPTY, bad), status=400, mimetype="text/html")


def _content() -> bytes:
    given = request.files.get("file")
    if given is None or not given.filename:
        raise Rejected("file.none", "No file was chosen", "Choose a CSV file")
    return given.read()


def _page(company: str, form: Form, bad: BadRows | None = None) -> str:
    sought = request.args.get("phone", "")[:40].strip()
    with reading(company) as (session, owner):
        found = responsibles.list_responsibles(session, owner, SHOWN + 1, sought)
        return show(
            session, owner, "responsible.html", rows=found[:SHOWN], more=len(found) > SHOWN, form=form,
            sought=sought, problems=bad.problems if bad else (), count=responsibles.count(session, owner),
            targets=[(each.name, each.name) for each in targets.of_company(session, owner)],
        )  # fmt: skip
