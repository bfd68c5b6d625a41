"""Whose settings these are: the company in the address, and what stands around every page of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import render_template, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from tracker import applying
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy.rights import Right
from web.house import house
from web.viewer import SeenCompany, hand, viewer

SECTIONS = (
    ("", lazy_gettext("Overview")),
    ("/company", lazy_gettext("Company")),
    ("/numbers", lazy_gettext("Numbers")),
    ("/channels", lazy_gettext("Channels")),
    ("/pools", lazy_gettext("Pools")),
    ("/sites", lazy_gettext("Sites")),
    ("/sources", lazy_gettext("Sources")),
    ("/targets", lazy_gettext("Targets")),
    ("/forwarding", lazy_gettext("Who rings")),
    ("/plans", lazy_gettext("Plans")),
    ("/outgoing", lazy_gettext("Calling out")),
    ("/sounds", lazy_gettext("Sounds")),
    ("/blocked", lazy_gettext("Blocked callers")),
    ("/destinations", lazy_gettext("Destinations")),
    ("/inlets", lazy_gettext("Inlets")),
    ("/responsible", lazy_gettext("Responsible")),
    ("/trunks", lazy_gettext("Trunks")),
    ("/keys", lazy_gettext("API keys")),
)


def administered() -> list[SeenCompany]:
    """All the companies that one administers; Rejected `role.needed` when there is none."""
    found = viewer().narrowed(None).having(Right.ADMINISTER)
    if not found:
        raise Rejected("role.needed", "Your role shows you no settings", "Ask an owner or an admin")
    return found


@contextmanager
def reading(slug: str) -> Iterator[tuple[Session, Company]]:
    """Look at the company of that short name, if one administers it."""
    company_id = _company_id(slug)
    with house().database.read() as session:
        yield session, session.get_one(Company, company_id)


@contextmanager
def changing(slug: str) -> Iterator[tuple[Session, Company, By]]:
    """Change the company of that short name, if one administers it, in one transaction."""
    company_id = _company_id(slug)
    with house().database.write() as session:
        yield session, session.get_one(Company, company_id), hand()


def show(session: Session, company: Company, template: str, **more: Any) -> str:
    """A page of the company's settings, rendered while the session is open."""
    base, mine = f"/settings/{company.slug}", administered()
    return render_template(
        f"settings/{template}",
        company=company,
        base=base,
        sections=[(base + path, name) for path, name in SECTIONS],
        here=_section(base),
        companies=mine,
        saved="saved" in request.args and request.method == "GET",
        liveness=applying.liveness(session, house().clock()),
        # What is wrong may be another company's entry, and names it.
        tells_all=applying.companies_beside(session, [it.id for it in mine]) == 0,
        **more,
    )


def _section(base: str) -> str:
    """Which section's page this is: "/settings/pallets/numbers"."""
    below = request.path.removeprefix(base).strip("/").split("/")[0]
    return f"{base}/{below}".rstrip("/")


def _company_id(slug: str) -> int:
    """Raises Rejected: company.unknown for what one does not see, role.needed for what one only sees."""
    found = next((it for it in viewer().all_companies if it.slug == slug), None)
    if found is None:
        raise Rejected("company.unknown", "There is no such company", "See your companies at /settings")
    if not viewer().may(Right.ADMINISTER, found.id):
        raise Rejected("role.needed", "You do not administer this company", "Ask one of its owners")
    return found.id
