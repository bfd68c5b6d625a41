"""Sites: websites with our script, and the numbers on their pages that it swaps."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from tracker import named, scopes
from tracker.audit import By
from tracker.companies import read_region
from tracker.errors import Rejected
from tracker.models import (
    CallbackRequest,
    CallbackSettings,
    Company,
    MissCount,
    Number,
    NumberUse,
    Pool,
    Site,
    SiteCheck,
    Swap,
    Visit,
)
from tracker.policy.entries import read_host, read_title
from tracker.policy.phone import read_number
from tracker.policy.uses import uses_of

KEY_BYTES = 9  # 12 characters: public, no secret, only not to be guessed by miscounting


def add(
    session: Session,
    by: By,
    company: Company,
    name: str,
    *,
    domains: Sequence[str] = (),
    needs_consent: bool = False,
) -> Site:
    """A new site; only pages of its `domains` may speak to us. Raises Rejected site.*."""
    site = Site(
        company_id=company.id,
        name=named.free_name(session, Site, company, name),
        key=secrets.token_urlsafe(KEY_BYTES),
        domains=read_domains(domains),
        needs_consent=needs_consent,
        created_at=by.at,
    )
    session.add(site)
    session.flush()
    by.note(session, "site.add", company.id, subject=site.name, detail={"domains": site.domains})
    return site


def change(
    session: Session,
    by: By,
    company: Company,
    site: Site,
    *,
    name: str | None = None,
    domains: Sequence[str] | None = None,
    needs_consent: bool | None = None,
) -> Site:
    """Change what is given; pages have it within five minutes. Raises Rejected site.*."""
    detail: dict[str, object] = {}
    if name is not None and name != site.name:
        site.name = detail["name"] = named.free_name(session, Site, company, name)
    if domains is not None:
        site.domains = detail["domains"] = read_domains(domains)
    if needs_consent is not None:
        site.needs_consent = detail["needs_consent"] = needs_consent
    by.note(session, "site.change", company.id, subject=site.name, detail=detail)
    return site


def get(session: Session, company: Company, name: str) -> Site:
    """The company's site by its name. Raises Rejected site.unknown, naming those there are."""
    return named.get(session, Site, company, name)


def by_key(session: Session, key: str) -> Site | None:
    """The site of that public key, with its swaps and their pools loaded; None if there is none."""
    wanted = sa.select(Site).where(Site.key == key)
    return session.scalar(wanted.options(selectinload(Site.swaps).joinedload(Swap.pool)))


def listed(session: Session, company: Company) -> Sequence[Site]:
    """The company's sites by name, with their swaps and pools loaded."""
    wanted = sa.select(Site).where(Site.company_id == company.id).order_by(Site.name)
    return session.scalars(wanted.options(selectinload(Site.swaps).joinedload(Swap.pool))).all()


def delete(session: Session, by: By, site: Site) -> None:
    """Delete a site nobody has visited yet. Raises Rejected site.in_use."""
    uses = uses_of(
        (named.count(session, Visit, Visit.site_id == site.id), "visit"),
        (named.count(session, MissCount, MissCount.site_id == site.id), "count of misses"),
        (named.count(session, CallbackRequest, CallbackRequest.site_id == site.id), "callback"),
    )
    if uses:
        raise Rejected(
            "site.in_use",
            "site %(name)r is used by %(uses)s",
            "Take the script off its pages instead; what has history stays",
            name=site.name,
            uses=uses,
        )
    scopes.forget(session, site)
    for model in (SiteCheck, CallbackSettings):
        session.execute(sa.delete(model).where(model.site_id == site.id))
    for swap in list(site.swaps):
        session.delete(swap)
    session.flush()
    session.delete(site)
    by.note(session, "site.delete", site.company_id, subject=site.name)


def add_swap(
    session: Session,
    by: By,
    site: Site,
    number_text: str,
    pool: Pool,
    *,
    region: str = "",
    alias: str | None = None,
) -> Swap:
    """Swap the number, wherever it stands on the site's pages, for numbers of the pool.

    `region` (ISO 3166): for visitors from there only; `alias`: how it also stands there ("1-800-FLOWERS").
    Raises Rejected number.malformed, company.region, swap.*.
    """
    company = session.get_one(Company, site.company_id)
    e164 = _real_number(session, number_text, company)
    region = read_region(region) if region else ""
    if any((each.e164, each.region) == (e164, region) for each in site.swaps):
        raise Rejected(
            "swap.duplicate",
            "%(e164)s is swapped on %(site)r already",
            "Delete it first, or give another region",
            e164=e164,
            site=site.name,
        )
    swap = Swap(
        site=site,
        position=max((each.position for each in site.swaps), default=0) + 1,
        e164=e164,
        alias=read_title(alias, "swap", 40) if alias else None,
        region=region,
        pool_id=_own(pool, site).id,
    )
    session.add(swap)
    session.flush()
    detail = {"e164": e164, "pool": pool.name, "region": region}
    by.note(session, "site.number.add", company.id, subject=site.name, detail=detail)
    return swap


