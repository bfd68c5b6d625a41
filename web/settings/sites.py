"""Sites: websites with our script, the numbers that it swaps there, and the line that goes onto the pages."""

from __future__ import annotations

import re

from flask import Blueprint
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import callback_settings, owned, pools, sites
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, Pool, Site, Swap
from web.house import house, row_id
from web.settings.deeds import Deed, carry_out
from web.settings.forms import EMPTY, Fields, Form, attempt, differing, text
from web.settings.room import changing, reading, show
from web.snippet import is_loopback, snippet_of

pages = Blueprint("settings_sites", __name__)

FIELDS: Fields = {
    "site.text": ("name",),
    "site.duplicate": ("name",),
    "site.domain": ("domains",),
    "number.malformed": ("number",),
    "swap.duplicate": ("number",),
    "swap.leased": ("number",),
    "swap.unknown": (),
    "company.region": ("region",),
    "swap.text": ("alias",),
}


@pages.get("/settings/<company>/sites")
def index(company: str) -> str:
    """The company's sites, each with the numbers that are swapped on it."""
    with reading(company) as (session, owner):
        return show(session, owner, "sites.html", sites=sites.listed(session, owner))


@pages.get("/settings/<company>/sites/add")
def add_form(company: str) -> str:
    """Asks for a site's name, domains, number and pool."""
    return _add(company, EMPTY)


@pages.post("/settings/<company>/sites/add")
def add(company: str) -> Response:
    """Adds the site `name` with `domains`; `number`, where one is given, is swapped for those of `pool`."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            made = sites.add(
                session,
                by,
                owner,
                text("name"),
                domains=_domains(),
                needs_consent=bool(text("needs_consent")),
            )
            if text("number"):
                pool = owned.find(session, Pool, owner.id, row_id(text("pool")))
                sites.add_swap(session, by, made, text("number"), pool)
            return f"/settings/{company}/sites/{made.id}?saved"

    return attempt(act, lambda form: _add(company, form), FIELDS)


@pages.get("/settings/<company>/sites/<site>")
def site_form(company: str, site: str) -> str:
    """A site: its domains, its numbers, and what belongs on its pages."""
    return _page(company, site, EMPTY)


@pages.post("/settings/<company>/sites/<site>")
def change(company: str, site: str) -> Response:
    """What `do` says: change, swap (`number`, `pool`, `region`, `alias`), leave (`swap`), delete."""
    return attempt(
        lambda: carry_out(DEEDS, Site, company, site), lambda form: _page(company, site, form), FIELDS
    )


def _change(session: Session, by: By, owner: Company, site: Site) -> None:
    given = {"name": text("name"), "domains": _domains(), "needs_consent": bool(text("needs_consent"))}
    present = {"name": site.name, "domains": list(site.domains), "needs_consent": site.needs_consent}
    if wish := differing(given, present):
        sites.change(session, by, owner, site, **wish)


def _swap(session: Session, by: By, owner: Company, site: Site) -> None:
    pool = owned.find(session, Pool, owner.id, row_id(text("pool")))
    sites.add_swap(
        session, by, site, text("number"), pool, region=text("region"), alias=text("alias") or None
    )


def _leave(session: Session, by: By, _owner: Company, site: Site) -> None:
    swap: Swap | None = next((each for each in site.swaps if each.id == row_id(text("swap"))), None)
    if swap is None:
        raise Rejected("swap.unknown", "This number is not swapped any more", "See the list")
    sites.delete_swap(session, by, swap)


def _delete(session: Session, by: By, _owner: Company, site: Site) -> None:
    sites.delete(session, by, site)


DEEDS: dict[str, Deed] = {
    "change": _change,
    "swap": _swap,
    "leave": _leave,
    "delete": _delete,
}


def _domains() -> list[str]:
    """One a line, or with commas or spaces between. Raises Rejected site.domain where there is none."""
    found = [each for each in re.split(r"[\s,;]+", text("domains")) if each]
    if not found:
        raise Rejected("site.domain", "No domain is given", "Give its host name such as shop.example")
    return sites.read_domains(found)


def _add(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        return show(session, owner, "site_add.html", form=form, pools=_pools(session, owner))


def _page(company: str, site: str, form: Form) -> str:
    with reading(company) as (session, owner):
        found, url = owned.find(session, Site, owner.id, row_id(site)), house().settings.web_url
        return show(
            session,
            owner,
            "site.html",
            form=form,
            site=found,
            callback=callback_settings.of_site(session, found),
            pools=_pools(session, owner),
            tags=snippet_of(found, url),
            web_url=url,
            is_ours_alone=is_loopback(url),
            is_plain=url.startswith("http:"),
        )


def _pools(session: Session, owner: Company) -> list[tuple[int, str]]:
    return [(each.id, each.name) for each in pools.pools_of(session, owner)]
