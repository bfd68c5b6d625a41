"""Views of the list of calls that people keep by name, for themselves or for everybody in a company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import SavedView
from tracker.once import insert_once
from tracker.policy.saved_views import read_name, read_query

MOST = 50  # of one person


@dataclass(frozen=True)
class Reader:
    """Who looks at views: the companies that he sees, and those of them that he administers."""

    user_id: int
    company_ids: tuple[int, ...]
    administered: tuple[int, ...] = ()

    def may_delete(self, view: SavedView) -> bool:
        """Whether it is his own, or shared where he administers."""
        return view.user_id == self.user_id or view.company_id in self.administered


def list_views(session: Session, who: Reader) -> Sequence[SavedView]:
    """One's own and those shared in one's companies, by name, each with who made it."""
    wanted = _seen(who).options(joinedload(SavedView.user))
    return session.scalars(wanted.order_by(sa.func.lower(SavedView.name), SavedView.id)).all()


def save_view(
    session: Session, by: By, user_id: int, name: str, query: str, *, company_id: int | None = None
) -> SavedView:
    """Keeps the words of a filter by name; with a company, for all who see it: the caller checks that he may.

    Raises Rejected `view.nameless`, `view.empty`, `view.malformed`, `view.duplicate`, `view.many`.
    """
    name, query = read_name(name), read_query(query)
    count = sa.select(sa.func.count()).where(SavedView.user_id == user_id)
    if (session.scalar(count) or 0) >= MOST:
        raise Rejected(
            "view.many", "%(most)s views are enough for anybody", "Delete one that you do not need", most=MOST
        )
    row = {"user_id": user_id, "company_id": company_id, "name": name, "query": query, "created_at": by.at}
    made = insert_once(session, SavedView, [row], ("user_id", "name"))
    if not made:
        raise Rejected(
            "view.duplicate",
            "You have a view named %(name)r",
            "Choose another name, or delete that view first",
            name=name,
        )
    detail = {"query": query, "shared": company_id is not None}
    by.note(session, "view.save", company_id, subject=name, detail=detail)
    return session.get_one(SavedView, made[0].id)


def delete_view(session: Session, by: By, who: Reader, view_id: int) -> SavedView:
    """Takes a view away and gives what it was.

    Raises Rejected `view.unknown` for one that he does not see, `view.foreign` for somebody else's.
    """
    view = session.scalar(_seen(who).where(SavedView.id == view_id))
    if view is None:
        raise Rejected(
            "view.unknown", "There is no such view", "It may be deleted already: see your views again"
        )
    if not who.may_delete(view):
        raise Rejected("view.foreign", "This view is somebody else's", "Ask who made it, or an administrator")
    session.delete(view)
    by.note(session, "view.delete", view.company_id, subject=view.name, detail={"query": view.query})
    return view


def _seen(who: Reader) -> sa.Select[SavedView]:
    """Who no longer sees a company sees nothing that was shared there, his own included."""
    own = sa.and_(SavedView.user_id == who.user_id, SavedView.company_id.is_(None))
    return sa.select(SavedView).where(sa.or_(own, SavedView.company_id.in_(who.company_ids)))