def get_swap(session: Session, site: Site, number_text: str, *, region: str = "") -> Swap:
    """The site's swap of that number and region. Raises Rejected swap.unknown, naming those there are."""
    company = session.get_one(Company, site.company_id)
    e164 = read_number(number_text, company.default_region)
    for swap in site.swaps:
        if (swap.e164, swap.region) == (e164, region.strip().upper()):
            return swap
    there = [" ".join(filter(None, (each.e164, each.region))) for each in site.swaps]
    raise Rejected(
        "swap.unknown",
        "%(e164)s is not swapped on %(site)r for %(region)s"
        if region
        else "%(e164)s is not swapped on %(site)r",
        "There are: %(there)s" if there else "Add it: `leaseline site number add`",
        e164=e164,
        site=site.name,
        region=region.upper(),
        there=there,
    )


def delete_swap(session: Session, by: By, swap: Swap) -> None:
    """Leave that number on the site's pages alone from now on; leases already given run out by themselves."""
    site = swap.site
    by.note(session, "site.number.delete", site.company_id, subject=site.name, detail={"e164": swap.e164})
    site.swaps.remove(swap)
    session.delete(swap)
    session.flush()


def describe(site: Site) -> dict[str, Any]:
    """A site as JSON, with the numbers that are swapped on it."""
    return {
        "id": site.id,
        "name": site.name,
        "key": site.key,
        "domains": list(site.domains),
        "needs_consent": site.needs_consent,
        "numbers": [describe_swap(each) for each in site.swaps],
        "created_at": site.created_at,
    }


def describe_swap(swap: Swap) -> dict[str, Any]:
    """A number that is swapped on a site, as JSON."""
    return {
        "id": swap.id,
        "number": swap.e164,
        "pool": swap.pool.name,
        "region": swap.region or None,
        "alias": swap.alias,
    }


def snippet(site: Site, web_url: str) -> str:
    """The line that goes into the head of every page."""
    return f'<script async src="{web_url.rstrip("/")}/s/{site.key}.js"></script>'


def accepts(site: Site, host: str) -> bool:
    """Whether a page of that host (without or with a port) may speak for the site.

    "*.shop.example" is any host below, not shop.example itself; "www." makes no difference. A site without
    domains accepts nobody.
    """
    return fits(site.domains, host)


def fits(domains: Sequence[str], host: str) -> bool:
    """Whether a host (without or with a port) is one of these domains, as `accepts` reads them."""
    name = re.sub(r":\d+$", "", host.strip().lower()).rstrip(".")
    return bool(name) and any(_fits(name, domain) for domain in domains)


def read_domains(texts: Sequence[str]) -> list[str]:
    """Host names as browsers send them (lower case, punycode), `*.` in front for any below.

    Raises Rejected site.domain.
    """
    return list(dict.fromkeys(_domain(text) for text in texts))


def _fits(name: str, domain: str) -> bool:
    if domain.startswith("*."):
        return name.endswith(domain[1:])
    return name.removeprefix("www.") == domain.removeprefix("www.")


def _domain(text: str) -> str:
    below, host = ("*.", text.strip()[2:]) if text.strip().startswith("*.") else ("", text.strip())
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        host = ""
    try:
        if host and not re.search(r":\d+$", host):
            return below + read_host(host, "site")
    except Rejected:
        pass
    raise Rejected(
        "site.domain",
        "%(text)r is no domain",
        "Give a host name such as shop.example or *.shop.example, without https:// and without a port",
        text=text[:80],
    )


def _own(pool: Pool, site: Site) -> Pool:
    if pool.company_id != site.company_id:
        raise Rejected(
            "swap.pool",
            "Pool %(pool)r is another company's",
            "Give one of the site's company",
            pool=pool.name,
        )
    return pool


def _real_number(session: Session, text: str, company: Company) -> str:
    """The company's own number: one that is leased to visitors cannot stand on a page for all of them."""
    e164 = read_number(text, company.default_region)
    pooled = (
        sa.select(Pool.name)
        .join(NumberUse, NumberUse.pool_id == Pool.id)
        .join(Number, Number.id == NumberUse.number_id)
        .where(Number.e164 == e164, NumberUse.until_at.is_(None))
    )
    if name := session.scalar(pooled):
        raise Rejected(
            "swap.leased",
            "%(e164)s is in pool %(name)r: it is leased to visitors",
            "Put the company's own number on the page, and name that one",
            e164=e164,
            name=name,
        )
    return e164
