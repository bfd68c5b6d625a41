"""A page with several forms about one thing: their field `do` says which deed is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from tracker import owned
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company
from web.house import row_id
from web.settings.forms import text
from web.settings.room import changing

Deed = Callable[[Session, By, Company, Any], None]


def carry_out(deeds: Mapping[str, Deed], model: type[Any], company: str, number: str) -> str:
    """Do to the company's thing of that id what the form says; the address to go on to.

    Raises Rejected `<thing>.do` for a deed there is none of, and what the deed raises.
    """
    word = model.__name__.lower()
    with changing(company) as (session, owner, by):
        found = owned.find(session, model, owner.id, row_id(number))
        deed = deeds.get(text("do"))
        if deed is None:
            raise Rejected(f"{word}.do", "The form does not say what to do", "Use the page's buttons")
        deed(session, by, owner, found)
    things = f"/settings/{company}/{word}s"
    return f"{things}?saved" if text("do") == "delete" else f"{things}/{number}?saved"
