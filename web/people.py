"""People: who sees a company, invitations and roles."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import members
from tracker.errors import Rejected
from tracker.models import Company, Role
from tracker.policy.rights import Right
from web.house import house, row_id
from web.viewer import SeenCompany, hand, viewer

pages = Blueprint("people", __name__)


@pages.get("/people")
def index() -> str:
    """Who sees each company that one administers."""
    return _people_page()


@pages.post("/people")
def invite() -> str:
    """Invites `email` as `role` to the company `company`; the answer has the one-time link, this once."""
    company = _administered(request.form.get("company", ""))
    email, name = request.form.get("email", ""), request.form.get("name", "")
    with house().database.write() as session:
        role = _role(request.form.get("role", ""))
        if role is None:
            raise Rejected("role.malformed", "No role was chosen", "Choose one")
        owner = session.get_one(Company, company.id)
        token = members.invite(session, administrator(), owner, email=email, name=name, role=role)
    return _people_page(token=token, told=email.strip().lower())


@pages.post("/people/<user>/role")
def change_role(user: str) -> Response:
    """Makes it `role` in the company `company`; `none` takes it away."""
    company = _administered(request.form.get("company", ""))
    with house().database.write() as session:
        found = members.find_member(session, company.id, row_id(user))
        role = _role(request.form.get("role", ""))
        members.change_role(session, administrator(), session.get_one(Company, company.id), found, role)
    return redirect("/people", 303)


@pages.post("/people/<user>/link")
def make_link(user: str) -> str:
    """A new one-time link for a forgotten password; shown this once."""
    company = _administered(request.form.get("company", ""))
    with house().database.write() as session:
        found = members.find_member(session, company.id, row_id(user))
        token = members.make_link(session, administrator(), session.get_one(Company, company.id), found)
        email = found.email
    return _people_page(token=token, told=email)


def _people_page(token: str | None = None, told: str | None = None) -> str:
    with house().database.read() as session:
        companies = [(company, _members(session, company)) for company in administered()]
    link = house().settings.web_url.rstrip("/") + f"/link/{token}" if token else None
    return render_template("people.html", companies=companies, link=link, told=told, roles=tuple(Role))


def _members(session: Session, company: SeenCompany) -> list[members.Member]:
    return members.list_members(session, company.id)


def administered() -> list[SeenCompany]:
    """The companies that one administers; Rejected `role.needed` when there is none."""
    found = viewer().having(Right.ADMINISTER)
    if not found:
        raise Rejected("role.needed", "Your role shows you no people", "Ask an owner or an admin")
    return found


def _administered(slug: str) -> SeenCompany:
    found = next((it for it in viewer().all_companies if it.slug == slug), None)
    if found is None or not viewer().may(Right.ADMINISTER, found.id):
        raise Rejected("role.needed", "You do not administer this company", "Ask one of its owners")
    return found


def _role(word: str) -> Role | None:
    if word == "none":
        return None
    try:
        return Role(word)
    except ValueError:
        known = ", ".join(Role)
        raise Rejected(
            "role.malformed", "%(word)r is no role", "Choose %(known)s or none", word=word[:20], known=known
        ) from None


def administrator() -> members.Administrator:
    """Whoever asks, with the own role in each company; a program is an admin of its own."""
    return members.Administrator(hand(), {company.id: company.role for company in viewer().all_companies})
