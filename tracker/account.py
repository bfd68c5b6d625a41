"""What people change of their own account: name, language, password, the browsers they are logged in with."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.companies import LANGUAGES
from tracker.errors import Rejected
from tracker.models import LoginLink, LoginSession, User
from tracker.people import token_sha256
from tracker.policy.addresses import clean

SESSION_NAME = 16  # characters that name a session in an address: enough to know it, too few to be it


def change_profile(session: Session, by: By, user: User, *, name: str, language: str | None) -> None:
    """A new name, and the page's language (None: the company's). Raises Rejected: name, language."""
    name = clean(name, 100)
    if not name:
        raise Rejected("user.nameless", "A person has a name", "Give yours")
    if language is not None and language not in LANGUAGES:
        raise Rejected("language.unknown", "The page does not speak that language", "Choose another")
    changed = {
        what: new
        for what, new, old in (("name", name, user.name), ("language", language, user.language))
        if new != old
    }
    if changed:
        user.name, user.language = name, language
        by.note(session, "user.profile", subject=user.email, detail=changed)
        session.flush()


def change_password(session: Session, by: By, user: User, password_hash: str, token: str) -> None:
    """The new password's hash; every browser but the one with this `token` is logged out, links end."""
    user.password_hash = password_hash
    session.execute(sa.delete(LoginLink).where(LoginLink.user_id == user.id))
    by.note(session, "user.password", subject=user.email)
    end_other_sessions(session, by, user.id, token)


def end_session(session: Session, by: By, user_id: int, name: str) -> None:
    """Log one of a user's browsers out, named by the beginning of its token's SHA-256.

    Raises Rejected `session.unknown`.
    """
    mine = sa.delete(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.token_sha256.startswith(name, autoescape=True)
    )
    if len(name) < SESSION_NAME or not session.execute(mine.returning(LoginSession.user_id)).all():
        raise Rejected("session.unknown", "This browser is logged out already", "Open the page again")
    by.note(session, "session.end", detail={"session": name})


def end_other_sessions(session: Session, by: By, user_id: int, token: str) -> int:
    """Log the user out everywhere but in the browser with this `token`; gives how many browsers went."""
    others = sa.delete(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.token_sha256 != token_sha256(token)
    )
    ended = len(session.execute(others.returning(LoginSession.token_sha256)).all())
    if ended:
        by.note(session, "session.end", detail={"sessions": ended})
    return ended
