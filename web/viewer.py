"""Who is looking: the session behind the cookie, the companies they may see, and the client's true address.

Every route needs a log-in unless its view is marked `@public` (web.public).
"""

from __future__ import annotations

import functools
import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, Response, current_app, g, redirect, request
from sqlalchemy.exc import OperationalError

from tracker import api_keys, logins
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import LoginSession, Role
from tracker.policy.rights import Right, Scope, may
from web.house import house
from web.public import is_public, scope_of

log = logging.getLogger(__name__)

_NOBODY = 0  # the user id of a program
FORWARDED = 512  # characters of X-Forwarded-For that are looked at: a dozen proxies, however long their names


@dataclass(frozen=True)
class SeenCompany:
    id: int
    slug: str
    name: str
    region: str
    timezone: str
    currency: str
    language: str
    role: Role


@dataclass(frozen=True)
class Viewer:
    """A logged-in person, the companies they may see, and those of them they look at now (web.switcher)."""

    user_id: int
    email: str
    name: str
    token: str
    language: str | None  # his own choice; None: the company's
    preferences: Mapping[str, Any]
    all_companies: tuple[SeenCompany, ...]
    companies: tuple[SeenCompany, ...]

    def narrowed(self, slug: str | None) -> Viewer:
        """The same person, looking at that company only; at all of theirs for None or one they do not see."""
        one = tuple(it for it in self.all_companies if it.slug == slug)
        return replace(self, companies=one or self.all_companies)

    @property
    def company_ids(self) -> tuple[int, ...]:
        return tuple(company.id for company in self.companies)

    def may(self, right: Right, company_id: int) -> bool:
        """Whether their role in that company has that right."""
        return any(it.id == company_id and may(it.role, right) for it in self.all_companies)

    def having(self, right: Right) -> list[SeenCompany]:
        """Those of the companies looked at in which they have it."""
        return [it for it in self.companies if may(it.role, right)]

    def need(self, right: Right, company_id: int) -> None:
        """Raises Rejected `role.needed` when it has not."""
        if not self.may(right, company_id):
            raise Rejected(
                "role.needed",
                "Your role lets you see and listen only",
                "Ask an owner for the role of a manager",
            )

    @property
    def zone(self) -> ZoneInfo:
        """The first company's time zone: one page shows one zone."""
        try:
            return ZoneInfo(self.companies[0].timezone if self.companies else "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")


def install(app: Flask) -> None:
    app.before_request(_identify)


def viewer() -> Viewer:
    """The logged-in person. Only for views that are not public."""
    found: Viewer = g.viewer
    return found


def hand() -> By:
    """The logged-in person's hand, now and from here: what each change on the page is written down with."""
    return By(house().clock(), viewer().email, client_address())


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host over HTTPS; plain HTTP cannot carry it."""
    return "__Host-leaseline" if house().settings.cookie_secure else "leaseline"


def _identify() -> Response | None:
    g.viewer = None
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        _know(optional=True)  # an unknown address: the error page greets whoever is logged in
        return None
    if is_public(view):
        return None
    if (scope := scope_of(view)) and (token := _key_shown()) is not None:
        g.viewer = _program(token, scope)
        return None
    return None if _know() else _to_login()


def by_program() -> bool:
    """Whether a program asks, by an API key: no page's form can, for browsers send none by themselves."""
    return bool(g.get("viewer")) and g.viewer.user_id == _NOBODY


def opens() -> frozenset[Scope] | None:
    """What the key opens that asks; None: a person does."""
    return g.opens if by_program() else None


def need_scope(*scopes: Scope) -> None:
    """Raises Rejected key.scope where a program's key does not open all of these as well."""
    its = opens()
    if its is not None and (wanted := sorted(set(scopes) - its)):
        raise api_keys.not_for(its, wanted[0])


