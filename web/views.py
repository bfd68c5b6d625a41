"""The row of views above the list of calls: three for everybody, one's own, and those that others share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from flask import Blueprint, redirect, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import views
from tracker.errors import Rejected
from tracker.models import SavedView
from tracker.policy.rights import Right
from tracker.policy.saved_views import same_words
from web.house import house, row_id
from web.viewer import SeenCompany, hand, viewer

pages = Blueprint("views", __name__)

BUILT_IN = (
    (_("To judge"), "category=none&outcome=answered"),
    (_("Missed, last 7 days"), "outcome=missed&period=7d"),
    (_("New callers, last 7 days"), "period=7d&repeat=no"),
)


@dataclass(frozen=True)
class View:
    """A view as a link. `deletable` holds the id of one that this person may take away."""

    name: Any
    address: str
    current: bool
    title: str = ""
    shared: bool = False
    deletable: int | None = None


def list_links(session: Session) -> list[View]:
    """All calls, the views for everybody, then the kept ones by name; the one that is open is marked."""
    now = same_words(request.args.to_dict(flat=False))
    return [View(_("All calls"), "/calls", not now), *_built_in(now), *_kept(session, now)]


def sharing() -> list[SeenCompany]:
    """The companies with whose people one may share a view."""
    return viewer().having(Right.JUDGE)


@pages.post("/calls/views")
def save() -> Response:
    """Keeps the words `query` as `name`; with `company`, for everybody who sees that company."""
    slug, company = request.form.get("company", ""), None
    if slug:
        company = next((it for it in sharing() if it.slug == slug), None)
        if company is None:
            raise Rejected(
                "role.needed", "You cannot share a view there", "Keep it for yourself, or ask an owner"
            )
    name, query = request.form.get("name", ""), request.form.get("query", "")
    with house().database.write() as session:
        made = views.save_view(
            session, hand(), viewer().user_id, name, query, company_id=company.id if company else None
        )
        return redirect(f"/calls?{made.query}", 303)


@pages.post("/calls/views/<view>/delete")
def delete(view: str) -> Response:
    """Takes one's own view away, or one shared in a company that one administers; its calls stay shown."""
    with house().database.write() as session:
        gone = views.delete_view(session, hand(), _reader(), row_id(view))
        return redirect(f"/calls?{gone.query}", 303)


def _built_in(now: str) -> Iterator[View]:
    for name, query in BUILT_IN:
        yield View(name, f"/calls?{query}", now == query)


def _kept(session: Session, now: str) -> Iterator[View]:
    who = _reader()
    for it in views.list_views(session, who):
        title, deletable = _title(it), it.id if who.may_delete(it) else None
        current = same_words(parse_qs(it.query)) == now
        yield View(it.name, f"/calls?{it.query}", current, title, it.company_id is not None, deletable)


def _title(view: SavedView) -> str:
    """Who sees it; of another's, who shares it."""
    if view.company_id is None:
        return gettext("Only you see this view")
    company = next(it.name for it in viewer().companies if it.id == view.company_id)
    if view.user_id == viewer().user_id:
        return gettext("You share this view at %(company)s", company=company)
    return gettext("%(person)s shares this view at %(company)s", person=view.user.name, company=company)


def _reader() -> views.Reader:
    who = viewer()
    administered = tuple(it.id for it in who.having(Right.ADMINISTER))
    return views.Reader(who.user_id, who.company_ids, administered)
