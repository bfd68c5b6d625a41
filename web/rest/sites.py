"""Sites over the API: websites with our script, the numbers that it swaps there, and looks at their pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import pools, site_checks, sites
from tracker.errors import Rejected
from tracker.models import Site, Swap
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Name, Page, Paged, Query, Shape, cut
from web.snippet import snippet_of

api = Blueprint("rest_sites", __name__, url_prefix="/api/v1")

Domains = Annotated[
    list[Line],
    Field(min_length=1, max_length=100, description="Host names of its pages; `*.shop.example`: any below"),
]
Consent = Annotated[bool, Field(description="Remember nothing before the visitor consents")]


class SwapOut(Shape):
    """A number that stands on a site's pages, and the pool whose numbers take its place."""

    id: Id
    number: Annotated[str, Field(description="E.164")]
    pool: str
    region: Annotated[str | None, Field(description="For visitors from this country only (ISO 3166)")]
    alias: Annotated[str | None, Field(description="How it also stands there: `1-800-FLOWERS`")]


class SiteOut(Shape):
    """A website with our script."""

    id: Id
    name: str
    key: Annotated[str, Field(description="Names the site to the script; no secret")]
    domains: list[str]
    needs_consent: Consent
    numbers: Annotated[list[SwapOut], Field(description="What is swapped; the first is its main number")]
    created_at: datetime


class SitePage(Page):
    sites: list[SiteOut]


class SwapList(Shape):
    numbers: list[SwapOut]


class SiteWish(Shape):
    """A new site."""

    name: Name
    domains: Domains
    needs_consent: Consent = False


class SiteChange(Shape):
    """What is to be another; what is not named stays."""

    name: Name | None = None
    domains: Domains | None = None
    needs_consent: Consent | None = None


class SwapWish(Shape):
    """A number on the site's pages that is to be swapped for those of a pool."""

    number: Annotated[Line, Field(min_length=1, description="As people write it")]
    pool: Annotated[Line, Field(min_length=1, description="By its name")]
    region: Annotated[Line, Field(description="For visitors from this country only (ISO 3166)")] = ""
    alias: Line | None = None


class SiteSnippet(Shape):
    """What belongs into the head of every page of the site."""

    snippet: Annotated[str, Field(description="The line of HTML")]
    pinned: Annotated[
        str | None,
        Field(description="The same with Subresource Integrity; null while the script is not built"),
    ]
    csp: Annotated[str, Field(description="What a Content-Security-Policy has to allow")]


class CheckWish(Shape):
    url: Annotated[
        str,
        Field(
            min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$", description="A page of the site"
        ),
    ]


class CheckOut(Shape):
    """A look at a page in a real browser."""

    url: str
    asked_at: datetime
    done_at: Annotated[datetime | None, Field(description="null: it goes on, ask again")]
    report: Annotated[
        dict[str, Any] | None, Field(description="What was found, as `leaseline site check --json` says it")
    ]
    problem: Annotated[str | None, Field(description="Why nothing could be found out")]


@api.get("/sites")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=SitePage)
def list_sites(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's sites."""
    return cut(sites.listed(asked.session, asked.company), asked.query, "sites", sites.describe)


@api.get("/sites/<site>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=SiteOut)
def show_site(asked: Asked[Query, None], site: str) -> dict[str, Any]:
    """One site."""
    return sites.describe(asked.own(Site, site))


@api.get("/sites/<site>/snippet")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=SiteSnippet)
def show_snippet(asked: Asked[Query, None], site: str) -> dict[str, Any]:
    """What belongs on a site's pages."""
    return snippet_of(asked.own(Site, site), house().settings.web_url)._asdict()


@api.post("/sites")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=SiteWish, answer=SiteOut, status=201)
def add_site(asked: Asked[Query, SiteWish]) -> Made:
    """Adds a site."""
    made = sites.add(asked.session, asked.by, asked.company, **asked.body.model_dump())
    return Made(sites.describe(made), f"/api/v1/sites/{made.id}")


@api.patch("/sites/<site>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=SiteChange, answer=SiteOut, current=show_site)
def change_site(asked: Asked[Query, SiteChange], site: str) -> dict[str, Any]:
    """Changes a site; its pages have it within five minutes."""
    found, wish = asked.own(Site, site), asked.body.model_dump(exclude_none=True)
    if wish:
        sites.change(asked.session, asked.by, asked.company, found, **wish)
    return sites.describe(found)


@api.delete("/sites/<site>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_site)
def delete_site(asked: Asked[Query, None], site: str) -> None:
    """Deletes a site that nobody has visited yet."""
    sites.delete(asked.session, asked.by, asked.own(Site, site))


@api.get("/sites/<site>/numbers")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=SwapList)
def list_swaps(asked: Asked[Query, None], site: str) -> dict[str, Any]:
    """The numbers that are swapped on a site; the first is its main number."""
    return {"numbers": [sites.describe_swap(it) for it in asked.own(Site, site).swaps]}


@api.post("/sites/<site>/numbers")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=SwapWish, answer=SwapOut, status=201)
def add_swap(asked: Asked[Query, SwapWish], site: str) -> Made:
    """Has a number on the site's pages swapped for those of a pool; pages have it within five minutes."""
    found, wish = asked.own(Site, site), asked.body
    pool = pools.get_pool(asked.session, asked.company, wish.pool)
    made = sites.add_swap(
        asked.session, asked.by, found, wish.number, pool, region=wish.region, alias=wish.alias
    )
    return Made(sites.describe_swap(made), f"/api/v1/sites/{found.id}/numbers")


@api.delete("/sites/<site>/numbers/<swap>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204)
def delete_swap(asked: Asked[Query, None], site: str, swap: str) -> None:
    """Leaves a number on the site's pages alone from now on."""
    swaps: list[Swap] = asked.own(Site, site).swaps
    found = next((each for each in swaps if each.id == row_id(swap)), None)
    if found is None:
        raise Rejected("swap.unknown", "This number is not swapped any more", "See the list")
    sites.delete_swap(asked.session, asked.by, found)


@api.get("/sites/<site>/check")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=CheckOut)
def show_check(asked: Asked[Query, None], site: str) -> dict[str, Any]:
    """What the newest look at a page of the site found, or that it goes on."""
    found = site_checks.newest(asked.session, asked.own(Site, site))
    if found is None:
        raise Rejected("check.unknown", "No page of this site was looked at yet", "Ask for it: POST")
    return site_checks.describe(found)


@api.post("/sites/<site>/check")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=CheckWish, answer=CheckOut, status=202)
def check_site(asked: Asked[Query, CheckWish], site: str) -> dict[str, Any]:
    """Has a page of the site looked at in a real browser; the look that goes on already, if there is one."""
    found = asked.own(Site, site)
    return site_checks.describe(site_checks.ask(asked.session, asked.by, found, asked.body.url))