def _key_shown() -> str | None:
    """The API key that came along; None: none did.

    A password of HTTP's basic log-in is a key only if it looks like one of ours: a proxy in front of us may
    ask browsers for passwords of its own.
    """
    given = request.authorization
    if given is None:
        return None
    if given.type == "bearer":
        return given.token or ""
    if given.type == "token":  # as CallRail's API has it: Token token="KEY"
        return (given.parameters or {}).get("token") or ""
    return given.password if (given.password or "").startswith(api_keys.PREFIX) else None


def _program(token: str, scope: Scope) -> Viewer:
    """A program as if it administered its key's company; only views for keys are ever asked by one."""
    key, it = api_keys.let_in(house().database, token, client_address(), house().clock(), scope)
    company = SeenCompany(
        it.id, it.slug, it.name, it.default_region, it.timezone, it.currency, it.language, Role.ADMIN
    )
    g.opens = key.scopes
    name = f"key:{key.name}"
    return Viewer(_NOBODY, name, name, "", None, {}, (company,), (company,))


def _know(*, optional: bool = False) -> bool:
    token = request.cookies.get(cookie_name(), "")
    if not token:
        return False
    at, settings = house().clock(), house().settings
    try:
        with house().database.read() as session:
            found = logins.find_session(session, token, at, settings.session_days)
            g.viewer = _viewer(found, token) if found else None
    except OperationalError:
        if not optional:
            raise
    if g.viewer and found and at - found.seen_at > logins.TOUCH_EVERY:
        _touch(token)
    return g.viewer is not None


def _viewer(found: LoginSession, token: str) -> Viewer:
    companies = (
        SeenCompany(
            it.id, it.slug, it.name, it.default_region, it.timezone, it.currency, it.language, membership.role
        )
        for membership in found.user.memberships
        for it in (membership.company,)
    )
    user = found.user
    seen = tuple(sorted(companies, key=lambda it: it.name))
    return Viewer(user.id, user.email, user.name, token, user.language, user.preferences, seen, seen)


def _touch(token: str) -> None:
    """A busy database is no reason to refuse a page: the next request writes it."""
    try:
        with house().database.write() as session:
            logins.touch_session(session, token, house().clock())
    except OperationalError as error:
        log.warning("a session's last use was not written: %s", error.__class__.__name__)


def _to_login() -> Response:
    if wants_json():
        raise Rejected("login.needed", "You are not logged in", "Log in at /login and send the cookie")
    if request.headers.get("Sec-Fetch-Dest") == "empty":  # the page's own script: let it reload
        return Response("Log in again.\n", 401, mimetype="text/plain")
    after = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect("/login" if after == "/" else "/login?" + urlencode({"next": after}))  # type: ignore[return-value]


def is_for_programs() -> bool:
    """The API, and where CRMs tell us."""
    return request.path.startswith(("/api/v", "/in/"))


def wants_json() -> bool:
    """An address for programs, or a client that says it would rather read JSON than HTML."""
    if is_for_programs() or request.path.startswith("/callrail/"):
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def client() -> logins.Client:
    """The address that counts for limits and the audit log, and the browser's name for itself."""
    return logins.Client(client_address(), (request.user_agent.string or "")[:300])


def client_address() -> str:
    """The peer's address; what a trusted proxy says of its client, and nothing anybody else says."""
    # Our proxies' words are the last ones; what a client put before them is not worth remembering.
    told = request.headers.get("X-Forwarded-For", "")[-FORWARDED:]
    return _client_address(request.remote_addr or "", told, tuple(house().settings.trusted_proxies))


@functools.lru_cache(1024)  # each request asks more than once
def _client_address(peer: str, told: str, proxies: tuple[str, ...]) -> str:
    trusted = [ipaddress.ip_network(network) for network in proxies]
    hops = [part.strip() for part in told.split(",") if part.strip()]
    address = _address(peer)
    while hops and address and any(address in network for network in trusted):
        nearer = _address(hops.pop())
        if nearer is None:
            break
        address = nearer
    return str(address or "unknown")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
