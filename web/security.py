"""What the browser is told to refuse, and what we refuse of it: headers, CSP nonce, CSRF tokens."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import secrets

from flask import Flask, Response, current_app, g, request

from tracker.errors import Rejected
from web.house import house
from web.public import is_from_anywhere
from web.viewer import by_program, cookie_name

SAFE = {"GET", "HEAD", "OPTIONS"}


def install(app: Flask) -> None:
    app.before_request(_refuse_forged)
    app.after_request(_harden)
    app.after_request(_compress)
    app.jinja_env.globals.update(nonce=nonce, csrf_token=csrf_token)


def nonce() -> str:
    """This answer's nonce: only scripts and styles that carry it run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def csrf_token() -> str:
    """A token for a form, bound to the session, or before log-in to a cookie of its own.

    A salt, new each time, keeps a compressed page from giving it away bit by bit (BREACH).
    """
    if "form_key" not in g:
        g.form_key = _bound_to() or secrets.token_urlsafe(16)
    salt = secrets.token_urlsafe(8)
    return f"{salt}.{_sign(salt, g.form_key)}"


def form_cookie() -> str:
    return cookie_name() + "-form"


def _bound_to() -> str | None:
    return request.cookies.get(cookie_name()) or request.cookies.get(form_cookie())


def _sign(salt: str, key: str) -> str:
    secret = house().settings.secret_key.encode()
    return hmac.new(secret, f"form|{salt}|{key}".encode(), hashlib.sha256).hexdigest()


def _refuse_forged() -> None:
    """A request that changes something must come from our own page, unless its view says otherwise."""
    if request.method in SAFE or _is_from_anywhere() or by_program():
        return
    if request.routing_exception is not None:  # nothing will be done: let it be said why
        return
    key = _bound_to() or ""
    salt, _, given = (request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")).partition(".")
    foreign = request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
    if foreign or not key or not hmac.compare_digest(_sign(salt, key).encode(), given.encode()):
        raise Rejected(
            "form.forged", "This form is no longer valid", "Open the page again and send it from there"
        )


def _is_from_anywhere() -> bool:
    return is_from_anywhere(current_app.view_functions.get(request.endpoint or ""))


def _harden(response: Response) -> Response:
    if _is_from_anywhere():
        return _harden_open(response)
    set_ = response.headers.setdefault
    script = f"'nonce-{nonce()}'"
    set_(
        "Content-Security-Policy",
        f"default-src 'none'; script-src {script}; style-src {script}; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
        "frame-ancestors 'none'",
    )
    set_("X-Content-Type-Options", "nosniff")
    set_("X-Frame-Options", "DENY")
    set_("Referrer-Policy", "same-origin")
    set_("Cross-Origin-Opener-Policy", "same-origin")
    set_("Cross-Origin-Resource-Policy", "same-origin")
    set_("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    set_("Cache-Control", "no-store")
    if house().settings.cookie_secure:
        set_("Strict-Transport-Security", "max-age=31536000")
    if "form_key" in g and not _bound_to():
        set_cookie(response, form_cookie(), g.form_key)
    return response


def _harden_open(response: Response) -> Response:
    """What other sites' pages load or ask: no document, so nothing in it may ever run as one."""
    set_ = response.headers.setdefault
    set_("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
    set_("X-Content-Type-Options", "nosniff")
    set_("Cross-Origin-Resource-Policy", "cross-origin")
    set_("Cache-Control", "no-store")
    if house().settings.cookie_secure:
        set_("Strict-Transport-Security", "max-age=31536000")
    return response


def set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """A cookie no script can read and no other site's form carries."""
    response.set_cookie(
        name, value, max_age=max_age, path="/", httponly=True, samesite="Lax",
        secure=house().settings.cookie_secure,
    )  # fmt: skip


def _compress(response: Response) -> Response:
    """Pages and JSON go out compressed, so that a phone on a bad line has the list in one breath."""
    if (
        response.direct_passthrough
        or response.mimetype not in {"text/html", "application/json", "text/plain"}
        or "Content-Encoding" in response.headers
        or "gzip" not in request.headers.get("Accept-Encoding", "")
        or (response.content_length or 0) < 1000
    ):
        return response
    response.set_data(gzip.compress(response.get_data(), 5))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.add("Vary", "Accept-Encoding")
    return response
