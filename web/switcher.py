"""Which of their companies somebody looks at: one of them, or all.

`?company=SLUG` in any address chooses one, `?company=` all of them; a cookie keeps that for the next pages.
An address that names a company itself (/settings/SLUG) shows that one. What the company chosen does not have
is looked for in the others, so a link to a call leads there whichever company is chosen: the choice is a
view, never a right.
"""

from __future__ import annotations

from urllib.parse import urlencode

import flask_babel
from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

from tracker.errors import Rejected
from tracker.policy.rights import Right
from web.house import house
from web.security import SAFE, set_cookie
from web.viewer import SeenCompany, Viewer, cookie_name, is_for_programs

ADMINISTERED = ("/people", "/audit", "/settings")  # pages that not everybody has in every company


def install(app: Flask) -> None:
    app.before_request(_choose)
    app.after_request(_remember)
    app.jinja_env.globals.update(company_link=company_link)


def company_link(company: SeenCompany | None) -> str:
    """This page over that company, or over all (None); the list of calls where there is no such page."""
    rule, path = request.url_rule, request.path
    section = next((it for it in ADMINISTERED if path == it or path.startswith(it + "/")), None)
    if section and company and not g.viewer.may(Right.ADMINISTER, company.id):
        path = "/calls"
    elif rule is None or rule.arguments or request.method != "GET":
        path = section or "/calls"
    return path + "?" + urlencode({"company": company.slug if company else ""})


def look_wider() -> Response | None:
    """The same request over all of one's companies; None when they all were looked at already."""
    who: Viewer | None = g.get("viewer")
    if who is None or len(who.companies) == len(who.all_companies) or _means_one():
        return None
    g.viewer = who.narrowed(None)
    flask_babel.refresh()  # the language may be another company's
    try:
        return current_app.make_response(current_app.dispatch_request())
    except Exception as again:  # noqa: BLE001  (the application knows what to say to each)
        return current_app.make_response(current_app.handle_user_exception(again))


def _means_one() -> bool:
    """Whether the company that the API was told of is meant: no change reaches another by accident."""
    return is_for_programs() and (request.method not in SAFE or bool(request.args.get("company")))


def _choose() -> None:
    who: Viewer | None = g.get("viewer")
    if who is None:
        return
    asked = request.args.get("company")
    if asked and asked not in {it.slug for it in who.all_companies}:
        raise Rejected("company.unknown", "You see no such company", "Choose one in the header")
    named = (request.view_args or {}).get("company")
    kept = request.cookies.get(_cookie())
    g.viewer = who.narrowed(next((it for it in (named, asked, kept) if it is not None), None))


def _remember(response: Response) -> Response:
    """A page keeps the choice; a program, a picture or the page's own script changes nothing."""
    asked = request.args.get("company")
    page = request.headers.get("Sec-Fetch-Dest", "document") == "document" and request.method == "GET"
    if asked is None or not page or response.status_code >= 400 or g.get("viewer") is None:
        return response
    if asked:
        set_cookie(response, _cookie(), asked)  # type: ignore[arg-type]
    else:
        forget(response)
    return response


def forget(response: Response) -> None:
    response.delete_cookie(_cookie(), path="/", secure=house().settings.cookie_secure, httponly=True)


def _cookie() -> str:
    return cookie_name() + "-company"
